// The header of Sercomm's images, which Netgear, Linksys, Cisco and carriers' routers have.
//
//   0    "sErCoMm", version (4), hardware id (34), hardware revision (10), software version (4)
//   63   "sErCoMm" again
//   511  a byte that makes the sum of all bytes of the image 0
//   512  the image
//
// Some images have the first 71 bytes as a footer instead. Source: openwrt/firmware-utils, src/mksercommfw.c.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::sercomm {
namespace {

constexpr std::string_view kWord = "sErCoMm";
constexpr Magic kMagics[] = {{kWord}};
constexpr uint64_t kHeader = 512, kFooter = 71, kSecond = 63;

Result<Measured> measure_header(Bytes from) {
  TRY(from.slice(0, kHeader + 1, "header and image"));
  if (!from.starts_with(kWord, kSecond))
    return fail(Fault::kMalformed, "the second word is missing", from.base() + kSecond);
  if (!checksum_holds(static_cast<uint8_t>(byte_sum(from)), uint8_t{0}))
    return fail(Fault::kMalformed, "the bytes do not add up to 0", from.base() + kHeader - 1);
  return Measured{from.size(), true};
}

Result<Measured> measure_footer(Bytes from) {
  if (from.size() <= kFooter) return fail(Fault::kForeign, "no footer", from.base());
  const uint64_t at = from.size() - kFooter;
  if (!from.starts_with(kWord, at) || !from.starts_with(kWord, at + kSecond))
    return fail(Fault::kForeign, "no footer", from.base() + at);
  return Measured{from.size(), true};
}

void note_fields(Bytes whole, uint64_t at, Sink& into) {
  note_text(whole, at + 11, 34, "hardware id", into);
  note_text(whole, at + 45, 10, "hardware revision", into);
  if (const auto version = whole.be<uint32_t>(at + 55, "version")) into.note("version", hex_number(*version), at + 55);
}

Result<void> unpack_header(Bytes whole, Sink& into) {
  into.range(Range::kHeader, 0, kHeader);
  note_fields(whole, 0, into);
  state_checksum("sum of all bytes", "sum8", static_cast<uint8_t>(byte_sum(whole)) == 0 || checksums_ignored,
                 kHeader - 1, into);
  return into.child("image", stored(TRY(whole.from(kHeader, "image"))));
}

Result<void> unpack_footer(Bytes whole, Sink& into) {
  if (whole.size() <= kFooter) return fail(Fault::kTruncated, "footer", 0);
  const uint64_t at = whole.size() - kFooter;
  into.range(Range::kHeader, at, kFooter);
  note_fields(whole, at, into);
  return into.child("image", stored(whole.head(at)));
}

}  // namespace

extern const Format kSercomm;
const Format kSercomm = {.id = "sercomm",
                         .title = "Sercomm firmware image",
                         .magics = kMagics,
                         .measure = measure_header,
                         .unpack = unpack_header,
                         .carve = false,
                         .source = "openwrt/firmware-utils src/mksercommfw.c",
                         .checked = "output of openwrt's mksercommfw; own builder in the tests"};

extern const Format kSercommFooter;
const Format kSercommFooter = {.id = "sercommfooter",
                               .title = "Image with Sercomm's footer",
                               .measure = measure_footer,
                               .unpack = unpack_footer,
                               .carve = false,
                               .source = "openwrt/firmware-utils src/mksercommfw.c",
                               .checked = "output of openwrt's mksercommfw; own builder in the tests"};

}  // namespace assay::unpack::sercomm
