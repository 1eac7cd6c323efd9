// RFC 6962 section 2.1: the Merkle tree of a log, and the two proofs, as they are checked. Where the hashes of a tree
// come from is a function, so that the same code proves from tiles on disk, over HTTP and from memory.
#pragma once
#include "core/hash.h"

#include <functional>
#include <vector>

namespace assay::certify {

Digest leaf_hash(std::string_view entry);
Digest node_hash(const Digest& left, const Digest& right);
// The root over such hashes, one behind the other, 32 bytes each; their number is a power of two.
Digest root_of_hashes(std::string_view hashes);
Digest empty_root();
Digest digest_of_bytes(std::string_view bytes);  // 32 of them, as they are
std::string_view bytes_of(const Digest& digest);

// The hash of the complete subtree over the leaves [index << level, (index + 1) << level).
using Subtree = std::function<Result<Digest>(unsigned level, uint64_t index)>;

Result<Digest> root_of(uint64_t size, const Subtree& subtree);
Result<std::vector<Digest>> inclusion_proof(uint64_t index, uint64_t size, const Subtree& subtree);
Result<std::vector<Digest>> consistency_proof(uint64_t old_size, uint64_t size, const Subtree& subtree);

bool verify_inclusion(const Digest& leaf, uint64_t index, uint64_t size, const std::vector<Digest>& proof,
                      const Digest& root);
bool verify_consistency(uint64_t old_size, const Digest& old_root, uint64_t size, const Digest& root,
                        const std::vector<Digest>& proof);

}  // namespace assay::certify
