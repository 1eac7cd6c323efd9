// The input as the engine sees it: one range of bytes, or a directory tree read without following anything.
#pragma once
#include "engine/arena.h"

#include <optional>

namespace assay::engine {

struct Input {
  SharedArena arena;  // 0
  std::string name;   // last component of the path; "stdin" for standard input
  uint64_t size = 0;
  Digest sha256;                      // of a directory: of its listing (names, modes, targets, content digests)
  std::optional<Unpacked> directory;  // the tree, its files' contents in the arena
  std::vector<Problem> problems;      // what could not be read in a directory
};

// `path`: a file, a directory, or "-". A directory is read with lstat and openat below its root only: regular files are
// copied, links and devices are entries without content. With `likeness` no digest is made, of the input nor of files.
Result<Input> open_input(const std::string& path, const std::shared_ptr<Likeness>& likeness = {});

}  // namespace assay::engine
