// What the versions of TP-Link's firmware header share: the same fields at other places, MD5 with a salt in its own
// field, a boot loader between two headers. The layouts stand in formats/tplinkv1.cc and formats/tplinkv2.cc.
#pragma once
#include "unpack/describe.h"

namespace assay::unpack {

struct TplinkLayout {
  uint32_t version_word = 0;                      // as stored, big endian
  uint64_t md5 = 0;                               // offset of the MD5
  uint64_t load = 0;                              // kernel load address, then its entry point
  uint64_t length = 0;                            // of the image
  uint64_t kernel = 0;                            // kernel offset and length, rootfs offset and length
  uint64_t boot = 0;                              // boot loader offset and length
  std::span<const uint8_t, 16> plain, with_boot;  // salts
};

Result<Measured> measure_tplink(Bytes from, const TplinkLayout& layout);
// Notes on load address, entry and MD5, and the children boot, firmware, kernel, rootfs.
Result<void> unpack_tplink(Bytes whole, const TplinkLayout& layout, Sink& into);

}  // namespace assay::unpack
