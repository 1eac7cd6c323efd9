// gzip, RFC 1952.
//
//   0  1f 8b 08                      compression method 8 is deflate
//   3  flags: 2 header CRC, 4 extra field, 8 name, 16 comment; the upper three are reserved and zero
//   4  mtime, extra flags, operating system
//   10 extra field, name, comment, header CRC, as flagged; deflate data; CRC-32; size modulo 2^32
//
// Members that follow one another are one stream, as gzip reads them.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

namespace assay::unpack::gzip {
namespace {

constexpr std::string_view kStart("\x1f\x8b\x08", 3);
constexpr Magic kMagics[] = {{kStart}};
constexpr uint8_t kExtra = 4, kName = 8, kReserved = 0xe0;

Result<std::string> stored_name(Bytes from, uint8_t flags) {
  if (!(flags & kName)) return std::string();
  uint64_t at = 10;
  if (flags & kExtra) at += 2 + TRY(from.le<uint16_t>(at, "extra field length"));
  constexpr uint64_t kLongest = 4096;
  const std::string_view rest = TRY(from.from(at, "name")).head(kLongest).text();
  const size_t end = rest.find('\0');
  if (end == rest.npos) return fail(Fault::kMalformed, "name does not end", from.base() + at);
  return std::string(rest.substr(0, end));
}

Result<Decoded> decode(Bytes from, Output& into) {
  if (!from.starts_with(kStart)) return fail(Fault::kMalformed, "magic does not match", from.base());
  const auto flags = TRY(from.le<uint8_t>(3, "flags"));
  if (flags & kReserved) return fail(Fault::kMalformed, "flags " + std::to_string(flags), from.base() + 3);
  Decoded stream{.length = 0, .name = TRY(stored_name(from, flags))};
  stream.length = TRY(inflate_gzip(from, into));
  for (;;) {
    const Bytes next = from.head(from.size(), stream.length);
    if (!next.starts_with(kStart) || !decodes(inflate_gzip, next)) return stream;
    stream.length += TRY(inflate_gzip(next, into));
  }
}

}  // namespace

extern const Format kGzip;
const Format kGzip = {.id = "gzip",
                      .title = "gzip stream",
                      .magics = kMagics,
                      .decode = decode,
                      .reads = "members in a row, stored names",
                      .source = "RFC 1952",
                      .checked = "foreign tool: gzip"};

}  // namespace assay::unpack::gzip
