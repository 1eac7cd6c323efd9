// A set of registers and variables. Those beyond its room count as always in it.
#pragma once
#include "code/ir.h"

namespace assay::code::ir {

template <unsigned kWords>
class RegisterSetOf {
 public:
  static constexpr unsigned kRoom = 64 * kWords;

  RegisterSetOf() = default;
  template <unsigned kOther>
  explicit RegisterSetOf(const RegisterSetOf<kOther>& o) {
    for (unsigned i = 0; i < kWords; ++i) words_[i] = o.word(i);
  }
  uint64_t word(unsigned i) const { return i < kWords ? words_[i] : ~uint64_t{0}; }

  static RegisterSetOf all() {
    RegisterSetOf s;
    s.words_.fill(~uint64_t{0});
    return s;
  }
  bool has(unsigned r) const { return r >= kRoom || (words_[r / 64] >> r % 64 & 1) != 0; }
  void add(unsigned r) {
    if (r < kRoom) words_[r / 64] |= uint64_t{1} << r % 64;
  }
  void remove(unsigned r) {
    if (r < kRoom) words_[r / 64] &= ~(uint64_t{1} << r % 64);
  }
  RegisterSetOf& operator|=(const RegisterSetOf& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= o.words_[i];
    return *this;
  }
  RegisterSetOf with(const RegisterSetOf& o) const { return RegisterSetOf(*this) |= o; }
  bool empty() const { return *this == RegisterSetOf(); }
  RegisterSetOf without(const RegisterSetOf& o) const {
    RegisterSetOf out;
    for (size_t i = 0; i < words_.size(); ++i) out.words_[i] = words_[i] & ~o.words_[i];
    return out;
  }
  friend bool operator==(const RegisterSetOf&, const RegisterSetOf&) = default;

 private:
  std::array<uint64_t, kWords> words_{};
};
using RegisterSet = RegisterSetOf<4>;

}  // namespace assay::code::ir
