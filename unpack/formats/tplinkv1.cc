// TP-Link firmware header, version 1 (Atheros based devices), 512 bytes, big endian.
//
//   0x00  header version, stored 01 00 00 00
//   0x04  vendor (24), 0x1c firmware version text (36)
//   0x40  hardware id, 0x44 hardware revision, 0x48 region
//   0x4c  MD5 of the whole image with a salt in these 16 bytes; one salt for images with boot loader, one without
//   0x5c  reserved, 0x60 second MD5 (its use is not known), 0x70 reserved
//   0x74  kernel load address, 0x78 kernel entry point
//   0x7c  length of the image
//   0x80  kernel offset, 0x84 kernel length, 0x88 rootfs offset, 0x8c rootfs length
//   0x90  boot loader offset, 0x94 boot loader length
//   0x98  firmware version: high, middle, low (16 bits each)
//
// An image with a boot loader has it right behind the header; a second header of the same kind follows it, and the
// kernel and rootfs offsets count from there. Source: openwrt/firmware-utils, src/mktplinkfw.c and mktplinkfw-lib.c.
#include "unpack/tplink.h"

namespace assay::unpack::tplinkv1 {
namespace {

// The vendor text stands behind the version word, which alone is too common a value to look for.
constexpr Magic kMagics[] = {{std::string_view("\1\0\0\0TP-LINK Technologies", 24)},
                             {std::string_view("\1\0\0\0OpenWrt\0", 12)},
                             {std::string_view("\1\0\0\0FAST", 8)},
                             {std::string_view("\1\0\0\0MERCURY", 11)}};
constexpr uint8_t kSaltPlain[16] = {0xdc, 0xd7, 0x3a, 0xa5, 0xc3, 0x95, 0x98, 0xfb,
                                    0xdd, 0xf9, 0xe7, 0xf4, 0x0e, 0xae, 0x47, 0x38};
constexpr uint8_t kSaltBoot[16] = {0x8c, 0xef, 0x33, 0x5b, 0xd5, 0xc5, 0xce, 0xfa,
                                   0xa7, 0x9c, 0x28, 0xda, 0xb2, 0xe9, 0x0f, 0x42};

constexpr TplinkLayout kLayout = {.version_word = 0x01000000,
                                  .md5 = 0x4c,
                                  .load = 0x74,
                                  .length = 0x7c,
                                  .kernel = 0x80,
                                  .boot = 0x90,
                                  .plain = kSaltPlain,
                                  .with_boot = kSaltBoot};

Result<Measured> measure(Bytes from) { return measure_tplink(from, kLayout); }

Result<void> unpack(Bytes whole, Sink& into) {
  into.note("vendor", TRY(whole.text_field(4, 24, "vendor")), 4);
  into.note("version text", TRY(whole.text_field(0x1c, 36, "firmware version")), 0x1c);
  into.note("hardware id", hex_number(TRY(whole.be<uint32_t>(0x40, "hardware id"))), 0x40);
  into.note("hardware revision", hex_number(TRY(whole.be<uint32_t>(0x44, "hardware revision"))), 0x44);
  into.note("region", hex_number(TRY(whole.be<uint32_t>(0x48, "region"))), 0x48);
  const auto high = TRY(whole.be<uint16_t>(0x98, "version"));
  const auto middle = TRY(whole.be<uint16_t>(0x9a, "version"));
  const auto low = TRY(whole.be<uint16_t>(0x9c, "version"));
  into.note("version", std::to_string(high) + "." + std::to_string(middle) + "." + std::to_string(low), 0x98);
  return unpack_tplink(whole, kLayout, into);
}

}  // namespace

extern const Format kTplinkV1;
const Format kTplinkV1 = {.id = "tplinkv1",
                          .title = "TP-Link firmware image, header version 1",
                          .version = 1,
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .reads = "kernel, rootfs and boot loader, nested images, MD5",
                          .limits = "vendor texts other than those of its magics; the second MD5 is not checked",
                          .source = "openwrt/firmware-utils src/mktplinkfw.c",
                          .checked = "real images: shared/firmware (TP-Link and OpenWrt)"};

}  // namespace assay::unpack::tplinkv1
