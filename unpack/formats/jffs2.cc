// JFFS2, the log-structured file system of NOR and NAND flash. There is no superblock: the flash is a sequence of
// nodes, each at a multiple of 4, in either byte order.
//
//   0   magic 0x1985 (16 bits)
//   2   nodetype (16 bits): 0xe001 dirent, 0xe002 inode with data, 0x2003 clean marker, 0x2004 padding,
//       0x2006 summary of an erase block, 0xe008 and 0xe009 extended attributes; bit 0x2000 is cleared when obsolete
//   4   totlen      8   hdr_crc over bytes 0..7
//   dirent  12 pino  16 version  20 ino (0: removed)  24 mctime  28 nsize  29 type  32 node_crc  36 name_crc  40 name
//   inode   12 ino  16 version  20 mode  24 uid  26 gid  28 isize  32 atime  36 mtime  40 ctime  44 offset  48 csize
//           52 dsize  56 compr  57 usercompr  58 flags  60 data_crc  64 node_crc  68 data
//
// Checksums are CRC-32 without inversions, from 0. The highest version of a name, of attributes, of a byte wins.
// Images with the older magic 0x1984 are read when their nodes carry these fields and checksums.
// Source: Linux include/uapi/linux/jffs2.h, fs/jffs2; compression 8 is LZMA as OpenWrt adds it (lc=lp=pb=0).
#include "unpack/formats/jffs2_volume.h"

namespace assay::unpack::jffs2 {
namespace {

using std::string_view_literals::operator""sv;

constexpr Magic kMagics[] = {
    {"\x85\x19\x03\x20"sv}, {"\x85\x19\x03\x00"sv}, {"\x85\x19\x01\xe0"sv}, {"\x85\x19\x01\xc0"sv},
    {"\x85\x19\x02\xe0"sv}, {"\x85\x19\x02\xc0"sv}, {"\x85\x19\x08\xe0"sv}, {"\x19\x85\x20\x03"sv},
    {"\x19\x85\x00\x03"sv}, {"\x19\x85\xe0\x01"sv}, {"\x19\x85\xc0\x01"sv}, {"\x19\x85\xe0\x02"sv},
    {"\x19\x85\xc0\x02"sv}, {"\x19\x85\xe0\x08"sv}, {"\x84\x19\x03\x20"sv}, {"\x84\x19\x01\xe0"sv},
    {"\x84\x19\x02\xe0"sv}, {"\x19\x84\x20\x03"sv}, {"\x19\x84\xe0\x01"sv}, {"\x19\x84\xe0\x02"sv},
};

constexpr uint32_t kRoot = 1;
constexpr uint64_t kLongestTarget = 4096;  // PATH_MAX of Linux

Result<Measured> measure(Bytes from) {
  const Jffs2Nodes nodes = TRY(read_jffs2_nodes(from));
  return Measured{nodes.length, true};
}

void note_what_it_is(const Jffs2Nodes& nodes, Sink& into) {
  uint64_t obsolete = 0;
  for (const Jffs2Node& node : nodes.nodes) obsolete += node.obsolete;
  into.note("byte order", nodes.order == Order::kLittle ? "little endian" : "big endian", 0);
  if (nodes.erase_block) into.note("erase block", std::to_string(nodes.erase_block), 0);
  into.note("nodes", std::to_string(nodes.nodes.size()), 0);
  if (obsolete) into.note("obsolete nodes", std::to_string(obsolete), 0);
}

class Files {
 public:
  Files(const Jffs2Nodes& nodes, const Jffs2Volume& volume, Sink& into)
      : order_(nodes.order), volume_(volume), into_(into) {}

  Result<void> run() {
    InodeTree tree(volume_.directories, [this](uint64_t inode) { return kind_of(inode); }, into_);
    const auto emit = [this](const Visit& visit) { return this->emit(visit); };
    TRY_VOID(tree.walk_volume(kRoot, volume_.files.contains(kRoot), "inode", emit));
    uint64_t nameless = 0;
    for (const auto& [inode, file] : volume_.files) nameless += inode != kRoot && !tree.visited(inode);
    if (nameless) into_.note("inodes without a name", std::to_string(nameless), 0);
    if (volume_.unlinked) into_.note("removed names", std::to_string(volume_.unlinked), 0);
    return {};
  }

 private:
  std::optional<Kind> kind_of(uint64_t inode) const {
    const auto file = volume_.files.find(static_cast<uint32_t>(inode));
    if (file == volume_.files.end()) return std::nullopt;
    return kind_of_mode(file->second.mode);
  }

  Result<void> emit(const Visit& visit) {
    Node node;
    node.kind = visit.kind;
    node.path = visit.path;
    const auto found = volume_.files.find(static_cast<uint32_t>(visit.entry.inode));
    if (found == volume_.files.end() || !kind_of_mode(found->second.mode)) return emit_bare(std::move(node), visit);
    const Jffs2File& file = found->second;
    node.mode = file.mode & 07777;
    node.uid = file.uid;
    node.gid = file.gid;
    node.mtime = file.mtime;
    node.xattrs = file.xattrs;
    if (!visit.first.empty()) {
      node.kind = Kind::kHardLink;
      node.target = visit.first;
      return into_.node(std::move(node), nothing());
    }
    for (const uint64_t at : file.damaged)
      into_.problem(
          {Fault::kMalformed,
           visit.path + ": a node's data does not match its checksum; older data, or " + "zeros, stand in its place",
           at});
    if (node.kind == Kind::kFile) return emit_file(std::move(node), file);
    if (node.kind == Kind::kSymlink) return emit_link(std::move(node), file);
    if (node.kind == Kind::kCharDevice || node.kind == Kind::kBlockDevice) set_device(node, file);
    return into_.node(std::move(node), nothing());
  }

  // An entry whose inode cannot be read: its name is stored, and that it is a directory or a special file.
  Result<void> emit_bare(Node node, const Visit& visit) {
    into_.problem({Fault::kMalformed,
                   visit.path + ": inode " + std::to_string(visit.entry.inode) + " has no readable node",
                   visit.entry.at});
    if (node.kind == Kind::kFile || node.kind == Kind::kSymlink) return {};
    return into_.node(std::move(node), nothing());
  }

  Result<void> emit_file(Node node, const Jffs2File& file) {
    std::vector<Bytes> used;
    const std::string path = node.path;
    if (is_one_view(file)) return into_.node(std::move(node), stored(file.data[0].stored));
    TRY_VOID(read_jffs2_content(file, path, kNowhere, into_, into_.output(), used));
    if (file.size == 0) return into_.node(std::move(node), nothing());
    return into_.node(std::move(node), {std::move(used), "jffs2"});
  }
  static bool is_one_view(const Jffs2File& file) {
    return file.data.size() == 1 && file.data[0].compression == 0 && file.data[0].offset == 0 &&
           file.data[0].size == file.size && file.data[0].stored.size() == file.size;
  }

  Result<void> emit_link(Node node, const Jffs2File& file) {
    std::vector<Bytes> used;
    MemoryOutput target(kLongestTarget);
    auto read = read_jffs2_content(file, node.path, kLongestTarget, into_, target, used);
    if (!read) {
      if (read.error().fault == Fault::kLimit) return read;
      into_.problem(std::move(read).error());
    }
    node.target = target.bytes().text();
    return into_.node(std::move(node), nothing());
  }

  void set_device(Node& node, const Jffs2File& file) {
    const Bytes number = file.data.empty() ? Bytes() : file.data.back().stored;
    if (number.size() == 2)
      node.device = device_of_old(*number.get<uint16_t>(0, order_, "device"));
    else if (number.size() == 4)
      node.device = device_of_new(*number.get<uint32_t>(0, order_, "device"));
    else
      into_.problem({Fault::kMalformed, node.path + ": device number of " + std::to_string(number.size()) + " bytes",
                     number.base()});
  }

  Order order_;
  const Jffs2Volume& volume_;
  Sink& into_;
};

Result<void> unpack(Bytes whole, Sink& into) {
  const Jffs2Nodes nodes = TRY(read_jffs2_nodes(whole));
  note_what_it_is(nodes, into);
  const Jffs2Volume volume = TRY(read_jffs2_volume(whole, nodes, into));
  return Files(nodes, volume, into).run();
}

}  // namespace

extern const Format kJffs2;
const Format kJffs2 = {
    .id = "jffs2",
    .title = "JFFS2 flash file system",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "both byte orders; zlib, rtime, rubin, LZO and LZMA nodes; summary nodes, xattrs, devices",
    .limits =
        "Two file systems that touch are told apart only at an erase block most of whose nodes "
        "contradict the versions before it; magic 0x1984 only with the later node layout.",
    .source = "Linux include/uapi/linux/jffs2.h and fs/jffs2",
    .checked = "foreign tool: mkfs.jffs2; real images: samples and a flash worn by use"};

}  // namespace assay::unpack::jffs2
