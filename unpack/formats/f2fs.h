// F2FS, the flash-friendly file system of Android's data partitions: its areas, nodes and addresses. Little-endian,
// blocks of 4096 bytes.
//
//   1024, 5120  superblock: 0 0xf2f52010  16 block size (log2)  20 blocks of a segment (log2)  36 blocks (64 bits)
//               76 first block of: checkpoints, 80 SIT, 84 NAT, 88 SSA, 92 main area  96 root's number
//               124 volume name (UTF-16)  1664 further blocks of a checkpoint  2180 features  2201 devices
//   checkpoint  two packs, a segment apart: 0 version (64 bits)  132 flags: 1 clean, 4 compact, 0x400 large NAT bitmap
//               136 blocks of the pack  140 first summary  156, 160 sizes of the SIT's, NAT's bitmaps  164 checksum's
//               offset  192 bitmaps; the pack's last block repeats the first
//   NAT         455 entries a block: version, inode (32 bits), address (32 bits); two copies, the bitmap tells which;
//               the first summary of the pack holds entries that are newer (journal)
//   node block  an inode, or 1018 addresses, or 1018 numbers of nodes; 4072 number, inode
//   inode       0 mode  2 advice (4: encrypted)  3 flags: 1 attributes inside, 2 data inside, 4 entries inside,
//               0x20 extra fields  4 uid  8 gid  12 links  16 size  48 mtime  76 node of attributes  80 flags
//               (4: compressed)  360 923 addresses, extra fields in front of them  4052 five numbers of nodes
//   address     0 hole, ~0 hole to be filled, ~1 start of a compressed cluster
//
// Source: Linux include/linux/f2fs_fs.h, fs/f2fs/checkpoint.c, node.c, xattr.h; Documentation/filesystems/f2fs.rst.
#pragma once
#include "unpack/format.h"

#include <map>
#include <optional>
#include <vector>

namespace assay::unpack::f2fs {

constexpr uint64_t kBlock = 4096, kSuperAt = 1024;
constexpr uint32_t kHole = 0, kReserved = ~0u, kCluster = ~1u;
constexpr uint32_t kFlexibleAttributes = 0x40;  // of features

struct Super {
  uint32_t segment = 0;  // blocks
  uint64_t blocks = 0;
  uint32_t checkpoint = 0, nat = 0, main = 0, root = 0, features = 0, payload = 0;
  std::string label;
};
Result<Super> read_super(Bytes whole);  // of the two that can be read

struct Checkpoint {
  uint64_t version = 0, start = 0;  // start: its first block
  uint32_t flags = 0, blocks = 0, summary = 0;
  Bytes nat_bitmap;
};
Result<Checkpoint> read_checkpoint(Bytes whole, const Super& super);  // the newer one whose checksum holds

struct Inode {
  uint32_t number = 0;
  Bytes block;
  uint64_t at = 0, size = 0;
  uint32_t mode = 0, uid = 0, gid = 0, links = 0, flags = 0, attributes_node = 0;
  uint8_t advice = 0, inside = 0, algorithm = 0, cluster_bits = 0;
  int64_t mtime = 0;
  uint32_t extra = 0, attribute_words = 0;  // of the addresses' room, in addresses: in front, and at its end
  bool compressed() const { return flags & 4; }
  bool encrypted() const { return advice & 4; }
};

struct Run {  // blocks of a file behind each other; a hole, or a compressed cluster's mark, where `address` says so
  uint32_t address = 0;
  uint64_t count = 0;
};

class Image {
 public:
  Image(Bytes whole, const Super& super, const Checkpoint& checkpoint, Sink* into);

  Result<Inode> inode(uint32_t number);
  Result<std::vector<Run>> runs(const Inode& inode);    // as many blocks as its size asks for
  Result<Bytes> block(uint32_t address);                // of the main area
  Result<Bytes> data(uint32_t address, uint64_t size);  // from a block on
  Bytes inside(const Inode& inode) const;               // where data or entries lie inside the inode
  Result<std::vector<std::pair<std::string, std::string>>> attributes(const Inode& inode);
  Result<std::string> read_small(const Inode& inode, uint64_t most);
  Result<void> read(const Inode& inode, Output& into, std::vector<Bytes>* from);

 private:
  struct Walk;
  Result<Bytes> node(uint32_t number, uint32_t inode);
  Result<uint32_t> address_of(uint32_t number);
  void load_journal();
  Result<void> add_addresses(Bytes block, uint64_t from, uint64_t count, Walk& walk);
  Result<void> add_node(uint32_t number, int depth, Walk& walk);
  Result<void> read_cluster(const Inode& inode, const std::vector<uint32_t>& addresses, uint64_t size, Output& into,
                            std::vector<Bytes>* from);
  Result<void> read_compressed(const Inode& inode, const std::vector<Run>& runs, Output& into,
                               std::vector<Bytes>* from);
  Result<void> step(uint64_t steps) { return into_ ? into_->step(steps) : Result<void>{}; }

  Bytes whole_;
  Super super_;
  Checkpoint checkpoint_;
  Sink* into_;
  std::map<uint32_t, uint32_t> journal_;
};

}  // namespace assay::unpack::f2fs
