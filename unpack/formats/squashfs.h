// Private to the SquashFS reader: what its files share.
//   squashfs.cc        measure, unpack: the walk through the tree, file contents
//   squashfs_super.cc  the superblocks of versions 1 to 4
//   squashfs_codec.cc  how one compressed block is packed, and finding that out
//   squashfs_ahead.cc  decoding ahead of the walk on other threads
//   squashfs_image.cc  metadata blocks, and the tables made of them
//   squashfs_v4.cc, squashfs_v123.cc  inodes and directory entries of the versions
#pragma once
#include "unpack/format.h"

#include <map>
#include <optional>
#include <vector>

namespace assay::unpack::squashfs {

constexpr uint32_t kMetadataSize = 8192;
constexpr uint32_t kNone32 = ~uint32_t{0};
constexpr uint64_t kNone64 = ~uint64_t{0};

// Reads fields one behind the other as a C compiler of the image's byte order lays out bit fields: from the lowest bit
// up, or from the highest down. Whole fields come out as ordinary integers. Past the end: zeros.
class Fields {
 public:
  Fields(std::span<const std::byte> raw, Order order) : raw_(raw), order_(order) {}
  uint64_t take(unsigned width);  // 1 to 64 bits
  uint32_t take32() { return static_cast<uint32_t>(take(32)); }

 private:
  std::span<const std::byte> raw_;
  Order order_;
  uint64_t at_ = 0;  // in bits
};

struct Super {
  Order order = Order::kLittle;
  uint16_t major = 0, minor = 0;
  uint32_t size = 0;  // of the superblock
  uint32_t inodes = 0, block_size = 0, fragments = 0, ids = 0, group_ids = 0;
  uint16_t block_log = 0, compression = 1, flags = 0;
  int64_t created = 0;
  uint64_t root = 0, bytes_used = 0;
  uint64_t id_table = 0, group_table = 0, xattr_table = kNone64, inode_table = 0, directory_table = 0,
           fragment_table = kNone64, export_table = kNone64;
  bool mixed_lzma = false;  // magic of sqlzma: every block is zlib or LZMA, told apart by its first byte

  bool metadata_is_marked() const { return major < 4 && (flags & 4) != 0; }  // a 0xff behind each block's length
  bool has_options() const { return major == 4 && (flags & 0x400) != 0; }
};
Result<Super> read_super(Bytes image);

// How a compressed block is packed.
struct Packing {
  enum Kind : uint8_t {
    kZlib,
    kDeflate,
    kXz,
    kLzo,
    kLz4,
    kZstd,
    kLzmaAlone,       // 13 bytes: properties, dictionary, decoded size
    kLzmaProperties,  // properties and dictionary at `at`, then the raw stream
    kLzmaDdwrt,       // one byte each: pb, lc, lp, fast bytes; then the raw stream
    kLzmaRaw,         // raw stream at `at`; lc, lp, pb are nowhere stored
  };
  Kind kind = kZlib;
  uint8_t at = 0;
  uint8_t lc = 3, lp = 0, pb = 2;
  bool mixed = false;  // blocks that do not start like LZMA are zlib
};
std::string_view codec_of(const Packing& packing);  // id of the codec for Content
std::string describe(const Packing& packing);

// Decodes one block of at most `most` bytes; `exact`: of exactly this size. kLimit only comes from `into`.
Result<void> decode_block(const Packing& packing, Bytes block, uint64_t most, std::optional<uint64_t> exact,
                          Output& into);
// The ways of packing to try, most likely first.
std::vector<Packing> candidates(const Super& super, Bytes block);

struct Position {  // in a table: a metadata block's place in the image, and a place in its decoded bytes
  uint64_t block = 0;
  uint32_t offset = 0;
};

struct Inode {
  Kind kind = Kind::kFile;
  uint32_t mode = 0, uid = 0, gid = 0;
  std::optional<int64_t> mtime;
  std::optional<uint32_t> number, links;
  uint64_t size = 0;   // of a file, a listing, a link's target
  uint64_t start = 0;  // of a file's blocks
  uint32_t fragment = kNone32, fragment_offset = 0;
  Position at;  // of a file's block sizes, or of a directory's listing
  std::optional<uint64_t> device;
  std::string target;
  uint32_t xattrs = kNone32;
};

struct DirectoryEntry {
  std::string name;
  uint64_t inode = 0;  // block in the inode table << 16 | offset
};

// A directory's listing, read entry by entry.
struct Listing {
  Position at;
  uint64_t left = 0;  // bytes
  uint32_t run = 0;   // entries left that share `block`
  uint64_t block = 0;
};

struct Fragment {
  uint64_t start = 0;
  uint32_t size = 0;
  bool stored = false;
};

class Image {
 public:
  // Reads the superblock and finds out the packing by decoding the root directory. `sink` may be null (measuring).
  static Result<Image> open(Bytes whole, Sink* sink);

  // The same image for another walk.
  Image copy(Sink* sink) const {
    Image other = *this;
    other.sink_ = sink;
    return other;
  }

  const Super& super() const { return super_; }
  const Packing& packing() const { return packing_; }
  Bytes whole() const { return whole_; }
  Result<void> charge(uint64_t steps) { return sink_ ? sink_->step(steps) : Result<void>{}; }

  Result<Inode> inode(uint64_t reference);
  Listing list(const Inode& directory) const;
  Result<DirectoryEntry> next(Listing& listing);
  Result<uint32_t> block_size_entry(Position& at);  // of a file's block list
  Result<Fragment> fragment(uint32_t index);
  Result<std::vector<std::pair<std::string, std::string>>> xattrs(uint32_t index);

  // Copies from a table, and moves the position on.
  Result<void> read(Position& at, std::span<std::byte> into);
  template <size_t N>
  Result<std::array<std::byte, N>> take(Position& at) {
    std::array<std::byte, N> raw;
    TRY_VOID(read(at, raw));
    return raw;
  }
  Result<std::string> text(Position& at, uint64_t length);
  Result<uint64_t> number(Position& at, unsigned bytes);
  Result<uint32_t> id(uint32_t index, bool group);
  // Entry of a table of `entries` elements of `width` bytes behind an index of block positions.
  Result<Position> indexed(uint64_t index_start, uint64_t index, uint64_t entries, uint32_t width,
                           std::string_view what);
  Result<void> read_tables();  // decodes what the walk does not need: export table, index blocks

  struct Extent {
    uint64_t from, to;
  };
  const std::map<uint64_t, uint64_t>& used() const { return used_; }  // metadata that decoded: start -> end

 private:
  struct Block {
    std::vector<std::byte> data;
    uint64_t next = 0, last_use = 0;
  };
  Image(Bytes whole, Super super, Sink* sink) : whole_(whole), super_(super), sink_(sink) {}
  Result<const Block*> block(uint64_t at);
  Result<Block> decode_metadata(uint64_t at);
  Result<void> try_root();

  Bytes whole_;
  Super super_;
  Packing packing_;
  Sink* sink_;
  std::map<uint64_t, Block> cache_;
  uint64_t uses_ = 0;
  std::map<uint64_t, uint64_t> used_;
};

Result<Inode> read_inode_v4(Image& image, Position at);
Result<Inode> read_inode_v123(Image& image, Position at);

}  // namespace assay::unpack::squashfs
