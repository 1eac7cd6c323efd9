// NVRAM of Broadcom devices: the settings of a router, passwords among them, in its flash and as defaults in its boot
// loader. Little-endian.
//
//   0  "FLSH"  4 length with this header  8 CRC-8  9 version  10 SDRAM initialisation (16 bits)
//   12 SDRAM configuration, refresh  16 NCDL  20 "name=value", 0, …, 0
//
// CRC-8 of everything from byte 9: x^8+x^7+x^6+x^4+x^2+1, lowest bit first, from 0xff.
// Source: Linux include/linux/bcm47xx_nvram.h, drivers/firmware/broadcom/bcm47xx_nvram.c; asuswrt shared/bcmnvram.h.
#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::bcmnvram {
namespace {

constexpr Magic kMagics[] = {{"FLSH"}};
constexpr uint64_t kHeader = 20;
constexpr uint32_t kMostLength = 1 << 20;

uint8_t crc8(Bytes bytes) {
  uint32_t crc = 0xff;
  for (uint64_t i = 0; i < bytes.size(); ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xab : crc >> 1;
  }
  return static_cast<uint8_t>(crc);
}

// "name=value" strings up to an empty one; where the list ends.
Result<uint64_t> list_end(Bytes b, uint64_t length) {
  for (uint64_t at = kHeader; at < length;) {
    const std::string_view rest = b.head(length - at, at).text();
    const std::string_view text = rest.substr(0, rest.find('\0'));
    if (text.empty()) return at + 1;
    if (text.size() == rest.size()) return fail(Fault::kMalformed, "a variable without an end", b.base() + at);
    const size_t equals = text.find('=');
    if (equals == 0 || equals == text.npos)
      return fail(Fault::kMalformed, "a variable without a name or =", b.base() + at);
    at += text.size() + 1;
  }
  return length;
}

struct Nvram {
  uint64_t length = 0, end = 0;
  bool crc_holds = false;
};

Result<Nvram> read_nvram(Bytes from) {
  Nvram n;
  n.length = TRY(from.le<uint32_t>(4, "length"));
  if (n.length < kHeader || n.length > kMostLength)
    return fail(Fault::kMalformed, "length " + std::to_string(n.length), from.base() + 4);
  const Bytes b = TRY(from.slice(0, n.length, "variables"));
  n.crc_holds = checksum_holds(crc8(b.head(n.length, 9)), b[8]);
  n.end = TRY(list_end(b, n.length));
  // Defaults in a boot loader are written without a checksum: then the list itself has to be one.
  if (!n.crc_holds && n.end == kHeader + 1) return fail(Fault::kMalformed, "crc8 does not match", from.base() + 8);
  return n;
}

Result<Measured> measure(Bytes from) {
  const Nvram n = TRY(read_nvram(from));
  return Measured{n.length, n.crc_holds};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Nvram n = TRY(read_nvram(whole));
  state_checksum("crc8", "crc8", n.crc_holds, 8, into);
  into.note("version", std::to_string(whole[9]), 9);
  into.note("SDRAM",
            "init " + hex_number(*whole.le<uint16_t>(10, "")) + ", config and refresh " +
                hex_number(*whole.le<uint32_t>(12, "")) + ", NCDL " + hex_number(*whole.le<uint32_t>(16, "")),
            10);
  into.range(Range::kHeader, 0, kHeader);
  into.range(Range::kContent, kHeader, n.end - kHeader);
  for (uint64_t at = kHeader; at + 1 < n.end;) {
    TRY_VOID(into.step());
    const std::string text = TRY(whole.text_field(at, n.end - at, "variable"));
    const size_t equals = text.find('=');
    into.note("nvram " + text.substr(0, equals), text.substr(equals + 1), at);
    at += text.size() + 1;
  }
  return {};
}

}  // namespace

extern const Format kBcmNvram;
const Format kBcmNvram = {.id = "bcmnvram",
                          .title = "Broadcom NVRAM",
                          .version = 1,
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .readable = true,
                          .reads = "variables; CRC-8; defaults without a checksum in boot loaders",
                          .source = "Linux drivers/firmware/broadcom/bcm47xx_nvram.c, include/linux/bcm47xx_nvram.h",
                          .checked = "own builder only"};

}  // namespace assay::unpack::bcmnvram
