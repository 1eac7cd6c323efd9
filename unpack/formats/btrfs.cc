// Btrfs's files: one tree of inodes for the file system and one for each subvolume and snapshot, which stand in it as
// directories. The nodes they stand in: btrfs.h.
//
//   object 5 of the tree of trees is the file system, from 256 on subvolumes, 7 the checksums of data;
//   item 132 of it: 176 root's logical address
//   items of an inode's number, by type:
//     1    inode         16 size  40 links, uid, gid, mode  56 device: 20 bits minor  136 mtime
//     24   attribute     0 key (17)  25 length of the value (16 bits)  27 of the name  30 name, value; several in one
//     96   entry         0 key of what it names: an inode (1), a subvolume (132)  25, 27, 30 as above
//     108  data, by its offset in the file: 8 bytes when decompressed  16 compression  17 encryption
//          20 0: the data follow at 21;  1: 21 logical address, 0: hole  29 bytes there  37 first of them that is meant
//          45 how many;  2: as 1, not written
//     128  checksums of data, object -10, by the logical address of the first sector: 4 bytes each
//   LZO      0 length of all  4 pieces: length (32 bits), data; no length is divided by a sector's end
//
// Source: Linux include/uapi/linux/btrfs_tree.h; Btrfs documentation, "On-disk format" and "Compression".
#include "unpack/formats/btrfs.h"
#include "core/hash.h"
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/formats/file_map.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>

namespace assay::unpack::btrfs {
namespace {

using namespace btrfs;

enum : uint8_t { kInodeItem = 1, kAttribute = 24, kEntry = 96, kData = 108, kChecksums = 128, kRootItem = 132 };
constexpr uint64_t kFileSystem = 5, kChecksumTree = 7, kFirstInode = 256, kKnownFeatures = 0x1fff;
constexpr uint64_t kMostDecoded = 1 << 20, kMostTarget = 4096, kMostSubvolumes = 65535;
constexpr unsigned kInodeBits = 48;  // of the number that the walk knows an inode by; above: which subvolume
constexpr const char* kCompressions[] = {"", "zlib", "lzo", "zstd"};

struct Inode {
  uint64_t size = 0;
  uint32_t mode = 0, links = 0, uid = 0, gid = 0;
  int64_t mtime = 0;
};

struct Extent {
  uint64_t at = 0, size = 0;  // in the file
  uint64_t decoded = 0, skip = 0;
  uint8_t compression = 0;
  Bytes stored;  // none: a hole
};

// LZO as Btrfs frames it; how much of `from` that is.
Result<uint64_t> decode_lzo(Bytes from, uint64_t sector, Output& into) {
  const uint64_t total = TRY(from.le<uint32_t>(0, "length of LZO data"));
  from = TRY(from.slice(0, total, "LZO data"));
  for (uint64_t at = 4; at < total;) {
    if (sector - at % sector < 4) at += sector - at % sector;
    if (at >= total) break;
    const uint64_t length = TRY(from.le<uint32_t>(at, "length of an LZO piece"));
    const Bytes piece = TRY(from.slice(at + 4, length, "LZO piece"));
    if (length == 0) return fail(Fault::kMalformed, "LZO piece of no bytes", from.base() + at);
    TRY_VOID(decode_lzo1x(piece, sector, into));
    at += 4 + length;
  }
  return total;
}

class Tree final : public TreeSource {
 public:
  Tree(Volume& volume, const Super& super, Bytes whole, Sink* into)
      : volume_(volume), s_(super), whole_(whole), into_(into) {}

  // The trees, by their objects.
  Result<void> read_roots() {
    TRY_VOID(volume_.each(s_.roots, [&](const Item& item) -> Result<void> {
      if (item.key.type == kRootItem) {
        const uint64_t root = TRY(item.bytes.le<uint64_t>(176, "root of a tree"));
        roots_.insert_or_assign(item.key.object, root);
      } else if (item.key.type == kData && into_) {  // where older kernels keep what is free
        const Extent e = TRY(extent(item));
        if (!e.stored.empty()) into_->range(Range::kHeader, e.stored.base() - whole_.base(), e.stored.size());
      }
      return {};
    }));
    if (!roots_.contains(kFileSystem)) return fail(Fault::kMalformed, "the file system has no tree");
    subvolumes_.push_back(kFileSystem);
    return {};
  }

  // The other trees' nodes, which no file needs, and the data that they protect.
  Result<void> read_others() {
    for (const auto& [object, root] : roots_) {
      if (object == kFileSystem || object == kChecksumTree || (object >= kFirstInode && object < kMostNumber - 256))
        continue;
      if (const auto read = volume_.each(root, [](const Item&) { return Result<void>(); }); !read) {
        if (read.error().fault == Fault::kLimit) return read;
        into_->problem(read.error());
      }
    }
    return roots_.contains(kChecksumTree) ? check_data() : Result<void>();
  }

  Result<Found> find(uint64_t number) override {
    Inode i;
    uint64_t at = 0, device = 0;
    std::vector<std::pair<std::string, std::string>> attributes;
    TRY_VOID(items(number, kInodeItem, kAttribute, [&](const Item& item) -> Result<void> {
      if (item.key.type == kAttribute) return add_attributes(item.bytes, attributes);
      if (item.key.type != kInodeItem) return {};
      const Bytes b = TRY(item.bytes.slice(0, 160, "inode"));
      i = {.size = *b.le<uint64_t>(16, ""),
           .mode = *b.le<uint32_t>(52, ""),
           .links = *b.le<uint32_t>(40, ""),
           .uid = *b.le<uint32_t>(44, ""),
           .gid = *b.le<uint32_t>(48, ""),
           .mtime = *b.le<int64_t>(136, "")};
      device = *b.le<uint64_t>(56, "");
      at = b.base();
      return {};
    }));
    if (at == 0) return fail(Fault::kMalformed, "inode " + std::to_string(inode_of(number)) + " is not in its tree");
    Found out = TRY(found(i, at, 52));
    std::ranges::sort(attributes);
    out.node.xattrs = std::move(attributes);
    if (is_device(out.node.kind)) out.node.device = (device >> 20) << 32 | (device & 0xfffff);
    if (out.node.kind == Kind::kSymlink) {
      const std::vector<Extent> target = TRY(extents(number));
      if (target.size() != 1 || target[0].compression != 0 || target[0].stored.size() > kMostTarget)
        return fail(Fault::kMalformed, "link's target", at);
      const std::string_view text = target[0].stored.head(i.size).text();
      out.node.target = text.substr(0, text.find('\0'));  // mkfs.btrfs ends it with one, Linux does not
    }
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    std::vector<Listed> out;
    TRY_VOID(items(number, kEntry, kEntry, [&](const Item& item) -> Result<void> {
      const Bytes b = TRY(item.bytes.slice(0, 30, "entry"));
      const Bytes name = TRY(item.bytes.slice(30, *b.le<uint16_t>(27, ""), "name"));
      const Key what = key_at(b, 0);
      uint64_t volume = number >> kInodeBits, child = what.object;
      if (what.type == kRootItem) {
        volume = TRY(subvolume(what.object));
        child = kFirstInode;
      }
      if (child >> kInodeBits) return fail(Fault::kMalformed, "number of an inode", b.base());
      out.push_back({std::string(name.text()), volume << kInodeBits | child, b.base()});
      return {};
    }));
    return out;
  }

  Result<Content> content(uint64_t number) override {
    uint64_t size = 0;
    TRY_VOID(items(number, kInodeItem, kInodeItem, [&](const Item& item) -> Result<void> {
      size = TRY(item.bytes.le<uint64_t>(16, "size"));
      return {};
    }));
    const std::vector<Extent> parts = TRY(extents(number));
    if (std::ranges::any_of(parts, [](const Extent& e) { return e.compression != 0; })) return decoded(parts, size);
    FileMap map(whole_);
    for (const Extent& e : parts) {
      if (e.at > map.size()) map.hole(e.at - map.size());
      if (e.stored.empty())
        map.hole(e.size);
      else
        TRY_VOID(map.stored(e.stored.base() - whole_.base(), e.stored.size()));
    }
    map.fit(size);
    return map.content(*into_);
  }

 private:
  static uint64_t inode_of(uint64_t number) { return number & ((uint64_t{1} << kInodeBits) - 1); }
  // The items of an inode, of the types from `first` to `last`.
  Result<void> items(uint64_t number, uint8_t first, uint8_t last, const Volume::Each& each) {
    const uint64_t root = roots_.at(subvolumes_.at(number >> kInodeBits)), inode = inode_of(number);
    return volume_.each(root, {inode, first, 0}, {inode, last, kMostNumber}, each);
  }

  // Its place among those met so far.
  Result<uint64_t> subvolume(uint64_t object) {
    const auto known = std::ranges::find(subvolumes_, object);
    if (known != subvolumes_.end()) return static_cast<uint64_t>(known - subvolumes_.begin());
    if (!roots_.contains(object))
      return fail(Fault::kMalformed, "subvolume " + std::to_string(object) + " has no tree");
    if (subvolumes_.size() >= kMostSubvolumes) return fail(Fault::kLimit, "more subvolumes than are followed");
    subvolumes_.push_back(object);
    return subvolumes_.size() - 1;
  }

  static Result<void> add_attributes(Bytes b, std::vector<std::pair<std::string, std::string>>& out) {
    while (!b.empty()) {
      const uint64_t value = TRY(b.le<uint16_t>(25, "attribute")), name = TRY(b.le<uint16_t>(27, "attribute"));
      const Bytes both = TRY(b.slice(30, name + value, "attribute"));
      out.emplace_back(both.head(name).text(), both.head(value, name).text());
      b = b.head(b.size(), 30 + name + value);
    }
    return {};
  }

  Result<Extent> extent(const Item& item) const {
    const Bytes b = TRY(item.bytes.slice(0, 21, "piece of a file"));
    Extent e{.at = item.key.offset,
             .size = 0,
             .decoded = *b.le<uint64_t>(8, ""),
             .skip = 0,
             .compression = b[16],
             .stored = {}};
    if (b[16] > 3) return fail(Fault::kUnsupported, "compression " + std::to_string(b[16]), b.base() + 16);
    if (b[17] != 0) return fail(Fault::kUnsupported, "encryption " + std::to_string(b[17]), b.base() + 17);
    if (b[20] == 0) {
      e.stored = item.bytes.head(item.bytes.size(), 21);
      e.size = e.compression ? e.decoded : e.stored.size();
      return e;
    }
    const Bytes place = TRY(item.bytes.slice(21, 32, "piece of a file"));
    const uint64_t logical = *place.le<uint64_t>(0, ""), size = *place.le<uint64_t>(8, "");
    e.skip = *place.le<uint64_t>(16, "");
    e.size = *place.le<uint64_t>(24, "");
    if (e.size > kMostNumber - e.at || e.skip > kMostNumber - e.size)
      return fail(Fault::kMalformed, "piece of a file", b.base());
    if (b[20] != 1 || logical == 0) {  // allocated, not written; a hole
      e.compression = 0;
      return e;
    }
    if (e.compression)
      e.stored = TRY(volume_.at(logical, size, "data"));
    else
      e.stored = TRY(volume_.at(logical + e.skip, e.size, "data"));
    return e;
  }

  Result<std::vector<Extent>> extents(uint64_t number) {
    std::vector<Extent> out;
    uint64_t end = 0;
    TRY_VOID(items(number, kData, kData, [&](const Item& item) -> Result<void> {
      out.push_back(TRY(extent(item)));
      if (out.back().at < end) return fail(Fault::kMalformed, "pieces of a file are out of order", item.bytes.base());
      end = out.back().at + out.back().size;
      return {};
    }));
    return out;
  }

  // A file of which at least one piece is compressed.
  Result<Content> decoded(const std::vector<Extent>& parts, uint64_t size) {
    Content content;
    uint64_t at = 0;
    for (const Extent& e : parts) {
      if (e.at >= size) break;
      TRY_VOID(into_->output().zeros(e.at - at));
      const uint64_t length = std::min(e.size, size - e.at);
      if (!e.stored.empty()) content.extents.push_back(e.stored);
      if (e.stored.empty()) {
        TRY_VOID(into_->output().zeros(length));
      } else if (e.compression == 0) {
        TRY_VOID(into_->output().write(e.stored.head(length).span()));
      } else {
        content.codec = kCompressions[e.compression];
        TRY_VOID(decode(e, length));
      }
      at = e.at + length;
    }
    TRY_VOID(into_->output().zeros(size - std::min(at, size)));
    return content;
  }

  Result<void> decode(const Extent& e, uint64_t length) {
    if (e.decoded > kMostDecoded || e.skip > e.decoded || length > e.decoded - e.skip)
      return fail(Fault::kMalformed, "compressed piece of " + std::to_string(e.decoded) + " bytes", e.stored.base());
    TRY_VOID(into_->step(1 + e.stored.size() / 64));
    MemoryOutput out(std::max<uint64_t>(e.decoded, s_.sector));
    const Result<uint64_t> done = e.compression == 1   ? inflate_zlib(e.stored, out)
                                  : e.compression == 2 ? decode_lzo(e.stored, s_.sector, out)
                                                       : decode_zstd(e.stored, out);
    if (!done) return fail(Fault::kMalformed, done.error().what, e.stored.base());
    // What a compressed piece does not reach reads as zeros.
    const Bytes got = out.bytes().head(length, e.skip);
    TRY_VOID(into_->output().write(got.span()));
    return into_->output().zeros(length - got.size());
  }

  // Every sector that a checksum stands for.
  Result<void> check_data() {
    uint64_t sectors = 0, wrong = 0, first = 0;
    std::string detail;
    const auto sector = [&](const Item& item, uint64_t n) -> Result<void> {
      const Bytes data = TRY(volume_.at(item.key.offset + n * s_.sector, s_.sector, "data"));
      if (checksum_holds(~crc32c(data), *item.bytes.le<uint32_t>(n * 4, "")) || wrong++) return {};
      first = item.bytes.base() + n * 4;
      detail = "first at " + std::to_string(data.base());
      return {};
    };
    const auto read = volume_.each(roots_.at(kChecksumTree), [&](const Item& item) -> Result<void> {
      if (item.key.type != kChecksums || s_.checksum != 0) return {};
      for (uint64_t n = 0; n < item.bytes.size() / 4; ++n) {
        if (++sectors > whole_.size() / s_.sector)
          return fail(Fault::kMalformed, "more checksums than sectors", item.bytes.base());
        TRY_VOID(into_->step(s_.sector / 256));
        TRY_VOID(sector(item, n));
      }
      return {};
    });
    if (!read && read.error().fault == Fault::kLimit) return read;
    if (!read) into_->problem(read.error());
    if (sectors == 0) return {};
    Integrity i = checksum(std::to_string(sectors) + " sectors of data", "crc32c", wrong == 0, first);
    if (wrong) i.detail = std::to_string(wrong) + " do not match, " + detail;
    into_->integrity(std::move(i));
    return {};
  }

  Volume& volume_;
  const Super& s_;
  Bytes whole_;
  Sink* into_;
  std::map<uint64_t, uint64_t> roots_;  // of trees, by object
  std::vector<uint64_t> subvolumes_;    // objects of those that were met; the file system is the first
};

Result<Measured> measure(Bytes from) {
  const Super s = TRY(read_super(from));
  Volume volume(from, s, nullptr);
  TRY_VOID(volume.read_chunks());
  Tree tree(volume, s, from, nullptr);
  TRY_VOID(tree.read_roots());
  return Measured{s.size, s.holds};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super s = TRY(read_super(whole));
  for (uint64_t at = kSuperAt; at + kSuperSize <= whole.size(); at = at == kSuperAt ? 64 << 20 : at << 12)
    into.range(Range::kHeader, at, kSuperSize);
  if (s.checksum == 0) into.integrity(checksum("superblock", "crc32c", s.holds, kSuperAt));
  if (!s.label.empty()) into.note("label", escape(s.label), kSuperAt + 299);
  if (s.devices != 1) into.note("devices", std::to_string(s.devices), kSuperAt + 136);
  if (s.features & ~kKnownFeatures)
    into.problem({Fault::kUnsupported, "features " + std::to_string(s.features & ~kKnownFeatures) + " are not known",
                  kSuperAt + 188});
  if (s.log != 0) into.problem(not_replayed("log", kSuperAt + 96));
  Volume volume(whole, s, &into);
  TRY_VOID(volume.read_chunks());
  Tree tree(volume, s, whole, &into);
  TRY_VOID(tree.read_roots());
  TRY_VOID(walk_tree(tree, kFirstInode, into));
  return tree.read_others();
}

}  // namespace

extern const Format kBtrfs;
const Format kBtrfs = {
    .id = "btrfs",
    .title = "Btrfs file system",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "subvolumes and snapshots, zlib, LZO and zstd, holes, attributes, devices; one copy or several on one device; "
        "checksums of nodes and data where they are crc32c",
    .limits = "several devices' stripes; the log is not replayed; checksums of other kinds; features after 2021",
    .source = "Linux include/uapi/linux/btrfs_tree.h; Btrfs documentation, On-disk format",
    .checked = "foreign tool: mkfs.btrfs, which compresses nothing and leaves devices without number"};

}  // namespace assay::unpack::btrfs
