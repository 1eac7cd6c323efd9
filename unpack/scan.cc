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
  size_t key_at;  // where in the magic its key stands

  // Whether the magic's last byte is there too, when its key stands at `at`: spares most comparisons.
  bool may_stand(Bytes region, uint64_t at) const {
    const uint64_t last = at - key_at + magic.bytes.size() - 1;
    return last < region.size() && region[last] == static_cast<uint8_t>(magic.bytes.back());
  }
};

uint16_t key_of(const uint8_t* bytes) { return static_cast<uint16_t>(bytes[0] | bytes[1] << 8); }

// The first pair without the bytes that erased and zeroed flash consists of; where none is, the pair that differs most:
// small numbers in wide fields are everywhere.
size_t key_place(std::string_view magic) {
  const auto byte = [&](size_t i) { return static_cast<int>(static_cast<uint8_t>(magic[i])); };
  const auto rank = [&](size_t i) {
    const int a = byte(i), b = byte(i + 1);
    return a != 0 && b != 0 && a != 0xff && b != 0xff ? 256 : std::abs(a - b);
  };
  size_t best = 0;
  for (size_t at = 1; at + 2 <= magic.size(); ++at)
    if (rank(at) > rank(best)) best = at;
  return best;
}

// Patterns by two of their bytes: most positions of an image fail the first look at the bit set.
struct Table {
  std::array<uint64_t, 1024> starts{};  // bit per two-byte value
  std::map<uint16_t, std::vector<Pattern>> by_start;

  uint64_t may_start(uint16_t key) const { return starts[key >> 6] >> (key & 63) & 1; }

  Table() {
    uint32_t order = 0;
    for (const Format* format : formats()) {
      ++order;
      if (!format->carve) continue;
      for (const Magic& magic : format->magics) {
        ASSAY_CHECK(magic.bytes.size() >= 2);
        const size_t key_at = key_place(magic.bytes);
        const auto key = static_cast<uint16_t>(static_cast<uint8_t>(magic.bytes[key_at]) |
                                               static_cast<uint8_t>(magic.bytes[key_at + 1]) << 8);
        starts[key >> 6] |= uint64_t{1} << (key & 63);
        by_start[key].push_back({format, magic, order, key_at});
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
  const auto look = [&](uint64_t at, uint16_t key) {
    if (!table.may_start(key)) return;
    for (const Pattern& pattern : table.by_start.find(key)->second)
      if (at >= pattern.key_at + pattern.magic.offset && pattern.may_stand(region, at) &&
          region.starts_with(pattern.magic.bytes, at - pattern.key_at))
        found.push_back({at - pattern.key_at - pattern.magic.offset, pattern.order, pattern.format});
  };
  uint64_t at = 0;
  for (; at + 5 <= region.size(); at += 4) {  // four looks that do not wait for each other
    const auto a = key_of(bytes + at), b = key_of(bytes + at + 1), c = key_of(bytes + at + 2),
               d = key_of(bytes + at + 3);
    if (!(table.may_start(a) | table.may_start(b) | table.may_start(c) | table.may_start(d))) [[likely]]
      continue;
    look(at, a), look(at + 1, b), look(at + 2, c), look(at + 3, d);
  }
  for (; at + 2 <= region.size(); ++at) look(at, key_of(bytes + at));
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<Hit> hits;
  hits.reserve(found.size());
  for (const Found& f : found) hits.push_back({f.start, f.format});
  return hits;
}

}  // namespace assay::unpack
