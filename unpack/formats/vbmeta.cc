// Android's partition "vbmeta": what the boot loader verifies all others with. The layout stands in unpack/avb.h.
//
// Hash and signature are checked with the key that stands in the structure; whether a device trusts that key is not to
// be seen here. The partitions it describes are not part of it: where one carries its own copy, formats/avb_footer.cc
// checks it.
#include "unpack/avb.h"

namespace assay::unpack::vbmeta {
namespace {

constexpr Magic kMagics[] = {{{"AVB0\0\0\0\1", 8}}};

Result<Measured> measure(Bytes from) {
  const AvbImage image = TRY(read_avb(from));
  const AvbState state = check_avb_hash(image);
  return Measured{image.size, state == AvbState::kValid || (state == AvbState::kUnsigned && image.size > 256)};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const AvbImage image = TRY(read_avb(whole));
  into.range(Range::kHeader, 0, image.size);
  state_avb(image, whole.base(), into);
  for (const AvbDescriptor& d : image.descriptors) {
    TRY_VOID(into.step(1));
    if (d.tag == AvbTag::kHash || d.tag == AvbTag::kHashTree)
      into.integrity(avb_not_checkable(d, whole.base(), "the partition is not part of this content"));
  }
  return {};
}

}  // namespace

extern const Format kVbmeta;
const Format kVbmeta = {
    .id = "vbmeta",
    .title = "Android Verified Boot metadata (vbmeta)",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .readable = true,
    .reads = "version 1: every descriptor; hash and RSA signature against the key that stands in it",
    .limits = "post-quantum signatures; the digests of other partitions are stated, not compared: see avb-footer",
    .source = "AOSP external/avb libavb/avb_vbmeta_image.h",
    .checked = "own builder only, signed with openssl; by hand also avbtool's output and a telephone's partition"};

}  // namespace assay::unpack::vbmeta
