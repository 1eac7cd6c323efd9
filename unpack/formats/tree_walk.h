// The walk through a file system whose directories name inodes: paths, hard links, loops and depth are the same for
// all of them. What an image says is not believed: a directory met twice, a name no system can look up, and a tree
// deeper than any path are problems, and the rest goes on.
#pragma once
#include "unpack/format.h"

#include <string>
#include <vector>

namespace assay::unpack {

struct Listed {  // an entry of a directory
  std::string name;
  uint64_t inode = 0;
  uint64_t at = 0;  // where it is stored
};

struct Found {         // an inode
  Node node;           // without its path
  uint32_t links = 1;  // names that lead to it, as it says itself; 1: it is not remembered
  uint64_t at = 0;     // where it is stored
};

class TreeSource {
 public:
  virtual ~TreeSource() = default;
  virtual Result<Found> find(uint64_t inode) = 0;
  virtual Result<std::vector<Listed>> list(uint64_t inode) = 0;  // of a directory; "." and ".." may be among them
  virtual Result<Content> content(uint64_t inode) = 0;           // of a file; an error makes it unreadable
};

// Gives everything from `root` down to the sink, a parent before its children, in the order of its entries.
Result<void> walk_tree(TreeSource& source, uint64_t root, Sink& into);

}  // namespace assay::unpack
