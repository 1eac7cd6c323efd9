// Reads "config TYPE [NAME]", "option NAME VALUE" and "list NAME VALUE"; quotes are '…' or "…"; '#' starts a comment.
#include "system/uci.h"

#include "core/text.h"

namespace assay::system {
namespace {

constexpr size_t kMaximumSections = 4096;

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> found;
  size_t i = 0;
  while (i < line.size()) {
    if (line[i] == ' ' || line[i] == '\t') {
      ++i;
      continue;
    }
    if (line[i] == '#') break;
    std::string word;
    while (i < line.size() && line[i] != ' ' && line[i] != '\t') {
      const char c = line[i++];
      if (c != '\'' && c != '"') {
        word += c;
        continue;
      }
      while (i < line.size() && line[i] != c) word += line[i++];
      if (i < line.size()) ++i;
    }
    found.push_back(std::move(word));
  }
  return found;
}

}  // namespace

std::string UciSection::value(std::string_view option, bool* found) const {
  std::string all;
  bool any = false;
  for (const UciOption& one : options) {
    if (one.name != option) continue;
    if (any && one.list) all += ' ';
    if (!one.list) all.clear();
    all += one.value;
    any = true;
  }
  if (found) *found = any;
  return all;
}

std::vector<UciSection> uci_sections(std::string_view text) {
  std::vector<UciSection> sections;
  for (const Line& line : lines(text)) {
    const std::vector<std::string> pieces = words_of(line.text);
    if (pieces.size() >= 2 && pieces[0] == "config" && sections.size() < kMaximumSections) {
      sections.push_back({pieces[1], pieces.size() > 2 ? pieces[2] : "", line.offset, line.text.size(), {}});
    } else if (pieces.size() >= 3 && !sections.empty() && (pieces[0] == "option" || pieces[0] == "list")) {
      sections.back().options.push_back({pieces[1], pieces[2], pieces[0] == "list", line.offset, line.text.size()});
    }
  }
  return sections;
}

}  // namespace assay::system
