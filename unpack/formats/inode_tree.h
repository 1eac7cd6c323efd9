// From "directory, name, inode" to paths, for file systems that keep names and inodes apart (JFFS2, UBIFS, YAFFS).
// The entries are an image's: loops, a directory with two names and names no system can look up are problems here.
#pragma once
#include "unpack/format.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace assay::unpack {

struct DirectoryEntry {
  uint64_t inode = 0;
  Kind kind = Kind::kFile;  // as the entry says; the inode itself may say otherwise
  uint64_t at = 0;          // where the entry is stored
};
using Directories = std::map<uint64_t, std::map<std::string, DirectoryEntry>>;  // of a directory's inode: name, entry

struct Visit {
  std::string path;
  DirectoryEntry entry;
  Kind kind;          // as the inode says
  std::string first;  // the path this inode was met under before: this is a hard link. Empty: the first name
};

class InodeTree {
 public:
  // `kind_of`: what an inode is; none: no inode of that number can be read, the entry's word stands.
  InodeTree(const Directories& directories, std::function<std::optional<Kind>(uint64_t)> kind_of, Sink& into)
      : directories_(directories), kind_of_(std::move(kind_of)), into_(into) {}

  // Calls `emit` for everything below `inode`, a parent before its children, otherwise in the order of names.
  Result<void> walk(uint64_t inode, const std::string& path, const std::function<Result<void>(const Visit&)>& emit);
  // The same for a whole volume: `root` itself where it is `stored`, what lies below it, then each directory that
  // nothing names, as a problem and a folder "<word>-<number>" (first those that no other of them names).
  Result<void> walk_volume(uint64_t root, bool stored, const std::string& word,
                           const std::function<Result<void>(const Visit&)>& emit);
  bool visited(uint64_t inode) const { return first_path_.contains(inode); }

 private:
  struct Directory {
    uint64_t inode;
    std::string path;
    uint32_t depth;
  };
  Result<void> list(const Directory& directory, std::vector<Directory>& below,
                    const std::function<Result<void>(const Visit&)>& emit);
  std::vector<uint64_t> lost_directories() const;

  const Directories& directories_;
  std::function<std::optional<Kind>(uint64_t)> kind_of_;
  Sink& into_;
  std::map<uint64_t, std::string> first_path_;
};

// Whether a name can stand for one component of a path: not empty, ".", "..", and without '/' and NUL.
bool is_component(std::string_view name);

// Of st_mode's type bits (POSIX's values, as Linux stores them); none for a value that means nothing.
std::optional<Kind> kind_of_mode(uint32_t mode);
// Linux's encodings of device numbers: 16 bits (8 and 8), and 32 bits (12 major, 20 minor in two pieces).
uint64_t device_of_old(uint16_t stored);
uint64_t device_of_new(uint32_t stored);

}  // namespace assay::unpack
