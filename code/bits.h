// Numbers of fewer bits than a word has.
#pragma once
#include <cstdint>

namespace assay::code {

// The low bits of a value, as a number with a sign. 0: all of them.
constexpr int64_t sign_extend(uint64_t value, unsigned bits) {
  if (bits == 0 || bits >= 64) return static_cast<int64_t>(value);
  return static_cast<int64_t>(value << (64 - bits)) >> (64 - bits);
}

// And as one without.
constexpr uint64_t low_bits(uint64_t value, unsigned bits) {
  return bits >= 64 ? value : value & ((uint64_t{1} << bits) - 1);
}

}  // namespace assay::code
