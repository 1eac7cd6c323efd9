// Where the magics of formats occur in a range of bytes.
#pragma once
#include "unpack/format.h"

#include <array>
#include <functional>
#include <vector>

namespace assay::unpack {

struct Hit {
  uint64_t start;  // of the structure, not of the magic
  const Format* format;
};

// Looks for the magics of some of the formats with `carve`. Made once and kept: its tables take longer than a short
// search.
class Scanner {
 public:
  explicit Scanner(const std::function<bool(const Format&)>& wanted);
  // Structures that start within `region`; sorted by start, then by registry order.
  std::vector<Hit> find(Bytes region) const;

 private:
  struct Pattern {
    const Format* format;
    Magic magic;
    uint32_t order;
    uint64_t key_at;       // where in the magic its key, two of its bytes, stands
    uint32_t mask, value;  // of the magic's first bytes, up to four: spares most comparisons
  };
  struct Found {
    uint64_t start;
    uint32_t order;
    const Format* format;
  };

  uint64_t may_start(uint16_t key) const { return keys_[key >> 6] >> (key & 63) & 1; }
  void look(Bytes region, uint64_t at, uint16_t key, std::vector<Found>& found) const;

  std::array<uint64_t, 1024> keys_{};  // a bit for each value of two bytes: most positions of an image fail here
  std::vector<uint16_t> group_of_;     // of each value whose bit is set: its place in groups_
  std::vector<std::vector<Pattern>> groups_;
};

// Of all formats.
std::vector<Hit> scan(Bytes region);

}  // namespace assay::unpack
