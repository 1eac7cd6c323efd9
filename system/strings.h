// Finding text in any bytes: shared by the analyses of files. Everything here is one pass over the content.
#pragma once
#include "core/bytes.h"

#include <algorithm>
#include <array>
#include <bit>
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

// Many literals at once. Every second position is looked at: three bytes there, hashed, say by one bit whether a
// literal may stand at it or one byte before it; nearly always none does, and no look depends on the one before. Every
// literal has at least four bytes, so that three of them lie at an even position.
class Literals {
 public:
  explicit Literals(std::span<const std::string_view> words);

  // Calls found(index of the literal, offset) for each occurrence, in order of offset, then index.
  template <class Found>
  void search(std::string_view text, Found found) const {
    const char* const data = text.data();
    uint64_t at = 0;
    for (; at + 12 <= text.size(); at += 8) {  // four looks at a time
      const uint32_t a = hash_of(data + at), b = hash_of(data + at + 2), c = hash_of(data + at + 4),
                     d = hash_of(data + at + 6);
      if (!(may_start(a) | may_start(b) | may_start(c) | may_start(d))) [[likely]]
        continue;
      if (may_start(a)) compare(text, at, a, found);
      if (may_start(b)) compare(text, at + 2, b, found);
      if (may_start(c)) compare(text, at + 4, c, found);
      if (may_start(d)) compare(text, at + 6, d, found);
    }
    for (; at + 3 <= text.size(); at += 2) {
      const char last[4] = {data[at], data[at + 1], data[at + 2], 0};
      compare(text, at, hash_of(last), found);
    }
  }

 private:
  static constexpr uint32_t kHashBits = 16, kBuckets = 4096;
  struct Candidate {
    uint32_t word, begin;  // its index; its first four bytes
    uint16_t before;       // it starts this many bytes before the three that were hashed
  };

  static uint32_t hash_of(const char* p) {  // of three bytes; four are read
    uint32_t bytes;
    std::memcpy(&bytes, p, 4);
    if constexpr (std::endian::native == std::endian::big) bytes = std::byteswap(bytes);
    return (bytes << 8) * 0x9e3779b1u >> (32 - kHashBits);
  }
  uint32_t may_start(uint32_t hash) const { return bits_[hash >> 5] >> (hash & 31) & 1; }

  template <class Found>
  void compare(std::string_view text, uint64_t at, uint32_t hash, Found& found) const {
    const uint32_t bucket = hash % kBuckets;
    for (uint32_t i = first_[bucket]; i < first_[bucket + 1]; ++i) {
      const Candidate& candidate = candidates_[i];
      if (candidate.before > at) continue;
      const uint64_t start = at - candidate.before;
      uint32_t begin;
      if (text.size() - start < 4) continue;
      std::memcpy(&begin, text.data() + start, 4);
      if (begin != candidate.begin) continue;
      const std::string_view word = words_[candidate.word];
      if (word.size() <= text.size() - start && std::memcmp(text.data() + start, word.data(), word.size()) == 0)
        found(candidate.word, start);
    }
  }

  std::vector<std::string_view> words_;
  std::array<uint32_t, (1 << kHashBits) / 32> bits_{};
  std::array<uint16_t, kBuckets + 1> first_{};  // into candidates_
  std::vector<Candidate> candidates_;           // by bucket; in it those that start earlier first, then by index
};

}  // namespace assay::system
