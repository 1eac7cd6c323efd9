// F2FS: the tree. The layout stands in f2fs.h.
//
// Directory: blocks of 214 entries, the bits in use first (27 bytes, then 3), then 11 bytes an entry (hash, inode,
// length of the name, type), then names in slots of 8 bytes; inside an inode the same with as many as fit.
// Source: Linux fs/f2fs/dir.c, inline.c.
#include "unpack/formats/f2fs.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>

namespace assay::unpack::f2fs {
namespace {

using namespace f2fs;

constexpr Magic kMagics[] = {{{"\x10\x20\xf5\xf2\1\0", 6}, kSuperAt}};
constexpr uint64_t kLargestDirectory = 256 << 20, kLongestTarget = 4096;
constexpr uint64_t kEntry = 11, kSlot = 8;

struct EntryRoom {  // where the parts of one block of entries lie
  uint64_t count = 0, entries = 0, names = 0;
};
constexpr EntryRoom kBlockRoom = {214, 30, 30 + 214 * kEntry};

EntryRoom room_inside(uint64_t size) {
  const uint64_t count = size * 8 / ((kEntry + kSlot) * 8 + 1);
  const uint64_t entries = size - count * (kEntry + kSlot);
  return {count, entries, entries + count * kEntry};
}

Result<void> list_room(Bytes b, const EntryRoom& room, uint64_t at, std::vector<Listed>& out) {
  for (uint64_t i = 0; i < room.count;) {
    const uint64_t entry = room.entries + i * kEntry;
    if (!(b[i / 8] >> (i % 8) & 1)) {
      ++i;
      continue;
    }
    const uint16_t length = *b.le<uint16_t>(entry + 8, "");
    const uint64_t slots = (length + kSlot - 1u) / kSlot;
    if (length == 0 || length > 255 || slots > room.count - i)
      return fail(Fault::kMalformed, "name of " + std::to_string(length) + " bytes", at);
    out.push_back({std::string(b.head(length, room.names + i * kSlot).text()), *b.le<uint32_t>(entry + 4, ""), at});
    i += slots;
  }
  return {};
}

class Tree final : public TreeSource {
 public:
  Tree(Image& image, Sink& into) : image_(image), into_(into) {}

  Result<Found> find(uint64_t number) override {
    const Inode inode = TRY(image_.inode(static_cast<uint32_t>(number)));
    Found out = TRY(found(inode, inode.at, 0));
    Node& node = out.node;
    node.xattrs = TRY(image_.attributes(inode));
    if (is_device(node.kind)) node.device = device_of(inode);
    if (node.kind == Kind::kSymlink) node.target = TRY(image_.read_small(inode, kLongestTarget));
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    const Inode inode = TRY(image_.inode(static_cast<uint32_t>(number)));
    if (inode.encrypted()) return fail(Fault::kEncrypted, "names are encrypted", inode.at + 2);
    std::vector<Listed> out;
    if (inode.inside & 4) {
      const Bytes b = image_.inside(inode);
      TRY_VOID(list_room(b, room_inside(b.size()), inode.at, out));
      return out;
    }
    const std::string all = TRY(image_.read_small(inode, kLargestDirectory));
    for (uint64_t at = 0; at + kBlock <= all.size(); at += kBlock)
      TRY_VOID(list_room(Bytes(all).head(kBlock, at), kBlockRoom, inode.at, out));
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const Inode inode = TRY(image_.inode(static_cast<uint32_t>(number)));
    const bool plain = !inode.encrypted() && !inode.compressed() && !(inode.inside & 2);
    Content content;
    if (plain) {
      const auto runs = TRY(image_.runs(inode));
      if (std::ranges::none_of(runs, [](const Run& run) { return run.address == kHole || run.address == kCluster; }))
        return stored_runs(inode, runs);
    }
    if (inode.inside & 2 && !inode.encrypted()) {
      content.extents.push_back(TRY(image_.inside(inode).slice(0, inode.size, "data in the inode")));
      return content;
    }
    constexpr std::string_view kNames[] = {"lzo", "lz4", "zstd"};
    TRY_VOID(image_.read(inode, into_.output(), &content.extents));
    content.codec = inode.compressed() ? kNames[std::min<uint8_t>(inode.algorithm, 2)] : "sparse";
    return content;
  }

 private:
  Result<Content> stored_runs(const Inode& inode, const std::vector<Run>& runs) {
    Content content;
    uint64_t left = inode.size;
    for (const Run& run : runs) {
      const uint64_t size = std::min(left, run.count * kBlock);
      content.extents.push_back(TRY(image_.data(run.address, size)));
      left -= size;
    }
    return content;
  }

  static uint64_t device_of(const Inode& inode) {
    const uint64_t at = 360 + uint64_t{4} * inode.extra;
    const uint32_t old = *inode.block.le<uint32_t>(at, ""), fresh = *inode.block.le<uint32_t>(at + 4, "");
    return old ? device_of_old(static_cast<uint16_t>(old)) : device_of_new(fresh);
  }

  Image& image_;
  Sink& into_;
};

Result<Measured> measure(Bytes from) {
  const Super super = TRY(read_super(from));
  const Checkpoint checkpoint = TRY(read_checkpoint(from, super));
  Image image(from, super, checkpoint, nullptr);
  const Inode root = TRY(image.inode(super.root));
  if (kind_of_mode(root.mode) != Kind::kDirectory) return fail(Fault::kMalformed, "root is no directory", root.at);
  return Measured{super.blocks * kBlock, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super super = TRY(read_super(whole));
  const Checkpoint checkpoint = TRY(read_checkpoint(whole, super));
  into.range(Range::kHeader, 0, super.main * kBlock);  // superblocks, checkpoints and tables
  into.integrity(checksum("checkpoint", "crc32", true, checkpoint.start * kBlock));
  into.note("checkpoint", std::to_string(checkpoint.version), checkpoint.start * kBlock);
  if (!super.label.empty()) into.note("label", super.label, kSuperAt + 124);
  Image image(whole, super, checkpoint, &into);
  Tree tree(image, into);
  return walk_tree(tree, super.root, into);
}

}  // namespace

extern const Format kF2fs;
const Format kF2fs = {
    .id = "f2fs",
    .title = "F2FS file system",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "the newest whole checkpoint with its journal; data, entries and attributes inside inodes; extra fields; "
        "compressed files (lzo, lz4, zstd)",
    .limits =
        "encrypted files and names; several devices; blocks other than 4096 bytes; files written after the last "
        "checkpoint; LZO-RLE; SIT and SSA are not read",
    .source = "Linux include/linux/f2fs_fs.h",
    .checked = "foreign tool: mkfs.f2fs, sload.f2fs"};

}  // namespace assay::unpack::f2fs
