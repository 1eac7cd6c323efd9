// The first boot stage (SPL) of Ingenic SoCs on serial NOR flash, as their boot ROM reads it.
//
//   0     06 05 04 03 02, 55 aa 55 aa: how the ROM is to read the flash
//   9     CRC-7 (polynomial x^7 + x^3 + 1) of the code
//   12    offset of the end of the code, little endian
//   2048  the code, up to that offset
//
// The bytes between the fields and the code are 0. Source: Ingenic's U-Boot, tools/ingenic-tools (the CRC over the
// code was checked on an image of a T10 board).
#include "unpack/describe.h"

namespace assay::unpack::ingenicspl {
namespace {

constexpr uint64_t kCode = 2048, kMostSize = 1 << 20;
constexpr Magic kMagics[] = {{std::string_view("\6\5\4\3\2\x55\xaa\x55\xaa", 9)}};

uint8_t crc7(Bytes bytes) {
  uint8_t crc = 0;
  for (uint64_t i = 0; i < bytes.size(); ++i) {
    crc = static_cast<uint8_t>(crc << 1 ^ bytes[i]);
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<uint8_t>(crc << 1 ^ (crc & 0x80 ? 0x12 : 0));
    crc >>= 1;
  }
  return crc;
}

Result<Measured> measure(Bytes from) {
  const uint64_t end = TRY(from.le<uint32_t>(12, "code end"));
  if (end <= kCode || end > kMostSize) return fail(Fault::kMalformed, "code end " + hex_number(end), from.base() + 12);
  const Bytes whole = TRY(from.slice(0, end, "code"));
  const Bytes gap = whole.head(kCode - 16, 16);
  if (!is_run(gap) || gap[0] != 0) return fail(Fault::kMalformed, "bytes between header and code", from.base() + 16);
  if (!checksum_holds(crc7(whole.head(end - kCode, kCode)), from[9]))
    return fail(Fault::kMalformed, "crc7 does not match", from.base() + 9);
  return Measured{end, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  into.range(Range::kHeader, 0, 16);
  into.range(Range::kPadding, 16, kCode - 16);
  into.range(Range::kContent, kCode, whole.size() - kCode);
  into.note("crc7", "valid", 9);
  into.note("code end", hex_number(whole.size()), 12);
  const std::string_view text = whole.text();
  if (const size_t at = text.find("U-Boot SPL "); at != text.npos)
    into.note(
        "banner",
        std::string(text.substr(at, std::min<size_t>(text.find_first_of(std::string_view("\0\n", 2), at) - at, 80))),
        at);
  return {};
}

}  // namespace

extern const Format kIngenicSpl;
const Format kIngenicSpl = {.id = "ingenic-spl",
                            .title = "Ingenic first boot stage (SPL) on NOR flash",
                            .version = 1,
                            .magics = kMagics,
                            .measure = measure,
                            .unpack = unpack,
                            .readable = true,
                            .source = "Ingenic's U-Boot, tools/ingenic-tools",
                            .checked = "real image: shared/firmware (Sannce flash dump)"};

}  // namespace assay::unpack::ingenicspl
