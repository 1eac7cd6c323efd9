// TP-Link firmware headers, versions 2 and 3 (devices based on MediaTek, Lantiq and others), 512 bytes, big endian.
//
//   0x00  header version, stored 02 00 00 00 or 03 00 00 00
//   0x04  version text (48): "ver. 1.0", "ver. 2.0"
//   0x34  hardware id, 0x38 hardware revision, 0x3c additional hardware version
//   0x40  MD5 of the whole image with a salt in these 16 bytes; one salt for images with boot loader, one without
//   0x54  second MD5 (its use is not known)
//   0x68  kernel load address, 0x6c kernel entry point (some devices store both in little endian)
//   0x70  length of the image
//   0x74  kernel offset, 0x78 kernel length, 0x7c rootfs offset, 0x80 rootfs length
//   0x84  boot loader offset, 0x88 boot loader length
//   0x8c  55 aa, software revision (2 bytes); 0x90 a5, version: high, middle, low
//   0xd0  in version 3 an RSA signature (128 bytes, stored backwards), all 0 where the image is not signed
//
// An image with a boot loader has it behind the header; a second header follows it, whose offsets count from itself.
// Source: openwrt/firmware-utils, src/mktplinkfw2.c; for version 3 checked on an image whose MD5 holds.
#include "unpack/tplink.h"

namespace assay::unpack::tplinkv2 {
namespace {

constexpr Magic kMagicsV2[] = {{std::string_view("\2\0\0\0ver. ", 9)}};
constexpr Magic kMagicsV3[] = {{std::string_view("\3\0\0\0ver. ", 9)}};
constexpr uint8_t kSaltPlain[16] = {0xdc, 0xd7, 0x3a, 0xa5, 0xc3, 0x95, 0x98, 0xfb,
                                    0xdc, 0xf9, 0xe7, 0xf4, 0x0e, 0xae, 0x47, 0x37};
constexpr uint8_t kSaltBoot[16] = {0x8c, 0xef, 0x33, 0x5f, 0xd5, 0xc5, 0xce, 0xfa,
                                   0xac, 0x9c, 0x28, 0xda, 0xb2, 0xe9, 0x0f, 0x42};
constexpr uint64_t kSignature = 0xd0, kSignatureSize = 128;

constexpr TplinkLayout layout_of(uint32_t version) {
  return {.version_word = version << 24,
          .md5 = 0x40,
          .load = 0x68,
          .length = 0x70,
          .kernel = 0x74,
          .boot = 0x84,
          .plain = kSaltPlain,
          .with_boot = kSaltBoot};
}
constexpr TplinkLayout kV2 = layout_of(2), kV3 = layout_of(3);

Result<void> note_header(Bytes whole, Sink& into) {
  into.note("version text", TRY(whole.text_field(4, 48, "version text")), 4);
  into.note("hardware id", hex_number(TRY(whole.be<uint32_t>(0x34, "hardware id"))), 0x34);
  into.note("hardware revision", hex_number(TRY(whole.be<uint32_t>(0x38, "hardware revision"))), 0x38);
  into.note("additional hardware version", hex_number(TRY(whole.be<uint32_t>(0x3c, "hardware version"))), 0x3c);
  TRY(whole.slice(0x8e, 6, "version"));
  into.note("software revision", std::to_string(whole[0x8e]) + "." + std::to_string(whole[0x8f]), 0x8e);
  into.note("version",
            std::to_string(whole[0x91]) + "." + std::to_string(whole[0x92]) + "." + std::to_string(whole[0x93]), 0x91);
  return {};
}

Result<Measured> measure_v2(Bytes from) { return measure_tplink(from, kV2); }
Result<Measured> measure_v3(Bytes from) { return measure_tplink(from, kV3); }

Result<void> unpack_v2(Bytes whole, Sink& into) {
  TRY_VOID(note_header(whole, into));
  return unpack_tplink(whole, kV2, into);
}

Result<void> unpack_v3(Bytes whole, Sink& into) {
  TRY_VOID(note_header(whole, into));
  const Bytes signature = TRY(whole.slice(kSignature, kSignatureSize, "signature"));
  const bool none = is_run(signature) && (signature[0] == 0 || signature[0] == 0xff);
  into.note("signature",
            none ? "none: 128 bytes of one value" : "not checked: the vendor's key is not in the image's header",
            kSignature);
  return unpack_tplink(whole, kV3, into);
}

}  // namespace

extern const Format kTplinkV2;
const Format kTplinkV2 = {.id = "tplinkv2",
                          .title = "TP-Link firmware image, header version 2",
                          .version = 1,
                          .magics = kMagicsV2,
                          .measure = measure_v2,
                          .unpack = unpack_v2,
                          .limits = "the second MD5 is not checked",
                          .source = "openwrt/firmware-utils src/mktplinkfw2.c",
                          .checked = "own builder only: that it refuses headers of other versions"};
extern const Format kTplinkV3;
const Format kTplinkV3 = {.id = "tplinkv3",
                          .title = "TP-Link firmware image, header version 3",
                          .version = 1,
                          .magics = kMagicsV3,
                          .measure = measure_v3,
                          .unpack = unpack_v3,
                          .reads = "\"ver. 2.0\" headers, boot loader and inner header, MD5",
                          .limits = "the RSA signature is not checked: its public key is not part of the header",
                          .source = "openwrt/firmware-utils src/mktplinkfw2.c",
                          .checked = "real images: shared/firmware (TP-Link WR841N v14)"};

}  // namespace assay::unpack::tplinkv2
