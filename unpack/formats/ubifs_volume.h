// The state of a UBIFS file system: its committed index with the journal replayed over it.
#pragma once
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/ubifs_nodes.h"

namespace assay::unpack {

struct UbifsEntry {
  uint64_t inode = 0;
  uint8_t type = 0;
  uint64_t at = 0;
};

struct UbifsVolume {
  std::map<uint32_t, UbifsNode> inodes;
  std::map<uint32_t, std::map<uint32_t, UbifsNode>> data;         // of an inode, by block number
  std::map<uint32_t, std::map<std::string, UbifsEntry>> entries;  // of a directory
  std::map<uint32_t, std::map<std::string, UbifsEntry>> xattrs;   // of an inode: the inode that holds the value
};

// Claims every good node as header, follows the index, replays the journal. When the index is broken, every good node
// counts in the order of sequence numbers, and a problem says so.
Result<UbifsVolume> read_ubifs_volume(Bytes whole, const UbifsSuper& super, Sink& into);

}  // namespace assay::unpack
