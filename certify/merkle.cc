#include "certify/merkle.h"
#include "core/freed.h"

#include <openssl/evp.h>

#include <memory>

namespace assay::certify {
namespace {

// Fetched once: fetching anew for each node costs more than hashing it.
EVP_MD* algorithm() {
  static EVP_MD* const kFetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  ASSAY_CHECK(kFetched);
  return kFetched;
}

Digest hash_of(char prefix, std::string_view first, std::string_view second) {
  thread_local const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  Digest out;
  ASSAY_CHECK(EVP_DigestInit_ex(context.get(), algorithm(), nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), &prefix, 1) == 1 &&
              EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1 &&
              EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), out.bytes.data(), nullptr) == 1);
  return out;
}

uint64_t largest_power_below(uint64_t size) { return std::bit_floor(size - 1); }  // size >= 2

// MTH over [begin, begin + size) where begin is a multiple of the largest power of two not below size.
Result<Digest> range_hash(uint64_t begin, uint64_t size, const Subtree& subtree) {
  if (std::has_single_bit(size)) {
    const unsigned level = static_cast<unsigned>(std::countr_zero(size));
    return subtree(level, begin >> level);
  }
  const uint64_t left = largest_power_below(size);
  return node_hash(TRY(range_hash(begin, left, subtree)), TRY(range_hash(begin + left, size - left, subtree)));
}

// Section 2.1.2's SUBPROOF over [begin, begin + size), old leaves of it kept; `whole`: old was a complete subtree so
// far.
Result<void> subproof(uint64_t old, uint64_t begin, uint64_t size, bool whole, const Subtree& subtree,
                      std::vector<Digest>& out) {
  if (old == size) {
    if (!whole) out.push_back(TRY(range_hash(begin, size, subtree)));
    return {};
  }
  const uint64_t left = largest_power_below(size);
  if (old <= left) {
    TRY_VOID(subproof(old, begin, left, whole, subtree, out));
    out.push_back(TRY(range_hash(begin + left, size - left, subtree)));
  } else {
    TRY_VOID(subproof(old - left, begin + left, size - left, false, subtree, out));
    out.push_back(TRY(range_hash(begin, left, subtree)));
  }
  return {};
}

// The root that a proof leads to from `at`, the hash of the subtree that ends the path (RFC 9162, 2.1.3.2).
struct Climb {
  uint64_t index, last;
  Digest at;
  bool add(const Digest& sibling) {
    if (last == 0) return false;
    if ((index & 1) || index == last) {
      at = node_hash(sibling, at);
      while (!(index & 1) && index != 0) index >>= 1, last >>= 1;
    } else {
      at = node_hash(at, sibling);
    }
    index >>= 1;
    last >>= 1;
    return true;
  }
};

// RFC 9162, 2.1.4.2, from the first old subtree on.
bool climb_both(uint64_t index, uint64_t last, const Digest& first, std::span<const Digest> path,
                const Digest& old_root, const Digest& root) {
  Digest old = first, now = first;
  for (const Digest& sibling : path) {
    if (last == 0) return false;
    if ((index & 1) || index == last) {
      old = node_hash(sibling, old);
      now = node_hash(sibling, now);
      while (!(index & 1) && index != 0) index >>= 1, last >>= 1;
    } else {
      now = node_hash(now, sibling);
    }
    index >>= 1;
    last >>= 1;
  }
  return last == 0 && old == old_root && now == root;
}

}  // namespace

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}
Digest digest_of_bytes(std::string_view bytes) {
  ASSAY_CHECK(bytes.size() == 32);
  Digest out;
  std::memcpy(out.bytes.data(), bytes.data(), 32);
  return out;
}
Digest leaf_hash(std::string_view entry) { return hash_of('\0', entry, {}); }
Digest node_hash(const Digest& left, const Digest& right) { return hash_of('\1', bytes_of(left), bytes_of(right)); }
Digest root_of_hashes(std::string_view hashes) {
  if (hashes.size() == 32) return digest_of_bytes(hashes);
  const size_t half = hashes.size() / 2;
  return node_hash(root_of_hashes(hashes.substr(0, half)), root_of_hashes(hashes.substr(half)));
}
Digest empty_root() { return sha256(Bytes()); }

Result<Digest> root_of(uint64_t size, const Subtree& subtree) {
  if (size == 0) return empty_root();
  return range_hash(0, size, subtree);
}

Result<std::vector<Digest>> inclusion_proof(uint64_t index, uint64_t size, const Subtree& subtree) {
  if (index >= size)
    return fail(Fault::kMalformed,
                "index " + std::to_string(index) + ": the log has " + std::to_string(size) + " entries");
  std::vector<Digest> out;
  uint64_t begin = 0;
  while (size > 1) {
    const uint64_t left = largest_power_below(size);
    const bool in_left = index - begin < left;
    out.push_back(TRY(in_left ? range_hash(begin + left, size - left, subtree) : range_hash(begin, left, subtree)));
    begin += in_left ? 0 : left;
    size = in_left ? left : size - left;
  }
  return std::vector<Digest>(out.rbegin(), out.rend());
}

Result<std::vector<Digest>> consistency_proof(uint64_t old_size, uint64_t size, const Subtree& subtree) {
  if (old_size > size)
    return fail(Fault::kMalformed,
                "old size " + std::to_string(old_size) + ": the log has " + std::to_string(size) + " entries");
  std::vector<Digest> out;
  if (old_size > 0 && old_size < size) TRY_VOID(subproof(old_size, 0, size, true, subtree, out));
  return out;
}

bool verify_inclusion(const Digest& leaf, uint64_t index, uint64_t size, const std::vector<Digest>& proof,
                      const Digest& root) {
  if (index >= size) return false;
  Climb climb{index, size - 1, leaf};
  for (const Digest& sibling : proof)
    if (!climb.add(sibling)) return false;
  return climb.last == 0 && climb.at == root;
}

bool verify_consistency(uint64_t old_size, const Digest& old_root, uint64_t size, const Digest& root,
                        const std::vector<Digest>& proof) {
  if (old_size > size) return false;
  if (old_size == 0) return proof.empty() && old_root == empty_root();
  if (old_size == size) return proof.empty() && old_root == root;
  std::vector<Digest> path = proof;
  if (std::has_single_bit(old_size)) path.insert(path.begin(), old_root);
  if (path.empty()) return false;
  uint64_t index = old_size - 1, last = size - 1;
  while (index & 1) index >>= 1, last >>= 1;
  return climb_both(index, last, path[0], std::span(path).subspan(1), old_root, root);
}

}  // namespace assay::certify
