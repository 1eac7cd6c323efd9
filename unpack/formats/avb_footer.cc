// A partition of Android that carries its own metadata of Verified Boot behind its image, and a footer in its last 64
// bytes: image, hash tree, error correction, vbmeta, unused room, footer. The layout stands in unpack/avb.h.
//
// Hash descriptors are checked over the image, hash trees down to every block.
#include "unpack/avb.h"
#include "unpack/vendor.h"

namespace assay::unpack::avb_footer {
namespace {

constexpr uint64_t kFooterSize = 64;
// Counted from the content's end, where the footer stands.
constexpr Magic kMagics[] = {{{"AVBf\0\0\0\1", 8}, uint64_t{0} - kFooterSize}};

struct Partition {
  AvbFooter footer;
  AvbImage image;
};

Result<Partition> read_partition(Bytes whole) {
  Partition p;
  p.footer = TRY(read_avb_footer(whole));
  const Bytes vbmeta = TRY(whole.slice(p.footer.offset, p.footer.size, "vbmeta"));
  p.image = TRY(read_avb(vbmeta));
  return p;
}

Result<Measured> measure(Bytes from) {
  const Partition p = TRY(read_partition(from));
  return Measured{from.size(), check_avb_hash(p.image) != AvbState::kInvalid};
}

// The tree's and the image's own room; what lies between them and vbmeta is error correction, which is not read.
Result<void> check_descriptor(const AvbDescriptor& d, Bytes whole, const Partition& p, Sink& into) {
  if (d.tag == AvbTag::kHash) {
    TRY_VOID(into.step(1 + p.footer.image_size / 4096));
    state_integrity(check_avb_image_hash(d, whole.head(p.footer.image_size), whole.base()), into);
  }
  if (d.tag != AvbTag::kHashTree) return {};
  Integrity i = TRY(check_avb_tree(d, whole.head(p.footer.offset), into));
  if (i.state != "not-checkable" && d.tree_offset >= p.footer.image_size)
    into.range(Range::kHeader, d.tree_offset, d.tree_size);
  state_integrity(std::move(i), into);
  if (d.fec_size) into.note("error correction", std::to_string(d.fec_size) + " bytes, not read", d.fec_offset);
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Partition p = TRY(read_partition(whole));
  into.range(Range::kHeader, p.footer.offset, p.image.size);
  into.range(Range::kHeader, whole.size() - kFooterSize, kFooterSize);
  state_avb(p.image, whole.base(), into);
  size_t checked = 0;
  for (const AvbDescriptor& d : p.image.descriptors) {
    TRY_VOID(into.step(1));
    if (d.tag != AvbTag::kHash && d.tag != AvbTag::kHashTree) continue;
    if (++checked > 4)  // each costs a pass over the image
      into.integrity(avb_not_checkable(d, whole.base(), "more than four descriptors of one partition"));
    else
      TRY_VOID(check_descriptor(d, whole, p, into));
  }
  return into.child("image", stored(whole.head(p.footer.image_size)));
}

}  // namespace

extern const Format kAvbFooter;
const Format kAvbFooter = {
    .id = "avb-footer",
    .title = "Android partition with its own Verified Boot metadata",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .carve = false,
    .reads =
        "hash descriptors over the image, hash trees (dm-verity 1; sha1, sha256, sha512) down to every block, RSA "
        "signature against the key that stands in it",
    .limits =
        "error correction (FEC) is not read; blake2b is not computed; the partition must end where its content ends",
    .source = "AOSP external/avb libavb/avb_footer.h",
    .checked = "own builder only; by hand also avbtool's output with hashes and hash trees"};

}  // namespace assay::unpack::avb_footer
