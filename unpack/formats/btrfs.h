// Btrfs, as Linux has it: trees of nodes in a space of logical addresses, which chunks map to the device's bytes.
// Little-endian.
//
//   65536 (copies at 64 MiB and 256 GiB) the superblock, 4096 bytes:
//      0 checksum (32) of what follows  48 its own address  64 "_BHRfS_M"  80 tree of trees  88 tree of chunks
//      96 log, 0: none  136 devices  144 sector  148 node  160 size of the chunks at 811  188 features that must be
//      known 196 kind of checksum (16 bits), 0: crc32c  198 level of the tree of trees  199 of that of chunks 201 this
//      device: 0 id  8 size   299 label (256)   811 chunks: key (17), chunk
//   key      object (64 bits), type (8), offset (64)
//   chunk    0 length  24 kind  44 stripes (16 bits)  48 of each 32: device, offset; key's offset: its logical address
//   node     0 checksum (32)  48 its own logical address  96 number of items (32 bits)  100 level
//            a leaf, level 0: items of 25 from 101: key, 17 offset from 101, 21 size
//            above: pointers of 33 from 101: key of the first item there, 17 its logical address, 25 generation
//
// Source: Linux include/uapi/linux/btrfs_tree.h; Btrfs documentation, "On-disk format".
#pragma once
#include "unpack/format.h"

#include <compare>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace assay::unpack::btrfs {

constexpr Magic kMagics[] = {{"_BHRfS_M", 65536 + 64}};
constexpr uint64_t kSuperAt = 65536, kSuperSize = 4096, kMostNumber = ~uint64_t{0};

struct Key {
  uint64_t object = 0;
  uint8_t type = 0;
  uint64_t offset = 0;
  auto operator<=>(const Key&) const = default;
};
Key key_at(Bytes b, uint64_t at);

struct Item {
  Key key;
  Bytes bytes;
};

struct Super {
  uint64_t roots = 0, chunks = 0, log = 0, devices = 0, features = 0;
  uint32_t sector = 0, node = 0;
  uint16_t checksum = 0;
  uint64_t device = 0, size = 0;  // this device's id and its bytes
  bool holds = false;             // its checksum was compared and is right
  std::string label;
};
Result<Super> read_super(Bytes whole);

// The logical space and the trees in it.
class Volume {
 public:
  // `into`: what is read is claimed as the file system's own, and charged; none: neither.
  Volume(Bytes whole, const Super& super, Sink* into) : whole_(whole), s_(super), into_(into) {}

  Result<void> read_chunks();
  // The bytes of a piece of the logical space, which no chunk's end divides, where this device has its first copy.
  Result<Bytes> at(uint64_t logical, uint64_t size, std::string_view what) const;
  using Each = std::function<Result<void>(const Item&)>;
  // The items of the tree below `root` from `low` to `high`, both among them, in their order.
  Result<void> each(uint64_t root, const Key& low, const Key& high, const Each& item);
  // All of them, for what is only walked.
  Result<void> each(uint64_t root, const Each& item) { return each(root, {}, {kMostNumber, 0xff, kMostNumber}, item); }

 private:
  struct Chunk {
    uint64_t length = 0, kind = 0;
    std::vector<uint64_t> copies;  // on this device
  };
  Result<void> add_chunk(const Key& key, Bytes chunk);
  Result<std::vector<Bytes>> copies(uint64_t logical, uint64_t size, std::string_view what) const;
  Result<Bytes> node(uint64_t logical);
  Result<void> below(uint64_t logical, int level, const Key& low, const Key& high, const Each& item, uint64_t& nodes);

  Bytes whole_;
  const Super& s_;
  Sink* into_;
  std::map<uint64_t, Chunk> chunks_;  // by logical address
  std::map<uint64_t, Bytes> nodes_;   // those that were found right
};

}  // namespace assay::unpack::btrfs
