// IMG0 images of TP-Link's devices without Linux, and the file around the outermost one.
//
//   IMG0  0    "IMG0", size with this header, device id (16), language (16), …
//         64   up to 8 parts: offset, size; the first begins at 128, the last ends where the image does
//   file  0    a number, MD5 (16) of the image and a salt, 20: the image
//
// Numbers are big endian. The outermost image has one part: the boot loader and, inside, another IMG0 of kernel and
// file system. Source: fkie-cad/fact_extractor, plugins/unpacking/tpl (the file); layout read off the firmware of a
// TL-WR702N.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::img0 {
namespace {

constexpr std::string_view kWord = "IMG0";
constexpr Magic kMagics[] = {{kWord}};
constexpr Magic kFileMagics[] = {{kWord, 20}};
constexpr uint64_t kHeader = 128, kTable = 64, kPair = 8, kFileHeader = 20;

struct Part {
  uint64_t at = 0, size = 0;
};

Result<std::vector<Part>> read_parts(Bytes from) {
  const uint64_t size = TRY(from.be<uint32_t>(4, "size"));
  TRY(from.slice(0, size, "image"));
  std::vector<Part> parts;
  uint64_t end = kHeader;
  for (uint64_t at = kTable; at < kHeader; at += kPair) {
    const Part part{TRY(from.be<uint32_t>(at, "part offset")), TRY(from.be<uint32_t>(at + 4, "part size"))};
    if (part.at == 0) break;
    if (part.at < end || (parts.empty() && part.at != kHeader) || part.size == 0)
      return fail(Fault::kMalformed, "parts are not in order", from.base() + at);
    end = part.at + part.size;
    parts.push_back(part);
  }
  if (parts.empty() || end != size) return fail(Fault::kMalformed, "the parts do not end the image", from.base() + 4);
  return parts;
}

Result<Measured> measure(Bytes from) {
  const auto parts = TRY(read_parts(from));
  return Measured{parts.back().at + parts.back().size, false};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const auto parts = TRY(read_parts(whole));
  into.range(Range::kHeader, 0, kHeader);
  into.note("device id", hex_number(TRY(whole.be<uint16_t>(8, "device id"))), 8);
  uint64_t end = kHeader;
  for (size_t i = 0; i < parts.size(); ++i) {
    TRY_VOID(between(whole, end, parts[i].at, "gap", into));
    TRY_VOID(into.child("part" + std::to_string(i), stored(whole.head(parts[i].size, parts[i].at))));
    end = parts[i].at + parts[i].size;
  }
  return {};
}

Result<Measured> measure_file(Bytes from) {
  const Bytes inside = TRY(from.from(kFileHeader, "image"));
  const Measured image = TRY(measure(inside));
  return Measured{kFileHeader + image.length, false};
}

Result<void> unpack_file(Bytes whole, Sink& into) {
  const Bytes image = TRY(whole.from(kFileHeader, "image"));
  into.range(Range::kHeader, 0, kFileHeader);
  into.integrity({.kind = "checksum",
                  .name = "md5 of the image",
                  .algorithm = "md5",
                  .state = "not-checkable",
                  .detail = "taken with a salt that is not documented",
                  .offset = 4});
  return into.child("image", stored(image));
}

}  // namespace

extern const Format kImg0;
const Format kImg0 = {.id = "img0",
                      .title = "IMG0 image (TP-Link without Linux)",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .limits = "the parts have no names",
                      .source = "layout read off the firmware of a TL-WR702N",
                      .checked = "the sample of fact_extractor (TL-WR702N): outer and inner image"};

extern const Format kTplinkRtos;
const Format kTplinkRtos = {.id = "tplinkrtos",
                            .title = "TP-Link firmware file of devices without Linux",
                            .magics = kFileMagics,
                            .measure = measure_file,
                            .unpack = unpack_file,
                            .carve = false,
                            .source = "fkie-cad/fact_extractor plugins/unpacking/tpl",
                            .checked = "the sample of fact_extractor (TL-WR702N)"};

}  // namespace assay::unpack::img0
