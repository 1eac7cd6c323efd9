// The image of Netgear devices made by Delta Networks (DNI): a text header, the parts, one checksum byte.
//
//   0    "device:…\nversion:…\nregion:…\nhd_id:…\n", filled with NUL to 128 bytes
//   128  the parts, usually uImages
//   end  one byte which makes the sum of all bytes 0xff modulo 256
//
// Nothing states the length, so the whole of a content is one image. Source: openwrt, scripts/netgear.mk and
// firmware-utils src/mkdniimg.c; the sum was checked on two images.
#include "core/text.h"
#include "unpack/describe.h"

namespace assay::unpack::dni {
namespace {

constexpr uint64_t kHeaderSize = 128;
constexpr Magic kMagics[] = {{"device:"}};

uint8_t sum_of(Bytes bytes) {
  uint8_t sum = 0;
  for (uint64_t i = 0; i < bytes.size(); ++i) sum = static_cast<uint8_t>(sum + bytes[i]);
  return sum;
}

Result<Measured> measure(Bytes from) {
  const Bytes header = TRY(from.slice(0, kHeaderSize, "header"));
  if (from.size() < kHeaderSize + 2) return fail(Fault::kTruncated, "no part follows the header", from.base());
  const std::string_view text = header.text().substr(0, header.text().find('\0'));
  if (text.size() == kHeaderSize || text.find("\nversion:") == text.npos)
    return fail(Fault::kMalformed, "header has no version line", from.base());
  if (header.text().find_first_not_of('\0', text.size()) != text.npos)
    return fail(Fault::kMalformed, "header is not filled with NUL", from.base() + text.size());
  if (!checksum_holds(sum_of(from), uint8_t{0xff}))
    return fail(Fault::kMalformed, "checksum byte does not match", from.base() + from.size() - 1);
  return Measured{from.size(), true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const std::string text = TRY(whole.text_field(0, kHeaderSize, "header"));
  into.range(Range::kHeader, 0, kHeaderSize);
  for (const Line& line : lines(text))
    if (const size_t colon = line.text.find(':'); colon != line.text.npos && colon > 0)
      into.note(line.text.substr(0, colon), std::string(line.text.substr(colon + 1)), line.offset);
  const uint64_t end = whole.size() - 1;
  into.range(Range::kHeader, end, 1);
  into.note("checksum", "valid", end);
  return into.child("image", stored(TRY(whole.slice(kHeaderSize, end - kHeaderSize, "image"))));
}

}  // namespace

extern const Format kDni;
const Format kDni = {.id = "dni",
                     .title = "DNI firmware image (device:/version: header)",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .carve = false,
                     .reads = "device, version and region lines, the sum of all bytes",
                     .source = "openwrt/firmware-utils src/mkdniimg.c",
                     .checked = "real images: shared/firmware (Netgear WNR2000v5)"};

}  // namespace assay::unpack::dni
