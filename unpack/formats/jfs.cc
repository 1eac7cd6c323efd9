// JFS, IBM's journaled file system as Linux has it. Little-endian; names are UTF-16.
//
//   32768        0 "JFS1"  8 size (64 bits, in blocks of 512 as 24 says)  16 block size  36 flags: 0x200000 directories
//                have an index  40 state, 0: unmounted  64.. journal elsewhere  72 journal: a piece  80 of fsck's: the
//                same 101 label (11)  152 label (16)
//   a piece      24 bits length, 40 bits block: the upper 8 of it stand above the length
//   an inode     of 512: 0 stamp  8 number  24 size (64 bits)  40 links, uid, gid, mode  72 mtime  128 what it is made
//   of 45056        the aggregate's own inodes; 16 is the file system's map of inodes: a file of 4096 bytes of head,
//   then for
//                each 4096 inodes 4096 bytes: 3072 128 pieces with 32 inodes each
//   a file       224: 16 flags (8 bits): 2 a leaf  18 next (16 bits), from 32 entries of 16 up to next: 3 offset (40
//   bits),
//                8 piece; not a leaf: the piece is a page of the same make with its entries from 32 on
//   a directory  224: 16 flags, 17 number of entries, 20 parent, 24 their order (8 bits each), slots of 32 bytes from
//   the
//                start; a page: 16 flags  17 number  21 slot of the order
//                a leaf's slot: 0 inode  4 next slot, -1: none  5 length of the name  6 its first 11 (13) characters;
//                those that follow: 0 next  2 15 characters; not a leaf: 0 piece  8 next  9 length
//   a link       256: its target, up to 128 bytes; longer ones as a file   a device: 256
//
// Source: Linux fs/jfs/jfs_superblock.h, jfs_dinode.h, jfs_xtree.h, jfs_dtree.h, jfs_imap.h.
#include "core/text.h"
#include "core/utf16.h"
#include "unpack/formats/file_map.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>
#include <bit>

namespace assay::unpack::jfs {
namespace {

constexpr Magic kMagics[] = {{"JFS1", 32768}};
constexpr uint64_t kSuperAt = 32768, kInodesAt = 45056, kInode = 512, kMap = 16, kPage = 4096, kRoot = 2;
constexpr uint64_t kLongestTarget = 4096, kLeaf = 2;
constexpr unsigned kDeepest = 8;

struct Piece {
  uint64_t block = 0, count = 0;
};

Piece piece_at(Bytes b, uint64_t at) {
  const uint32_t first = *b.le<uint32_t>(at, "");
  return {uint64_t{first >> 24} << 32 | *b.le<uint32_t>(at + 4, ""), first & 0xffffff};
}

struct Super {
  uint64_t block = 0, size = 0;
  uint32_t version = 0, state = 0;
  bool indexed = false;  // an entry of a directory holds its place in an index
  Piece log, fsck;
  std::string label;
};

Result<Super> read_super(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes, kSuperAt)) return fail(Fault::kForeign, "magic", whole.base() + kSuperAt);
  Super s;
  const Bytes b = TRY(whole.slice(kSuperAt, 184, "superblock"));
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  s.version = *b.le<uint32_t>(4, "");
  s.block = *b.le<uint32_t>(16, "");
  const uint64_t sectors = *b.le<uint64_t>(8, ""), sector = *b.le<uint32_t>(24, "");
  s.indexed = *b.le<uint32_t>(36, "") & 0x200000;
  s.state = *b.le<uint32_t>(40, "");
  s.log = piece_at(b, 72);
  s.fsck = piece_at(b, 80);
  s.label = *b.text_field(s.version == 1 ? 101 : 152, s.version == 1 ? 11 : 16, "");
  if (s.version < 1 || s.version > 2) return bad("version " + std::to_string(s.version), 4);
  if (!std::has_single_bit(s.block) || s.block < 512 || s.block > 4096) return bad("block size", 16);
  if (!std::has_single_bit(sector) || sector < 512 || sector > 4096 || sectors >> 40) return bad("size", 8);
  s.size = sectors * sector;
  // Behind what files may use lie fsck's room and the journal.
  for (const Piece& p : {s.log, s.fsck}) s.size = std::max(s.size, (p.block + p.count) * s.block);
  if (s.size > whole.size())
    return fail(Fault::kTruncated, "file system of " + std::to_string(s.size) + " bytes", b.base());
  return s;
}

struct Inode {
  Bytes bytes;
  uint32_t mode = 0, links = 0, uid = 0, gid = 0;
  uint64_t size = 0;
  int64_t mtime = 0;
};

class Tree final : public TreeSource {
 public:
  Tree(Bytes whole, const Super& super, Sink* into) : whole_(whole), s_(super), into_(into) {}

  // Where each inode is.
  Result<void> read() {
    const Bytes place = TRY(whole_.slice(kInodesAt + kMap * kInode, kInode, "map of inodes"));
    const Inode map = TRY(inode_in(place));
    FileMap pages(whole_);
    TRY_VOID(extents(map.bytes.head(288, 224), true, pages, 0));
    if (pages.size() > whole_.size()) return fail(Fault::kMalformed, "map of inodes", map.bytes.base());
    map_ = pages.text(into_);
    return {};
  }

  Result<Found> find(uint64_t number) override {
    const Inode i = TRY(inode(number));
    Found out = TRY(found(i, i.bytes.base(), 52));
    if (is_device(out.node.kind)) out.node.device = device_of_new(*i.bytes.le<uint32_t>(256, ""));
    if (out.node.kind == Kind::kSymlink) {
      if (i.size > kLongestTarget)
        return fail(Fault::kMalformed, "size " + std::to_string(i.size), i.bytes.base() + 24);
      out.node.target = i.size < 128 ? std::string(i.bytes.head(i.size, 256).text()) : TRY(map(i)).text(into_);
    }
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    const Inode i = TRY(inode(number));
    std::vector<Listed> out;
    TRY_VOID(names(i.bytes.head(288, 224), true, out, 0));
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const Inode i = TRY(inode(number));
    return TRY(map(i)).content(*into_);
  }

 private:
  void claim(Bytes b) const {
    if (into_) into_->range(Range::kHeader, b.base() - whole_.base(), b.size());
  }
  Result<Bytes> page(Piece p, std::string_view what) {
    if (into_) TRY_VOID(into_->step(16));
    if (++pages_ > whole_.size() / kInode) return fail(Fault::kMalformed, std::string(what) + " without an end");
    const Bytes b = TRY(whole_.slice(p.block * s_.block, std::min(p.count * s_.block, kPage), what));
    if (b.size() < kInode) return fail(Fault::kMalformed, std::string(what) + " of no blocks", b.base());
    claim(b);
    return b;
  }

  Result<Inode> inode_in(Bytes b) const {
    Inode i;
    i.bytes = b;
    claim(b);
    const auto u32 = [&](uint64_t at) { return *b.le<uint32_t>(at, ""); };
    i.size = *b.le<uint64_t>(24, "");
    i.links = u32(40);
    i.uid = u32(44);
    i.gid = u32(48);
    i.mode = u32(52) & 0xffff;
    i.mtime = u32(72);
    return i;
  }

  Result<Inode> inode(uint64_t number) const {
    const Bytes map(map_);
    const uint64_t at = (1 + number / 4096) * kPage + 3072 + number % 4096 / 32 * 8;
    if (at + 8 > map.size()) return fail(Fault::kMalformed, "inode " + std::to_string(number) + " is not in the map");
    const Piece p = piece_at(map, at);
    const Bytes b = TRY(whole_.slice(p.block * s_.block + number % 32 * kInode, kInode, "inode"));
    if (p.count == 0 || *b.le<uint32_t>(8, "") != number)
      return fail(Fault::kMalformed, "inode " + std::to_string(number) + " is not where the map says", b.base());
    return inode_in(b);
  }

  // The pieces that a page of a file's tree, or its root in the inode, names.
  Result<void> extents(Bytes b, bool root, FileMap& out, unsigned depth) {
    const uint64_t next = *b.le<uint16_t>(18, "");
    if (depth > kDeepest || next < 2 || next * 16 > b.size() || (root && next > 18))
      return fail(Fault::kMalformed, "page of a file's tree", b.base());
    for (uint64_t n = 2; n < next; ++n) {
      const Piece p = piece_at(b, n * 16 + 8);
      if (!(b[16] & kLeaf)) {
        TRY_VOID(extents(TRY(page(p, "page of a file's tree")), false, out, depth + 1));
        continue;
      }
      const uint64_t at = (uint64_t{b[n * 16 + 3]} << 32 | *b.le<uint32_t>(n * 16 + 4, "")) * s_.block;
      if (at < out.size()) return fail(Fault::kMalformed, "pieces of a file are out of order", b.base() + n * 16);
      out.hole(at - out.size());
      if (b[n * 16] & 8)  // allocated, not written
        out.hole(p.count * s_.block);
      else
        TRY_VOID(out.stored(p.block * s_.block, p.count * s_.block));
    }
    return {};
  }

  Result<FileMap> map(const Inode& i) {
    FileMap out(whole_);
    TRY_VOID(extents(i.bytes.head(288, 224), true, out, 0));
    out.fit(i.size);
    return out;
  }

  Result<void> names(Bytes b, bool root, std::vector<Listed>& out, unsigned depth) {
    const uint64_t count = b[17], order = root ? 24 : uint64_t{b[21]} * 32;
    if (depth > kDeepest || order + count > b.size() || (root && count > 8))
      return fail(Fault::kMalformed, "page of a directory", b.base());
    for (uint64_t n = 0; n < count; ++n) {
      const Bytes slot = TRY(b.slice(uint64_t{b[order + n]} * 32, 32, "slot of a directory"));
      if (b[16] & kLeaf)
        out.push_back({TRY(name(b, slot)), *slot.le<uint32_t>(0, ""), slot.base()});
      else
        TRY_VOID(names(TRY(page(piece_at(slot, 0), "page of a directory")), false, out, depth + 1));
    }
    return {};
  }

  Result<std::string> name(Bytes page, Bytes slot) const {
    const uint64_t length = slot[5] * 2, first = std::min<uint64_t>(length, s_.indexed ? 22 : 26);
    std::string units(slot.head(first, 6).text());
    for (uint8_t next = slot[4]; units.size() < length;) {
      const Bytes more = TRY(page.slice(uint64_t{next} * 32, 32, "slot of a name"));
      units += more.head(std::min<uint64_t>(length - units.size(), 30), 2).text();
      next = more[0];
    }
    units.resize(length);
    return utf8_of_utf16(Bytes(units), Order::kLittle);
  }

  Bytes whole_;
  const Super& s_;
  Sink* into_;
  std::string map_;
  uint64_t pages_ = 0;
};

Result<Measured> measure(Bytes from) {
  const Super s = TRY(read_super(from));
  Tree tree(from, s, nullptr);
  TRY_VOID(tree.read());
  const Found root = TRY(tree.find(kRoot));
  if (root.node.kind != Kind::kDirectory) return fail(Fault::kMalformed, "root is no directory", root.at);
  return Measured{s.size, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super s = TRY(read_super(whole));
  // The superblock and its copy, and between them the aggregate's inodes; their copies, and the map of blocks, which
  // no file reads, follow.
  into.range(Range::kHeader, kSuperAt, 2 * kPage);
  into.range(Range::kHeader, 0xa000, 0x6000);
  for (const Piece& p : {s.log, s.fsck})
    if (p.block * s.block < whole.size())
      into.range(Range::kHeader, p.block * s.block, std::min(p.count * s.block, whole.size() - p.block * s.block));
  into.note("version", std::to_string(s.version), kSuperAt + 4);
  if (!s.label.empty()) into.note("label", escape(s.label), kSuperAt + (s.version == 1 ? 101 : 152));
  if (s.state != 0) into.problem(not_replayed("journal", kSuperAt + 40));
  Tree tree(whole, s, &into);
  TRY_VOID(tree.read());
  return walk_tree(tree, kRoot, into);
}

}  // namespace

extern const Format kJfs;
const Format kJfs = {
    .id = "jfs",
    .title = "JFS file system",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "versions 1 and 2: files and directories of any size, holes, links, devices",
    .limits = "the journal is not replayed; extended attributes; OS/2's directories; it has no checksum",
    .source = "Linux fs/jfs/jfs_superblock.h, jfs_dinode.h, jfs_xtree.h, jfs_dtree.h, jfs_imap.h",
    .checked = "real image: sample file system of another project; foreign tool: mkfs.jfs (empty)"};

}  // namespace assay::unpack::jfs
