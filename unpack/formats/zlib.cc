// zlib, RFC 1950: two bytes (method and window, level and check), deflate data, Adler-32.
//
// Two bytes are a weak magic, so a stream counts only after all of it decoded and the Adler-32 agreed, and only
// from 32 bytes of output on: a shorter one found by chance would say nothing.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

namespace assay::unpack::zlib {
namespace {

constexpr Magic kMagics[] = {{"\x78\x01"}, {"\x78\x5e"}, {"\x78\x9c"}, {"\x78\xda"}};
constexpr uint64_t kBelievable = 32;  // bytes of output
constexpr uint64_t kFirst = 4096;     // bytes decoded on trial before anything is written

bool deflate_block_is_plausible(uint8_t first) { return (first >> 1 & 3) != 3; }

Result<Decoded> decode(Bytes from, Output& into) {
  const auto first = TRY(from.le<uint8_t>(2, "deflate block"));
  if (!deflate_block_is_plausible(first)) return fail(Fault::kMalformed, "deflate block type 3", from.base() + 2);
  Trial trial(kFirst);
  const auto tried = inflate_zlib(from, trial);
  if (!tried && tried.error().fault != Fault::kLimit) return std::unexpected(tried.error());
  if (tried && trial.written() < kBelievable)
    return fail(Fault::kMalformed, "zlib stream of " + std::to_string(trial.written()) + " bytes is too short",
                from.base());
  return Decoded{.length = TRY(inflate_zlib(from, into))};
}

}  // namespace

extern const Format kZlib;
const Format kZlib = {.id = "zlib",
                      .title = "zlib stream",
                      .magics = kMagics,
                      .decode = decode,
                      .limits = "streams of less than 32 bytes, with a preset dictionary or a window below 32 KiB",
                      .source = "RFC 1950",
                      .checked = "own builder only: zlib"};

}  // namespace assay::unpack::zlib
