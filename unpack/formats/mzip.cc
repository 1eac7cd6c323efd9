// MZIP, the images of Cisco's IOS for switches and routers whose boot loader decompresses them.
//
//   0   "MZIP"
//   4   version (1), entry point, number of segments, flags, 32 bytes unused
//   52  CRC-16 of segment headers and segments, 54: CRC-16 of the 54 bytes before
//   56  segment headers of 56 bytes: offset in the file, load address, kind (0 stored, 1 ZIP, 2 bzip2, 3 LZMA), size
//       stored, size decompressed, size in memory, 32 bytes unused
//       the segments
//
// Numbers are big endian. The CRC is CCITT's with both inversions (GENIBUS).
// Source: bvanheu/linux-cisco, mziptools/mzip.h; mzip2elf (several segments and kinds).
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::mzip {
namespace {

constexpr Magic kMagics[] = {{std::string_view("MZIP\0\0\0\1", 8)}};
constexpr uint64_t kHeader = 56, kSegment = 56;
constexpr uint32_t kMostSegments = 64;
constexpr const char* kKinds[] = {"stored", "ZIP", "bzip2", "LZMA"};

struct Segment {
  uint64_t at = 0, offset = 0, size = 0;
  uint32_t load = 0, kind = 0;
};

struct Image {
  std::vector<Segment> segments;
  uint64_t end = 0;
  bool holds = false;
};

uint16_t genibus(Bytes bytes, uint16_t before = 0) {
  return static_cast<uint16_t>(~crc16_ccitt(bytes, static_cast<uint16_t>(~before)));
}

Result<Segment> read_segment(Bytes from, uint64_t at) {
  Segment s{.at = at};
  s.offset = TRY(from.be<uint32_t>(at, "segment offset"));
  s.load = TRY(from.be<uint32_t>(at + 4, "load address"));
  s.kind = TRY(from.be<uint32_t>(at + 8, "segment kind"));
  s.size = TRY(from.be<uint32_t>(at + (s.kind ? 12 : 16), "segment size"));
  if (s.kind > 3) return fail(Fault::kUnsupported, "segment kind", from.base() + at + 8);
  if (s.size == 0) return fail(Fault::kMalformed, "segment size is 0", from.base() + at + 12);
  TRY(from.slice(s.offset, s.size, "segment"));
  return s;
}

Result<Image> read_image(Bytes from) {
  const uint32_t count = TRY(from.be<uint32_t>(12, "number of segments"));
  if (count == 0 || count > kMostSegments) return fail(Fault::kMalformed, "number of segments", from.base() + 12);
  if (!checksum_holds(genibus(TRY(from.slice(0, 54, "header"))), TRY(from.be<uint16_t>(54, "header crc16"))))
    return fail(Fault::kMalformed, "crc16 of the header does not match", from.base() + 54);
  Image image;
  const uint64_t first = kHeader + count * kSegment;
  uint16_t crc = genibus(TRY(from.slice(kHeader, count * kSegment, "segment headers")));
  for (uint32_t i = 0; i < count; ++i) {
    const Segment s = TRY(read_segment(from, kHeader + i * kSegment));
    if (s.offset < first) return fail(Fault::kMalformed, "segment lies in the headers", from.base() + s.at);
    crc = genibus(from.head(s.size, s.offset), crc);
    image.end = std::max(image.end, s.offset + s.size);
    image.segments.push_back(s);
  }
  image.holds = checksum_holds(crc, TRY(from.be<uint16_t>(52, "segments crc16")));
  return image;
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.end, image.holds};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  into.range(Range::kHeader, 0, kHeader + image.segments.size() * kSegment);
  if (const auto entry = whole.be<uint32_t>(8, "entry point")) into.note("entry point", hex_number(*entry), 8);
  into.integrity(checksum("header crc16", "crc16-genibus", true, 54));
  state_checksum("crc16 of the segments", "crc16-genibus", image.holds, 52, into);
  for (size_t i = 0; i < image.segments.size(); ++i) {
    const Segment& s = image.segments[i];
    const std::string name = "segment" + std::to_string(i);
    TRY_VOID(into.step());
    into.note("load address of " + name, hex_number(s.load), s.at + 4);
    into.note("kind of " + name, kKinds[s.kind], s.at + 8);
    TRY_VOID(into.child(name, stored(whole.head(s.size, s.offset))));
  }
  return {};
}

}  // namespace

extern const Format kMzip;
const Format kMzip = {.id = "mzip",
                      .title = "Cisco IOS MZIP image",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .source = "bvanheu/linux-cisco mziptools/mzip.h; mzip2elf",
                      .checked = "own builder in the tests only"};

}  // namespace assay::unpack::mzip
