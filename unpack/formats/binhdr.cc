// The header in front of a TRX image that the web upgrade of BCM947xx routers asks for ("BIN header", addpattern).
//
//   0   board pattern, 4 characters
//   4   4 bytes reserved
//   8   build date: year - 2000, month, day
//   11  firmware version: major, minor, revision
//   14  "U2ND"
//   18  hardware number, 19 s/n flag
//   20  flags (16 bits, little endian), 22 stable[2], 24 try1[2], 26 try2[2], 28 try3[2], 30 reserved
//
// The header has no length and no checksum; both are those of the TRX image that must follow it at 32.
// Source: openwrt/firmware-utils, src/addpattern.c.
#include "unpack/describe.h"

namespace assay::unpack::binhdr {
namespace {

constexpr uint64_t kHeaderSize = 32;
constexpr Magic kMagics[] = {{"U2ND", 14}};

Result<Measured> measure(Bytes from) {
  const Bytes inner = TRY(from.from(kHeaderSize, "TRX image"));
  for (uint64_t i = 0; i < 4; ++i)
    if (from[i] < 0x20 || from[i] > 0x7e) return fail(Fault::kMalformed, "board pattern is not text", from.base() + i);
  if (from[9] < 1 || from[9] > 12 || from[10] < 1 || from[10] > 31)
    return fail(Fault::kMalformed, "build date is none", from.base() + 8);
  const Format* trx = find_format("trx");
  ASSAY_CHECK(trx);
  if (!inner.starts_with("HDR0")) return fail(Fault::kMalformed, "no TRX image follows", inner.base());
  const Measured body = TRY(trx->measure(inner));
  return Measured{kHeaderSize + body.length, body.verified};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Bytes inner = TRY(whole.from(kHeaderSize, "TRX image"));
  into.range(Range::kHeader, 0, kHeaderSize);
  into.note("board", TRY(whole.text_field(0, 4, "board pattern")), 0);
  char date[32];
  std::snprintf(date, sizeof date, "%04u-%02u-%02u", 2000u + whole[8], whole[9], whole[10]);
  into.note("date", date, 8);
  into.note("version", std::to_string(whole[11]) + "." + std::to_string(whole[12]) + "." + std::to_string(whole[13]),
            11);
  into.note("hardware", std::to_string(whole[18]), 18);
  into.note("flags", hex_number(TRY(whole.le<uint16_t>(20, "flags"))), 20);
  return into.child("trx", stored(inner));
}

}  // namespace

extern const Format kBinHdr;
const Format kBinHdr = {.id = "binhdr",
                        .title = "Upgrade header in front of a TRX image (U2ND)",
                        .version = 1,
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .reads = "W54G and other pattern headers with U2ND, the TRX image behind it",
                        .source = "openwrt/firmware-utils src/addpattern.c",
                        .checked = "real images: shared/firmware (Linksys and OpenWrt WRT54G)"};

}  // namespace assay::unpack::binhdr
