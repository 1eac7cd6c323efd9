// A set of registers and variables. Those beyond its room count as always in it.
#pragma once
#include "code/ir.h"

namespace assay::code::ir {

class RegisterSet {
 public:
  static constexpr unsigned kRoom = 256;

  static RegisterSet all() {
    RegisterSet s;
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
  RegisterSet& operator|=(const RegisterSet& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= o.words_[i];
    return *this;
  }
  RegisterSet with(const RegisterSet& o) const { return RegisterSet(*this) |= o; }
  bool empty() const { return *this == RegisterSet(); }
  RegisterSet without(const RegisterSet& o) const {
    RegisterSet out;
    for (size_t i = 0; i < words_.size(); ++i) out.words_[i] = words_[i] & ~o.words_[i];
    return out;
  }
  friend bool operator==(const RegisterSet&, const RegisterSet&) = default;

 private:
  std::array<uint64_t, kRoom / 64> words_{};
};

}  // namespace assay::code::ir
