// What the bytes of an instruction are worth, remembered: one place an entry, by its bytes. What comes later takes the
// place of what was there. The table begins small, for one function, and grows up to a size of its owner's choice. It
// answers what decoding anew would.
#pragma once
#include "code/processor.h"

#include <algorithm>
#include <span>
#include <vector>

namespace assay::code {

// All bytes of one instruction, and above them how many there are.
using Word = uint64_t;
constexpr Word kNoWord = 0;
constexpr int kSizeShift = 56;
constexpr size_t kLongestWord = kSizeShift / 8;
inline uint8_t size_of(Word word) { return static_cast<uint8_t>(word >> kSizeShift); }

// The instruction that begins `code`, where its size shows without decoding; else kNoWord.
Word word_at(Processor processor, std::span<const std::byte> code);

// The instruction that begins `code`, and a number in it: what the instruction is but for that recurs more often.
struct Shape {
  Word word = kNoWord;  // also of what is too long for one
  Word key = kNoWord;   // what is left without the number
  Word mask = 0;  // the number's bits, of the word as a number (`bits_in`), or where that is too long, of the last
                  // four bytes; 0: none
  uint64_t number = 0;
  uint8_t width = 0;      // of the number, in bits
  bool distance = false;  // x86: counts from where the instruction lies, and recurs too seldom (`word_at`)
};
Shape shape_at(Processor processor, std::span<const std::byte> code);

// The bytes of a Word as a number; big-endian ones are four.
inline Word bits_in(Word word, bool big) {
  return big ? __builtin_bswap32(static_cast<uint32_t>(word)) : word & ((Word{1} << kSizeShift) - 1);
}

// For what is remembered of an address of code: kNoWord of none.
inline Word word_of_address(uint64_t address) { return ~address; }

// A T has its Word in it, as `word()`. Addresses are mostly asked for one after the other: what is of neighbours lies
// side by side.
template <class T, bool kOfAddresses = false>
class Words {
 public:
  explicit Words(uint8_t most_bits) : most_bits_(most_bits) {}
  // nullptr: not remembered.
  T* find(Word word) {
    if (places_.empty()) return nullptr;
    T& p = places_[place(word)];
    return p.word() == word ? &p : nullptr;
  }
  T& put(Word word) {
    if (++puts_ > places_.size() / 2 && bits_ < most_bits_) grow();
    T& p = places_[place(word)];
    p.word() = word;
    return p;
  }

 private:
  static constexpr uint8_t kFirstBits = 6, kMoreBits = 2;
  size_t place(Word word) const {
    if (kOfAddresses) return static_cast<size_t>(word & ((Word{1} << bits_) - 1));
    return static_cast<size_t>((word * 0x9e3779b97f4a7c15) >> (63 - bits_) >> 1);
  }
  void grow() {
    bits_ = std::min<uint8_t>(most_bits_, bits_ == 0 ? kFirstBits : bits_ + kMoreBits);
    std::vector<T> before(size_t{1} << bits_);
    before.swap(places_);
    for (T& p : before)
      if (p.word() != kNoWord) places_[place(p.word())] = std::move(p);
  }
  std::vector<T> places_;
  size_t puts_ = 0;
  uint8_t bits_ = 0, most_bits_;
};

}  // namespace assay::code
