// UDF, the file system of optical discs and of images that are delivered as such. Little-endian.
//
//   32768        "BEA01", "NSR02" or "NSR03", "TEA01", in sectors of 2048 bytes: it is one
//   a tag        0 kind (16 bits)  4 sum of the other 15 bytes  8 crc of what follows  10 how much that is  12 its
//   block block 256    anchor (2): 16 length, block of the volume's descriptors  24 of their copy descriptors partition
//   (5): 22 number (16 bits)  188 first block  192 blocks;  56 its bitmap: 64 length, block
//                volume (6): 84 label (128)  212 block size  248 root's descriptor (16)  264 size of maps, their number
//                432 integrity: length, block  440 maps: 1, 6, volume, partition (16 bits each); 2, 64, name (at 4), …
//                "*UDF Metadata Partition": 38 partition (16 bits)  40 where the file is that holds its blocks
//   root's       (256) 400 where its entry is: length, block, partition (16 bits), 6 more
//   entry        (261; 266 with 40 bytes more) 27 kind: 4 directory, 5 file, 6 and 7 devices, 9 fifo, 10 socket,
//                12 link  34 flags: 0..2 how pieces are stored, 0x40 setuid, 0x80 setgid, 0x100 sticky
//                36 uid, gid, permissions (five bits each: others, group, owner)  48 links (16 bits)  56 size (64 bits)
//                84 (266: 92) mtime (12)  168 (208) size of attributes, of pieces; both follow
//   a piece      length (its upper 2 bits: 0 stored, 1 and 2 a hole, 3 more pieces), block; long ones: partition, …
//   name         (257) 18 flags: 2 directory, 4 deleted, 8 parent  19 length  20 where the entry is (16)  36 size of
//                what stands before the name (16 bits); padded to 4; a name's first byte: 8 or 16 bits a character
//
// Source: ECMA-167, 3rd edition; OSTA Universal Disk Format Specification 2.60.
#include "core/hash.h"
#include "core/text.h"
#include "core/utf16.h"
#include "unpack/formats/file_map.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>
#include <chrono>

namespace assay::unpack::udf {
namespace {

constexpr Magic kMagics[] = {{std::string_view("\0BEA01\1", 7), 32768}};
constexpr uint64_t kLargestDirectory = 64 << 20, kLongestTarget = 4096, kMostDescriptors = 256;
constexpr uint32_t kHole = 3;  // a kind of piece below it but 0 is one
enum : uint16_t { kAnchor = 2, kPartition = 5, kVolume = 6, kEnd = 8, kRoot = 256, kName = 257, kPieces = 258 };
enum : uint16_t { kEntry = 261, kWideEntry = 266 };

struct Extent {  // in bytes from the start
  uint64_t at = 0, size = 0;
};

struct Partition {
  uint16_t number = 0;
  Extent place;
  Extent bitmap;
};

struct Map {  // a partition as the volume's addresses name it
  uint16_t number = 0;
  bool metadata = false;
  uint32_t file = 0;           // of metadata: the block of its entry
  std::vector<Extent> blocks;  // of metadata, behind each other
};

struct Address {
  uint32_t length = 0, block = 0;
  uint16_t partition = 0;
  uint64_t inode() const { return uint64_t{partition} << 32 | block; }
};

struct Volume {
  uint64_t block = 0, end = 0;
  std::string label;
  Address root;
  std::vector<Partition> partitions;
  std::vector<Map> maps;
  std::vector<Extent> heads;  // what belongs to the file system
};

bool is_tag(Bytes b, uint16_t kind) {
  const Bytes tag = b.head(16);
  if (tag.size() < 16 || *tag.le<uint16_t>(0, "") != kind) return false;
  uint8_t sum = 0;
  for (const uint64_t i : {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}) sum = static_cast<uint8_t>(sum + tag[i]);
  const Bytes covered = b.head(*tag.le<uint16_t>(10, ""), 16);
  return checksum_holds(sum, tag[4]) && checksum_holds(crc16_ccitt(covered, 0), *tag.le<uint16_t>(8, ""));
}

Address long_address(Bytes b, uint64_t at) {
  return {*b.le<uint32_t>(at, "") & 0x3fffffff, *b.le<uint32_t>(at + 4, ""), *b.le<uint16_t>(at + 8, "")};
}

// A string of 8 or 16 bits a character, as its first byte says.
std::string characters(Bytes b) {
  if (b.empty()) return {};
  const Bytes text = b.head(b.size(), 1);
  if (b[0] == 16 || b[0] == 255) return utf8_of_utf16(text, Order::kBig);
  std::string out;
  for (uint64_t i = 0; i < text.size(); ++i) append_utf8(out, text[i]);
  return out;
}

int64_t seconds(Bytes b, uint64_t at) {
  using namespace std::chrono;
  const auto zone = *b.le<uint16_t>(at, "");
  const year_month_day day{year(*b.le<int16_t>(at + 2, "")), month(b[at + 4]), std::chrono::day(b[at + 5])};
  if (!day.ok()) return 0;
  const int minutes = (zone & 0xfff) << 20 >> 20;  // -2047: none is stated
  const int64_t east = zone >> 12 == 1 && minutes != -2047 ? minutes : 0;
  return sys_days(day).time_since_epoch().count() * int64_t{86400} + b[at + 6] * 3600 + b[at + 7] * 60 + b[at + 8] -
         east * 60;
}

Result<void> read_partition(Bytes b, Volume& v) {
  Partition p;
  p.number = TRY(b.le<uint16_t>(22, "partition number"));
  p.place = {TRY(b.le<uint32_t>(188, "partition start")) * v.block, TRY(b.le<uint32_t>(192, "blocks")) * v.block};
  p.bitmap = {p.place.at + *b.le<uint32_t>(68, "") * v.block, *b.le<uint32_t>(64, "") & 0x3fffffff};
  if (p.bitmap.size) v.heads.push_back(p.bitmap);
  v.end = std::max(v.end, p.place.at + p.place.size);
  return v.partitions.push_back(p), Result<void>{};
}

Result<void> read_maps(Bytes b, Volume& v) {
  if (TRY(b.le<uint32_t>(212, "block size")) != v.block) return fail(Fault::kMalformed, "block size", b.base() + 212);
  const Bytes maps = TRY(b.slice(440, *b.le<uint32_t>(264, ""), "maps"));
  v.label = characters(b.head(std::min<uint64_t>(b[84 + 127], 127), 84));
  v.root = long_address(b, 248);
  v.maps.clear();
  for (uint64_t at = 0; at + 6 <= maps.size() && v.maps.size() < *b.le<uint32_t>(268, "");) {
    const uint8_t kind = maps[at], size = maps[at + 1];
    const Bytes map = TRY(maps.slice(at, size, "map"));
    const bool metadata = kind == 2 && size == 64 && map.starts_with("*UDF Metadata Partition", 5);
    if (kind == 1 && size == 6)
      v.maps.push_back({.number = *map.le<uint16_t>(4, "")});
    else if (metadata || (kind == 2 && size == 64 && map.starts_with("*UDF Sparable Partition", 5)))
      v.maps.push_back({*map.le<uint16_t>(38, ""), metadata, metadata ? *map.le<uint32_t>(40, "") : 0, {}});
    else
      return fail(Fault::kUnsupported, "partition map of kind " + std::to_string(kind), map.base());
    at += size;
  }
  if (*b.le<uint32_t>(436, "")) v.heads.push_back({*b.le<uint32_t>(436, "") * v.block, *b.le<uint32_t>(432, "")});
  return {};
}

Result<void> read_descriptors(Bytes whole, Extent place, Volume& v) {
  for (uint64_t n = 0; n < std::min(place.size / v.block, kMostDescriptors); ++n) {
    const Bytes b = TRY(whole.slice(place.at + n * v.block, v.block, "volume descriptor"));
    if (is_tag(b, kPartition)) TRY_VOID(read_partition(b, v));
    if (is_tag(b, kVolume)) TRY_VOID(read_maps(b, v));
    if (is_tag(b, kEnd)) break;
  }
  return {};
}

// Anchors stand in block 256, in the last one, and 256 before that.
void find_last_anchors(Bytes whole, Volume& v) {
  for (const uint64_t end = v.end; v.end + v.block <= whole.size() && v.end - end <= 512 * v.block;) {
    uint64_t at = v.end, found = 0;
    for (; at + v.block <= whole.size() && at - end <= 512 * v.block && !found; at += v.block)
      if (is_tag(whole.head(v.block, at), kAnchor) && *whole.le<uint32_t>(at + 12, "") == at / v.block) found = at;
    if (!found) return;
    v.heads.push_back({found, v.block});
    v.end = found + v.block;
  }
}

Result<Volume> read_volume(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes, 32768)) return fail(Fault::kForeign, "magic", whole.base());
  Volume v;
  for (const uint64_t block : {2048, 512, 4096, 1024}) {
    const Bytes b = whole.head(block, 256 * block);
    if (b.size() == block && is_tag(b, kAnchor) && *b.le<uint32_t>(12, "") == 256) v.block = block;
    if (v.block) break;
  }
  if (!v.block) return fail(Fault::kMalformed, "no anchor in block 256", whole.base());
  const Bytes anchor = whole.head(v.block, 256 * v.block);
  v.heads = {{32768, 16384}, {256 * v.block, v.block}};
  for (const uint64_t at : {24, 16}) {  // the copy first: what the first set says counts
    const Extent place{*anchor.le<uint32_t>(at + 4, "") * v.block, *anchor.le<uint32_t>(at, "")};
    if (place.size == 0) continue;
    v.heads.push_back(place);
    v.end = std::max(v.end, place.at + place.size);
    if (at == 16) TRY_VOID(read_descriptors(whole, place, v));
  }
  if (v.partitions.empty() || v.maps.empty())
    return fail(Fault::kMalformed, "no partition or no volume is described", anchor.base());
  if (v.end > whole.size())
    return fail(Fault::kTruncated, "volume of " + std::to_string(v.end) + " bytes", anchor.base());
  find_last_anchors(whole, v);
  return v;
}

struct Icb {  // an entry: what ECMA-167 calls an information control block
  Bytes bytes;
  Address address;
  uint8_t kind = 0;
  uint16_t flags = 0, links = 0;
  uint32_t mode = 0, uid = 0, gid = 0;
  uint64_t size = 0;
  int64_t mtime = 0;
  Bytes attributes, pieces;
  bool streams = false;
};

uint32_t mode_of(uint8_t kind, uint16_t flags, uint32_t permissions) {
  constexpr std::pair<uint8_t, uint32_t> kKinds[] = {{4, 0040000}, {5, 0100000},  {6, 0060000}, {7, 0020000},
                                                     {9, 0010000}, {10, 0140000}, {12, 0120000}};
  const auto* known = std::ranges::find(kKinds, kind, &std::pair<uint8_t, uint32_t>::first);
  uint32_t mode = known == std::end(kKinds) ? 0 : known->second;
  for (const int who : {0, 1, 2}) mode |= (permissions >> (5 * who) & 7) << (3 * who);
  return mode | (flags & 0x40 ? 04000 : 0) | (flags & 0x80 ? 02000 : 0) | (flags & 0x100 ? 01000 : 0);
}

class Tree final : public TreeSource {
 public:
  Tree(Bytes whole, Volume& volume, Sink* into) : whole_(whole), v_(volume), into_(into) {}

  // Reads what metadata partitions consist of, and where the root is.
  Result<uint64_t> root() {
    for (Map& map : v_.maps) {
      if (!map.metadata) continue;
      const auto below =
          std::ranges::find_if(v_.maps, [&](const Map& m) { return !m.metadata && m.number == map.number; });
      if (below == v_.maps.end()) return fail(Fault::kMalformed, "metadata lies in no partition", whole_.base());
      const auto partition = static_cast<uint16_t>(below - v_.maps.begin());
      const Icb file = TRY(icb(Address{0, map.file, partition}.inode()));
      blocks_ = &map.blocks;
      const auto read = this->map(file);
      blocks_ = nullptr;
      if (!read) return std::unexpected(read.error());
    }
    const Bytes set = TRY(block(v_.root.partition, v_.root.block));
    if (!is_tag(set, kRoot)) return fail(Fault::kMalformed, "file set descriptor", set.base());
    claim(set);
    return long_address(set, 400).inode();
  }

  Result<Found> find(uint64_t number) override {
    const Icb i = TRY(icb(number));
    Found out = TRY(found(i, i.bytes.base(), 27));
    if (i.streams && into_)
      into_->problem(
          {Fault::kUnsupported, "named streams in block " + std::to_string(i.address.block), i.bytes.base()});
    if (i.uid == ~0u) out.node.uid.reset();
    if (i.gid == ~0u) out.node.gid.reset();
    if (is_device(out.node.kind)) out.node.device = TRY(device(i));
    if (out.node.kind == Kind::kSymlink) out.node.target = TRY(target(i));
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    const Icb i = TRY(icb(number));
    const std::string all = TRY(small(i, kLargestDirectory));
    const Bytes b(all);
    std::vector<Listed> out;
    for (uint64_t at = 0; at + 38 <= b.size();) {
      const Bytes entry = b.head(b.size(), at);
      const uint64_t before = 38 + uint64_t{*entry.le<uint16_t>(36, "")}, length = entry[19];
      if (!is_tag(entry, kName) || before + length > entry.size())
        return fail(Fault::kMalformed, "file identifier " + std::to_string(at), i.bytes.base());
      if ((entry[18] & 12) == 0)
        out.push_back({characters(entry.head(length, before)), long_address(entry, 20).inode(), i.bytes.base()});
      at += (before + length + 3) / 4 * 4;
    }
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const Icb i = TRY(icb(number));
    if (inside(i)) return stored(TRY(i.pieces.slice(0, i.size, "content")));
    return TRY(map(i)).content(*into_);
  }

 private:
  static bool inside(const Icb& i) { return (i.flags & 7) == 3; }
  void claim(Bytes b) const {
    if (into_) into_->range(Range::kHeader, b.base() - whole_.base(), b.size());
  }

  // Where `length` bytes from a block of a partition lie, in order.
  Result<void> place(uint16_t number, uint32_t first, uint64_t length, std::vector<Extent>& out) const {
    if (number >= v_.maps.size()) return fail(Fault::kMalformed, "partition " + std::to_string(number));
    const Map& map = v_.maps[number];
    const auto bad = [&] { return fail(Fault::kMalformed, "block " + std::to_string(first) + " is outside"); };
    uint64_t at = first * v_.block;
    if (!map.metadata) {
      const auto p = std::ranges::find(v_.partitions, map.number, &Partition::number);
      if (p == v_.partitions.end() || at > p->place.size || length > p->place.size - at) return bad();
      return out.push_back({p->place.at + at, length}), Result<void>{};
    }
    if (into_) TRY_VOID(into_->step(map.blocks.size() / 64));
    for (const Extent& piece : map.blocks) {
      if (at < piece.size && length > 0) {
        const uint64_t now = std::min(length, piece.size - at);
        out.push_back({piece.at + at, now});
        length -= now;
        at = piece.size;
      }
      at -= std::min(at, piece.size);
    }
    return length > 0 ? bad() : Result<void>{};
  }

  Result<Bytes> block(uint16_t partition, uint32_t number) const {
    std::vector<Extent> at;
    TRY_VOID(place(partition, number, v_.block, at));
    return whole_.slice(at.front().at, v_.block, "block");
  }

  Result<Icb> icb(uint64_t number) const {
    Icb i;
    i.address = {0, static_cast<uint32_t>(number), static_cast<uint16_t>(number >> 32)};
    i.bytes = TRY(block(i.address.partition, i.address.block));
    const bool wide = is_tag(i.bytes, kWideEntry);
    if (!wide && !is_tag(i.bytes, kEntry))
      return fail(Fault::kMalformed, "no file entry in block " + std::to_string(i.address.block), i.bytes.base());
    if (*i.bytes.le<uint16_t>(20, "") != 4)
      return fail(Fault::kUnsupported, "strategy " + std::to_string(*i.bytes.le<uint16_t>(20, "")),
                  i.bytes.base() + 20);
    claim(i.bytes);
    const auto u32 = [&](uint64_t at) { return *i.bytes.le<uint32_t>(at, ""); };
    i.kind = i.bytes[27];
    i.flags = *i.bytes.le<uint16_t>(34, "");
    i.uid = u32(36);
    i.gid = u32(40);
    i.mode = mode_of(i.kind, i.flags, u32(44));
    i.links = *i.bytes.le<uint16_t>(48, "");
    i.size = *i.bytes.le<uint64_t>(56, "");
    i.mtime = seconds(i.bytes, wide ? 92 : 84);
    i.streams = wide && u32(152) != 0;
    const uint64_t sizes = wide ? 208 : 168;
    i.attributes = TRY(i.bytes.slice(sizes + 8, u32(sizes), "extended attributes"));
    i.pieces = TRY(i.bytes.slice(sizes + 8 + u32(sizes), u32(sizes + 4), "allocation descriptors"));
    return i;
  }

  Result<FileMap> map(const Icb& i) {
    FileMap out(whole_);
    const unsigned form = i.flags & 7;
    if (form > 1)
      return fail(Fault::kUnsupported, "allocation descriptors " + std::to_string(form), i.bytes.base() + 34);
    const uint64_t width = form == 0 ? 8 : 16;
    Bytes pieces = i.pieces;
    for (uint64_t at = 0; at + width <= pieces.size() && out.size() < i.size; at += width) {
      if (into_) TRY_VOID(into_->step(1));
      const uint32_t stated = *pieces.le<uint32_t>(at, ""), kind = stated >> 30, length = stated & 0x3fffffff;
      const uint32_t number = *pieces.le<uint32_t>(at + 4, "");
      const uint16_t partition = form == 0 ? i.address.partition : *pieces.le<uint16_t>(at + 8, "");
      if (length == 0) break;
      if (kind == kHole) {
        if (++continued_ > whole_.size() / v_.block) return fail(Fault::kMalformed, "pieces never end", i.bytes.base());
        const Bytes next = TRY(block(partition, number));
        if (!is_tag(next, kPieces)) return fail(Fault::kMalformed, "allocation extent", next.base());
        claim(next);
        pieces = TRY(next.slice(24, *next.le<uint32_t>(20, ""), "allocation descriptors"));
        at = 0 - width;
        continue;
      }
      const uint64_t now = std::min<uint64_t>(length, i.size - out.size());
      if (kind != 0) {
        out.hole(now);
        continue;
      }
      std::vector<Extent> where;
      TRY_VOID(place(partition, number, now, where));
      for (const Extent& e : where) TRY_VOID(out.stored(e.at, e.size));
      if (blocks_) blocks_->insert(blocks_->end(), where.begin(), where.end());
    }
    if (out.size() < i.size && out.size() > 0)
      return fail(Fault::kMalformed, "size " + std::to_string(i.size), i.bytes.base() + 56);
    out.fit(i.size);
    return out;
  }

  Result<std::string> small(const Icb& i, uint64_t most) {
    if (i.size > most) return fail(Fault::kMalformed, "size " + std::to_string(i.size), i.bytes.base() + 56);
    if (inside(i)) return std::string(TRY(i.pieces.slice(0, i.size, "content")).text());
    return TRY(map(i)).text(into_);
  }

  // Components: kind (1 and 2 root, 3 parent, 4 itself, 5 a name), length, version (16 bits), name.
  Result<std::string> target(const Icb& i) {
    const std::string all = TRY(small(i, kLongestTarget));
    const Bytes b(all);
    std::string out;
    for (uint64_t at = 0; at + 4 <= b.size();) {
      const Bytes name = TRY(b.slice(at + 4, b[at + 1], "component"));
      if (!out.empty() && !out.ends_with('/')) out += '/';
      switch (b[at]) {
        case 1:
        case 2:
          out = "/";
          break;
        case 3:
          out += "..";
          break;
        case 4:
          out += ".";
          break;
        case 5:
          out += characters(name);
          break;
        default:
          return fail(Fault::kMalformed, "component of kind " + std::to_string(b[at]), i.bytes.base());
      }
      at += 4 + name.size();
    }
    return out;
  }

  // In attribute 12, behind the attributes' own header: 0 kind  8 length  12 use's size  16 major  20 minor.
  static Result<uint64_t> device(const Icb& i) {
    const Bytes b = i.attributes;
    for (uint64_t at = 24; at + 24 <= b.size();) {
      const uint32_t length = *b.le<uint32_t>(at + 8, "");
      if (*b.le<uint32_t>(at, "") == 12)
        return uint64_t{*b.le<uint32_t>(at + 16, "")} << 32 | *b.le<uint32_t>(at + 20, "");
      if (length < 12 || length > b.size() - at) break;
      at += length;
    }
    return fail(Fault::kMalformed, "a device without its number", i.bytes.base());
  }

  Bytes whole_;
  Volume& v_;
  Sink* into_;
  std::vector<Extent>* blocks_ = nullptr;  // while a metadata file is read: its pieces
  uint64_t continued_ = 0;
};

Result<Measured> measure(Bytes from) {
  Volume v = TRY(read_volume(from));
  Tree tree(from, v, nullptr);
  const uint64_t number = TRY(tree.root());
  const Found root = TRY(tree.find(number));
  if (root.node.kind != Kind::kDirectory) return fail(Fault::kMalformed, "root is no directory", root.at);
  return Measured{v.end, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  Volume v = TRY(read_volume(whole));
  for (const Extent& head : v.heads)
    if (head.at <= whole.size()) into.range(Range::kHeader, head.at, std::min(head.size, whole.size() - head.at));
  into.note("block size", std::to_string(v.block), 0);
  if (!v.label.empty()) into.note("label", escape(v.label), 0);
  into.integrity(checksum("descriptor crcs", "crc16", true, 256 * v.block + 8));  // else it is no descriptor
  Tree tree(whole, v, &into);
  return walk_tree(tree, TRY(tree.root()), into);
}

}  // namespace

extern const Format kUdf;
const Format kUdf = {
    .id = "udf",
    .title = "UDF file system",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "revisions 1.02 to 2.60 with blocks of 512 to 4096 bytes: files inside their entry, in short and "
        "long pieces, holes, metadata partitions, links, devices",
    .limits =
        "discs written once in several sessions (virtual partitions), named streams, spared sectors; "
        "beside an ISO 9660 file system of the same files, that one is read",
    .source = "ECMA-167 3rd edition; OSTA UDF 2.60",
    .checked = "foreign tool: genisoimage; real image: sample file system of another project"};

}  // namespace assay::unpack::udf
