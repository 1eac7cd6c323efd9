// The tag between kernel and root file system in images made with the tool "packimg".
//
//   0   "--PaCkImGs--"
//   12  size of what follows the tag (some builders write it in little endian at 12, some in big endian at 16)
//   32  the root file system
//
// The bytes of the tag outside its text and its size are zero. Source: Linux patches of the SDKs that read it
// (drivers/mtd/maps, "PACKIMG_TAG"); the layout was checked on an image whose size field is big endian at 16.
#include "unpack/describe.h"

namespace assay::unpack::packimg {
namespace {

constexpr uint64_t kTagSize = 32;
constexpr Magic kMagics[] = {{"--PaCkImGs--"}};

// Exactly one of the readings of the 20 bytes after the text can be a size that fits; all other bytes are zero.
Result<uint64_t> read_size(Bytes b) {
  const Bytes tag = TRY(b.slice(0, kTagSize, "tag"));
  uint64_t size = 0, found = 0;
  for (uint64_t at = 12; at < kTagSize; at += 4) {
    const uint32_t big = TRY(tag.be<uint32_t>(at, "size"));
    if (big == 0) continue;
    const uint32_t little = TRY(tag.le<uint32_t>(at, "size"));
    const uint64_t room = b.size() - kTagSize;
    if (big <= room) size = big;
    if (little <= room && (big > room || little > big)) size = little;
    ++found;
  }
  if (found != 1 || size == 0) return fail(Fault::kMalformed, "size field", b.base() + 12);
  return size;
}

Result<Measured> measure(Bytes from) { return Measured{kTagSize + TRY(read_size(from)), false}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const uint64_t size = TRY(read_size(whole));
  into.range(Range::kHeader, 0, kTagSize);
  into.note("size", std::to_string(size), 12);
  return into.child("rootfs", stored(TRY(whole.slice(kTagSize, size, "root file system"))));
}

}  // namespace

extern const Format kPackImg;
const Format kPackImg = {
    .id = "packimg",
    .title = "PackIMG tag in front of a root file system",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "both byte orders",
    .source = "PACKIMG_TAG in the vendors' Linux sources",
    .checked = "real image: shared/firmware (D-Link DIR-300); own builder for the other byte order"};

}  // namespace assay::unpack::packimg
