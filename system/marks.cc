#include "system/marks.h"

#include "system/file.h"

#include <optional>

namespace assay::system {
namespace {

constexpr size_t kMostMarks = 1 << 20;  // of one content, kept in memory

// The words of all analyses as one set, and how to tell whose each is.
struct Together {
  std::vector<std::optional<Literals>> own;          // by analysis, for contents with too many marks
  std::vector<std::pair<uint32_t, uint32_t>> whose;  // by word: analysis, index among its words
  std::optional<Literals> all;

  Together() {
    std::vector<std::string_view> words;
    uint32_t index = 0;
    for (const FileAnalysis* analysis : file_analyses()) {
      const auto wanted = analysis->words ? analysis->words() : std::span<const std::string_view>();
      own.emplace_back();
      if (!wanted.empty()) own.back().emplace(wanted);
      for (uint32_t i = 0; i < wanted.size(); ++i) whose.emplace_back(index, i);
      words.insert(words.end(), wanted.begin(), wanted.end());
      ++index;
    }
    all.emplace(words);
  }
};

const Together& together() {
  static const Together words;
  return words;
}

// False: too many.
bool find_all(std::string_view content, std::vector<std::vector<Mark>>& found) {
  const Together& words = together();
  size_t count = 0;
  words.all->search(content, [&](uint32_t word, uint64_t at) {
    if (++count > kMostMarks) return;
    const auto [analysis, index] = words.whose[word];
    found[analysis].push_back({index, at});
  });
  return count <= kMostMarks;
}

}  // namespace

void read_facts(Bytes content, Facts& out) {
  const auto analyses = file_analyses();
  std::vector<std::vector<Mark>> found(analyses.size());
  const bool complete = find_all(content.text(), found);
  for (size_t i = 0; i < analyses.size(); ++i) {
    const auto& own = together().own[i];
    analyses[i]->run(content, Marks(own ? &*own : nullptr, content.text(), complete ? &found[i] : nullptr), out);
  }
}

void read_facts(const FileAnalysis& analysis, Bytes content, Facts& out) {
  std::optional<Literals> own;
  if (analysis.words) own.emplace(analysis.words());
  analysis.run(content, Marks(own ? &*own : nullptr, content.text(), nullptr), out);
}

}  // namespace assay::system
