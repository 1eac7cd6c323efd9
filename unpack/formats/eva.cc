// Kernel images of AVM's boot loader EVA (FRITZ!Box, kernel.image). Little-endian.
//
//   record      0 0xfeed1281 (a second one 0xfeedb007)  4 length  8 load address  12 payload; behind it: sum, 0, entry
//               point. The length, the load address, all bytes of the payload and the sum add up to 0.
//   payload     0 0x075a0201  4 length of the stream  8 decoded length  12 crc32 of the stream  16 LZMA properties (5)
//               21 0 (3)  24 LZMA stream
//   two records 0 0xfeed9112  4 length  8 load address, then both records, the second at a multiple of 4; sum, 0, entry
//   signature   0xc453de23 and a POSIX cksum of everything before it, behind filling
//
// Source: openwrt/firmware-utils src/lzma2eva.c; github.com "Fritz!Box EVA Kernel Image Format" (18 images of AVM).
#include "core/hash.h"
#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::eva {
namespace {

using std::string_view_literals::operator""sv;

constexpr Magic kMagics[] = {{"\x81\x12\xed\xfe"sv}, {"\x12\x91\xed\xfe"sv}};
constexpr uint32_t kDual = 0xfeed9112, kFirst = 0xfeed1281, kSecond = 0xfeedb007, kLzma = 0x075a0201,
                   kSignature = 0xc453de23;
constexpr uint64_t kHeader = 12, kTrailer = 12, kPayloadHeader = 24, kFarthestSignature = 4096;

struct Record {
  uint64_t at = 0, payload = 0;  // where it begins; length of the payload
  uint32_t load = 0, entry = 0, sum = 0;
  bool sum_holds = false;
  uint64_t end() const { return at + kHeader + payload + kTrailer; }
};

Result<Record> read_record(Bytes b, uint64_t at, uint32_t magic) {
  const Bytes h = TRY(b.slice(at, kHeader, "record"));
  if (*h.le<uint32_t>(0, "") != magic) return fail(Fault::kMalformed, "no record of the kernel", h.base());
  Record r = {at, *h.le<uint32_t>(4, ""), *h.le<uint32_t>(8, "")};
  const Bytes payload = TRY(b.slice(at + kHeader, r.payload, "payload"));
  const Bytes t = TRY(b.slice(at + kHeader + r.payload, kTrailer, "end of the record"));
  r.sum = *t.le<uint32_t>(0, "");
  r.entry = *t.le<uint32_t>(8, "");
  if (*t.le<uint32_t>(4, "") != 0) return fail(Fault::kMalformed, "a record without its end", t.base() + 4);
  const uint32_t total = static_cast<uint32_t>(r.payload) + r.load + byte_sum(payload) + r.sum;
  r.sum_holds = checksum_holds(total, 0u);
  return r;
}

// POSIX cksum: not reflected, the length behind the bytes.
uint32_t posix_cksum(Bytes bytes) {
  uint32_t crc = 0;
  const auto add = [&](uint32_t byte) {
    crc ^= byte << 24;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 0x80000000 ? crc << 1 ^ 0x04c11db7 : crc << 1;
  };
  for (uint64_t i = 0; i < bytes.size(); ++i) add(bytes[i]);
  for (uint64_t length = bytes.size(); length > 0; length >>= 8) add(length & 0xff);
  return ~crc;
}

struct Image {
  std::vector<Record> records;
  std::optional<Record> around;  // of both, where there are two
  uint64_t signature = 0, length = 0;
};

Result<Image> read_image(Bytes b) {
  Image image;
  const bool dual = TRY(b.le<uint32_t>(0, "magic")) == kDual;
  image.records.push_back(TRY(read_record(b, dual ? kHeader : 0, kFirst)));
  uint64_t end = image.records[0].end();
  if (dual) {
    image.records.push_back(TRY(read_record(b, (end + 3) & ~uint64_t{3}, kSecond)));
    image.around = TRY(read_record(b, 0, kDual));
    end = image.around->end();
  }
  image.length = end;
  for (uint64_t at = end; at < end + kFarthestSignature && at + 8 <= b.size(); ++at) {
    if (b[at] == 0) continue;
    if (*b.le<uint32_t>(at, "") == kSignature) image.signature = at;
    break;
  }
  if (image.signature) image.length = image.signature + 8;
  return image;
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  const bool holds = std::ranges::all_of(image.records, &Record::sum_holds);
  return Measured{image.length, holds};
}

Result<void> give(Bytes whole, const Record& r, const std::string& name, Sink& into) {
  into.range(Range::kHeader, r.at, kHeader);
  into.range(Range::kHeader, r.end() - kTrailer, kTrailer);
  into.note(name, "load address " + hex_number(r.load) + ", entry point " + hex_number(r.entry), r.at);
  state_checksum("sum of " + name, "sum32", r.sum_holds, r.end() - kTrailer, into);
  const Bytes payload = whole.head(r.payload, r.at + kHeader);
  if (payload.size() < kPayloadHeader || *payload.le<uint32_t>(0, "") != kLzma)
    return between(whole, r.at + kHeader, r.at + kHeader + r.payload, name, into);
  const uint32_t length = *payload.le<uint32_t>(4, ""), size = *payload.le<uint32_t>(8, "");
  const Bytes stream = TRY(payload.slice(kPayloadHeader, length, "LZMA stream"));
  into.range(Range::kHeader, payload.base(), kPayloadHeader);
  state_checksum("crc of " + name, "crc32", checksum_holds(crc32(stream), *payload.le<uint32_t>(12, "")),
                 payload.base() + 12, into);
  const auto properties = lzma_properties(payload[16], *payload.le<uint32_t>(17, ""));
  if (!properties) return fail(Fault::kMalformed, "LZMA properties", payload.base() + 16);
  TRY(decode_lzma_raw(stream, *properties, size, into.output()));
  return into.child(name, {{stream}, "lzma"});
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  if (image.around) {
    into.range(Range::kHeader, 0, kHeader);
    into.range(Range::kHeader, image.around->end() - kTrailer, kTrailer);
    state_checksum("sum of both", "sum32", image.around->sum_holds, image.around->end() - kTrailer, into);
  }
  for (size_t i = 0; i < image.records.size(); ++i) {
    auto done = give(whole, image.records[i], i == 0 ? "kernel" : "second", into);
    if (done) continue;
    if (done.error().fault == Fault::kLimit) return done;
    into.discard();
    into.problem(std::move(done).error());
  }
  if (!image.signature) return {};
  into.range(Range::kHeader, image.signature, 8);
  state_checksum("cksum of the file", "posix-cksum",
                 checksum_holds(posix_cksum(whole.head(image.signature)), *whole.le<uint32_t>(image.signature + 4, "")),
                 image.signature + 4, into);
  return {};
}

}  // namespace

extern const Format kEva;
const Format kEva = {.id = "eva",
                     .title = "AVM EVA kernel image",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "one and two kernels, LZMA; sums, crc32 and the file's cksum",
                     .limits = "Puma 6 records (0xfeed8112); a part behind an odd embedded signature",
                     .source = "openwrt/firmware-utils src/lzma2eva.c; Fritz!Box EVA Kernel Image Format 1.0",
                     .checked = "own builder only, its streams by xz, its file sum by cksum"};

}  // namespace assay::unpack::eva
