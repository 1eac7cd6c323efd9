// Examines the files that a container stores while they are decoded, so that those in which nothing lies need no task
// of their own. What was decoded in vain in search of something is charged as always: a leaf whose turn comes when the
// budget would not have allowed it is opened again.
#pragma once
#include "engine/protocol.h"

#include <map>

namespace assay::engine {

class Leaves final : public unpack::Onlooker {
 public:
  // `forget`: no one will ask for their bytes.
  Leaves(const unpack::Keys& keys, bool forget, std::vector<Leaf>& found)
      : keys_(keys), forget_(forget), found_(found) {}
  bool saw(size_t number, const Entry& entry, Bytes bytes) override;

 private:
  static constexpr uint64_t kMostInVain = 128 << 10;
  bool examine(size_t number, const Entry& entry, Bytes bytes);

  const unpack::Keys& keys_;
  const bool forget_;
  std::vector<Leaf>& found_;
  unpack::LocalArena in_vain_{kMostInVain};  // what a file is decoded to: its own bytes wait in the worker's arena
  std::map<Digest, bool> known_;             // larger files, and whether each was one
};

}  // namespace assay::engine
