// XFS, the file system of many servers and of the virtual network functions built on them. Big-endian.
//
//   sector 0    0 "XFSB"  4 block size  8 blocks (64 bits)  56 root's inode (64 bits)  84 blocks of a group  88 groups
//               100 version and features (16 bits)  102 sector size  104 inode size  106 inodes of a block (16 bits
//               each) 108 label (12)  120 block size, 122 inode size, 123 inodes of a block, 124 blocks of a group
//               (log2, 8 bits) 192 blocks of a directory's block (log2, 8 bits)  200 features of version 4: 0x200 types
//               in directories version 5: 216 features that must be known  224 crc32c of the sector (little-endian)
//   a group     sectors: superblock's copy, free space "XAGF" (16 roots of its trees), inodes "XAGI" (20, 328 roots)
//   inode's number  group, block in it, inode in that
//   inode       0 "IN"  2 mode  4 version (8 bits)  5 format: 0 device, 1 inside, 2 extents, 3 tree  6 links (version
//   1)
//               8 uid  12 gid  16 links  40 mtime  56 size (64 bits)  76 extents  82 attributes' place by 8  83 their
//               format 90 flags: 1 in a real-time volume;  version 3: 120 flags: 8 times of 64 bits  data from 100,
//               version 3 176
//   extent      of 128 bits: 1 not yet written, 54 offset in the file, 52 block (with its group), 21 count
//   tree        in the inode: level, records (16 bits each), keys, pointers; blocks "BMAP", version 5 "BMA3"
//   directory   inside: entries, wide inodes (8 bits each), parent; name's length, offset (16 bits), name, type, inode
//               blocks "XD2B" "XD2D", version 5 "XDB3" "XDD3": inode (64 bits), name's length, name, type, tag, padded
//               to 8; 0xffff, length: free; one that has only one block ends in an index: 8 bytes each, count, stale
//               ones
//   attributes  inside: size (16 bits), count, padding; name's length, value's length, flags: 2 trusted, 4 security
//   log         records: 0 0xfeedbabe  12 length  16 number (64 bits)  320 most of a record, a sector of head for each
//   32 KiB
//               behind the head the first operation: 9 flags, 0x20 the file system was unmounted
//
// Source: XFS Algorithms & Data Structures, 3rd edition; Linux fs/xfs/libxfs/xfs_format.h, xfs_da_format.h.
#pragma once
#include "unpack/formats/tree_walk.h"

#include <set>

namespace assay::unpack::xfs {

struct Super {
  uint64_t block = 0, blocks = 0, log = 0, log_blocks = 0, root = 0, group_blocks = 0, groups = 0, sector = 0,
           inode = 0;
  unsigned inodes_log = 0, group_log = 0, directory_log = 0;
  bool fifth = false, types = false;  // types: directories hold the kind of each entry
  std::string label;
  uint64_t directory() const { return block << directory_log; }
};
Result<Super> read_super(Bytes whole);

enum class Place : uint8_t { kDevice, kInside, kExtents, kTree };

struct Inode {
  Bytes bytes;
  uint16_t mode = 0;
  uint64_t size = 0, extents = 0;
  uint32_t links = 0, uid = 0, gid = 0;
  int64_t mtime = 0;
  Place place = Place::kExtents;
  Bytes data, attributes;  // the two forks as they stand in the inode
  bool attributes_inside = false, realtime = false;
};

struct Run {                       // blocks of a file behind each other
  uint64_t offset = 0, count = 0;  // in blocks of the file
  Bytes bytes;                     // none: allocated, not written
};

class Image {
 public:
  Image(Bytes whole, const Super& super, Sink* into) : whole_(whole), s_(super), into_(into) {}

  Result<Inode> inode(uint64_t number);
  Result<std::vector<Run>> runs(const Inode& inode);
  Result<std::vector<Listed>> list(const Inode& inode);
  Result<std::string> target(const Inode& inode);
  std::vector<std::pair<std::string, std::string>> attributes(const Inode& inode);
  Result<bool> claim_log();  // whether the newest record says that the file system was unmounted, or there is none
  void claim_groups();       // the sectors that head each group, and the roots of its trees

 private:
  Result<void> add_extents(Bytes records, uint64_t count, std::vector<Run>& out);
  Result<void> add_tree(uint64_t block, unsigned level, std::vector<Run>& out);
  Result<Bytes> blocks(uint64_t number, uint64_t count, std::string_view what);
  Result<void> list_block(Bytes block, uint64_t at, std::vector<Listed>& out);
  Result<std::vector<Listed>> list_inside(const Inode& inode);
  void claim(Bytes bytes);
  void claim_chunk(uint64_t number, uint64_t at);

  Bytes whole_;
  const Super& s_;
  Sink* into_;
  std::set<uint64_t> chunks_;  // of inodes, that are claimed
};

}  // namespace assay::unpack::xfs
