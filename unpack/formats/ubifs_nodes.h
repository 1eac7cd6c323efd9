// The nodes of a UBIFS image and the fields of theirs that matter here.
#pragma once
#include "unpack/format.h"

namespace assay::unpack {

enum class UbifsType : uint8_t {
  kInode,
  kData,
  kEntry,
  kXattrEntry,
  kTruncation,
  kPadding,
  kSuper,
  kMaster,
  kReference,
  kIndex,
  kCommitStart,
  kOrphan,
  kAuthentication
};

constexpr uint64_t kUbifsHeaderSize = 24, kUbifsBlock = 4096;

struct UbifsNode {
  UbifsType type = UbifsType::kInode;
  uint64_t sequence = 0;
  Bytes bytes;  // the whole node

  uint32_t word(uint64_t at) const { return bytes.le<uint32_t>(at, "field").value_or(0); }
  uint64_t wide(uint64_t at) const { return bytes.le<uint64_t>(at, "field").value_or(0); }
  uint16_t half(uint64_t at) const { return bytes.le<uint16_t>(at, "field").value_or(0); }
  // Of the simple key format, in inodes, data and entries: the inode, and the block number or the hash of the name.
  uint32_t key_inode() const { return word(24); }
  uint32_t key_block() const { return word(28) & 0x1fffffff; }
};

// A node whose checksum holds and which has all fields of its type (kUnsupported: only the checksum holds).
Result<UbifsNode> read_ubifs_node(Bytes whole, uint64_t at);

struct UbifsSuper {
  uint32_t flags = 0, min_io = 0, block = 0, count = 0, most = 0, log_blocks = 0, lpt_blocks = 0, orphan_blocks = 0,
           save_count = 0, version = 0;
  uint16_t compression = 0;
  uint8_t key_format = 0, key_hash = 0;
};
constexpr uint32_t kUbifsAuthenticated = 0x20, kUbifsEncrypted = 0x10, kUbifsBigTree = 0x02;

Result<UbifsSuper> read_ubifs_super(Bytes from);

// The tree of block properties (free and dirty space) has small nodes of its own: claims those whose checksum holds.
Result<void> claim_ubifs_properties(Bytes whole, const UbifsSuper& super, Sink& into);

}  // namespace assay::unpack
