// A word; `word { … }`, a section; `word = value`; values are numbers, "texts" with \ before " and \, and lists in
// brackets with commas; `#` starts a comment up to the end of the line.
// Source: lvm.conf(5); libvslvm, Logical Volume Manager (LVM) format, "Metadata".
#include "unpack/lvm_text.h"

#include <charconv>

namespace assay::unpack {
namespace {

constexpr uint32_t kDeepestSection = 8;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<LvmSection> section(uint32_t depth) {
    LvmSection out;
    for (;;) {
      const std::string word = next();
      if (word.empty() || word == "}") {
        if ((depth == 0) != word.empty()) return wrong("section does not end");
        return out;
      }
      const std::string sign = next();
      if (sign == "{") {
        if (depth == kDeepestSection) return wrong("sections lie too deep");
        out.sections.push_back(TRY(section(depth + 1)));
        out.sections.back().name = word;
      } else if (sign == "=") {
        out.values[word] = TRY(values());
      } else {
        return wrong("neither { nor = behind " + word);
      }
    }
  }

 private:
  std::unexpected<Error> wrong(const std::string& what) const {
    return fail(Fault::kMalformed, "metadata: " + what, at_);
  }

  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#')
        at_ = std::min(text_.find('\n', at_), text_.size());
      else if (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r' ||
               text_[at_] == '\0')
        ++at_;
      else
        return;
    }
  }
  // A sign, a text without its quotes, or a run of other characters; empty at the end.
  std::string next() {
    skip();
    quoted_ = false;
    if (at_ == text_.size()) return {};
    const char c = text_[at_];
    if (c == '"') return quoted();
    if (std::string_view("{}=[],").find(c) != std::string_view::npos) return {text_[at_++]};
    const size_t end = std::min(text_.find_first_of(" \t\r\n{}=[],#\"", at_), text_.size());
    std::string word(text_.substr(at_, end - at_));
    at_ = end;
    return word;
  }
  std::string quoted() {
    std::string out;
    quoted_ = true;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out.push_back(text_[at_]);
    }
    if (at_ < text_.size()) ++at_;
    return out;
  }
  Result<std::vector<std::string>> values() {
    std::string word = next();
    if (word != "[" || quoted_) return std::vector{std::move(word)};
    std::vector<std::string> out;
    for (;;) {
      word = next();
      if (word.empty() && !quoted_) return wrong("list does not end");
      if (word == "]" && !quoted_) return out;
      if (word != "," || quoted_) out.push_back(std::move(word));
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  bool quoted_ = false;
};

}  // namespace

const LvmSection* LvmSection::section(std::string_view wanted) const {
  for (const LvmSection& section : sections)
    if (section.name == wanted) return &section;
  return nullptr;
}

std::string_view LvmSection::text(std::string_view wanted) const {
  const auto found = values.find(wanted);
  return found == values.end() || found->second.empty() ? std::string_view() : found->second.front();
}

std::optional<uint64_t> LvmSection::number(std::string_view wanted) const {
  const std::string_view word = text(wanted);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

Result<LvmSection> read_lvm_text(std::string_view text) { return Reader(text).section(0); }

}  // namespace assay::unpack
