// HFS+ and HFSX, Apple's file system before APFS. Big-endian; names are UTF-16.
//
//   1024    0 "H+" or "HX"  2 version: 4, 5 (16 bits)  4 flags: 0x100 unmounted  32 files  36 directories  40 block
//   size
//           44 blocks  then forks: 112 map of blocks  192 extents  272 catalog  352 attributes  432 startup
//           the last 1024 bytes but 512 hold a copy
//   fork    0 size (64 bits)  12 blocks  16 eight extents: first block, blocks
//   a tree  of nodes: 0 next one of its level  8 kind (8 bits): -1 a leaf, 1 the head  10 records (16 bits); where they
//   are:
//           16 bits each, from the node's end; head: 24 first leaf  32 size of a node (16 bits)
//   extents     10 (16 bits), fork: 0, 0xff (8 bits), 4 file, 8 its first block; eight extents more
//   catalog     length (16 bits), 2 parent, 6 length of the name (16 bits), name; then, on an even byte, the record:
//               0 kind (16 bits): 1 directory, 2 file  8 number  16 time of change (since 1904)
//               32 uid, gid  41 owner's flags: 0x20 compressed (8 bits)  42 mode (16 bits)
//               44 of a hard link: the file it is; of that file: names; of a device: its number   48 type "hlnk"
//               88 data's fork, 168 resource's fork
//   The files that hard links are lie in a directory whose name begins with four NULs, as "iNode" and their number.
//
// A '/' in a name stands where Unix has ':'. Source: Apple TN1150, HFS Plus Volume Format.
#include "core/text.h"
#include "core/utf16.h"
#include "unpack/formats/file_map.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>
#include <bit>
#include <list>

namespace assay::unpack::hfsplus {
namespace {

constexpr uint64_t kHeaderAt = 1024, kRoot = 2, kCatalog = 4, kMostNodes = 1 << 20;
constexpr uint64_t kLargestFork = 1 << 20, kLongestTarget = 4096;
constexpr Magic kMagics[] = {{std::string_view("H+\0\4", 4), kHeaderAt}, {std::string_view("HX\0\5", 4), kHeaderAt}};
constexpr int64_t kSince1904 = 2'082'844'800;
constexpr std::string_view kLinksFolder = {"\0\0\0\0HFS+ Private Data", 21};

struct Header {
  uint64_t block = 0, blocks = 0, size = 0;
  bool unmounted = false;
};

Result<Header> read_header(Bytes whole) {
  const Bytes b = TRY(whole.slice(kHeaderAt, 512, "volume header"));
  if (!whole.starts_with(kMagics[0].bytes, kHeaderAt) && !whole.starts_with(kMagics[1].bytes, kHeaderAt))
    return fail(Fault::kForeign, "magic", b.base());
  Header h;
  h.unmounted = *b.be<uint32_t>(4, "") & 0x100;
  h.block = *b.be<uint32_t>(40, "");
  h.blocks = *b.be<uint32_t>(44, "");
  if (!std::has_single_bit(h.block) || h.block < 512 || h.block > (1 << 24))
    return fail(Fault::kMalformed, "block size " + std::to_string(h.block), b.base() + 40);
  h.size = h.block * h.blocks;
  if (h.size < 4096) return fail(Fault::kMalformed, "blocks " + std::to_string(h.blocks), b.base() + 44);
  if (h.size > whole.size())
    return fail(Fault::kTruncated, "volume of " + std::to_string(h.size) + " bytes", b.base() + 44);
  return h;
}

struct Item {  // a record of the catalog
  Bytes record;
  bool directory = false;
};

class Volume {
 public:
  Volume(Bytes whole, const Header& header, Sink* into) : whole_(whole), h_(header), into_(into) {}

  Result<void> read() {
    if (*whole_.be<uint32_t>(kHeaderAt + 192 + 12, "") != 0) TRY_VOID(read_extents());
    return read_tree(272, kCatalog, [&](Bytes key, Bytes record) { return take(key, record); });
  }
  bool has_root() const { return items_.contains(kRoot); }

  Result<void> run() {
    for (const uint64_t fork : {112, 352, 432})
      if (const auto map = map_of(whole_.head(80, kHeaderAt + fork), 0, 0)) map->claim(*into_);
    build_directories();
    const auto kind = [&](uint64_t number) -> std::optional<Kind> {
      const auto item = items_.find(number);
      if (item == items_.end()) return std::nullopt;
      return item->second.directory ? Kind::kDirectory : Kind::kFile;
    };
    return InodeTree(directories_, kind, *into_).walk(kRoot, "", [&](const Visit& visit) { return emit(visit); });
  }

 private:
  Result<void> step(uint64_t steps) { return into_ ? into_->step(steps) : Result<void>{}; }

  Result<void> add_extents(Bytes b, uint64_t& blocks, FileMap& out) const {
    for (uint64_t n = 0; n < 8 && blocks > 0; ++n) {
      const uint64_t first = TRY(b.be<uint32_t>(n * 8, "extent")), count = TRY(b.be<uint32_t>(n * 8 + 4, "extent"));
      if (count > blocks || first + count > h_.blocks)
        return fail(Fault::kMalformed, "extent of " + std::to_string(count) + " blocks at " + std::to_string(first));
      TRY_VOID(out.stored(first * h_.block, count * h_.block));
      blocks -= count;
    }
    return {};
  }

  // `which`: 0 data, 0xff resource.
  Result<FileMap> map_of(Bytes fork, uint32_t file, uint8_t which) const {
    FileMap out(whole_);
    const uint64_t size = TRY(fork.be<uint64_t>(0, "size")), all = TRY(fork.be<uint32_t>(12, "blocks"));
    uint64_t blocks = all;
    TRY_VOID(add_extents(fork.head(64, 16), blocks, out));
    while (blocks > 0) {
      const auto more = extents_.find({file, which, all - blocks});
      const uint64_t before = blocks;
      if (more != extents_.end()) TRY_VOID(add_extents(more->second, blocks, out));
      if (blocks == before) return fail(Fault::kMalformed, std::to_string(blocks) + " blocks are missing", fork.base());
    }
    if (out.size() < size) return fail(Fault::kMalformed, "size " + std::to_string(size), fork.base());
    out.fit(size);
    return out;
  }

  Result<void> read_extents() {
    return read_tree(192, 3, [&](Bytes key, Bytes record) -> Result<void> {
      const Bytes k = TRY(key.slice(0, 12, "key"));
      extents_[{*k.be<uint32_t>(4, ""), k[2], *k.be<uint32_t>(8, "")}] = record;
      return {};
    });
  }

  // The leaves of a tree in their order: key, record.
  Result<void> read_tree(uint64_t fork, uint32_t file, const std::function<Result<void>(Bytes, Bytes)>& take) {
    const FileMap map = TRY(map_of(whole_.head(80, kHeaderAt + fork), file, 0));
    trees_.push_back(map.text(into_));
    const Bytes tree(trees_.back());
    const uint64_t size = TRY(tree.be<uint16_t>(32, "node size"));
    if (!std::has_single_bit(size) || size < 512) return fail(Fault::kMalformed, "node size " + std::to_string(size));
    uint64_t number = TRY(tree.be<uint32_t>(24, "first leaf")), nodes = 0;
    for (; number != 0; ++nodes) {
      const Bytes node = TRY(tree.slice(number * size, size, "node"));
      if (nodes > tree.size() / size || nodes > kMostNodes || node[8] != 0xff)
        return fail(Fault::kMalformed, "node " + std::to_string(number) + " is no leaf of the tree");
      for (uint64_t n = 0; n < *node.be<uint16_t>(10, ""); ++n) {
        TRY_VOID(step(1));
        if ((n + 2) * 2 > size) return fail(Fault::kMalformed, "records of node " + std::to_string(number));
        const uint64_t at = *node.be<uint16_t>(size - (n + 1) * 2, ""),
                       end = *node.be<uint16_t>(size - (n + 2) * 2, "");
        if (at < 14 || at >= end || end > size)
          return fail(Fault::kMalformed, "record of node " + std::to_string(number));
        const Bytes b = node.head(end - at, at);
        const uint64_t key = (TRY(b.be<uint16_t>(0, "key")) + uint64_t{3}) / 2 * 2;
        TRY_VOID(take(TRY(b.slice(0, key, "key")), b.head(b.size(), key)));
      }
      number = *node.be<uint32_t>(0, "");
    }
    return {};
  }

  Result<void> take(Bytes key, Bytes record) {
    const uint16_t kind = TRY(record.be<uint16_t>(0, "record"));
    if (kind != 1 && kind != 2) return {};  // a thread: number to name
    TRY(record.slice(0, kind == 1 ? 88 : 248, "record"));
    const uint32_t parent = TRY(key.be<uint32_t>(2, "parent"));
    const uint64_t length = TRY(key.be<uint16_t>(6, "length of a name")) * uint64_t{2};
    std::string name = utf8_of_utf16(TRY(key.slice(8, length, "name")), Order::kBig);
    for (char& c : name)
      if (c == '/' || c == ':') c = c == '/' ? ':' : '/';
    const uint32_t number = *record.be<uint32_t>(8, "");
    if (kind == 1 && name == kLinksFolder) links_folder_ = number;
    const bool link = kind == 2 && record.starts_with("hlnkhfs+", 48);
    if (!link) items_[number] = {record, kind == 1};
    if (number != kRoot) names_.push_back({parent, number, link ? *record.be<uint32_t>(44, "") : 0, std::move(name)});
    return {};
  }

  // Hard links lead to files of the links' folder, which itself is not shown.
  void build_directories() {
    std::map<std::string, uint64_t> linked;
    for (const Name& n : names_)
      if (links_folder_ && n.parent == links_folder_) linked[n.name] = n.number;
    for (const Name& n : names_) {
      if (links_folder_ && (n.parent == links_folder_ || n.number == links_folder_)) continue;
      uint64_t number = n.number;
      if (n.link) {
        const auto file = linked.find("iNode" + std::to_string(n.link));
        if (file != linked.end()) number = file->second;
      }
      const auto item = items_.find(number);
      const bool directory = item != items_.end() && item->second.directory;
      directories_[n.parent][n.name] = {number, directory ? Kind::kDirectory : Kind::kFile, 0};
    }
  }

  Result<void> complain(const std::string& path, const Error& error) {
    if (error.fault == Fault::kLimit) return std::unexpected(error);
    into_->problem({error.fault, path + ": " + error.what, error.offset});
    return {};
  }

  Result<void> emit(const Visit& visit) {
    const auto item = items_.find(visit.entry.inode);
    if (item == items_.end()) return complain(visit.path, {Fault::kMalformed, "the file of a hard link is missing", 0});
    const Bytes b = item->second.record;
    const uint16_t stated = *b.be<uint16_t>(42, "");
    Node node{.kind = visit.kind, .path = visit.path};
    if (const auto kind = stated ? kind_of_mode(stated) : std::nullopt; kind && !item->second.directory)
      node.kind = *kind;
    if (stated) {  // 0: no Unix has written it
      node.mode = stated & 07777;
      node.uid = *b.be<uint32_t>(32, "");
      node.gid = *b.be<uint32_t>(36, "");
    }
    node.mtime = *b.be<uint32_t>(16, "") - kSince1904;
    if (!visit.first.empty()) {
      node.kind = Kind::kHardLink;
      node.target = visit.first;
      return into_->node(std::move(node), nothing());
    }
    const uint32_t special = *b.be<uint32_t>(44, "");
    if (is_device(node.kind)) node.device = uint64_t{special >> 24} << 32 | (special & 0xffffff);
    if (item->second.directory || (node.kind != Kind::kFile && node.kind != Kind::kSymlink))
      return into_->node(std::move(node), nothing());
    if (node.kind == Kind::kFile) node.links = special > 1 ? special : 1;
    return file(b, visit.entry.inode, std::move(node));
  }

  Result<void> file(Bytes b, uint64_t number, Node node) {
    const auto id = static_cast<uint32_t>(number);
    if (const auto resource = map_of(b.head(80, 168), id, 0xff); !resource)
      TRY_VOID(complain(node.path + ": resource fork", resource.error()));
    else if (resource->size() > kLargestFork)
      TRY_VOID(complain(node.path, {Fault::kUnsupported, "resource fork of more than 1 MiB", 0}));
    else if (resource->size() > 0)
      node.xattrs.emplace_back("com.apple.ResourceFork", resource->text(into_));
    const auto map = map_of(b.head(80, 88), id, 0);
    if (!map) {
      TRY_VOID(complain(node.path, map.error()));
      return into_->node(std::move(node), unreadable());
    }
    if (node.kind == Kind::kSymlink) {
      if (map->size() <= kLongestTarget) node.target = map->text(into_);
      return into_->node(std::move(node), nothing());
    }
    if (b[41] & 0x20) {
      TRY_VOID(complain(node.path, {Fault::kUnsupported, "compressed in its attributes (decmpfs)", 0}));
      return into_->node(std::move(node), unreadable());
    }
    return into_->node(std::move(node), TRY(map->content(*into_)));
  }

  struct Name {
    uint32_t parent = 0, number = 0, link = 0;  // link: of the file it leads to
    std::string name;
  };
  Bytes whole_;
  const Header& h_;
  Sink* into_;
  std::list<std::string> trees_;  // what the records are views of
  std::map<uint64_t, Item> items_;
  std::map<std::tuple<uint64_t, uint8_t, uint64_t>, Bytes> extents_;  // file, fork, first block
  std::vector<Name> names_;
  Directories directories_;
  uint64_t links_folder_ = 0;
};

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  Volume volume(from, h, nullptr);
  TRY_VOID(volume.read());
  if (!volume.has_root()) return fail(Fault::kMalformed, "the catalog has no root", from.base() + kHeaderAt + 272);
  return Measured{h.size, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, kHeaderAt, 512);
  into.range(Range::kHeader, whole.size() - 1024, 512);
  if (!h.unmounted) into.problem(not_replayed("journal", kHeaderAt + 4));
  Volume volume(whole, h, &into);
  TRY_VOID(volume.read());
  return volume.run();
}

}  // namespace

extern const Format kHfsplus;
const Format kHfsplus = {
    .id = "hfsplus",
    .title = "HFS+ and HFSX file system",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "both: the catalog, forks in any number of extents, hard and symbolic links, devices",
    .limits =
        "files compressed by the system (decmpfs), attributes, hard links of directories, volumes within HFS; "
        "the journal is not replayed; it has no checksum",
    .source = "Apple TN1150, HFS Plus Volume Format",
    .checked = "real image: sample file system of another project; foreign tool: xorriso"};

}  // namespace assay::unpack::hfsplus
