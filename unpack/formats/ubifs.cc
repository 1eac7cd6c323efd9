// UBIFS, the file system on UBI volumes. Little-endian; a volume is logical erase blocks, in them nodes at multiples of
// 8:
//
//   0   magic 0x06101831  4 crc over the rest (CRC-32 from ~0, not inverted)  8 sqnum (64)  16 len  20 node_type
//   0 inode   24 key  48 size (64)  72 mtime (64)  92 nlink  96 uid  100 gid  104 mode  108 flags  112 data_len  160
//   data 1 data    24 key  40 size  44 compr_type (0 none, 1 LZO, 2 deflate, 3 zstd)  48 data: one block of 4096 2
//   entry   24 key  40 inum (64)  49 type  50 nlen  56 name       3 extended attribute: the same 6 superblock (block 0)
//   7 master (blocks 1 and 2, the newest counts)   8 reference (log, from block 3)   9 index
//
// A key is an inode number and 3 bits of type with a block number or a hash of the name. The master names the root of
// the index, a tree with all nodes of the last commit; the log names the blocks of the journal written since.
// Source: Linux fs/ubifs/ubifs-media.h, Documentation/filesystems/ubifs.rst.
#include "unpack/codecs.h"
#include "unpack/formats/ubifs_volume.h"

#include <algorithm>

namespace assay::unpack::ubifs {
namespace {

using std::string_view_literals::operator""sv;

constexpr Magic kMagics[] = {{"\x31\x18\x10\x06"sv}};
constexpr uint32_t kRoot = 1;
constexpr uint32_t kEncryptedInode = 0x40;

Result<Measured> measure(Bytes from) {
  const UbifsSuper super = TRY(read_ubifs_super(from));
  return Measured{std::min(uint64_t{super.block} * super.count, from.size()), true};
}

Kind kind_of_type(uint8_t type) {
  constexpr Kind kKinds[] = {Kind::kFile,       Kind::kDirectory, Kind::kSymlink, Kind::kBlockDevice,
                             Kind::kCharDevice, Kind::kFifo,      Kind::kSocket};
  return type < std::size(kKinds) ? kKinds[type] : Kind::kFile;
}

Bytes inline_data(const UbifsNode& inode) { return inode.bytes.head(inode.word(112), 160); }

Result<void> decode_block(const UbifsNode& node, MemoryOutput& into) {
  const Bytes data = *node.bytes.from(48, "data");
  const uint32_t size = node.word(40);
  const uint16_t compression = node.half(44);
  if (size == 0 || size > kUbifsBlock) return fail(Fault::kMalformed, "size " + std::to_string(size), data.base());
  Result<void> done;
  if (compression == 0) {
    done = into.write(data.span());
  } else if (compression == 1) {
    done = decode_lzo1x(data, size, into);
  } else if (compression == 2 || compression == 3) {
    const auto used = compression == 2 ? inflate_raw(data, into) : decode_zstd(data, into);
    if (!used) done = std::unexpected(used.error());
  } else {
    return fail(Fault::kUnsupported, "compr_type " + std::to_string(compression), data.base());
  }
  if (!done) return fail(Fault::kMalformed, done.error().what, data.base());
  if (into.written() != size)
    return fail(Fault::kMalformed,
                "yields " + std::to_string(into.written()) + " of " + std::to_string(size) + " bytes", data.base());
  return {};
}

class Files {
 public:
  Files(const UbifsVolume& volume, Sink& into) : volume_(volume), into_(into) {
    for (const auto& [directory, names] : volume.entries)
      for (const auto& [name, entry] : names)
        directories_[directory][name] = {entry.inode, kind_of_type(entry.type), entry.at};
  }

  Result<void> run() {
    InodeTree tree(directories_, [this](uint64_t inode) { return kind_of(inode); }, into_);
    const auto emit = [this](const Visit& visit) { return this->emit(visit); };
    if (volume_.inodes.contains(kRoot)) TRY_VOID(emit({"", {kRoot, Kind::kDirectory, 0}, Kind::kDirectory, ""}));
    TRY_VOID(tree.walk(kRoot, "", emit));
    uint64_t nameless = 0;
    for (const auto& [inode, node] : volume_.inodes)
      nameless += !tree.visited(inode) && !(node.word(108) & 0x20);  // flag 0x20: holds an attribute's value
    if (nameless) into_.note("inodes without a name", std::to_string(nameless), 0);
    return {};
  }

 private:
  const UbifsNode* find(uint64_t inode) const {
    const auto found = volume_.inodes.find(static_cast<uint32_t>(inode));
    return found == volume_.inodes.end() ? nullptr : &found->second;
  }
  std::optional<Kind> kind_of(uint64_t inode) const {
    const UbifsNode* node = find(inode);
    return node ? kind_of_mode(node->word(104)) : std::nullopt;
  }

  Result<void> emit(const Visit& visit) {
    const UbifsNode* inode = find(visit.entry.inode);
    if (!inode || !kind_of_mode(inode->word(104))) {
      into_.problem({Fault::kMalformed, visit.path + ": inode " + std::to_string(visit.entry.inode) + " cannot be read",
                     visit.entry.at});
      return {};
    }
    Node node;
    node.kind = visit.kind;
    node.path = visit.path;
    node.mode = inode->word(104) & 07777;
    node.uid = inode->word(96);
    node.gid = inode->word(100);
    node.links = inode->word(92);
    node.mtime = static_cast<int64_t>(inode->wide(72));
    read_xattrs(node, static_cast<uint32_t>(visit.entry.inode));
    if (!visit.first.empty()) {
      node.kind = Kind::kHardLink;
      node.target = visit.first;
    } else if (inode->word(108) & kEncryptedInode) {
      return emit_encrypted(std::move(node), *inode);
    } else if (node.kind == Kind::kFile) {
      return emit_file(std::move(node), *inode);
    } else if (node.kind == Kind::kSymlink) {
      node.target = inline_data(*inode).text();
    } else if (node.kind == Kind::kCharDevice || node.kind == Kind::kBlockDevice) {
      set_device(node, inline_data(*inode));
    }
    return into_.node(std::move(node), nothing());
  }

  void read_xattrs(Node& node, uint32_t inode) {
    const auto names = volume_.xattrs.find(inode);
    if (names == volume_.xattrs.end()) return;
    for (const auto& [name, entry] : names->second) {
      const UbifsNode* value = find(entry.inode);
      if (value)
        node.xattrs.emplace_back(name, inline_data(*value).text());
      else
        into_.problem({Fault::kMalformed, node.path + ": the value of attribute " + name + " is lost", entry.at});
    }
  }

  void set_device(Node& node, Bytes number) {
    if (number.size() == 4)
      node.device = device_of_new(*number.le<uint32_t>(0, "device"));
    else if (number.size() == 8)  // 64 bits: as 32 ones, with the high parts of both numbers above
      node.device = device_of_huge(*number.le<uint64_t>(0, "device"));
    else
      into_.problem({Fault::kMalformed, node.path + ": device number of " + std::to_string(number.size()) + " bytes",
                     number.base()});
  }
  static uint64_t device_of_huge(uint64_t stored) {
    const uint64_t major = (stored >> 8 & 0xfff) | (stored >> 32 & 0xfffff000);
    const uint64_t minor = (stored & 0xff) | (stored >> 12 & 0xffffff00);
    return major << 32 | (minor & 0xffffffff);
  }

  Result<void> emit_encrypted(Node node, const UbifsNode& inode) {
    into_.problem({Fault::kEncrypted, node.path + ": its name and content are encrypted", inode.bytes.base()});
    if (const auto data = volume_.data.find(inode.key_inode()); data != volume_.data.end())
      for (const auto& [number, block] : data->second)
        into_.range(Range::kEncrypted, block.bytes.base() + 48, block.bytes.size() - 48);
    if (node.kind == Kind::kFile || node.kind == Kind::kSymlink) return {};
    return into_.node(std::move(node), nothing());
  }

  Result<void> emit_file(Node node, const UbifsNode& inode) {
    const uint64_t size = inode.wide(48);
    if (size == 0) return into_.node(std::move(node), nothing());
    std::vector<Bytes> used;
    uint64_t at = 0;
    if (const auto data = volume_.data.find(inode.key_inode()); data != volume_.data.end())
      for (const auto& [number, block] : data->second) {
        const uint64_t from = number * kUbifsBlock;
        if (from >= size) break;
        TRY_VOID(into_.output().zeros(from - at));
        at = std::min(from + kUbifsBlock, size);
        TRY_VOID(write_block(node.path, block, at - from, used));
      }
    TRY_VOID(into_.output().zeros(size - at));
    return into_.node(std::move(node), {std::move(used), "ubifs"});
  }

  // A block shorter than its place is followed by zeros.
  Result<void> write_block(const std::string& path, const UbifsNode& block, uint64_t length, std::vector<Bytes>& used) {
    TRY_VOID(into_.step(8));
    MemoryOutput decoded(kUbifsBlock);
    auto done = decode_block(block, decoded);
    if (!done) {
      into_.problem(
          {done.error().fault, path + ": " + done.error().what + "; these bytes read as zeros", done.error().offset});
      return into_.output().zeros(length);
    }
    used.push_back(*block.bytes.from(48, "data"));
    const uint64_t from_block = std::min(length, decoded.written());
    TRY_VOID(into_.output().write(decoded.bytes().span().first(from_block)));
    return into_.output().zeros(length - from_block);
  }

  const UbifsVolume& volume_;
  Sink& into_;
  Directories directories_;
};

Result<void> unpack(Bytes whole, Sink& into) {
  const UbifsSuper super = TRY(read_ubifs_super(whole));
  into.note("logical erase block", std::to_string(super.block), 36);
  into.note("logical erase blocks", std::to_string(super.count), 40);
  into.note("format version", std::to_string(super.version), 80);
  if (uint64_t{super.block} * super.count > whole.size())
    into.problem({Fault::kTruncated,
                  "the superblock counts " + std::to_string(super.count) + " logical blocks, the " + "image holds " +
                      std::to_string(whole.size() / super.block),
                  40});
  if (super.flags & kUbifsEncrypted) into.note("encryption", "some files are encrypted", 28);
  TRY_VOID(claim_ubifs_properties(whole, super, into));
  const UbifsVolume volume = TRY(read_ubifs_volume(whole, super, into));
  return Files(volume, into).run();
}

}  // namespace

extern const Format kUbifs;
const Format kUbifs = {
    .id = "ubifs",
    .title = "UBIFS file system",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "LZO, zlib and zstd; journal replay, scan of every node where the index is broken; xattrs, devices",
    .limits = "Encrypted files; signatures of authenticated file systems are not checked.",
    .source = "Linux fs/ubifs/ubifs-media.h",
    .checked = "foreign tool: mkfs.ubifs; real image: sample of another project"};

}  // namespace assay::unpack::ubifs
