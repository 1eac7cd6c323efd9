// lzop, the file format around LZO. All numbers are big-endian.
//
//   0   89 "LZO" 00 0d 0a 1a 0a
//   9   version (16 bits), version of the library, from 0x0940 on: version needed
//   .   method (8 bits): 1 to 3 are LZO1X; from 0x0940 on: level
//   .   flags (32 bits); filter (32 bits) if flagged; mode; mtime; from 0x0940 on: upper half of mtime
//   .   length of the name (8 bits), name, checksum of everything from byte 9
//   .   extra field if flagged: length, bytes, checksum
//   .   blocks: size out (0 ends), size in, the checksums flagged, data; stored if both sizes are the same
//
// Source: observed on files that lzop 1.04 wrote; flags as its documentation lists them.
#include "core/hash.h"
#include "unpack/codecs.h"
#include "unpack/format.h"

#include <zlib.h>

namespace assay::unpack::lzop {
namespace {

constexpr std::string_view kStart("\x89LZO\0\r\n\x1a\n", 9);
constexpr Magic kMagics[] = {{kStart}};
constexpr uint32_t kAdlerOut = 1, kAdlerIn = 2, kExtraField = 0x40, kCrcOut = 0x100, kCrcIn = 0x200, kFilter = 0x800,
                   kHeaderCrc = 0x1000;
constexpr uint32_t kLargestBlock = 64 << 20;

uint32_t adler(Bytes bytes) {
  return static_cast<uint32_t>(adler32_z(1, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// Reads big-endian numbers one after the other.
struct Cursor {
  Bytes from;
  uint64_t at;
  template <class T>
  Result<T> next(std::string_view field) {
    const T value = TRY(from.be<T>(at, field));
    at += sizeof(T);
    return value;
  }
};

struct Header {
  uint32_t flags = 0;
  std::string name;
  uint64_t size = 0;
};

Result<void> skip_extra_field(Cursor& c, const Header& h) {
  if (!(h.flags & kExtraField)) return {};
  const uint64_t start = c.at;
  const auto length = TRY(c.next<uint32_t>("extra field length"));
  TRY(c.from.slice(c.at, length, "extra field"));
  c.at += length;
  const Bytes covered = TRY(c.from.slice(start, c.at - start, "extra field"));
  const auto stored = TRY(c.next<uint32_t>("extra field checksum"));
  if (!checksum_holds(h.flags & kHeaderCrc ? crc32(covered) : adler(covered), stored))
    return fail(Fault::kMalformed, "extra field checksum does not match", c.from.base() + c.at - 4);
  return {};
}

Result<void> read_fields(Cursor& c, Header& h) {
  const auto version = TRY(c.next<uint16_t>("version"));
  const bool later = version >= 0x0940;
  c.at += later ? 4 : 2;
  const auto method = TRY(c.next<uint8_t>("method"));
  if (method < 1 || method > 3)
    return fail(Fault::kUnsupported, "method " + std::to_string(method), c.from.base() + c.at - 1);
  if (later) ++c.at;
  h.flags = TRY(c.next<uint32_t>("flags"));
  if (h.flags & kFilter) return fail(Fault::kUnsupported, "filter", c.from.base() + c.at - 4);
  c.at += later ? 12 : 8;
  const auto length = TRY(c.next<uint8_t>("name length"));
  h.name = TRY(c.from.slice(c.at, length, "name")).text();
  c.at += length;
  return {};
}

Result<Header> read_header(Bytes b) {
  if (!b.starts_with(kStart)) return fail(Fault::kMalformed, "magic does not match", b.base());
  Header h;
  Cursor c{b, kStart.size()};
  TRY_VOID(read_fields(c, h));
  const Bytes covered = TRY(b.slice(kStart.size(), c.at - kStart.size(), "header"));
  const auto stored = TRY(c.next<uint32_t>("header checksum"));
  if (!checksum_holds(h.flags & kHeaderCrc ? crc32(covered) : adler(covered), stored))
    return fail(Fault::kMalformed, "header checksum does not match", b.base() + c.at - 4);
  TRY_VOID(skip_extra_field(c, h));
  h.size = c.at;
  return h;
}

Result<void> check(Cursor& c, bool wanted, uint32_t (*sum)(Bytes), Bytes bytes, std::string_view field) {
  if (!wanted) return {};
  const auto stored = TRY(c.next<uint32_t>(field));
  if (checksum_holds(sum(bytes), stored)) return {};
  return fail(Fault::kMalformed, std::string(field) + " does not match", c.from.base() + c.at - 4);
}

uint32_t crc(Bytes bytes) { return crc32(bytes); }

// Moves `c` past one block and writes what it holds.
Result<void> decode_block(Cursor& c, uint32_t flags, uint32_t size_out, Output& into) {
  const auto size_in = TRY(c.next<uint32_t>("block size"));
  const bool packed = size_in < size_out;
  if (size_in > size_out || size_out > kLargestBlock)
    return fail(Fault::kMalformed, "block of " + std::to_string(size_in) + " bytes for " + std::to_string(size_out),
                c.from.base() + c.at - 4);
  const uint32_t sums_out = 4u * (!!(flags & kAdlerOut) + !!(flags & kCrcOut));
  const uint32_t sums_in = packed ? 4u * (!!(flags & kAdlerIn) + !!(flags & kCrcIn)) : 0;
  const Bytes data = TRY(c.from.slice(c.at + sums_out + sums_in, size_in, "block"));
  MemoryOutput block(size_out);
  if (packed) TRY_VOID(decode_lzo1x(data, size_out, block));
  const Bytes plain = packed ? block.bytes() : data;
  if (plain.size() != size_out) return fail(Fault::kMalformed, "block is shorter than stated", data.base());
  TRY_VOID(check(c, flags & kAdlerOut, adler, plain, "block adler32"));
  TRY_VOID(check(c, flags & kCrcOut, crc, plain, "block crc32"));
  TRY_VOID(check(c, packed && (flags & kAdlerIn), adler, data, "compressed block adler32"));
  TRY_VOID(check(c, packed && (flags & kCrcIn), crc, data, "compressed block crc32"));
  c.at += size_in;
  return into.write(plain.span());
}

Result<Decoded> decode(Bytes from, Output& into) {
  const Header h = TRY(read_header(from));
  Cursor c{from, h.size};
  while (const auto size_out = TRY(c.next<uint32_t>("block size"))) TRY_VOID(decode_block(c, h.flags, size_out, into));
  return Decoded{.length = c.at, .name = h.name};
}

}  // namespace

extern const Format kLzop;
const Format kLzop = {.id = "lzop",
                      .title = "lzop stream",
                      .magics = kMagics,
                      .decode = decode,
                      .reads = "LZO1X levels 1 to 9, checksums of both kinds",
                      .limits = "filters; methods other than LZO1X",
                      .source = "lzop 1.04",
                      .checked = "foreign tool: lzop"};

}  // namespace assay::unpack::lzop
