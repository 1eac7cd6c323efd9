// The walk through a file system whose directories name inodes: paths, hard links, loops and depth are the same for
// all of them. What an image says is not believed: a directory met twice, a name no system can look up, and a tree
// deeper than any path are problems, and the rest goes on.
#pragma once
#include "unpack/format.h"
#include "unpack/formats/inode_tree.h"

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

// What the inodes of all of them say, in st_mode's words (POSIX sys/stat.h); an error where `mode` is no kind of entry.
// `at`: where the inode is stored, `mode_at`: where its mode is, from there.
template <class Inode>
Result<Found> found(const Inode& inode, uint64_t at, uint64_t mode_at) {
  const auto kind = kind_of_mode(inode.mode);
  if (!kind) return fail(Fault::kMalformed, "mode " + std::to_string(inode.mode), at + mode_at);
  Found out{.node = {}, .links = inode.links, .at = at};
  out.node.kind = *kind;
  out.node.mode = inode.mode & 07777;
  out.node.uid = inode.uid;
  out.node.gid = inode.gid;
  out.node.mtime = inode.mtime;
  return out;
}
// What is said where a file system was in use when it was copied. `field`: where it says so.
inline Error not_replayed(std::string_view journal, uint64_t field) {
  return {Fault::kUnsupported,
          "it was not unmounted and its " + std::string(journal) + " is not replayed: what stands there may be newer",
          field};
}
inline bool is_device(Kind kind) { return kind == Kind::kCharDevice || kind == Kind::kBlockDevice; }

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
