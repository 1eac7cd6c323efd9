// What the bytes of an instruction are worth, remembered: one place an entry, by its bytes. What comes later takes the
// place of what was there, so that a table stays as large as it began. It answers what decoding anew would.
#pragma once
#include "code/processor.h"

#include <cstring>
#include <span>
#include <vector>

namespace assay::code {

// All bytes of one instruction, and above them how many there are.
using Word = uint64_t;
constexpr Word kNoWord = 0;
constexpr int kSizeShift = 56;
inline uint8_t size_of(Word word) { return static_cast<uint8_t>(word >> kSizeShift); }

// The instruction that begins `code`, where its size shows without decoding; else kNoWord.
Word word_at(Processor processor, std::span<const std::byte> code);

template <class T>
class Words {
 public:
  explicit Words(uint8_t bits) : bits_(bits) {}
  // nullptr: not remembered.
  const T* find(Word word) const {
    if (places_.empty()) return nullptr;
    const Place& p = places_[place(word)];
    return p.word == word ? &p.value : nullptr;
  }
  T& put(Word word) {
    if (places_.empty()) places_.resize(size_t{1} << bits_);
    Place& p = places_[place(word)];
    p.word = word;
    return p.value;
  }

 private:
  struct Place {
    Word word = kNoWord;
    T value{};
  };
  size_t place(Word word) const { return static_cast<size_t>((word * 0x9e3779b97f4a7c15) >> (64 - bits_)); }
  std::vector<Place> places_;
  int bits_;
};

}  // namespace assay::code
