// Whose machine code bytes are, by how often prologues, epilogues and returns stand in them, and where such code was
// meant to lie in memory.
#pragma once
#include "core/bytes.h"

#include <optional>

namespace assay::unpack {

struct CodeGuess {
  std::string_view processor;   // as CodeUnit names it; empty: none recognised
  std::string_view confidence;  // certain, likely
  uint64_t marks = 0;           // instructions that begin and end functions
  uint64_t units = 0;           // words, halfwords or bytes they were counted over
  uint64_t phase = 0;           // the first instruction stands this far from the start
  uint64_t code_bytes = 0;      // of the windows that look like code
};
CodeGuess guess_processor(Bytes bytes);

// The address of the first byte, by the pointers that then point at starts of strings. `order`: of the words.
struct LoadAddress {
  uint64_t address = 0;
  uint64_t pointers = 0;  // that point at strings if it is right
};
std::optional<LoadAddress> guess_load_address(Bytes bytes, Order order);
Order order_of(std::string_view processor);

}  // namespace assay::unpack
