// The nodes of a JFFS2 file system in the order of the flash, and how far the file system reaches.
#pragma once
#include "unpack/format.h"

#include <vector>

namespace assay::unpack {

constexpr uint16_t kJffs2Accurate = 0x2000;  // cleared in place when a node becomes obsolete
constexpr uint16_t kJffs2Dirent = 0xe001, kJffs2Inode = 0xe002, kJffs2CleanMarker = 0x2003, kJffs2Padding = 0x2004,
                   kJffs2Summary = 0x2006, kJffs2Xattr = 0xe008, kJffs2Xref = 0xe009;

constexpr uint32_t kJffs2HeaderSize = 12, kJffs2DirentSize = 40, kJffs2InodeSize = 68, kJffs2SummarySize = 32,
                   kJffs2XattrSize = 32, kJffs2XrefSize = 28;

struct Jffs2Node {
  uint64_t at = 0;
  uint32_t length = 0;  // without the bytes up to the next multiple of 4
  uint16_t type = 0;    // with kJffs2Accurate set
  bool obsolete = false;

  uint64_t end() const { return at + ((uint64_t{length} + 3) & ~uint64_t{3}); }
};

struct Jffs2Nodes {
  Order order = Order::kLittle;
  uint16_t magic = 0;
  uint64_t erase_block = 0;  // 0: not known (no two clean markers)
  uint64_t length = 0;       // of the file system: the last node, and the erased flash behind it
  std::vector<Jffs2Node> nodes;
};

// A node's own checksum over its fixed fields; true for types that have none. The header's is checked already.
bool jffs2_node_holds(Bytes whole, Order order, const Jffs2Node& node);

// Fails when no node with a good checksum stands at the first byte.
Result<Jffs2Nodes> read_jffs2_nodes(Bytes from);

}  // namespace assay::unpack
