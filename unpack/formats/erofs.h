// Private to the EROFS reader: what its files share.
//   erofs.cc        measure, unpack: directories and the walk through the tree
//   erofs_image.cc  superblock, inodes, extended attributes
//   erofs_data.cc   where the bytes of an inode lie: flat, inline, in chunks, in compressed clusters
//   erofs_codec.cc  one compressed cluster
#pragma once
#include "unpack/format.h"

#include <map>
#include <optional>
#include <vector>

namespace assay::unpack::erofs {

constexpr uint64_t kSuperAt = 1024;

enum Incompatible : uint32_t {
  kZeroPadding = 0x1,
  kCompressionSettings = 0x2,
  kChunkedFiles = 0x4,
  kDeviceTable = 0x8,  // shares its bit with a second algorithm for heads
  kTailPacking = 0x10,
  kFragments = 0x20,
  kLongPrefixes = 0x40,
};

struct Super {
  uint32_t checksum = 0, compatible = 0, incompatible = 0, build_nanoseconds = 0;
  uint64_t blocks = 0, root = 0, packed = 0, build_time = 0, inodes = 0;
  uint32_t block_bits = 12, directory_bits = 12;
  uint64_t meta_block = 0, attribute_block = 0;
  uint32_t prefix_start = 0, prefix_count = 0, extra_devices = 0, slots = 0;
  uint32_t lzma_dictionary = 8 << 20;
  uint64_t fixed_size = 128;  // of the superblock, its slots and the settings of the codecs
  std::string label;

  bool has(uint32_t bit) const { return (incompatible & bit) != 0; }
  uint64_t block_size() const { return uint64_t{1} << block_bits; }
  uint64_t length() const { return blocks << block_bits; }
};
Result<Super> read_super(Bytes image);
std::optional<bool> super_checksum_holds(Bytes image, const Super& super);  // none: it has no checksum

enum class Layout : uint8_t { kPlain, kFullIndex, kInline, kCompactIndex, kChunks };

struct Inode {
  uint64_t number = 0, at = 0;
  uint32_t fixed_size = 32, attribute_size = 0;
  Layout layout = Layout::kPlain;
  uint16_t mode = 0;
  uint64_t size = 0;
  uint32_t place = 0;  // block address, device number or chunk format
  uint32_t uid = 0, gid = 0, links = 1;
  int64_t mtime = 0;

  uint64_t behind() const { return at + fixed_size + attribute_size; }  // of the fields and attributes
};

// One compressed cluster, or a run of stored bytes, and what of a file it holds.
struct Extent {
  uint64_t logical = 0, length = 0;  // in the file
  uint64_t physical = 0, size = 0;   // in the image
  enum How : uint8_t { kStored, kRotated, kCompressed, kFragment, kHole } how = kStored;
  uint8_t algorithm = 0;
};

class Image {
 public:
  Image(Bytes whole, Super super, Sink* sink) : whole_(whole), super_(std::move(super)), sink_(sink) {}
  const Super& super() const { return super_; }
  Bytes whole() const { return whole_; }

  Result<Inode> inode(uint64_t number);
  using Attributes = std::vector<std::pair<std::string, std::string>>;
  Result<Attributes> attributes(const Inode& inode);
  Result<std::vector<Extent>> extents(const Inode& inode);
  // Writes the bytes of the extents; `used` receives the places they were read from.
  Result<void> read(const Inode& inode, const std::vector<Extent>& extents, Output& into, std::vector<Bytes>* used);
  // All bytes of an inode that is not meant to be large: directories, link targets.
  Result<std::string> read_small(const Inode& inode, uint64_t most);
  void claim(uint64_t at, uint64_t length) {
    if (sink_ && length > 0) sink_->range(Range::kHeader, at, length);
  }
  Result<void> step(uint64_t n) { return sink_ ? sink_->step(n) : Result<void>{}; }

 private:
  struct Cluster {  // one entry of an index
    uint8_t type = 0;
    uint32_t offset = 0;  // of a head: where its data starts in the logical cluster
    uint64_t block = 0;   // of a head
    uint32_t count = 0;   // of what follows a head: blocks of the compressed cluster, where it says so
  };
  struct Map {  // header of an index
    uint64_t at = 0;
    uint16_t advice = 0, inline_size = 0;
    uint8_t algorithms = 0;
    uint32_t bits = 12;
    uint64_t fragment = 0;
    bool whole_fragment = false;
  };
  Result<Map> read_map(const Inode& inode);
  Result<std::vector<Cluster>> full_index(const Map& map, uint64_t count, uint64_t& end);
  Result<std::vector<Cluster>> compact_index(const Map& map, uint64_t count, uint64_t& end);
  Result<void> compact_pack(const Map& map, uint64_t at, uint32_t entries, uint32_t bytes, std::vector<Cluster>& out);
  Result<std::vector<Extent>> compressed_extents(const Inode& inode);
  Result<std::vector<Extent>> chunk_extents(const Inode& inode);
  std::vector<Extent> flat_extents(const Inode& inode) const;
  Result<void> read_extent(const Extent& extent, Output& into, std::vector<Bytes>* used);
  Result<Bytes> packed(uint64_t at, uint64_t length);
  Result<void> attribute_entry(Bytes area, uint64_t& at, Attributes& out);
  Result<std::string> attribute_prefix(uint8_t index);
  Result<void> load_prefixes();

  Bytes whole_;
  Super super_;
  Sink* sink_;
  std::optional<std::vector<std::byte>> packed_;  // content of the inode that holds fragments
  bool reading_packed_ = false, prefixes_loaded_ = false;
  std::vector<std::string> prefixes_;
};

// Decodes one compressed cluster to exactly `size` bytes, which may be fewer than it holds.
Result<void> decode_cluster(uint8_t algorithm, Bytes from, uint64_t size, const Super& super, Output& into);

}  // namespace assay::unpack::erofs
