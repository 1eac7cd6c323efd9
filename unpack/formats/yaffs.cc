// YAFFS1 and YAFFS2, the log-structured file systems of raw NAND flash. There is no superblock: each page with its
// spare bytes is a chunk, whose tags say which object and which part of it the page holds; chunk 0 of an object is its
// header, of 512 bytes and up, in either byte order:
//
//   0   type: 1 file, 2 symbolic link, 3 directory, 4 hard link, 5 special      4   parent object
//   8   ff ff   10 name (256)   268 mode   272 uid   276 gid   280 atime   284 mtime   288 ctime   292 size
//   296 object a hard link names   300 target of a symbolic link (160)   460 device number
//   488 shadowed object, 492 shrink (where tags are in the page)   496 upper half of the size
//   504 object whose name this one took   508 not 0: the file was made shorter here   512 extended attributes
//
//   tags of YAFFS2, anywhere in the spare bytes or the last 16 bytes of the page: sequence number of the block (from
//   0x1000; 0x21: a checkpoint), object, chunk, bytes, and with spare bytes a 12-byte code over these
//   tags of YAFFS1: chunk:20 serial:2 bytes:10 object:18 code:12 unused:2, packed or spread over the spare bytes 0-3,
//   6-7, 11-12
//
// The highest sequence number, in one block the later page, is the newest. Objects 1 to 4 are the root, lost+found and
// two directories of what was unlinked and deleted.
// Source: yaffs2 yaffs_guts.h, yaffs_yaffs2.c, yaffs_packedtags1.h, yaffs_packedtags2.c, yaffs_nameval.c;
// mkyaffs2image.
#include "unpack/describe.h"
#include "unpack/formats/yaffs_volume.h"

#include <algorithm>

namespace assay::unpack::yaffs {
namespace {

using std::string_view_literals::operator""sv;

constexpr Magic kMagics[] = {
    {"\1\0\0\0\1\0\0\0\xff\xff"sv}, {"\2\0\0\0\1\0\0\0\xff\xff"sv}, {"\3\0\0\0\1\0\0\0\xff\xff"sv},
    {"\4\0\0\0\1\0\0\0\xff\xff"sv}, {"\5\0\0\0\1\0\0\0\xff\xff"sv}, {"\0\0\0\1\0\0\0\1\xff\xff"sv},
    {"\0\0\0\2\0\0\0\1\xff\xff"sv}, {"\0\0\0\3\0\0\0\1\xff\xff"sv}, {"\0\0\0\4\0\0\0\1\xff\xff"sv},
    {"\0\0\0\5\0\0\0\1\xff\xff"sv},
};
constexpr uint32_t kRoot = 1, kUnlinked = 3, kDeleted = 4;
constexpr uint64_t kMostChunks = 0xfffff;  // of a file: the tags have no room for more

template <bool anywhere>
Result<Measured> measure(Bytes from) {
  const YaffsChunks chunks = TRY(read_yaffs_chunks(from, anywhere));
  if (anywhere && !chunks.verified) return fail(Fault::kForeign, "too few chunks", from.base());
  return Measured{chunks.length, chunks.verified};
}

class Files {
 public:
  Files(Bytes whole, const YaffsChunks& chunks, const YaffsVolume& volume, Sink& into)
      : whole_(whole), g_(chunks.geometry), volume_(volume), into_(into) {}

  Result<void> run() {
    list_directories();
    InodeTree tree(directories_, [this](uint64_t object) { return kind_of(object); }, into_);
    const auto emit = [this](const Visit& visit) { return this->emit(visit); };
    TRY_VOID(tree.walk_volume(kRoot, has_header(kRoot), "object", emit));
    uint64_t nameless = 0;
    for (const auto& [number, object] : volume_.objects) nameless += !object.has_header() && !object.data.empty();
    if (nameless) into_.note("objects with data and no header", std::to_string(nameless), 0);
    return {};
  }

 private:
  bool has_header(uint32_t number) const {
    const auto it = volume_.objects.find(number);
    return it != volume_.objects.end() && it->second.has_header();
  }

  void list_directories() {
    uint64_t gone = 0;
    for (const auto& [number, object] : volume_.objects) {
      const bool special = number == kRoot || number == kUnlinked || number == kDeleted;
      if (!object.has_header() || special) continue;
      if (object.gone) {
        ++gone;
        continue;
      }
      const YaffsHeader& h = object.header;
      const uint64_t names = h.type == YaffsType::kHardLink ? h.equivalent : number;
      const DirectoryEntry entry = {names, kind_of(names).value_or(Kind::kFile), object.header_at};
      std::string name = h.name.empty() ? "object-" + std::to_string(number) : h.name;
      auto& directory = directories_[h.parent];
      if (directory.contains(name)) {
        into_.problem({Fault::kMalformed, "a directory has two entries " + name + "; the second carries its number",
                       object.header_at});
        name += "#" + std::to_string(number);
      }
      directory.emplace(std::move(name), entry);
    }
    if (gone) into_.note("deleted objects", std::to_string(gone), 0);
  }

  std::optional<Kind> kind_of(uint64_t number) const {
    const auto it = volume_.objects.find(static_cast<uint32_t>(number));
    if (it == volume_.objects.end() || !it->second.has_header()) return std::nullopt;
    switch (it->second.header.type) {
      case YaffsType::kFile:
        return Kind::kFile;
      case YaffsType::kSymlink:
        return Kind::kSymlink;
      case YaffsType::kDirectory:
        return Kind::kDirectory;
      case YaffsType::kSpecial:
        return kind_of_mode(it->second.header.mode);
      default:
        return std::nullopt;
    }
  }

  Result<void> emit(const Visit& visit) {
    Node node;
    node.kind = visit.kind;
    node.path = visit.path;
    const auto number = static_cast<uint32_t>(visit.entry.inode);
    if (!has_header(number)) return emit_bare(std::move(node), visit);
    const YaffsObject& object = volume_.objects.at(number);
    const YaffsHeader& h = object.header;
    node.mode = h.mode & 07777;
    node.uid = h.uid;
    node.gid = h.gid;
    node.mtime = h.mtime;
    node.xattrs = h.xattrs;
    if (!visit.first.empty()) {
      node.kind = Kind::kHardLink;
      node.target = visit.first;
      return into_.node(std::move(node), nothing());
    }
    if (node.kind == Kind::kFile) return emit_file(std::move(node), object);
    if (node.kind == Kind::kSymlink) node.target = h.alias;
    if (node.kind == Kind::kCharDevice || node.kind == Kind::kBlockDevice)
      node.device = h.device > 0xffff ? device_of_new(h.device) : device_of_old(static_cast<uint16_t>(h.device));
    return into_.node(std::move(node), nothing());
  }

  Result<void> emit_bare(Node node, const Visit& visit) {
    if (node.kind != Kind::kDirectory)
      into_.problem({Fault::kMalformed,
                     visit.path + ": object " + std::to_string(visit.entry.inode) + " has no readable header",
                     visit.entry.at});
    if (node.kind == Kind::kFile || node.kind == Kind::kSymlink) return {};
    return into_.node(std::move(node), nothing());
  }

  // Chunks one after another; what no chunk holds is a hole and reads as zeros.
  Result<void> emit_file(Node node, const YaffsObject& object) {
    if (object.size > kMostChunks * g_.data()) {
      into_.problem({Fault::kMalformed, node.path + ": a size of " + std::to_string(object.size) + " bytes",
                     object.header_at + 292});
      return into_.node(std::move(node), unreadable());
    }
    if (object.size == 0) return into_.node(std::move(node), nothing());
    std::vector<Bytes> extents;
    std::vector<std::pair<uint64_t, Bytes>> pieces;
    uint64_t next = 0;
    bool holes = false;
    for (const auto& [chunk, data] : object.data) {
      const uint64_t start = uint64_t{chunk - 1} * g_.data();
      if (start >= object.size) break;
      const Bytes bytes = whole_.head(std::min<uint64_t>(data.bytes, object.size - start), data.at);
      holes |= start != next;
      pieces.emplace_back(start, bytes);
      extents.push_back(bytes);
      next = start + bytes.size();
    }
    if (!holes && next == object.size) return into_.node(std::move(node), {std::move(extents), {}});
    next = 0;
    for (const auto& [start, bytes] : pieces) {
      TRY_VOID(into_.output().zeros(start - next));
      TRY_VOID(into_.output().write(bytes.span()));
      next = start + bytes.size();
    }
    TRY_VOID(into_.output().zeros(object.size - next));
    return into_.node(std::move(node), {std::move(extents), "yaffs"});
  }

  Bytes whole_;
  const YaffsGeometry& g_;
  const YaffsVolume& volume_;
  Sink& into_;
  Directories directories_;
};

void state(const YaffsChunks& chunks, const YaffsVolume& volume, Sink& into) {
  const YaffsGeometry& g = chunks.geometry;
  into.note("version", g.is_yaffs1() ? "YAFFS1" : "YAFFS2", 0);
  into.note("byte order", g.order == Order::kLittle ? "little endian" : "big endian", 0);
  into.note("page", std::to_string(g.page) + " + " + std::to_string(g.spare) + " spare bytes", 0);
  into.note("tags", g.tags_at < g.page ? "in the page" : "from spare byte " + std::to_string(g.tags_at - g.page),
            g.tags_at);
  into.note("chunks", std::to_string(chunks.chunks.size()), 0);
  const auto some = [&](std::string_view name, uint64_t count) {
    if (count) into.note(name, std::to_string(count), 0);
  };
  some("older headers", volume.old_headers);
  some("older data chunks", volume.old_data);
  some("deleted pages", volume.deleted_pages);
  some("checkpoint chunks", volume.checkpoints);
  some("corrected tags", chunks.corrected);
  if (chunks.broken)
    into.problem({Fault::kMalformed, "the code of " + std::to_string(chunks.broken) + " tags says they are wrong", 0});
  if (chunks.coded)
    into.integrity({.kind = "checksum",
                    .name = "codes of tags",
                    .algorithm = "hamming",
                    .state = chunks.broken ? "invalid" : "valid",
                    .detail = std::to_string(chunks.corrected) + " corrected",
                    .offset = g.tags_at});
}

template <bool anywhere>
Result<void> unpack(Bytes whole, Sink& into) {
  const YaffsChunks chunks = TRY(read_yaffs_chunks(whole, anywhere));
  const YaffsVolume volume = TRY(read_yaffs_volume(whole, chunks, into));
  state(chunks, volume, into);
  return Files(whole, chunks, volume, into).run();
}

constexpr std::string_view kReads =
    "YAFFS1 and YAFFS2, both byte orders, pages of 512 to 16384 bytes; tags anywhere in the spare bytes or in the "
    "page, "
    "with and without their code; shrunk, shadowed and deleted objects, hard links, devices, extended attributes";
constexpr std::string_view kSource =
    "yaffs2 yaffs_guts.h, yaffs_yaffs2.c, yaffs_packedtags1.h, yaffs_packedtags2.c, yaffs_nameval.c; mkyaffs2image";

}  // namespace

extern const Format kYaffs;
const Format kYaffs = {.id = "yaffs",
                       .title = "YAFFS flash file system",
                       .version = 2,
                       .magics = kMagics,
                       .measure = measure<false>,
                       .unpack = unpack<false>,
                       .reads = kReads,
                       .limits =
                           "elsewhere than at the start of a part only where an object of the root directory comes "
                           "first; compressed and block-summary variants of later YAFFS2",
                       .source = kSource,
                       .checked =
                           "real image: both samples of fact_extractor; foreign tool: unyaffs reads what the own "
                           "builder writes alike"};

extern const Format kYaffsFlash;
const Format kYaffsFlash = {.id = "yaffs-flash",
                            .title = "YAFFS flash file system, worn: begins with any chunk",
                            .version = 2,
                            .measure = measure<true>,
                            .unpack = unpack<true>,
                            .carve = false,
                            .reads = kReads,
                            .limits = "at the start of a part only",
                            .source = kSource,
                            .checked = "own builder only"};

}  // namespace assay::unpack::yaffs
