// CHK, the image of Netgear routers on Broadcom chips.
//
//   0   2A 23 24 5E ("*#$^")
//   4   size of the header: 40 and the board id
//   8   region (8 bits), version (7 bytes)
//   16  checksums of kernel and root file system
//   24  sizes of kernel and root file system
//   32  checksum of both together
//   36  checksum of the header, itself taken as 0
//   40  board id, not ended by NUL
//       kernel, root file system
//
// Numbers are big endian. The checksum keeps two running sums, of the bytes and of the first sum, each folded to 16
// bits. Source: openwrt/firmware-utils, src/mkchkimg.c.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::chk {
namespace {

constexpr Magic kMagics[] = {{"*#$^"}};
constexpr uint64_t kFixed = 40, kLongestBoard = 128;

class Sums {
 public:
  Sums& add(Bytes bytes) {
    for (uint64_t i = 0; i < bytes.size(); ++i) second_ += first_ += bytes[i];
    return *this;
  }
  uint32_t value() const { return fold(second_) << 16 | fold(first_); }

 private:
  static uint32_t fold(uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum + (sum >> 16)) & 0xffff;
  }
  uint32_t first_ = 0, second_ = 0;
};

struct Header {
  uint64_t size = 0, kernel = 0, rootfs = 0;
  bool kernel_holds = false, rootfs_holds = false, image_holds = false;
  uint64_t end() const { return size + kernel + rootfs; }
  bool intact() const { return kernel_holds && rootfs_holds && image_holds; }
};

Result<bool> holds(Bytes from, const Sums& sums, uint64_t at) {
  return checksum_holds(sums.value(), TRY(from.be<uint32_t>(at, "checksum")));
}

Result<void> check_header(Bytes from, uint64_t size) {
  const Bytes header = TRY(from.slice(0, size, "header"));
  const Sums sums =
      Sums().add(header.head(36)).add(Bytes(std::string_view("\0\0\0\0", 4))).add(header.head(size, kFixed));
  if (!TRY(holds(from, sums, 36)))
    return fail(Fault::kMalformed, "checksum of the header does not match", from.base() + 36);
  return {};
}

Result<Header> read_header(Bytes from) {
  Header h;
  h.size = TRY(from.be<uint32_t>(4, "header size"));
  if (h.size < kFixed || h.size > kFixed + kLongestBoard)
    return fail(Fault::kMalformed, "header size " + std::to_string(h.size), from.base() + 4);
  TRY_VOID(check_header(from, h.size));
  h.kernel = TRY(from.be<uint32_t>(24, "kernel size"));
  h.rootfs = TRY(from.be<uint32_t>(28, "root file system size"));
  const Bytes kernel = TRY(from.slice(h.size, h.kernel, "kernel"));
  const Bytes rootfs = TRY(from.slice(h.size + h.kernel, h.rootfs, "root file system"));
  h.kernel_holds = TRY(holds(from, Sums().add(kernel), 16));
  h.rootfs_holds = TRY(holds(from, Sums().add(rootfs), 20));
  h.image_holds = TRY(holds(from, Sums().add(kernel).add(rootfs), 32));
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{h.end(), h.intact()};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, h.size);
  note_text(whole, kFixed, h.size - kFixed, "board", into);
  into.note("region", std::to_string(whole[8]), 8);
  into.integrity(checksum("header checksum", "sum16x2", true, 36));
  state_checksum("kernel checksum", "sum16x2", h.kernel_holds, 16, into);
  state_checksum("root file system checksum", "sum16x2", h.rootfs_holds, 20, into);
  state_checksum("image checksum", "sum16x2", h.image_holds, 32, into);
  TRY_VOID(into.child("kernel", stored(TRY(whole.slice(h.size, h.kernel, "kernel")))));
  if (h.rootfs == 0) return {};
  return into.child("rootfs", stored(TRY(whole.slice(h.size + h.kernel, h.rootfs, "root file system"))));
}

}  // namespace

extern const Format kChk;
const Format kChk = {.id = "chk",
                     .title = "Netgear CHK firmware image",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .source = "openwrt/firmware-utils src/mkchkimg.c",
                     .checked = "output of openwrt's mkchkimg; own builder in the tests"};

}  // namespace assay::unpack::chk
