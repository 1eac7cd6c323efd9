#include "certify/merkle.h"

#include <gtest/gtest.h>

namespace assay::certify {
namespace {

std::string entry(uint64_t i) { return "entry " + std::to_string(i); }

// Straight from RFC 6962's definition of MTH, to hold the rest against.
Digest definition(uint64_t begin, uint64_t end) {
  if (begin == end) return sha256(Bytes());
  if (end - begin == 1) {
    return sha256(Bytes(std::string(1, '\0') + entry(begin)));
  }
  uint64_t k = 1;
  while (2 * k < end - begin) k *= 2;
  const Digest left = definition(begin, begin + k), right = definition(begin + k, end);
  return sha256(Bytes("\1" + std::string(bytes_of(left)) + std::string(bytes_of(right))));
}

Result<Digest> subtree(unsigned level, uint64_t index) { return definition(index << level, (index + 1) << level); }

TEST(Merkle, RootsFollowTheDefinition) {
  for (uint64_t size = 0; size < 40; ++size) EXPECT_EQ(*root_of(size, subtree), definition(0, size)) << size;
}

TEST(Merkle, InclusionHoldsForItsIndexAlone) {
  for (uint64_t size = 1; size < 20; ++size)
    for (uint64_t index = 0; index < size; ++index) {
      auto proof = *inclusion_proof(index, size, subtree);
      const Digest leaf = leaf_hash(entry(index)), root = definition(0, size);
      EXPECT_TRUE(verify_inclusion(leaf, index, size, proof, root));
      for (uint64_t other = 0; other < size + 2; ++other)
        EXPECT_EQ(verify_inclusion(leaf, other, size, proof, root), other == index) << size << index << other;
      EXPECT_FALSE(verify_inclusion(leaf_hash("other"), index, size, proof, root));
      proof.push_back(leaf);
      EXPECT_FALSE(verify_inclusion(leaf, index, size, proof, root));
    }
  EXPECT_FALSE(inclusion_proof(3, 3, subtree));
}

TEST(Merkle, ConsistencyHoldsForOneHistoryAlone) {
  for (uint64_t size = 0; size < 20; ++size)
    for (uint64_t old = 0; old <= size; ++old) {
      auto proof = *consistency_proof(old, size, subtree);
      const Digest old_root = definition(0, old), root = definition(0, size);
      EXPECT_TRUE(verify_consistency(old, old_root, size, root, proof)) << old << " " << size;
      EXPECT_FALSE(verify_consistency(old, leaf_hash("fork"), size, root, proof));
      if (old > 0) {
        EXPECT_FALSE(verify_consistency(old, old_root, size, leaf_hash("fork"), proof));
      }
      for (size_t i = 0; i < proof.size(); ++i) {
        auto changed = proof;
        changed[i].bytes[5] ^= 1;
        EXPECT_FALSE(verify_consistency(old, old_root, size, root, changed)) << old << " " << size << " " << i;
      }
      proof.push_back(root);
      EXPECT_FALSE(verify_consistency(old, old_root, size, root, proof));
    }
  EXPECT_FALSE(consistency_proof(4, 3, subtree));
}

}  // namespace
}  // namespace assay::certify
