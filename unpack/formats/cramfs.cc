// cramfs, the compressed read-only file system of Linux, in either byte order.
//
//   0   magic 0x28cd3d45   4  size   8  flags   12  reserved   16  "Compressed ROMFS"
//   32  crc   36  edition   40  blocks   44  files   48  name (16)   64  inode of the root directory
//   inode (12 bytes): mode:16 uid:16, size:24 gid:8, namelen/4:6 offset/4:26; bit fields begin at the low end in
//   little-endian images and at the high end in big-endian ones
//
// A directory's content is inodes with their names; a file's is a table of where each block of 4096 ends, then the
// blocks, each a zlib stream. With flag 0x800 a table entry's bit 31 says "not compressed" and bit 30 that the entry is
// itself the block's place, divided by 4. The superblock may lie 512 bytes behind the start (room for a boot loader).
// Source: Linux include/uapi/linux/cramfs_fs.h, fs/cramfs/inode.c.
#include "core/hash.h"
#include "unpack/codecs.h"
#include "unpack/formats/inode_tree.h"

#include <set>

namespace assay::unpack::cramfs {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint64_t kShift = 512;  // of the superblock, where a boot loader stands before it
constexpr Magic kMagics[] = {{"\x45\x3d\xcd\x28"sv}, {"\x28\xcd\x3d\x45"sv}, {"Compressed ROMFS", 16 + kShift}};
constexpr uint32_t kMagic = 0x28cd3d45;
constexpr uint64_t kSuperSize = 76, kInodeSize = 12;
constexpr uint32_t kVersion2 = 1, kExtendedPointers = 0x800, kKnownFlags = 0xfff;
constexpr uint32_t kNotCompressed = 1u << 31, kDirect = 1u << 30;
constexpr uint64_t kBlock = 4096;
constexpr uint32_t kDeepest = 128;

struct Inode {
  uint32_t mode, uid, gid, size, name_size, offset;
};

struct Super {
  Order order = Order::kLittle;
  uint64_t at = 0;
  uint32_t size = 0, flags = 0, crc = 0, edition = 0, files = 0;
  Inode root{};
};

Result<Inode> read_inode(Bytes b, uint64_t at, Order order) {
  const uint32_t first = TRY(b.get<uint32_t>(at, order, "inode"));
  const uint32_t second = TRY(b.get<uint32_t>(at + 4, order, "inode"));
  const uint32_t third = TRY(b.get<uint32_t>(at + 8, order, "inode"));
  if (order == Order::kLittle)
    return Inode{first & 0xffff, first >> 16, second >> 24, second & 0xffffff, (third & 63) * 4, third >> 6 << 2};
  return Inode{first >> 16, first & 0xffff, second & 0xff, second >> 8, third >> 26 << 2, third << 6 >> 4};
}

Result<Super> read_super_at(Bytes b, uint64_t at) {
  Super s;
  s.at = at;
  if (!b.starts_with("Compressed ROMFS", at + 16))
    return fail(Fault::kMalformed, "signature is not \"Compressed ROMFS\"", b.base() + at + 16);
  if (TRY(b.le<uint32_t>(at, "magic")) != kMagic) s.order = Order::kBig;
  if (TRY(b.get<uint32_t>(at, s.order, "magic")) != kMagic) return fail(Fault::kMalformed, "magic", b.base() + at);
  s.size = TRY(b.get<uint32_t>(at + 4, s.order, "size"));
  s.flags = TRY(b.get<uint32_t>(at + 8, s.order, "flags"));
  s.crc = TRY(b.get<uint32_t>(at + 32, s.order, "crc"));
  s.edition = TRY(b.get<uint32_t>(at + 36, s.order, "edition"));
  s.files = TRY(b.get<uint32_t>(at + 44, s.order, "files"));
  s.root = TRY(read_inode(b, at + 64, s.order));
  if ((s.root.mode & 0170000) != 0040000)
    return fail(Fault::kMalformed, "the root is not a directory", b.base() + at + 64);
  if (s.flags & ~kKnownFlags) return fail(Fault::kUnsupported, "flags " + std::to_string(s.flags), b.base() + at + 8);
  if (s.size < at + kSuperSize || s.root.size % 4) return fail(Fault::kMalformed, "size", b.base() + at + 4);
  return s;
}

// Offsets count from the start of the image, so the root's place tells whether 512 bytes stand before the superblock.
Result<Super> read_super(Bytes b) {
  const auto shifted = read_super_at(b, kShift);
  if (shifted && (shifted->root.offset == 0 || shifted->root.offset >= kShift + kSuperSize)) return shifted;
  const Super s = TRY(read_super_at(b, 0));
  if (s.root.size > 0 && s.root.offset == kShift + kSuperSize && s.size > kShift &&
      !b.slice(s.root.offset, kInodeSize, "root"))
    return fail(Fault::kMalformed, "the superblock belongs 512 bytes behind the start", b.base());
  return s;
}

uint32_t crc_of(Bytes image, uint64_t super) {
  constexpr std::string_view kZero = "\0\0\0\0"sv;
  const uint32_t head = crc32(image.head(32, super));
  const uint32_t middle = crc32(Bytes(kZero), head);
  return crc32(image.head(image.size(), super + 36), middle);
}

Result<Measured> measure(Bytes from) {
  const Super s = TRY(read_super(from));
  const Bytes image = TRY(from.slice(0, s.size, "image"));
  if (!(s.flags & kVersion2)) return Measured{s.size, false};
  if (!checksum_holds(crc_of(image, s.at), s.crc))
    return fail(Fault::kMalformed, "crc does not match", from.base() + s.at + 32);
  return Measured{s.size, true};
}

class Reader {
 public:
  Reader(Bytes whole, const Super& super, Sink& into) : whole_(whole), super_(super), into_(into) {}

  Result<void> run() {
    Node root = node_of(super_.root, "");
    root.kind = Kind::kDirectory;
    TRY_VOID(into_.node(std::move(root), nothing()));
    left_.push_back({super_.root, "", 0});
    while (!left_.empty()) {
      const Folder folder = std::move(left_.back());
      left_.pop_back();
      TRY_VOID(list(folder));
    }
    return {};
  }

 private:
  struct Folder {
    Inode inode;
    std::string path;
    uint32_t depth;
  };

  static Node node_of(const Inode& inode, std::string path) {
    Node node;
    node.path = std::move(path);
    node.mode = inode.mode & 07777;
    node.uid = inode.uid;
    node.gid = inode.gid;
    return node;
  }

  Result<void> list(const Folder& folder) {
    if (folder.inode.size == 0) return {};
    const auto content = whole_.slice(folder.inode.offset, folder.inode.size, "directory");
    if (!content || !seen_.insert(folder.inode.offset).second) {
      into_.problem({Fault::kMalformed, "directory \"" + folder.path + "\" lies outside the image or is listed before",
                     folder.inode.offset});
      return {};
    }
    std::vector<Folder> below;
    for (uint64_t at = 0; at < content->size();) {
      TRY_VOID(into_.step());
      const auto inode = read_inode(*content, at, super_.order);
      const auto name =
          inode ? content->slice(at + kInodeSize, inode->name_size, "name") : std::unexpected(inode.error());
      if (!name) {
        into_.problem({Fault::kMalformed, "an entry of directory \"" + folder.path + "\" runs past its end",
                       folder.inode.offset + at});
        break;
      }
      into_.range(Range::kHeader, folder.inode.offset + at, kInodeSize + inode->name_size);
      TRY_VOID(take(folder, *inode, name->text(), folder.inode.offset + at, below));
      at += kInodeSize + inode->name_size;
    }
    for (auto it = below.rbegin(); it != below.rend(); ++it) left_.push_back(std::move(*it));
    return {};
  }

  Result<void> take(const Folder& folder, const Inode& inode, std::string_view stored_name, uint64_t at,
                    std::vector<Folder>& below) {
    const std::string name(stored_name.substr(0, stored_name.find('\0')));
    const auto kind = kind_of_mode(inode.mode);
    if (!is_component(name) || !kind) {
      into_.problem(
          {Fault::kMalformed, "an entry of directory \"" + folder.path + "\" has no file name or no type", at});
      return {};
    }
    Node node = node_of(inode, folder.path.empty() ? name : folder.path + "/" + name);
    node.kind = *kind;
    if (*kind == Kind::kFile) return take_file(std::move(node), inode, at);
    if (*kind == Kind::kSymlink) return take_link(std::move(node), inode, at);
    if (*kind == Kind::kCharDevice || *kind == Kind::kBlockDevice) node.device = device_of_new(inode.size);
    if (*kind == Kind::kDirectory && folder.depth >= kDeepest)
      into_.problem({Fault::kLimit, "directory " + node.path + " lies too deep", at});
    else if (*kind == Kind::kDirectory)
      below.push_back({inode, node.path, folder.depth + 1});
    return into_.node(std::move(node), nothing());
  }

  Result<void> take_file(Node node, const Inode& inode, uint64_t at) {
    if (inode.size == 0) return into_.node(std::move(node), nothing());
    std::vector<Bytes> used;
    auto read = read_content(inode, into_.output(), used);
    if (read) return into_.node(std::move(node), {std::move(used), "cramfs"});
    if (read.error().fault == Fault::kLimit) return read;
    into_.discard();
    into_.problem({read.error().fault, node.path + ": " + read.error().what, at});
    return {};
  }
  Result<void> take_link(Node node, const Inode& inode, uint64_t at) {
    std::vector<Bytes> used;
    MemoryOutput target(kBlock);
    auto read = inode.size <= kBlock
                    ? read_content(inode, target, used)
                    : fail(Fault::kMalformed, "link target of " + std::to_string(inode.size) + " bytes");
    if (!read) into_.problem({read.error().fault, node.path + ": " + read.error().what, at});
    node.target = target.bytes().text();
    for (const Bytes& stream : used) into_.range(Range::kHeader, stream.base() - whole_.base(), stream.size());
    return into_.node(std::move(node), nothing());
  }

  Result<void> read_content(const Inode& inode, Output& output, std::vector<Bytes>& used) {
    const uint64_t blocks = (inode.size + kBlock - 1) / kBlock;
    TRY(whole_.slice(inode.offset, 4 * blocks, "block table"));
    into_.range(Range::kHeader, inode.offset, 4 * blocks);
    uint64_t begin = inode.offset + 4 * blocks;
    for (uint64_t i = 0; i < blocks; ++i) {
      TRY_VOID(into_.step());
      const uint32_t pointer = *whole_.get<uint32_t>(inode.offset + 4 * i, super_.order, "block");
      const uint64_t size = std::min(kBlock, inode.size - i * kBlock);
      const Bytes block = TRY(find_block(pointer, size, begin));
      TRY_VOID(write_block(block, is_plain(pointer), size, output));
      used.push_back(block);
      begin = static_cast<uint64_t>(block.data() - whole_.data()) + block.size();
    }
    return {};
  }
  bool is_plain(uint32_t pointer) const { return (super_.flags & kExtendedPointers) && (pointer & kNotCompressed); }

  Result<Bytes> find_block(uint32_t pointer, uint64_t size, uint64_t begin) {
    if (!(super_.flags & kExtendedPointers) || !(pointer & kDirect)) {
      const uint64_t end = is_plain(pointer) ? pointer & ~kNotCompressed : pointer;
      if (end < begin) return fail(Fault::kMalformed, "block table goes backwards", begin);
      return whole_.slice(begin, end - begin, "block");
    }
    const uint64_t at = uint64_t{pointer & ~(kDirect | kNotCompressed)} << 2;
    if (is_plain(pointer)) return whole_.slice(at, size, "block");
    const uint16_t length = TRY(whole_.get<uint16_t>(at, super_.order, "block length"));
    into_.range(Range::kHeader, at, 2);
    return whole_.slice(at + 2, length, "block");
  }

  static Result<void> write_block(Bytes block, bool plain, uint64_t size, Output& output) {
    if (block.empty()) return output.zeros(size);  // a hole
    if (plain) {
      if (block.size() < size) return fail(Fault::kMalformed, "block is too short", block.base());
      return output.write(block.span().first(size));
    }
    MemoryOutput decoded(kBlock);
    auto done = inflate_zlib(block, decoded);
    if (!done) return fail(Fault::kMalformed, "block: " + done.error().what, block.base());
    if (decoded.written() != size)
      return fail(Fault::kMalformed, "block yields " + std::to_string(decoded.written()) + " bytes", block.base());
    return output.write(decoded.bytes().span());
  }

  Bytes whole_;
  const Super& super_;
  Sink& into_;
  std::vector<Folder> left_;
  std::set<uint64_t> seen_;
};

Result<void> unpack(Bytes whole, Sink& into) {
  const Super super = TRY(read_super(whole));
  into.range(Range::kHeader, super.at, kSuperSize);
  into.note("byte order", super.order == Order::kLittle ? "little endian" : "big endian", super.at);
  const std::string name = TRY(whole.text_field(super.at + 48, 16, "name"));
  if (!name.empty()) into.note("name", name, super.at + 48);
  if (super.flags & kVersion2) into.note("edition", std::to_string(super.edition), super.at + 36);
  return Reader(whole, super, into).run();
}

}  // namespace

extern const Format kCramfs;
const Format kCramfs = {.id = "cramfs",
                        .title = "cramfs file system",
                        .version = 1,
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .reads = "both byte orders, version 2 with fsid, holes",
                        .limits =
                            "Blocks of 4096 bytes compressed with zlib only; of a group number its low 8 bits "
                            "are stored; no times.",
                        .source = "Linux include/uapi/linux/cramfs_fs.h and fs/cramfs/inode.c",
                        .checked = "foreign tool: mkfs.cramfs; real image: sample of another project"};

}  // namespace assay::unpack::cramfs
