// What bytes that no format explains look like: counted, never guessed. A pure function of the bytes: the same range
// gives the same words. It opens nothing; what it says is a hint where to look, with the count it stands on.
#pragma once
#include "core/facts.h"

namespace assay::unpack {

constexpr uint32_t kUnknownVersion = 2;       // raise it when a result changes
constexpr uint64_t kSmallestDescribed = 256;  // bytes; statistics of less say nothing

// `at` holds what a person sees; its artifact and offset are left to the caller.
UnknownRange describe_unknown(Bytes range);

// --- parts, each tested alone ---

struct ByteStatistics {
  uint64_t counts[256] = {};
  uint64_t total = 0;
  uint32_t entropy() const;     // thousandths of a bit a byte
  uint64_t chi_square() const;  // against equal frequencies
};
ByteStatistics statistics_of(Bytes bytes);

// Repeated aligned blocks of 16 (or 8) bytes that look random by themselves: a block cipher without chaining.
struct Repetition {
  uint32_t block = 0;    // 16 or 8; 0: none
  uint64_t repeats = 0;  // blocks that were seen before
};
Repetition repeated_blocks(Bytes bytes);

// The period of a short key that was combined with the bytes by XOR, told by text and zeros that appear without it.
struct RepeatingKey {
  uint32_t period = 0;  // 0: none
  std::string key;      // the most frequent byte of each position: right where zeros are the most frequent bytes
};
RepeatingKey repeating_key(Bytes bytes);

std::string language_of(Bytes bytes);  // ISO 639-1, or empty

}  // namespace assay::unpack
