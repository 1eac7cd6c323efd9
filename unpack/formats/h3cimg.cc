// Firmware image of H3C and HPE switches (Comware; HPE 1920). Big endian.
//
//   0     version 1  4 files (1 to 128)  8 product id  12 device id  16 date (8)  24 checksum of the package (16 bits)
//   26    flag (16)  28 length behind this header
//   32    files, 24 bytes each: type, offset, length, checksum, version, mask
//   3104  signature, not required (3072)
//   6176  checksum of what stands before it
//
//   each file: 340 bytes and the data
//   4     checksum of what follows in these 340 bytes  8 type  12 version  16 product id  20 device id  24 length
//   28    where a version stands  32 date (8)  40 zeros  104 description (224)  328 length, a multiple of 8
//   332   checksum of the data  336 compression: 0xffffffff none, 2 a 7-Zip archive
//
// Checksums are CRC-16 (polynomial 0x1021, from 0) in words of 32 bits.
// Source: openwrt/firmware-utils src/mkh3cimg.c.
#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <vector>

namespace assay::unpack::h3cimg {
namespace {

constexpr uint64_t kHeader = 6180, kFiles = 32, kFileEntry = 24, kFileHeader = 340;
constexpr uint32_t kMostFiles = 128;

bool sum_holds(Bytes bytes, uint32_t stored) {
  return checksum_holds(uint32_t{crc16_ccitt(bytes, 0)}, stored & 0xffff);
}

struct File {
  uint32_t type = 0, stated = 0, compression = 0;
  uint64_t at = 0;  // of its own header
  Bytes header, data;
  std::string description;
};

struct Image {
  uint32_t product = 0, device = 0;
  uint64_t length = 0;
  std::vector<File> files;
};

Result<File> read_file(Bytes b, uint64_t entry) {
  File f;
  f.type = TRY(b.be<uint32_t>(entry, "file type"));
  f.at = TRY(b.be<uint32_t>(entry + 4, "file offset"));
  const uint64_t length = TRY(b.be<uint32_t>(entry + 8, "file length"));
  if (f.at < kHeader || length < kFileHeader)
    return fail(Fault::kMalformed, "file of " + std::to_string(length) + " bytes", b.base() + entry);
  const Bytes whole = TRY(b.slice(f.at, length, "file"));
  f.header = whole.head(kFileHeader);
  const uint64_t used = *f.header.be<uint32_t>(24, "");
  f.data = TRY(whole.slice(kFileHeader, *f.header.be<uint32_t>(328, ""), "file's data"));
  if (used > f.data.size()) return fail(Fault::kMalformed, "file's length", f.header.base() + 24);
  f.stated = *f.header.be<uint32_t>(332, "");
  f.compression = *f.header.be<uint32_t>(336, "");
  f.description = *f.header.text_field(104, 224, "");
  return f;
}

Result<Image> read_image(Bytes b) {
  const Bytes h = TRY(b.slice(0, kHeader, "header"));
  const uint32_t files = *h.be<uint32_t>(4, "");
  if (*h.be<uint32_t>(0, "") != 1 || files == 0 || files > kMostFiles)
    return fail(Fault::kForeign, "version and number of files", b.base());
  if (!sum_holds(h.head(kHeader - 4), *h.be<uint32_t>(kHeader - 4, "")))
    return fail(Fault::kForeign, "checksum of the header does not match", b.base() + kHeader - 4);
  Image image{.product = *h.be<uint32_t>(8, ""), .device = *h.be<uint32_t>(12, "")};
  image.length = kHeader + *h.be<uint32_t>(28, "");
  const Bytes whole = TRY(b.slice(0, image.length, "image"));
  for (uint32_t i = 0; i < files; ++i) image.files.push_back(TRY(read_file(whole, kFiles + i * kFileEntry)));
  return image;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_image(from)).length, true}; }

Result<void> give_file(const File& f, size_t number, Sink& into) {
  const std::string name = "file" + std::to_string(number);
  into.range(Range::kHeader, f.at, kFileHeader);
  into.note(name + " type", hex_number(f.type), f.at + 8);
  if (!f.description.empty()) into.note(name + " description", f.description, f.at + 104);
  state_checksum(name + " header crc", "crc16", sum_holds(f.header.head(kFileHeader, 8), *f.header.be<uint32_t>(4, "")),
                 f.at + 4, into);
  state_checksum(name + " data crc", "crc16", sum_holds(f.data, f.stated), f.at + 332, into);
  if (f.compression != 2 && f.compression != 0xffffffff)
    into.problem({Fault::kUnsupported, "compression " + hex_number(f.compression), f.at + 336});
  const uint64_t used = *f.header.be<uint32_t>(24, "");
  if (is_run(f.data.head(f.data.size(), used)))
    into.range(Range::kPadding, f.at + kFileHeader + used, f.data.size() - used);
  return into.child(name, stored(f.data.head(used)));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  into.range(Range::kHeader, 0, kHeader);
  into.note("product", hex_number(image.product), 8);
  into.note("device", hex_number(image.device), 12);
  into.integrity(checksum("header crc", "crc16", true, kHeader - 4));
  if (!is_run(whole.head(3072, 3104))) into.integrity(unchecked_signature("signature", "rsa", 3104));
  for (size_t i = 0; i < image.files.size(); ++i) TRY_VOID(give_file(image.files[i], i, into));
  return {};
}

}  // namespace

extern const Format kH3cImg;
const Format kH3cImg = {
    .id = "h3cimg",
    .title = "H3C firmware image (Comware, HPE 1920)",
    .version = 1,
    .measure = measure,
    .unpack = unpack,
    .carve = false,
    .reads = "version 1: up to 128 files, stored and as 7-Zip archives; checksums of header and files",
    .limits =
        "only at the start of a content, as it has no magic; the checksum of the whole package and "
        "the signature are not checked",
    .source = "openwrt/firmware-utils src/mkh3cimg.c",
    .checked = "foreign tool: openwrt's mkh3cimg, by hand; own builder in the tests"};

}  // namespace assay::unpack::h3cimg
