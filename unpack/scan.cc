#include "unpack/scan.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

namespace assay::unpack {
namespace {

struct Pattern {
  const Format* format;
  Magic magic;
  uint32_t order;
};

// Patterns by their first two bytes: most positions of an image fail the first look at the bit set.
struct Table {
  std::array<uint64_t, 1024> starts{};  // bit per two-byte value
  std::map<uint16_t, std::vector<Pattern>> by_start;

  Table() {
    uint32_t order = 0;
    for (const Format* format : formats()) {
      ++order;
      if (!format->carve) continue;
      for (const Magic& magic : format->magics) {
        ASSAY_CHECK(magic.bytes.size() >= 2);
        const auto key =
            static_cast<uint16_t>(static_cast<uint8_t>(magic.bytes[0]) | static_cast<uint8_t>(magic.bytes[1]) << 8);
        starts[key >> 6] |= uint64_t{1} << (key & 63);
        by_start[key].push_back({format, magic, order});
      }
    }
  }
};

}  // namespace

std::vector<Hit> scan(Bytes region) {
  static const Table table;
  struct Found {
    uint64_t start;
    uint32_t order;
    const Format* format;
    auto operator<=>(const Found& other) const {
      return start != other.start ? start <=> other.start : order <=> other.order;
    }
    bool operator==(const Found& other) const { return start == other.start && order == other.order; }
  };
  std::vector<Found> found;
  const auto* bytes = reinterpret_cast<const uint8_t*>(region.data());
  for (uint64_t at = 0; at + 2 <= region.size(); ++at) {
    const auto key = static_cast<uint16_t>(bytes[at] | bytes[at + 1] << 8);
    if (!(table.starts[key >> 6] >> (key & 63) & 1)) continue;
    for (const Pattern& pattern : table.by_start.find(key)->second)
      if (at >= pattern.magic.offset && region.starts_with(pattern.magic.bytes, at))
        found.push_back({at - pattern.magic.offset, pattern.order, pattern.format});
  }
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<Hit> hits;
  hits.reserve(found.size());
  for (const Found& f : found) hits.push_back({f.start, f.format});
  return hits;
}

}  // namespace assay::unpack
