// JBOOT, the boot loader of D-Link's DWR, DIR and LVA devices: an update header over a range of the flash, and the
// header of the kernel in that range. Little-endian.
//
//   update  0 id of the device (12)  12 0  14 sum of the data  26 1  28 time  32 erase from  36 erase length
//           40 data to  44 data length  64 0x4842  66 version 2  76 family  78 sum of the header, inverted  80 data
//   kernel  0 0xff or id  1 id 4  2 0x2b24  4 time  8 length  12 sum of what follows  14 sum of this header, inverted,
//           with the first byte equal to the id
//           16 0x2124  18 compression: 0 none, 1 jz, 2 gzip, 3 LZMA  19 version 2  20 load address  24 kernel's length
//           28 its crc32  32 entry  36 address, 40 length, 44 crc32 of the root file system  48 crc32 of this second
//           header (itself as 0)  52 its length  54 length of the command line
//
//   DLK6E   two updates: one over a signature, one over an image that is encrypted
//
// Sums: 16-bit words, carries added back in; an odd last byte counts less 255. Times: (seconds since 1970 -
// 0x35016f00) / 4. The root file system follows the kernel.
// Source: openwrt/firmware-utils src/mkdlinkfw.c, src/mkdlinkfw-lib.c; ReFirmLabs/binwalk src/signatures/dlke.rs,
// src/structures/jboot.rs.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::jboot {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint64_t kUpdateSize = 80, kTagSize = 16, kKernelSize = 40, kHeaders = kTagSize + kKernelSize;
constexpr Magic kUpdateMagics[] = {{"\x42\x48\x02\x00"sv, 64}};
constexpr Magic kDlkeMagics[] = {{"DLK6E8202001"}, {"DLK6E6110002"}};
constexpr Magic kKernelMagics[] = {{"\x04\x04\x24\x2b"sv}, {"\xff\x04\x24\x2b"sv}};
constexpr uint64_t kEpoch = 0x35016f00;

uint16_t jboot_sum(Bytes b) {
  int64_t sum = 0;
  const auto fold = [&] {
    while (sum >> 16 > 0) sum = (sum & 0xffff) + (sum >> 16);
  };
  for (uint64_t at = 0; at + 1 < b.size(); at += 2) {
    sum += b[at] | b[at + 1] << 8;
    fold();
  }
  if (b.size() & 1) sum += b[b.size() - 1] - 0xff;
  fold();
  // Below zero only where the words add up to less than 255: then as 32 unsigned bits, folded.
  uint32_t bits = static_cast<uint32_t>(sum);
  while (bits >> 16) bits = (bits & 0xffff) + (bits >> 16);
  return static_cast<uint16_t>(bits);
}

std::string jboot_time(uint32_t stored) { return utc_time(kEpoch + uint64_t{stored} * 4); }

struct Update {
  uint64_t length = 0;  // of the data
  bool header_holds = false, data_holds = false;
};

Result<Update> read_update(Bytes from) {
  const Bytes h = TRY(from.slice(0, kUpdateSize, "update header"));
  if (!h.starts_with("\x42\x48\x02\x00"sv, 64) || h[26] != 1 || h[27] != 0)
    return fail(Fault::kForeign, "no update header", h.base());
  if (!looks_like_text(h.head(12).text())) return fail(Fault::kForeign, "the device's id is no text", h.base());
  Update u;
  u.length = *h.le<uint32_t>(44, "");
  u.header_holds = checksum_holds(static_cast<uint16_t>(~jboot_sum(h.head(kUpdateSize - 2))), *h.le<uint16_t>(78, ""));
  const Bytes data = TRY(from.slice(kUpdateSize, u.length, "data"));
  u.data_holds = checksum_holds(jboot_sum(data), *h.le<uint16_t>(14, ""));
  return u;
}

Result<Measured> measure_update(Bytes from) {
  const Update u = TRY(read_update(from));
  if (!u.header_holds) return fail(Fault::kMalformed, "sum of the update header does not match", from.base() + 78);
  return Measured{kUpdateSize + u.length, true};
}

void state_update(const Update& u, uint64_t at, std::string_view data, Sink& into) {
  into.range(Range::kHeader, at, kUpdateSize);
  state_checksum("sum of the header", "jboot16", u.header_holds, at + 78, into);
  state_checksum("sum of the " + std::string(data), "jboot16", u.data_holds, at + 14, into);
}

Result<void> unpack_update(Bytes whole, Sink& into) {
  const Update u = TRY(read_update(whole));
  state_update(u, 0, "data", into);
  note_text(whole, 0, 12, "device", into);
  into.note("family", hex_number(*whole.le<uint16_t>(76, "")), 76);
  into.note("time", jboot_time(*whole.le<uint32_t>(28, "")), 28);
  into.note("erases", hex_number(*whole.le<uint32_t>(32, "")) + "+" + hex_number(*whole.le<uint32_t>(36, "")), 32);
  into.note("written to", hex_number(*whole.le<uint32_t>(40, "")), 40);
  return into.child("data", stored(whole.head(u.length, kUpdateSize)));
}

struct Dlke {
  Update signature, image;
  uint64_t second = 0, end = 0;  // the second header; the whole
};

Result<Dlke> read_dlke(Bytes from) {
  Dlke d;
  d.signature = TRY(read_update(from));
  d.second = kUpdateSize + d.signature.length;
  d.image = TRY(read_update(from.head(from.size(), d.second)));
  d.end = d.second + kUpdateSize + d.image.length;
  return d;
}

Result<Measured> measure_dlke(Bytes from) {
  const Dlke d = TRY(read_dlke(from));
  return Measured{d.end, d.signature.header_holds && d.image.header_holds};
}

Result<void> unpack_dlke(Bytes whole, Sink& into) {
  const Dlke d = TRY(read_dlke(whole));
  note_text(whole, 0, 12, "device", into);
  state_update(d.signature, 0, "signature", into);
  state_update(d.image, d.second, "encrypted image", into);
  into.range(Range::kHeader, kUpdateSize, d.signature.length);
  into.integrity(unchecked_signature("signature", "unknown", kUpdateSize));
  leave_encrypted(whole.head(d.image.length, d.second + kUpdateSize), "encrypted; no key is public", into);
  return {};
}

struct Kernel {
  uint64_t header = 0, length = 0, rootfs = 0;  // of the second header with its command line, the kernel, what follows
  uint8_t compression = 0;
  bool tag_holds = false, data_holds = false, header_holds = false, kernel_holds = false, rootfs_holds = false;
};

Result<Kernel> read_kernel(Bytes from) {
  const Bytes h = TRY(from.slice(0, kHeaders, "kernel header"));
  if (*h.le<uint16_t>(2, "") != 0x2b24 || *h.le<uint16_t>(16, "") != 0x2124 || h[19] != 2)
    return fail(Fault::kForeign, "no kernel header", h.base());
  Kernel k;
  std::string tag(h.head(kTagSize - 2).text());
  tag[0] = tag[1];
  k.tag_holds = checksum_holds(static_cast<uint16_t>(~jboot_sum(Bytes(tag))), *h.le<uint16_t>(14, ""));
  if (!k.tag_holds) return fail(Fault::kMalformed, "sum of the header does not match", h.base() + 14);
  k.compression = h[18];
  k.header = *h.le<uint16_t>(52, "");
  k.length = *h.le<uint32_t>(24, "");
  const uint64_t tagged = *h.le<uint32_t>(8, "");
  if (k.header < kKernelSize || tagged != k.header + k.length)
    return fail(Fault::kMalformed, "lengths of headers and kernel differ", h.base() + 8);
  const Bytes data = TRY(from.slice(kTagSize, tagged, "kernel"));
  k.data_holds = checksum_holds(jboot_sum(data), *h.le<uint16_t>(12, ""));
  std::string second(data.head(k.header).text());
  second.replace(32, 4, 4, '\0');
  k.header_holds = checksum_holds(crc32(Bytes(second)), *h.le<uint32_t>(48, ""));
  k.kernel_holds = checksum_holds(crc32(data.head(k.length, k.header)), *h.le<uint32_t>(28, ""));
  const uint64_t rootfs = *h.le<uint32_t>(40, "");
  const Bytes behind = from.head(rootfs, kTagSize + tagged);
  if (rootfs == 0 || behind.size() != rootfs) return k;
  k.rootfs_holds = checksum_holds(crc32(behind), *h.le<uint32_t>(44, ""));
  if (k.rootfs_holds) k.rootfs = rootfs;
  return k;
}

Result<Measured> measure_kernel(Bytes from) {
  const Kernel k = TRY(read_kernel(from));
  return Measured{kTagSize + k.header + k.length + k.rootfs, k.header_holds};
}

Result<void> unpack_kernel(Bytes whole, Sink& into) {
  constexpr std::string_view kNames[] = {"none", "jz", "gzip", "LZMA"};
  const Kernel k = TRY(read_kernel(whole));
  into.range(Range::kHeader, 0, kTagSize + k.header);
  into.note("time", jboot_time(*whole.le<uint32_t>(4, "")), 4);
  into.note("compression", k.compression < 4 ? std::string(kNames[k.compression]) : std::to_string(k.compression), 18);
  into.note("load address", hex_number(*whole.le<uint32_t>(20, "")), 20);
  into.note("entry point", hex_number(*whole.le<uint32_t>(32, "")), 32);
  into.note("root file system", hex_number(*whole.le<uint32_t>(36, "")) + "+" + hex_number(*whole.le<uint32_t>(40, "")),
            36);
  into.integrity(checksum("sum of the header", "jboot16", k.tag_holds, 14));
  state_checksum("sum of the kernel", "jboot16", k.data_holds, 12, into);
  state_checksum("crc of the second header", "crc32", k.header_holds, 48, into);
  state_checksum("crc of the kernel", "crc32", k.kernel_holds, 28, into);
  const uint64_t kernel = kTagSize + k.header;
  TRY_VOID(into.child("kernel", stored(whole.head(k.length, kernel))));
  if (!k.rootfs) return {};
  into.integrity(checksum("crc of the root file system", "crc32", true, 44));
  return into.child("rootfs", stored(whole.head(k.rootfs, kernel + k.length)));
}

}  // namespace

extern const Format kDlke;
const Format kDlke = {.id = "dlke",
                      .title = "Encrypted D-Link image (DLK6E)",
                      .version = 2,
                      .magics = kDlkeMagics,
                      .measure = measure_dlke,
                      .unpack = unpack_dlke,
                      .reads = "its two JBOOT headers and their sums; verified only where both headers' hold",
                      .limits = "the image is encrypted and no key is public; the signature's kind is not documented",
                      .source = "ReFirmLabs/binwalk src/signatures/dlke.rs, src/structures/jboot.rs",
                      .checked = "own builder only"};

extern const Format kJboot;
const Format kJboot = {.id = "jboot",
                       .title = "JBOOT update header (D-Link)",
                       .version = 1,
                       .magics = kUpdateMagics,
                       .measure = measure_update,
                       .unpack = unpack_update,
                       .reads = "ARM update header 2.0; its sums",
                       .limits = "scrambled headers",
                       .source = "openwrt/firmware-utils src/mkdlinkfw.c, src/mkdlinkfw-lib.c",
                       .checked = "own builder only"};

extern const Format kJbootKernel;
const Format kJbootKernel = {.id = "jboot-kernel",
                             .title = "JBOOT kernel header (STAG and SCH2)",
                             .version = 1,
                             .magics = kKernelMagics,
                             .measure = measure_kernel,
                             .unpack = unpack_kernel,
                             .reads = "kernel, and the root file system where it follows; sums and crc32",
                             .limits = "jz compression is named, not decoded",
                             .source = "openwrt/firmware-utils src/mkdlinkfw.c, src/mkdlinkfw-lib.c",
                             .checked = "own builder only"};

}  // namespace assay::unpack::jboot
