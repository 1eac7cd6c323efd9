// Numbers for tests.
#pragma once
#include <cstdint>

namespace assay::code::lift {

// A small generator of our own: the same numbers with every library (Marsaglia's xorshift).
struct Random {
  uint64_t state = 0x9e3779b97f4a7c15;
  uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  uint64_t below(uint64_t n) { return next() % n; }
};

}  // namespace assay::code::lift
