// C2SP tlog-tiles: where a tree's hashes and entries lie, 256 to a file, and reading them back.
#pragma once
#include "certify/merkle.h"

#include <map>

namespace assay::certify {

inline constexpr uint64_t kTileWidth = 256;

std::string tile_path(unsigned level, uint64_t index, uint64_t width);  // "tile/0/x001/234.p/5"
std::string bundle_path(uint64_t index, uint64_t width);                // "tile/entries/…"

using TileReader = std::function<Result<std::string>(const std::string& path)>;
TileReader tiles_in(const std::string& folder);

// The subtrees of the tree of `size` entries, out of its tiles; each tile is read once.
class Tree {
 public:
  Tree(TileReader reader, uint64_t size) : reader_(std::move(reader)), size_(size) {}
  Result<Digest> subtree(unsigned level, uint64_t index);
  Result<Digest> root();
  Result<std::vector<Digest>> inclusion(uint64_t index);
  Result<std::vector<Digest>> consistency(uint64_t old_size);
  Result<std::vector<std::string>> bundle(uint64_t index) const;  // the entries of bundle `index`

 private:
  Result<const std::string*> tile(unsigned level, uint64_t index);
  Subtree source() {
    return [this](unsigned level, uint64_t index) { return subtree(level, index); };
  }

  TileReader reader_;
  uint64_t size_;
  std::map<std::pair<unsigned, uint64_t>, std::string> tiles_;
};

std::string pack_entries(std::span<const std::string> entries);
Result<std::vector<std::string>> unpack_entries(std::string_view bundle, uint64_t count, const std::string& path);

}  // namespace assay::certify
