// Fuzz target: each format alone, whether or not its magic stands there, so that mutations are not lost on the choice.
// The first byte chooses the format.
#include "unpack/sink.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  if (size < 2) return 0;
  checksums_ignored = true;
  const auto formats = unpack::formats();
  const unpack::Format& format = *formats[data[0] % formats.size()];
  const Bytes all(std::as_bytes(std::span(data + 1, size - 1)));
  if (format.decode) {
    unpack::MemoryOutput out(4 << 20);
    const auto decoded = format.decode(all, out);
    if (decoded && (decoded->length == 0 || decoded->length > all.size())) __builtin_trap();
    return 0;
  }
  const auto measured = format.measure(all);
  if (!measured) return 0;
  if (measured->length == 0 || measured->length > all.size()) __builtin_trap();  // a structure lies within its input
  if (!format.unpack) return 0;
  static unpack::LocalArena arena(8 << 20, 1);
  arena.truncate(0);
  const unpack::Keys keys;
  unpack::Collector sink(all.head(measured->length), {}, keys, {.bytes = 4 << 20, .entries = 2000, .steps = 200'000},
                         arena);
  (void)format.unpack(all.head(measured->length), sink);
  (void)sink.finish(format.id, format.version, true, measured->verified);  // asserts that the bytes add up
  return 0;
}
