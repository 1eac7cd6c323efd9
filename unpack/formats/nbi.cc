// Tagged network boot image (NBI), as Etherboot's boot loaders take it; switches of the NX-OS family start with one.
// Little endian.
//
//   0    36 13 03 1b  4 words of this header, words of its vendor part (4 bits each)  5 flags (24)
//   8    where the header goes in memory, segment and offset
//   12   where to start: segment and offset, or with flag 1 an address
//   16   vendor part; then a record for each image, in the first 512 bytes
//   512  the images, one behind the other
//
//   a record
//   0    words, words of its vendor part (4 bits each)  1 tag  2 zero
//   3    flags: bits 0 and 1 what the address is relative to, bit 2 the last one
//   4    address  8 length  12 length in memory  16 vendor part
//
// Source: Draft Net Boot Image Proposal 0.3 (Honan, Kuhlmann, 1997); Etherboot, mknbi.
#include "unpack/describe.h"

#include <vector>

namespace assay::unpack::nbi {
namespace {

using namespace std::string_view_literals;

constexpr Magic kMagics[] = {{"\x36\x13\x03\x1b"sv}};
constexpr uint64_t kHeader = 512;

struct Image {
  uint32_t address = 0, length = 0, memory = 0;
  uint8_t tag = 0, flags = 0;
  uint64_t record = 0, record_length = 0, at = 0;
};

struct File {
  std::vector<Image> images;
  uint64_t length = kHeader;
};

uint64_t words(uint8_t byte) { return 4 * uint64_t{(byte & 15u) + (byte >> 4)}; }

Result<File> read_file(Bytes b) {
  const Bytes h = TRY(b.slice(0, kHeader, "header"));
  if ((h[4] & 15) != 4) return fail(Fault::kMalformed, "words of the header", b.base() + 4);
  File file;
  for (uint64_t at = words(h[4]);;) {
    const Bytes r = TRY(h.slice(at, 16, "record"));
    if ((r[0] & 15) != 4 || r[2] != 0 || r[3] > 7) return fail(Fault::kMalformed, "record", r.base());
    Image image = {.address = *r.le<uint32_t>(4, ""),
                   .length = *r.le<uint32_t>(8, ""),
                   .memory = *r.le<uint32_t>(12, ""),
                   .tag = r[1],
                   .flags = r[3],
                   .record = at,
                   .record_length = words(r[0]),
                   .at = file.length};
    if (image.memory < image.length) return fail(Fault::kMalformed, "length in memory", r.base() + 12);
    TRY(h.slice(at, image.record_length, "record"));
    TRY(b.slice(file.length, image.length, "image"));
    file.length += image.length;
    file.images.push_back(image);
    if (image.flags & 4) return file;
    at += image.record_length;
  }
}

// Every field of every record agrees; nothing sums the data.
Result<Measured> measure(Bytes from) { return Measured{TRY(read_file(from)).length, false}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const File file = TRY(read_file(whole));
  const Image& last = file.images.back();
  into.range(Range::kHeader, 0, last.record + last.record_length);  // behind it may stand anything
  into.note("start", hex_number(*whole.le<uint32_t>(12, "")), 12);
  for (size_t i = 0; i < file.images.size(); ++i) {
    const Image& image = file.images[i];
    constexpr const char* kFrom[] = {"", "end of the image before, ", "end of memory, ", "image before, "};
    into.note("image" + std::to_string(i),
              "load " + std::string(kFrom[image.flags & 3]) + hex_number(image.address) + ", tag " +
                  std::to_string(image.tag),
              image.record);
    if (image.length) TRY_VOID(into.child("image" + std::to_string(i), stored(whole.head(image.length, image.at))));
  }
  return {};
}

}  // namespace

extern const Format kNbi;
const Format kNbi = {
    .id = "nbi",
    .title = "Tagged network boot image (Etherboot, NX-OS kickstart)",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "records with and without vendor parts, images of every kind of address",
    .limits = "vendor parts are not read; other headers of NX-OS, which no source describes, are not either",
    .source = "Draft Net Boot Image Proposal 0.3; Etherboot mknbi",
    .checked = "own builder only"};

}  // namespace assay::unpack::nbi
