#include "unpack/scan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

namespace assay::unpack {
namespace {

uint16_t key_of(const void* bytes) {
  const auto* two = static_cast<const uint8_t*>(bytes);
  return static_cast<uint16_t>(two[0] | two[1] << 8);
}

uint64_t eight_of(const std::byte* bytes) {
  uint64_t eight;
  std::memcpy(&eight, bytes, sizeof eight);
  return std::endian::native == std::endian::little ? eight : std::byteswap(eight);
}

uint32_t first_four(const void* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

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

}  // namespace

Scanner::Scanner(const std::function<bool(const Format&)>& wanted) {
  std::map<uint16_t, std::vector<Pattern>> patterns;
  uint32_t order = 0;
  for (const Format* format : formats()) {
    ++order;
    if (!format->carve || !wanted(*format)) continue;
    for (const Magic& magic : format->magics) {
      ASSAY_CHECK(magic.bytes.size() >= 2);
      const size_t key_at = key_place(magic.bytes);
      char four[4] = {}, mask[4] = {};
      std::memcpy(four, magic.bytes.data(), std::min<size_t>(4, magic.bytes.size()));
      std::memset(mask, 0xff, std::min<size_t>(4, magic.bytes.size()));
      patterns[key_of(magic.bytes.data() + key_at)].push_back(
          {format, magic, order, key_at, first_four(mask), first_four(four)});
    }
  }
  group_of_.resize(1 << 16);
  for (const auto& [key, same] : patterns) {
    keys_[key >> 6] |= uint64_t{1} << (key & 63);
    group_of_[key] = static_cast<uint16_t>(groups_.size());
    groups_.push_back(same);
  }
}

void Scanner::look(Bytes region, uint64_t at, uint16_t key, std::vector<Found>& found) const {
  for (const Pattern& p : groups_[group_of_[key]]) {
    if (at < p.key_at + p.magic.offset) continue;
    const uint64_t start = at - p.key_at;  // of the magic
    if (start + 4 <= region.size() && (first_four(region.data() + start) & p.mask) != p.value) continue;
    if (region.starts_with(p.magic.bytes, start)) found.push_back({start - p.magic.offset, p.order, p.format});
  }
}

std::vector<Hit> Scanner::find(Bytes region) const {
  std::vector<Found> found;
  const std::byte* bytes = region.data();
  uint64_t at = 0;
  for (; at + 8 <= region.size(); at += 7) {  // seven looks out of one load, that do not wait for each other
    const uint64_t eight = eight_of(bytes + at);
    uint64_t hits = 0;
#pragma GCC unroll 7
    for (int i = 0; i < 7; ++i) hits |= may_start(static_cast<uint16_t>(eight >> 8 * i)) << i;
    for (; hits != 0; hits &= hits - 1) {
      const int i = std::countr_zero(hits);
      look(region, at + static_cast<uint64_t>(i), static_cast<uint16_t>(eight >> 8 * i), found);
    }
  }
  for (; at + 2 <= region.size(); ++at)
    if (may_start(key_of(bytes + at))) look(region, at, key_of(bytes + at), found);
  const auto place = [](const Found& f) { return std::pair(f.start, f.order); };
  std::ranges::sort(found, {}, place);
  const auto twice = std::ranges::unique(found, {}, place);
  found.erase(twice.begin(), twice.end());
  std::vector<Hit> sorted;
  sorted.reserve(found.size());
  for (const Found& f : found) sorted.push_back({f.start, f.format});
  return sorted;
}

std::vector<Hit> scan(Bytes region) {
  static const Scanner all([](const Format&) { return true; });
  return all.find(region);
}

}  // namespace assay::unpack
