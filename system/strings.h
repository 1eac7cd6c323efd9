// Finding text in any bytes: shared by the analyses of files. Everything here is one pass over the content.
#pragma once
#include "core/bytes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace assay::system {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_alphanumeric(char c) { return is_digit(c) || is_letter(c); }
inline bool is_printable(char c) { return c >= 0x20 && c < 0x7f; }

// The run of printable bytes and tabs around `at`, at most `reach` bytes to either side: a string of a binary, a line
// of a text.
inline std::string_view printable_around(std::string_view text, uint64_t at, uint64_t reach = 200) {
  uint64_t from = at, to = at;
  const auto fits = [&](uint64_t i) { return is_printable(text[i]) || text[i] == '\t'; };
  while (from > 0 && at - from < reach && fits(from - 1)) --from;
  while (to < text.size() && to - at < reach && fits(to)) ++to;
  return text.substr(from, to - from);
}

// Many literals at once, after Wu and Manber (1994): the last two bytes of a window as long as the shortest literal
// tell how far the window may move, so that most bytes are never looked at. The shortest literal has at least two
// bytes.
class Literals {
 public:
  explicit Literals(std::span<const std::string_view> words);

  // Calls found(index of the literal, offset) for each occurrence, in order of offset, then index.
  template <class Found>
  void search(std::string_view text, Found found) const {
    const char* const data = text.data();
    for (uint64_t end = window_; end <= text.size();) {
      const uint32_t block = block_of(data + end - 2);
      if (const uint8_t shift = shift_[block]; shift != 0) {
        end += shift;
        continue;
      }
      const uint64_t at = end - window_;
      for (uint32_t i = first_[block]; i < first_[block + 1]; ++i) {
        const std::string_view word = words_[order_[i]];
        if (word.size() <= text.size() - at && std::memcmp(data + at, word.data(), word.size()) == 0)
          found(order_[i], at);
      }
      ++end;
    }
  }

 private:
  static constexpr uint32_t kBlocks = 1 << 13;
  static uint32_t block_of(const char* p) {
    return (static_cast<uint8_t>(p[0]) ^ (static_cast<uint32_t>(static_cast<uint8_t>(p[1])) << 5)) & (kBlocks - 1);
  }
  std::vector<std::string_view> words_;
  uint64_t window_ = 0;
  std::array<uint8_t, kBlocks> shift_{};
  std::array<uint16_t, kBlocks + 1> first_{};  // into order_
  std::vector<uint16_t> order_;                // of the literals, by the block their window ends in
};

}  // namespace assay::system
