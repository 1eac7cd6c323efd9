// RAS, the images of ZyXEL routers and extenders on MediaTek and Qualcomm chips.
//
//   0    checksum of the root file system, its size, version (32)
//   40   checksum of the header, name of the board (64)
//   108  checksum of the kernel, its size; or 0xFF bytes where the root file system holds the kernel
//        0xFF up to 64 KiB (some devices: another power of two), root file system, kernel
//
// Numbers are big endian. The checksum is System V's `sum`. That of the header is taken over 2048 bytes, where it
// itself stands as the checksum of the root file system. There is no magic: the checksums tell it. Source:
// openwrt/firmware-utils, src/mkrasimage.c.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::zyxelras {
namespace {

constexpr uint64_t kHeaderFields = 116, kSummed = 2048;
constexpr uint64_t kLengths[] = {0x10000, 0x20000, 0x1000, 0x800};

uint32_t sysv_sum(uint32_t sum) {
  const uint32_t once = (sum & 0xffff) + (sum >> 16);
  return (once & 0xffff) + (once >> 16);
}

struct Image {
  uint64_t header = 0, rootfs = 0, kernel = 0;
  bool rootfs_holds = false, kernel_holds = false;
  uint64_t end() const { return header + rootfs + kernel; }
};

Result<void> check_header(Bytes from) {
  const Bytes header = TRY(from.slice(0, kSummed, "header"));
  const uint32_t sum = byte_sum(header) - byte_sum(header.head(4, 40)) + byte_sum(header.head(4));
  if (!checksum_holds(sysv_sum(sum), TRY(from.be<uint32_t>(40, "header checksum"))))
    return fail(Fault::kForeign, "checksum of the header", from.base() + 40);
  return {};
}

Result<Image> read_image(Bytes from) {
  if (TRY(from.be<uint32_t>(0, "checksum")) > 0xffff || TRY(from.be<uint32_t>(40, "header checksum")) > 0xffff)
    return fail(Fault::kForeign, "checksum", from.base());
  TRY_VOID(check_header(from));
  Image image;
  image.rootfs = TRY(from.be<uint32_t>(4, "root file system size"));
  image.kernel = TRY(from.be<uint32_t>(112, "kernel size"));
  if (image.kernel == 0xffffffff) image.kernel = 0;
  for (const uint64_t length : kLengths) {
    image.header = length;
    const auto rootfs = from.slice(length, image.rootfs, "root file system");
    const auto kernel = from.slice(length + image.rootfs, image.kernel, "kernel");
    if (!rootfs || !kernel || image.rootfs == 0) continue;
    image.rootfs_holds = checksum_holds(sysv_sum(byte_sum(*rootfs)), TRY(from.be<uint32_t>(0, "checksum")));
    image.kernel_holds =
        !image.kernel || checksum_holds(sysv_sum(byte_sum(*kernel)), TRY(from.be<uint32_t>(108, "sum")));
    if (image.rootfs_holds) return image;
  }
  return fail(Fault::kMalformed, "the checksum of the root file system fits no length of the header", from.base());
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.end(), image.kernel_holds};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  into.range(Range::kHeader, 0, kHeaderFields);
  note_text(whole, 8, 32, "version", into);
  note_text(whole, 44, 64, "board", into);
  into.integrity(checksum("header checksum", "sysv", true, 40));
  state_checksum("root file system checksum", "sysv", image.rootfs_holds, 0, into);
  if (image.kernel) state_checksum("kernel checksum", "sysv", image.kernel_holds, 108, into);
  TRY_VOID(between(whole, kHeaderFields, image.header, "header", into));
  TRY_VOID(into.child("rootfs", stored(whole.head(image.rootfs, image.header))));
  if (!image.kernel) return {};
  return into.child("kernel", stored(whole.head(image.kernel, image.header + image.rootfs)));
}

}  // namespace

extern const Format kZyxelRas;
const Format kZyxelRas = {.id = "zyxelras",
                          .title = "ZyXEL RAS firmware image",
                          .measure = measure,
                          .unpack = unpack,
                          .carve = false,
                          .source = "openwrt/firmware-utils src/mkrasimage.c",
                          .checked = "output of openwrt's mkrasimage; own builder in the tests"};

}  // namespace assay::unpack::zyxelras
