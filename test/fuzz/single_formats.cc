// Fuzz target: each format alone, whether or not its magic stands there, so that mutations are not lost on the choice.
// The first two bytes choose it: a format has the CRC of its id, and what lies between two of them is the next one's,
// so that an input keeps its format when others are added.
#include "core/hash.h"
#include "test/fuzz/coverage.h"
#include "unpack/sink.h"

#include <map>

namespace {

using namespace assay;

const unpack::Format& format_of(uint16_t chosen) {
  static const auto by_key = [] {
    std::map<uint16_t, const unpack::Format*> out;
    for (const unpack::Format* format : unpack::formats())
      if (!out.emplace(crc16_ccitt(Bytes(format->id), 0), format).second) __builtin_trap();  // two have the same
    return out;
  }();
  const auto found = by_key.lower_bound(chosen);
  return *(found == by_key.end() ? by_key.begin() : found)->second;
}

void read(const unpack::Format& format, Bytes all) {
  if (format.decode) {
    unpack::MemoryOutput out(4 << 20);
    const auto decoded = format.decode(all, out);
    if (decoded && (decoded->length == 0 || decoded->length > all.size())) __builtin_trap();
    return;
  }
  const auto measured = format.measure(all);
  if (!measured) return;
  if (measured->length == 0 || measured->length > all.size()) __builtin_trap();  // a structure lies within its input
  if (!format.unpack) return;
  static unpack::LocalArena arena(8 << 20, 1);
  arena.truncate(0);
  const unpack::Keys keys;
  unpack::Collector sink(all.head(measured->length), {}, keys, {.bytes = 4 << 20, .entries = 2000, .steps = 200'000},
                         arena);
  (void)format.unpack(all.head(measured->length), sink);
  (void)sink.finish(format.id, format.version, true, measured->verified);  // asserts that the bytes add up
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  checksums_ignored = true;
  read(format_of(static_cast<uint16_t>(data[0] << 8 | data[1])), Bytes(std::as_bytes(std::span(data + 2, size - 2))));
  fuzz::count_edges();
  return 0;
}
