// UFS1 and UFS2 (FFS), the file systems of the BSDs and of the routers built on them. Of either byte order.
//
//   8192, of UFS2 also 65536  superblock: 16 first inode's block in a group  24, 28 how far groups are shifted (UFS1)
//     36 fragments (UFS1; UFS2: 1080, 64 bits)  44 groups  48 block's size  52 fragment's size  56 fragments of a block
//     116 addresses of a block  120 inodes of a block  184 inodes of a group  188 fragments of a group  680 name (32)
//     1320 longest target kept in the inode  1372 magic 0x011954, 0x19540119
//   inode 128   0 mode  2 links  8 size (64 bits)  24 mtime  40 twelve addresses, three of indirect blocks  112 uid,
//   gid inode 256   0 mode  2 links  4 uid, gid  16 size  40 mtime (64 bits)  112 twelve addresses, three of indirect
//   blocks directory   0 inode  4 length of the entry (16 bits)  6 type  7 length of the name  8 name; in pieces of 512
//   bytes Addresses count fragments. A file's last block may be some fragments only.
//
// Source: FreeBSD sys/ufs/ffs/fs.h, sys/ufs/ufs/dinode.h, dir.h.
#include "core/text.h"
#include "unpack/formats/indirect_blocks.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>
#include <bit>

namespace assay::unpack::ufs {
namespace {

constexpr uint64_t kMagicAt = 1372;
constexpr std::string_view kOld = {"\x54\x19\x01\x00", 4}, kOldBig = {"\x00\x01\x19\x54", 4};
constexpr std::string_view kNew = {"\x19\x01\x54\x19", 4}, kNewBig = {"\x19\x54\x01\x19", 4};
constexpr Magic kMagics[] = {{kOld, 8192 + kMagicAt},    {kOldBig, 8192 + kMagicAt}, {kNew, 8192 + kMagicAt},
                             {kNewBig, 8192 + kMagicAt}, {kNew, 65536 + kMagicAt},   {kNewBig, 65536 + kMagicAt}};
constexpr uint64_t kLargestDirectory = 64 << 20, kLongestTarget = 4096;

struct Super {
  Order order = Order::kLittle;
  bool second = false;                                          // UFS2
  uint64_t at = 0, fragments = 0, summary_at = 0, summary = 0;  // summary: counts of each group
  uint32_t inodes_at = 0, shift = 0, shift_mask = 0, groups = 0, block = 0, fragment = 0, per_block = 0;
  uint32_t addresses = 0, inodes = 0, group_inodes = 0, group_fragments = 0, inside = 0;
  std::string name;
  uint64_t inode_size() const { return second ? 256 : 128; }
};

Result<void> check(const Super& s, Bytes whole) {
  const auto bad = [&](const std::string& what) { return fail(Fault::kMalformed, what, whole.base() + s.at); };
  if (!std::has_single_bit(s.block) || s.block < 4096 || s.block > 65536) return bad("block size");
  if (!std::has_single_bit(s.fragment) || s.fragment < 512 || s.fragment > s.block) return bad("fragment size");
  if (s.per_block != s.block / s.fragment) return bad("fragments of a block");
  if (s.addresses != s.block / (s.second ? 8 : 4) || s.inodes != s.block / s.inode_size())
    return bad("addresses or inodes of a block");
  if (s.groups == 0 || s.group_inodes == 0 || s.group_fragments == 0 || s.fragments >> 40) return bad("groups");
  if (s.fragments > whole.size() / s.fragment)
    return fail(Fault::kTruncated, "file system of " + std::to_string(s.fragments) + " fragments", whole.base() + s.at);
  return {};
}

Result<Super> read_super(Bytes whole) {
  Super s;
  const auto is = [&](const Magic& m) { return whole.starts_with(m.bytes, m.offset); };
  const auto* magic = std::ranges::find_if(kMagics, is);
  if (magic == std::end(kMagics)) return fail(Fault::kForeign, "magic", whole.base());
  s.second = magic->bytes == kNew || magic->bytes == kNewBig;
  s.order = magic->bytes == kOldBig || magic->bytes == kNewBig ? Order::kBig : Order::kLittle;
  s.at = magic->offset - kMagicAt;
  const Bytes b = TRY(whole.slice(s.at, 1376, "superblock"));
  const auto number = [&](uint64_t at) { return *b.get<uint32_t>(at, s.order, ""); };
  s.inodes_at = number(16);
  s.shift = s.second ? 0 : number(24);
  s.shift_mask = number(28);
  s.fragments = s.second ? *b.get<uint64_t>(1080, s.order, "") : number(36);
  s.summary_at = s.second ? *b.get<uint64_t>(1096, s.order, "") : number(152);
  s.summary = number(156);
  s.groups = number(44);
  s.block = number(48);
  s.fragment = number(52);
  s.per_block = number(56);
  s.addresses = number(116);
  s.inodes = number(120);
  s.group_inodes = number(184);
  s.group_fragments = number(188);
  s.inside = number(1320);
  s.name = *b.text_field(680, 32, "");
  TRY_VOID(check(s, whole));
  return s;
}

struct Inode {
  Bytes bytes;
  uint32_t mode = 0, links = 0, uid = 0, gid = 0;
  uint64_t size = 0, addresses_at = 0;
  int64_t mtime = 0;
};

class Tree final : public TreeSource {
 public:
  Tree(Bytes whole, const Super& super, Sink* into) : whole_(whole), s_(super), into_(into) {}

  Result<Inode> inode(uint64_t number) {
    const uint64_t group = number / s_.group_inodes, index = number % s_.group_inodes;
    if (group >= s_.groups) return fail(Fault::kMalformed, "inode number " + std::to_string(number));
    const uint64_t start = group * s_.group_fragments + uint64_t{s_.shift} * (group & ~uint64_t{s_.shift_mask} & ~0u);
    const uint64_t at = (start + s_.inodes_at) * s_.fragment + index * s_.inode_size();
    Inode i;
    i.bytes = TRY(whole_.slice(at, s_.inode_size(), "inode"));
    const auto u32 = [&](uint64_t from) { return *i.bytes.get<uint32_t>(from, s_.order, ""); };
    i.mode = *i.bytes.get<uint16_t>(0, s_.order, "");
    i.links = *i.bytes.get<uint16_t>(2, s_.order, "");
    i.uid = u32(s_.second ? 4 : 112);
    i.gid = u32(s_.second ? 8 : 116);
    i.size = *i.bytes.get<uint64_t>(s_.second ? 16 : 8, s_.order, "");
    i.mtime = s_.second ? *i.bytes.get<int64_t>(40, s_.order, "") : *i.bytes.get<int32_t>(24, s_.order, "");
    i.addresses_at = s_.second ? 112 : 40;
    if (into_) into_->range(Range::kHeader, at, s_.inode_size());
    return i;
  }

  Result<Found> find(uint64_t number) override {
    const Inode i = TRY(inode(number));
    Found out = TRY(found(i, i.bytes.base(), 0));
    Node& node = out.node;
    if (is_device(node.kind))
      node.device = device_of_new(*i.bytes.get<uint32_t>(i.addresses_at + (big_device() ? 4 : 0), s_.order, ""));
    if (node.kind == Kind::kSymlink) node.target = TRY(target(i));
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    const Inode i = TRY(inode(number));
    const std::string all = TRY(small(i, kLargestDirectory));
    const Bytes b(all);
    std::vector<Listed> out;
    for (uint64_t at = 0; at + 8 <= b.size();) {
      const uint32_t entry = *b.get<uint32_t>(at, s_.order, "");
      const uint16_t length = *b.get<uint16_t>(at + 4, s_.order, "");
      const uint64_t name = b[at + 7];
      if (length < 8 + name || length % 4 || length > b.size() - at)
        return fail(Fault::kMalformed, "directory entry of " + std::to_string(length) + " bytes", i.bytes.base());
      if (entry != 0) out.push_back({std::string(b.head(name, at + 8).text()), entry, i.bytes.base()});
      at += length;
    }
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const Inode i = TRY(inode(number));
    return TRY(map(i)).content(*into_);
  }

 private:
  bool big_device() const { return s_.second && s_.order == Order::kBig; }

  Result<std::string> target(const Inode& i) {
    if (i.size > s_.inside || i.size > (s_.second ? 120 : 60)) return small(i, kLongestTarget);
    return std::string(i.bytes.head(i.size, i.addresses_at).text());
  }

  Result<std::string> small(const Inode& i, uint64_t most) {
    if (i.size > most) return fail(Fault::kMalformed, "size " + std::to_string(i.size), i.bytes.base());
    return TRY(map(i)).text(into_);
  }

  IndirectBlocks blocks() const {
    return {.whole = whole_,
            .into = into_,
            .unit = s_.fragment,
            .block = s_.block,
            .width = s_.second ? 8u : 4u,
            .end = s_.fragments,
            .order = s_.order};
  }

  Result<FileMap> map(const Inode& i) const {
    const IndirectBlocks named = blocks();
    return named.map(i.bytes.head(15 * named.width, i.addresses_at), 12, i.size);
  }

  Bytes whole_;
  const Super& s_;
  Sink* into_;
};

Result<Measured> measure(Bytes from) {
  const Super s = TRY(read_super(from));
  Tree tree(from, s, nullptr);
  const Found root = TRY(tree.find(2));
  if (root.node.kind != Kind::kDirectory) return fail(Fault::kMalformed, "root is no directory", root.at);
  return Measured{s.fragments * s.fragment, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super s = TRY(read_super(whole));
  into.range(Range::kHeader, 0, s.at + 8192);
  // Copy of the superblock, group's own block and inodes stand at the head of each group.
  for (uint64_t g = 0; g < s.groups; ++g) {
    TRY_VOID(into.step(1));
    const uint64_t at = g * s.group_fragments * s.fragment;
    const uint64_t size = (s.inodes_at + uint64_t{s.group_inodes} / s.inodes * s.per_block) * s.fragment;
    if (at >= whole.size()) break;
    into.range(Range::kHeader, at, std::min(size, whole.size() - at));
  }
  if (s.summary_at < s.fragments)
    into.range(Range::kHeader, s.summary_at * s.fragment,
               std::min<uint64_t>(s.summary, whole.size() - s.summary_at * s.fragment));
  into.note("version", s.second ? "UFS2" : "UFS1", s.at + kMagicAt);
  if (!s.name.empty()) into.note("label", escape(s.name), s.at + 680);
  Tree tree(whole, s, &into);
  return walk_tree(tree, 2, into);
}

}  // namespace

extern const Format kUfs;
const Format kUfs = {.id = "ufs",
                     .title = "UFS1 and UFS2 (FFS) file system",
                     .version = 2,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "both versions in both byte orders: direct, indirect and fragmented blocks, holes",
                     .limits =
                         "extended attributes, snapshots, Solaris' and UFS1's oldest inodes; device numbers are read "
                         "as Linux writes them; it has no checksum that is compared",
                     .source = "FreeBSD sys/ufs/ffs/fs.h",
                     .checked = "foreign tool: makefs"};

}  // namespace assay::unpack::ufs
