// Minix file systems 1, 2 and 3, in the byte order of the machine that made them.
//
//   1024  version 1 and 2: 0 inodes (16 bits)  2 zones of version 1  4, 6 blocks of the maps of inodes and of zones
//         8 first zone for data  10 log2 of blocks a zone  12 longest file  16 magic  18 state: 1 unmounted
//         20 zones of version 2 (32 bits)
//         version 3: 0 inodes (32 bits)  6, 8 blocks of the maps  10 first zone  12 log2  16 longest file  20 zones
//         24 magic  28 block
//   0x137f, 0x138f version 1, names of 14 and 30; 0x2468, 0x2478 version 2; 0x4d5a version 3, names of 60
//   block 2: the maps, then inodes, the first is 1, the root directory:
//     version 1 of 32 bytes: mode, uid, size (32), mtime (32), gid (8), links (8), 9 zones (16)
//     else of 64: mode, links, uid, gid (16), size, atime, mtime, ctime (32), 10 zones (32)
//     zones: 7 of the file, one of zones, one of zones of zones, and in 2 and 3 one more; 0: a hole
//   an entry: inode (16 bits, version 3 32), name; 0: none
//
// Source: Linux include/uapi/linux/minix_fs.h, fs/minix/; Tanenbaum, "Operating Systems: Design and Implementation".
#include "unpack/formats/indirect_blocks.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>
#include <bit>

namespace assay::unpack::minix {
namespace {

constexpr Magic kMagics[] = {{"\x7f\x13", 1040}, {"\x8f\x13", 1040}, {"\x68\x24", 1040}, {"\x78\x24", 1040},
                             {"\x13\x7f", 1040}, {"\x13\x8f", 1040}, {"\x24\x68", 1040}, {"\x24\x78", 1040},
                             {"\x5a\x4d", 1048}, {"\x4d\x5a", 1048}};
constexpr uint64_t kSuperAt = 1024, kRoot = 1, kDirect = 7, kLongestTarget = 4096, kMostDirectory = 16 << 20;

struct Super {
  Order order = Order::kLittle;
  unsigned version = 0;
  uint64_t name = 0, block = 1024, inodes = 0, zones = 0, inode_map = 0, zone_map = 0, first = 0, state = 1;
  uint64_t inode_size() const { return version == 1 ? 32 : 64; }
  uint64_t inodes_at() const { return (2 + inode_map + zone_map) * block; }
};

std::optional<Super> kind_of(Bytes b) {
  for (const Order order : {Order::kLittle, Order::kBig}) {
    const unsigned old = *b.get<uint16_t>(16, order, ""), three = *b.get<uint16_t>(24, order, "");
    Super s{.order = order, .version = 1, .name = 14};
    if (old == 0x137f) return s;
    s.name = 30;
    if (old == 0x138f) return s;
    s.version = 2;
    if (old == 0x2478) return s;
    s.name = 14;
    if (old == 0x2468) return s;
    s.version = 3;
    s.name = 60;
    if (three == 0x4d5a) return s;
  }
  return std::nullopt;
}

Result<Super> read_super(Bytes whole) {
  const Bytes b = TRY(whole.slice(kSuperAt, 32, "superblock"));
  const auto kind = kind_of(b);
  if (!kind) return fail(Fault::kForeign, "magic", b.base() + 16);
  Super s = *kind;
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  const auto u16 = [&](uint64_t at) { return uint64_t{*b.get<uint16_t>(at, s.order, "")}; };
  const auto u32 = [&](uint64_t at) { return uint64_t{*b.get<uint32_t>(at, s.order, "")}; };
  const uint64_t maps = s.version == 3 ? 6 : 4;
  s.inodes = s.version == 3 ? u32(0) : u16(0);
  s.zones = s.version == 1 ? u16(2) : u32(20);
  s.inode_map = u16(maps);
  s.zone_map = u16(maps + 2);
  s.first = u16(maps + 4);
  if (s.version == 3) s.block = u16(28);
  if (s.version != 3) s.state = u16(18);
  if (u16(maps + 6) != 0) return bad("zones of several blocks", maps + 6);
  if (!std::has_single_bit(s.block) || s.block < 1024 || s.block > 32768)
    return bad("block of " + std::to_string(s.block) + " bytes", 28);
  const uint64_t tables = (s.inodes * s.inode_size() + s.block - 1) / s.block, bits = s.block * 8;
  if (s.inodes == 0 || s.inode_map != (s.inodes + bits) / bits) return bad("map of inodes", maps);
  // Makers of it disagree whether its own blocks, or one more, are in the map of zones.
  if (s.zones <= s.first || s.zone_map < (s.zones - s.first + bits) / bits || s.zone_map > s.zones / bits + 2)
    return bad("map of zones", maps + 2);
  if (s.first < 2 + s.inode_map + s.zone_map + tables || s.first > 4 + s.inode_map + s.zone_map + tables)
    return bad("first zone " + std::to_string(s.first), maps + 4);
  if (s.zones * s.block > whole.size())
    return fail(Fault::kTruncated, "file system of " + std::to_string(s.zones * s.block) + " bytes", b.base());
  return s;
}

struct Inode {
  uint32_t mode = 0, links = 0, uid = 0, gid = 0;
  uint64_t size = 0, at = 0;
  int64_t mtime = 0;
  Bytes zones;
};

class Tree final : public TreeSource {
 public:
  Tree(Bytes whole, const Super& super, Sink* into) : whole_(whole), s_(super), into_(into) {}

  Result<Found> find(uint64_t number) override {
    const Inode i = TRY(inode(number));
    Found out = TRY(found(i, i.at, 0));
    if (is_device(out.node.kind)) out.node.device = device_of_old(static_cast<uint16_t>(blocks().number(i.zones, 0)));
    if (out.node.kind == Kind::kSymlink) {
      if (i.size > kLongestTarget) return fail(Fault::kMalformed, "size " + std::to_string(i.size), i.at);
      out.node.target = TRY(map(i)).text(into_);
    }
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    const Inode i = TRY(inode(number));
    if (i.size > kMostDirectory)
      return fail(Fault::kMalformed, "directory of " + std::to_string(i.size) + " bytes", i.at);
    const FileMap directory = TRY(map(i));
    const std::string text = directory.text(into_);
    const Bytes all(text);
    const uint64_t digits = s_.version == 3 ? 4 : 2;
    std::vector<Listed> out;
    for (uint64_t at = 0; at + digits + s_.name <= all.size(); at += digits + s_.name) {
      if (into_) TRY_VOID(into_->step());
      const uint64_t child = digits == 4 ? *all.get<uint32_t>(at, s_.order, "") : *all.get<uint16_t>(at, s_.order, "");
      if (child != 0) out.push_back({*all.text_field(at + digits, s_.name, ""), child, directory.place(at)});
    }
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const Inode i = TRY(inode(number));
    return TRY(map(i)).content(*into_);
  }

 private:
  Result<Inode> inode(uint64_t number) const {
    if (number == 0 || number > s_.inodes)
      return fail(Fault::kMalformed, "inode " + std::to_string(number) + " of " + std::to_string(s_.inodes));
    const Bytes b =
        TRY(whole_.slice(s_.inodes_at() + (number - 1) * s_.inode_size(), s_.inode_size(), "table of inodes"));
    const auto u16 = [&](uint64_t at) { return *b.get<uint16_t>(at, s_.order, ""); };
    const auto u32 = [&](uint64_t at) { return *b.get<uint32_t>(at, s_.order, ""); };
    const bool old = s_.version == 1;
    Inode i{.mode = u16(0),
            .links = old ? uint32_t{b[13]} : u16(2),
            .uid = old ? u16(2) : u16(4),
            .gid = old ? uint32_t{b[12]} : u16(6),
            .size = old ? u32(4) : u32(8),
            .at = b.base(),
            .mtime = old ? u32(8) : u32(16),
            .zones = old ? b.head(18, 14) : b.head(40, 24)};
    return i;
  }

  IndirectBlocks blocks() const {
    return {.whole = whole_,
            .into = into_,
            .unit = s_.block,
            .block = s_.block,
            .width = s_.version == 1 ? 2u : 4u,
            .end = s_.zones,
            .order = s_.order};
  }
  Result<FileMap> map(const Inode& i) const { return blocks().map(i.zones, kDirect, i.size); }

  Bytes whole_;
  const Super& s_;
  Sink* into_;
};

Result<Measured> measure(Bytes from) {
  const Super s = TRY(read_super(from));
  Tree tree(from, s, nullptr);
  const Found root = TRY(tree.find(kRoot));
  if (root.node.kind != Kind::kDirectory) return fail(Fault::kMalformed, "root is no directory", root.at);
  const std::vector<Listed> names = TRY(tree.list(kRoot));
  if (names.size() < 2 || names[0].name != "." || names[0].inode != kRoot || names[1].name != "..")
    return fail(Fault::kMalformed, "root directory", root.at);
  return Measured{s.zones * s.block, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super s = TRY(read_super(whole));
  into.range(Range::kHeader, kSuperAt, s.first * s.block - kSuperAt);
  into.note("version", std::to_string(s.version), kSuperAt + (s.version == 3 ? 24 : 16));
  into.note("byte order", s.order == Order::kLittle ? "little" : "big", kSuperAt + (s.version == 3 ? 24 : 16));
  if (!(s.state & 1)) into.note("state", "was not unmounted", kSuperAt + 18);
  Tree tree(whole, s, &into);
  return walk_tree(tree, kRoot, into);
}

}  // namespace

extern const Format kMinix;
const Format kMinix = {.id = "minix",
                       .title = "Minix file system",
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .reads = "versions 1, 2 and 3, both byte orders, names of 14, 30 and 60",
                       .limits = "zones of several blocks, which Linux does not read either",
                       .source = "Linux include/uapi/linux/minix_fs.h",
                       .checked = "foreign tool: mkfs.minix (empty); own builder for what stands in it"};

}  // namespace assay::unpack::minix
