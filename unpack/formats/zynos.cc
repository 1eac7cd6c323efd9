// The object header of ZyNOS, ZyXEL's own system, in front of boot extension and system.
//
//   0   address (32 bits), 2 bytes
//   6   "SIG", type: 1 to 7 in flash, 0x80 to 0x82 in memory
//   10  size of the original, size compressed
//   18  flags: 0x80 compressed, 0x40 checksum of the original, 0x20 checksum of the compressed bytes
//   20  checksum of the original, of the compressed bytes (16 bits each), version (15)
//   39  address of the memory map table
//   48  the bytes
//
// Numbers are big endian. The checksum adds 16-bit words and adds each carry again. In a boot extension the "original"
// is two bytes long and its checksum, the same two bytes, is that of everything up to the end of the image.
// Source: openwrt/firmware-utils, src/zynos.h and src/mkzynfw.c.
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::zynos {
namespace {

constexpr Magic kMagics[] = {{"SIG\1", 6}, {"SIG\2", 6}, {"SIG\3", 6},   {"SIG\4", 6},   {"SIG\5", 6},
                             {"SIG\6", 6}, {"SIG\7", 6}, {"SIG\x80", 6}, {"SIG\x81", 6}, {"SIG\x82", 6}};
constexpr uint64_t kHeader = 48;
constexpr uint8_t kCompressed = 0x80, kOriginalSum = 0x40, kCompressedSum = 0x20;

uint16_t word_sum(Bytes bytes) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < bytes.size(); ++i) sum += i % 2 ? bytes[i] : uint64_t{bytes[i]} << 8;
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

struct Header {
  uint8_t flags = 0;
  uint64_t size = 0;  // of the bytes behind the header
  uint16_t sum = 0;
  uint64_t sum_at = 0;
};

Result<Header> read_header(Bytes from) {
  Header h;
  const uint64_t original = TRY(from.be<uint32_t>(10, "original size"));
  h.flags = TRY(from.be<uint8_t>(18, "flags"));
  const bool compressed = h.flags & kCompressed;
  h.sum_at = compressed ? 22 : 20;
  h.sum = TRY(from.be<uint16_t>(h.sum_at, "checksum"));
  if (!(h.flags & (compressed ? kCompressedSum : kOriginalSum)))
    return fail(Fault::kUnsupported, "object without a checksum", from.base() + 18);
  h.size = compressed ? TRY(from.be<uint32_t>(14, "compressed size")) : original;
  if (original == 2) h.size = from.size() - std::min(from.size(), kHeader);
  const Bytes bytes = TRY(from.slice(kHeader, h.size, "object"));
  const uint16_t sum = word_sum(bytes);
  if (bytes.empty() || (!checksum_holds(sum, h.sum) && !(sum == 0xffff && h.sum == 0)))
    return fail(Fault::kMalformed, "checksum of the object does not match", from.base() + h.sum_at);
  return h;
}

Result<Measured> measure(Bytes from) { return Measured{kHeader + TRY(read_header(from)).size, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, kHeader);
  into.note("type", hex_number(whole[9]), 9);
  note_text(whole, 24, 15, "version", into);
  if (const auto address = whole.be<uint32_t>(0, "address")) into.note("address", hex_number(*address), 0);
  into.integrity(checksum("checksum", "sum16", true, h.sum_at));
  return into.child(h.flags & kCompressed ? "compressed" : "object", stored(whole.head(h.size, kHeader)));
}

}  // namespace

extern const Format kZynos;
const Format kZynos = {.id = "zynos",
                       .title = "ZyXEL ZyNOS object",
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .reads = "objects with a checksum; boot extensions with the image behind them",
                       .limits = "the memory map table is not read; compressed bytes are looked at like any other",
                       .source = "openwrt/firmware-utils src/zynos.h, src/mkzynfw.c",
                       .checked = "output of openwrt's mkzynfw; own builder in the tests"};

}  // namespace assay::unpack::zynos
