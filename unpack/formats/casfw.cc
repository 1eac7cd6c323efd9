// The headers of Cellvision's cameras (CAS) and network storage (NFS), sold by D-Link, Digitus, TRENDnet and others.
//
//   CAS: type, offset of the kernel (32), its size, board, checksum of the kernel, 5241AA55, 524F4741, D3F22D4E
//   NFS: type, offset of the kernel (32), its size, offset and size of the file system, checksums of both, board
//
// Numbers are little endian, the checksum is the exclusive or of all words. NFS has no magic: its offsets and checksums
// tell it. Source: openwrt/firmware-utils, src/mkcasfw.c.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::casfw {
namespace {

constexpr std::string_view kCasMagic("\x55\xaa\x41\x52\x41\x47\x4f\x52\x4e\x2d\xf2\xd3", 12);
constexpr Magic kMagics[] = {{kCasMagic, 20}, {std::string_view("\x20\0\0\0", 4), 4}};
constexpr uint64_t kHeader = 32;

uint32_t word_xor(Bytes bytes) {
  uint32_t value = 0;
  for (uint64_t i = 0; i + 4 <= bytes.size(); i += 4) {
    uint32_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    value ^= std::endian::native == std::endian::little ? word : std::byteswap(word);
  }
  return value;
}

struct Header {
  uint64_t kernel = 0, rootfs = 0;
  bool is_cas = false, kernel_holds = false, rootfs_holds = true;
  uint64_t end() const { return kHeader + kernel + rootfs; }
};

Result<Header> read_header(Bytes from) {
  Header h;
  h.is_cas = from.starts_with(kCasMagic, 20);
  if (TRY(from.le<uint32_t>(4, "kernel offset")) != kHeader)
    return fail(Fault::kForeign, "kernel offset", from.base() + 4);
  h.kernel = TRY(from.le<uint32_t>(8, "kernel size"));
  const Bytes kernel = TRY(from.slice(kHeader, h.kernel, "kernel"));
  h.kernel_holds = checksum_holds(word_xor(kernel), TRY(from.le<uint32_t>(h.is_cas ? 16 : 20, "kernel checksum")));
  if (h.is_cas) return h;
  h.rootfs = TRY(from.le<uint32_t>(16, "file system size"));
  if (TRY(from.le<uint32_t>(12, "file system offset")) != kHeader + h.kernel || h.kernel == 0)
    return fail(Fault::kForeign, "file system offset", from.base() + 12);
  const Bytes rootfs = TRY(from.slice(kHeader + h.kernel, h.rootfs, "file system"));
  h.rootfs_holds = checksum_holds(word_xor(rootfs), TRY(from.le<uint32_t>(24, "file system checksum")));
  if (!h.kernel_holds || !h.rootfs_holds) return fail(Fault::kForeign, "checksum", from.base() + 20);
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{h.end(), h.kernel_holds};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, kHeader);
  const uint64_t board = h.is_cas ? 12 : 28;
  into.note("board", hex_number(TRY(whole.le<uint32_t>(board, "board"))), board);
  state_checksum("kernel checksum", "xor32", h.kernel_holds, h.is_cas ? 16 : 20, into);
  if (!h.is_cas) state_checksum("file system checksum", "xor32", h.rootfs_holds, 24, into);
  TRY_VOID(into.child("kernel", stored(whole.head(h.kernel, kHeader))));
  if (!h.rootfs) return {};
  return into.child("rootfs", stored(whole.head(h.rootfs, kHeader + h.kernel)));
}

}  // namespace

extern const Format kCasFw;
const Format kCasFw = {.id = "casfw",
                       .title = "Cellvision CAS and NFS firmware image",
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .carve = false,
                       .source = "openwrt/firmware-utils src/mkcasfw.c",
                       .checked = "output of openwrt's mkcasfw (CAS); own builder in the tests (both)"};

}  // namespace assay::unpack::casfw
