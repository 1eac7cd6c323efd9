// Entries into tiles, and a log's tiles held against its checkpoint.
#pragma once
#include "certify/checkpoint.h"
#include "certify/tiles.h"

namespace assay::certify {

// Writes the tiles and bundles that `entries` add to the tree of `before`, durably; the new root. Refuses when the
// tiles on disk do not have the root that `before` was signed for: nothing is ever signed on top of a changed tree.
Result<Digest> integrate(const std::string& folder, const Checkpoint& before, const std::vector<std::string>& entries);

// Every entry hashed, every tile compared, the root computed from the entries alone.
Result<void> verify_tree(const TileReader& reader, const Checkpoint& checkpoint);

}  // namespace assay::certify
