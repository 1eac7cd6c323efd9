// XFS as a tree of files. The layout stands in unpack/formats/xfs.h.
#include "unpack/formats/xfs.h"
#include "core/text.h"
#include "unpack/formats/inode_tree.h"

#include <algorithm>

namespace assay::unpack::xfs {
namespace {

using xfs::Inode;
using xfs::Place;
using xfs::Super;

constexpr Magic kMagics[] = {{"XFSB"}};

class Tree final : public TreeSource {
 public:
  Tree(Bytes whole, const Super& super, Sink* into)
      : whole_(whole), s_(super), into_(into), image_(whole, super, into) {}

  xfs::Image& image() { return image_; }

  Result<Found> find(uint64_t number) override {
    const Inode i = TRY(image_.inode(number));
    Found out = TRY(found(i, i.bytes.base(), 2));
    Node& node = out.node;
    if (is_device(node.kind)) {
      const uint32_t device = TRY(i.data.be<uint32_t>(0, "device"));  // as System V has it
      node.device = uint64_t{device >> 18} << 32 | (device & 0x3ffff);
    }
    if (node.kind == Kind::kSymlink) node.target = TRY(image_.target(i));
    if (i.attributes_inside)
      node.xattrs = image_.attributes(i);
    else if (!i.attributes.empty() && *i.bytes.be<uint16_t>(80, "") != 0)
      into_problem(
          {Fault::kUnsupported, "extended attributes outside inode " + std::to_string(number), i.bytes.base() + 83});
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override { return image_.list(TRY(image_.inode(number))); }

  Result<Content> content(uint64_t number) override {
    const Inode i = TRY(image_.inode(number));
    if (i.realtime) return fail(Fault::kUnsupported, "content lies in a real-time volume", i.bytes.base() + 90);
    if (i.place == Place::kInside) return stored(TRY(i.data.slice(0, i.size, "content")));
    const std::vector<xfs::Run> runs = TRY(image_.runs(i));
    return is_whole(i, runs) ? pieces(i, runs) : sparse(i, runs);
  }

 private:
  void into_problem(Error error) {
    if (into_) into_->problem(std::move(error));
  }
  bool is_whole(const Inode& i, const std::vector<xfs::Run>& runs) const {
    uint64_t next = 0;
    for (const xfs::Run& run : runs) {
      if (run.offset * s_.block >= i.size) break;
      if (run.offset != next || run.bytes.empty()) return false;
      next = run.offset + run.count;
    }
    return next * s_.block >= i.size;
  }
  Result<Content> pieces(const Inode& i, const std::vector<xfs::Run>& runs) const {
    Content content;
    for (const xfs::Run& run : runs)
      if (const uint64_t at = run.offset * s_.block; at < i.size)
        content.extents.push_back(run.bytes.head(i.size - at));
    return content;
  }
  Result<Content> sparse(const Inode& i, const std::vector<xfs::Run>& runs) {
    Content content{{}, "sparse"};
    uint64_t next = 0;
    for (const xfs::Run& run : runs) {
      const uint64_t at = std::min(run.offset * s_.block, i.size);
      const Bytes piece = run.bytes.head(i.size - at);
      TRY_VOID(into_->output().zeros(at - next));
      TRY_VOID(into_->output().write(piece.span()));
      if (!piece.empty()) content.extents.push_back(piece);
      next = at + piece.size();
    }
    TRY_VOID(into_->output().zeros(i.size - next));
    return content;
  }

  Bytes whole_;
  const Super& s_;
  Sink* into_;
  xfs::Image image_;
};

Result<Measured> measure(Bytes from) {
  const Super s = TRY(xfs::read_super(from));
  Tree tree(from, s, nullptr);
  const Found root = TRY(tree.find(s.root));
  if (root.node.kind != Kind::kDirectory) return fail(Fault::kMalformed, "root is no directory", root.at);
  return Measured{s.blocks * s.block, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super s = TRY(xfs::read_super(whole));
  TRY_VOID(into.step(s.groups));
  into.note("version", s.fifth ? "5" : "4", 100);
  if (!s.label.empty()) into.note("label", escape(s.label), 108);
  if (s.fifth) into.integrity(checksum("superblock crc", "crc32c", true, 224));  // else it is no superblock
  Tree tree(whole, s, &into);
  tree.image().claim_groups();
  if (const auto unmounted = tree.image().claim_log(); !unmounted)
    into.problem(unmounted.error());
  else if (!*unmounted)
    into.problem(not_replayed("log", 48));
  return walk_tree(tree, s.root, into);
}

}  // namespace

extern const Format kXfs;
const Format kXfs = {.id = "xfs",
                     .title = "XFS file system",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads =
                         "versions 4 and 5: directories of every kind, extents and their trees, holes, attributes "
                         "in the inode",
                     .limits =
                         "the log is not replayed; attributes outside the inode, real-time volumes, and checksums "
                         "but the superblock's are not read",
                     .source = "XFS Algorithms & Data Structures, 3rd edition",
                     .checked = "foreign tool: mkfs.xfs"};

}  // namespace assay::unpack::xfs
