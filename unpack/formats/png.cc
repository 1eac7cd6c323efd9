// PNG: an 8-byte signature, then chunks: length (32 bits, big-endian), type, data, CRC-32 of type and data; "IEND" is
// the last. Every CRC is checked.
// Source: RFC 2083; W3C, Portable Network Graphics, third edition.
#include "core/hash.h"
#include "unpack/format.h"

namespace assay::unpack::png {
namespace {

constexpr std::string_view kStart("\x89PNG\r\n\x1a\n", 8);
constexpr Magic kMagics[] = {{kStart}};

Result<Measured> measure(Bytes from) {
  if (!from.starts_with(kStart)) return fail(Fault::kMalformed, "magic does not match", from.base());
  for (uint64_t at = kStart.size();;) {
    const uint64_t length = TRY(from.be<uint32_t>(at, "chunk length"));
    const Bytes covered = TRY(from.slice(at + 4, 4 + length, "chunk"));
    const auto stored = TRY(from.be<uint32_t>(at + 8 + length, "chunk crc"));
    if (!checksum_holds(crc32(covered), stored))
      return fail(Fault::kMalformed, "crc of chunk does not match", from.base() + at + 8 + length);
    at += 12 + length;
    if (covered.starts_with("IEND")) return Measured{at, true};
  }
}

}  // namespace

extern const Format kPng;
const Format kPng = {.id = "png",
                     .title = "PNG picture",
                     .magics = kMagics,
                     .measure = measure,
                     .source = "RFC 2083",
                     .checked = "own builder only"};

}  // namespace assay::unpack::png
