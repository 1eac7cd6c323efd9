// ReiserFS 3.5 and 3.6, the file system of older appliances. Little-endian.
//
//   65536        0 blocks  4 free blocks  8 root of the tree  12 journal: its first block  20 its blocks
//                44 block size (16 bits)  50 1: unmounted (16 bits)  52 "ReIsErFs", "ReIsEr2Fs", "ReIsEr3Fs" (journal
//                elsewhere)  68 height of the tree (16 bits)  100 label (16)
//   a node       0 level, 1: a leaf  2 items (16 bits each); from 24 the items' heads, or keys and then children:
//                block (32 bits), size, none (16 bits each)
//   a head       0 key: directory, object, offset and kind (64 bits)  18 length  20 where  22 0: the first version of
//                keys (16 bits each): offset and kind take 32 bits each, the kinds are 0, ~0, ~1 and 500
//   items        0 status: mode (16 bits), version 2: 4 links  8 size (64 bits)  16 uid  20 gid  28 mtime  40 device
//                          version 1: 2 links, uid, gid (16 bits)  8 size  16 mtime  24 device
//                1 blocks of a file, 0: a hole   2 the bytes of a file, or of its end
//                3 names: 4 directory, 8 object, 12 where the name is (16 bits)  14 4: visible, in entries of 16 bytes
//                (0 a hash); names lie from the end of the item towards them
//
// Source: Linux fs/reiserfs/reiserfs.h; H. Reiser et al., The structure of the Reiser file system.
#include "core/text.h"
#include "unpack/formats/file_map.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <bit>

namespace assay::unpack::reiserfs {
namespace {

constexpr uint64_t kSuperAt = 65536, kRootObject = 2;
constexpr Magic kMagics[] = {{"ReIsErFs", kSuperAt + 52}, {"ReIsEr2Fs", kSuperAt + 52}, {"ReIsEr3Fs", kSuperAt + 52}};
constexpr unsigned kHighestTree = 10;
constexpr uint64_t kLongestTarget = 4096;
enum ItemKind : uint8_t { kStatus, kBlocks, kBytes, kNames };

struct Super {
  uint64_t block = 0, blocks = 0, root = 0, journal = 0, journal_blocks = 0, height = 0;
  bool unmounted = false;
  std::string magic, label;
};

Result<Super> read_super(Bytes whole) {
  Super s;
  const Bytes b = TRY(whole.slice(kSuperAt, 204, "superblock"));
  s.magic = *b.text_field(52, 10, "");
  if (!s.magic.starts_with("ReIsEr") || !s.magic.ends_with("Fs")) return fail(Fault::kForeign, "magic", b.base() + 52);
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  const auto u32 = [&](uint64_t at) { return *b.le<uint32_t>(at, ""); };
  const auto u16 = [&](uint64_t at) { return *b.le<uint16_t>(at, ""); };
  s.blocks = u32(0);
  s.root = u32(8);
  s.journal = u32(12);
  s.journal_blocks = u32(20);
  s.block = u16(44);
  s.unmounted = u16(50) == 1;
  s.height = u16(68);
  s.label = *b.text_field(100, 16, "");
  if (!std::has_single_bit(s.block) || s.block < 512 || s.block > 32768) return bad("block size", 44);
  if (s.root >= s.blocks) return bad("root block " + std::to_string(s.root), 8);
  if (s.height < 2 || s.height > kHighestTree) return bad("height of the tree", 68);
  if (s.blocks > whole.size() / s.block)
    return fail(Fault::kTruncated, "file system of " + std::to_string(s.blocks) + " blocks", b.base());
  return s;
}

struct Item {
  ItemKind kind = kStatus;
  bool old = false;     // keys and status of the first version
  uint64_t offset = 0;  // in the file, from 1
  Bytes bytes;
  uint64_t names = 0;
};

struct Inode {
  Bytes bytes;
  uint32_t mode = 0, links = 0, uid = 0, gid = 0, device = 0;
  uint64_t size = 0;
  int64_t mtime = 0;
};

class Tree final : public TreeSource {
 public:
  Tree(Bytes whole, const Super& super, Sink* into) : whole_(whole), s_(super), into_(into) {}

  Result<void> read() { return node(s_.root, s_.height - 1); }

  Result<Found> find(uint64_t number) override {
    const Inode i = TRY(inode(number));
    Found out = TRY(found(i, i.bytes.base(), 0));
    if (is_device(out.node.kind)) out.node.device = device_of_new(i.device);
    if (out.node.kind == Kind::kSymlink) {
      if (i.size > kLongestTarget) return fail(Fault::kMalformed, "size " + std::to_string(i.size), i.bytes.base());
      out.node.target = TRY(map(number, i)).text(into_);
    }
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    std::vector<Listed> out;
    for (const Item& item : objects_[number]) {
      if (item.kind != kNames) continue;
      uint64_t end = item.bytes.size();
      for (uint64_t n = 0; n < item.names; ++n) {
        const Bytes head = TRY(item.bytes.slice(n * 16, 16, "directory entry"));
        const uint64_t at = *head.le<uint16_t>(12, "");
        if (at < item.names * 16 || at > end) return fail(Fault::kMalformed, "where a name is", head.base() + 12);
        if (*head.le<uint16_t>(14, "") & 4)
          out.push_back({*item.bytes.text_field(at, end - at, ""), *head.le<uint32_t>(8, ""), head.base()});
        end = at;
      }
    }
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const Inode i = TRY(inode(number));
    return TRY(map(number, i)).content(*into_);
  }

 private:
  void claim(Bytes b) const {
    if (into_) into_->range(Range::kHeader, b.base() - whole_.base(), b.size());
  }

  Result<void> complain(Error error) const {
    if (error.fault == Fault::kLimit || !into_) return std::unexpected(std::move(error));
    return into_->problem(std::move(error)), Result<void>{};
  }

  // Reads the items below a block; a subtree that cannot be read is a problem.
  Result<void> node(uint64_t number, uint64_t level) {
    if (number >= s_.blocks || ++nodes_ > s_.blocks)
      return fail(Fault::kMalformed, "node " + std::to_string(number) + " is none of the tree");
    if (into_) TRY_VOID(into_->step(1));
    const Bytes b = TRY(whole_.slice(number * s_.block, s_.block, "node"));
    const uint64_t count = *b.le<uint16_t>(2, "");
    if (*b.le<uint16_t>(0, "") != level) return fail(Fault::kMalformed, "level of a node", b.base());
    if (level == 1) return leaf(b, count);
    claim(b);
    for (uint64_t n = 0; n <= count; ++n) {
      const uint32_t child = TRY(b.le<uint32_t>(24 + count * 16 + n * 8, "child"));
      if (const auto read = node(child, level - 1); !read) TRY_VOID(complain(read.error()));
    }
    return {};
  }

  Result<void> leaf(Bytes b, uint64_t count) {
    uint64_t first = s_.block;
    for (uint64_t n = 0; n < count; ++n) {
      const Bytes head = TRY(b.slice(24 + n * 24, 24, "item head"));
      const uint64_t key = *head.le<uint64_t>(8, ""), at = *head.le<uint16_t>(20, "");
      Item item{.old = *head.le<uint16_t>(22, "") == 0, .names = *head.le<uint16_t>(16, "")};
      item.bytes = TRY(b.slice(at, *head.le<uint16_t>(18, ""), "item"));
      const uint64_t kind = item.old ? old_kind(static_cast<uint32_t>(key >> 32)) : key >> 60;
      if (kind > kNames) return fail(Fault::kMalformed, "kind of an item", head.base() + 8);
      item.kind = static_cast<ItemKind>(kind);
      item.offset = item.old ? key & 0xffffffff : key & (~uint64_t{0} >> 4);
      first = std::min(first, at);
      if (item.kind != kBytes) claim(item.bytes);
      const uint32_t object = *head.le<uint32_t>(4, "");
      if (item.kind == kStatus)
        statuses_.insert_or_assign(object, item);
      else
        objects_[object].push_back(item);
    }
    claim(b.head(24 + count * 24));
    if (first > 24 + count * 24) claim_rest(b.head(first - 24 - count * 24, 24 + count * 24));
    return {};
  }
  // Between the heads and the items: what items that are gone have left.
  void claim_rest(Bytes b) const {
    if (into_ && !is_run(b)) into_->range(Range::kPadding, b.base() - whole_.base(), b.size());
  }
  static uint64_t old_kind(uint32_t kind) {
    return kind == 0 ? kStatus : kind == ~0u ? kBytes : kind == ~1u ? kBlocks : kind == 500 ? kNames : 15;
  }

  Result<Inode> inode(uint64_t number) const {
    const auto known = statuses_.find(number);
    if (known == statuses_.end()) return fail(Fault::kMalformed, "object " + std::to_string(number) + " has no status");
    const Item* status = &known->second;
    Inode i;
    i.bytes = TRY(status->bytes.slice(0, status->old ? 32 : 44, "status"));
    const auto u32 = [&](uint64_t at) { return *i.bytes.le<uint32_t>(at, ""); };
    const auto u16 = [&](uint64_t at) { return *i.bytes.le<uint16_t>(at, ""); };
    i.mode = u16(0);
    i.links = status->old ? u16(2) : u32(4);
    i.uid = status->old ? u16(4) : u32(16);
    i.gid = status->old ? u16(6) : u32(20);
    i.size = status->old ? u32(8) : *i.bytes.le<uint64_t>(8, "");
    i.mtime = u32(status->old ? 16 : 28);
    i.device = u32(status->old ? 24 : 40);
    return i;
  }

  // Items come in the order of their keys: of a file in that of its bytes.
  Result<FileMap> map(uint64_t number, const Inode& i) const {
    FileMap out(whole_);
    static const std::vector<Item> kNone;
    const auto object = objects_.find(number);
    for (const Item& item : object == objects_.end() ? kNone : object->second) {
      if (item.kind != kBlocks && item.kind != kBytes) continue;
      if (item.offset == 0 || item.offset - 1 < out.size() || item.offset > i.size)
        return fail(Fault::kMalformed, "offset of an item", item.bytes.base());
      out.hole(item.offset - 1 - out.size());
      if (item.kind == kBytes) {
        TRY_VOID(out.stored(item.bytes.base() - whole_.base(), std::min(item.bytes.size(), i.size - out.size())));
        continue;
      }
      for (uint64_t at = 0; at + 4 <= item.bytes.size() && out.size() < i.size; at += 4) {
        if (into_) TRY_VOID(into_->step(1));
        const uint64_t block = *item.bytes.le<uint32_t>(at, ""), now = std::min(s_.block, i.size - out.size());
        if (block == 0)
          out.hole(now);
        else if (block < s_.blocks)
          TRY_VOID(out.stored(block * s_.block, now));
        else
          return fail(Fault::kMalformed, "block " + std::to_string(block), item.bytes.base() + at);
      }
    }
    out.fit(i.size);
    return out;
  }

  Bytes whole_;
  const Super& s_;
  Sink* into_;
  std::map<uint64_t, Item> statuses_;
  std::map<uint64_t, std::vector<Item>> objects_;  // everything else of each
  uint64_t nodes_ = 0;
};

// The root's own block is a node of the level that the superblock states, of the layout nodes have.
Result<Measured> measure(Bytes from) {
  const Super s = TRY(read_super(from));
  const Bytes root = TRY(from.slice(s.root * s.block, s.block, "root"));
  const uint64_t level = *root.le<uint16_t>(0, ""), count = *root.le<uint16_t>(2, "");
  if (level != s.height - 1 || count == 0 || 24 + count * 16 > s.block)
    return fail(Fault::kMalformed, "root of the tree", root.base());
  return Measured{s.blocks * s.block, true};
}

// A bit for each block, in blocks of their own: the first behind the superblock, then at the head of what each covers.
void claim_bitmaps(const Super& s, Sink& into) {
  into.range(Range::kHeader, kSuperAt + s.block, s.block);
  for (uint64_t at = s.block * 8; at < s.blocks; at += s.block * 8) into.range(Range::kHeader, at * s.block, s.block);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super s = TRY(read_super(whole));
  into.range(Range::kHeader, kSuperAt, s.block);
  claim_bitmaps(s, into);
  const bool inside = s.magic != "ReIsEr3Fs" && s.journal < s.blocks;
  // One block behind the journal is its own head.
  if (inside)
    into.range(Range::kHeader, s.journal * s.block, std::min(s.journal_blocks + 1, s.blocks - s.journal) * s.block);
  into.note("magic", s.magic, kSuperAt + 52);
  if (!s.label.empty()) into.note("label", escape(s.label), kSuperAt + 100);
  if (!s.unmounted) into.problem(not_replayed("journal", kSuperAt + 50));
  Tree tree(whole, s, &into);
  TRY_VOID(tree.read());
  return walk_tree(tree, kRootObject, into);
}

}  // namespace

extern const Format kReiserfs;
const Format kReiserfs = {
    .id = "reiserfs",
    .title = "ReiserFS file system",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "3.5 and 3.6: items of both versions, files in blocks, in the tree, and both; holes",
    .limits =
        "the journal is not replayed; it has no checksum; extended attributes are files below "
        ".reiserfs_priv, as they are stored",
    .source = "Linux fs/reiserfs/reiserfs.h",
    .checked = "real image: sample file system of another project; foreign tool: mkreiserfs (empty)"};

}  // namespace assay::unpack::reiserfs
