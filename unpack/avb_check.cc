// See avb.h: hashes, signatures and hash trees, through libcrypto.
//
// A tree's levels lie behind each other, the top one first; the last one holds the digests of the blocks of data. Each
// digest is over salt and block, stored at the next power of two of its size; a level ends in zeros up to a whole
// block. Source: Linux, Documentation/admin-guide/device-mapper/verity.rst; avbtool.py, generate_hash_tree.
#include "core/freed.h"
#include "core/hash.h"
#include "core/text.h"
#include "unpack/avb.h"
#include "unpack/describe.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <bit>
#include <memory>

namespace assay::unpack {
namespace {

using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

const unsigned char* raw(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

struct Algorithm {
  std::string_view name;
  uint32_t bits;
  const EVP_MD* (*digest)();
};
constexpr Algorithm kAlgorithms[] = {{"none", 0, nullptr},
                                     {"rsa2048-sha256", 2048, EVP_sha256},
                                     {"rsa4096-sha256", 4096, EVP_sha256},
                                     {"rsa8192-sha256", 8192, EVP_sha256},
                                     {"rsa2048-sha512", 2048, EVP_sha512},
                                     {"rsa4096-sha512", 4096, EVP_sha512},
                                     {"rsa8192-sha512", 8192, EVP_sha512}};

const Algorithm* algorithm_of(const AvbImage& image) {
  return image.algorithm < std::size(kAlgorithms) ? &kAlgorithms[image.algorithm] : nullptr;
}

const EVP_MD* digest_named(std::string_view name) {
  return name == "sha1" ? EVP_sha1() : name == "sha256" ? EVP_sha256() : name == "sha512" ? EVP_sha512() : nullptr;
}

// Hashes behind a salt; the state after the salt is kept, for there are many blocks.
class Salted {
 public:
  Salted(const EVP_MD* kind, Bytes salt) : start_(EVP_MD_CTX_new()), work_(EVP_MD_CTX_new()) {
    ASSAY_CHECK(start_ && work_ && EVP_DigestInit_ex(start_.get(), kind, nullptr) == 1 &&
                EVP_DigestUpdate(start_.get(), salt.data(), salt.size()) == 1);
  }
  std::string operator()(Bytes block) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    ASSAY_CHECK(EVP_MD_CTX_copy_ex(work_.get(), start_.get()) == 1 &&
                EVP_DigestUpdate(work_.get(), block.data(), block.size()) == 1 &&
                EVP_DigestFinal_ex(work_.get(), out, &size) == 1);
    return {reinterpret_cast<const char*>(out), size};
  }

 private:
  DigestContext start_, work_;
};

Key rsa_key(Bytes modulus) {
  const Number n(BN_bin2bn(raw(modulus), static_cast<int>(modulus.size()), nullptr)), e(BN_new());
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || BN_set_word(e.get(), 65537) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return Key(key);
}

bool verifies(EVP_PKEY* key, const EVP_MD* digest, const AvbImage& image) {
  const DigestContext context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerifyUpdate(context.get(), image.header.data(), image.header.size()) == 1 &&
         EVP_DigestVerifyUpdate(context.get(), image.auxiliary.data(), image.auxiliary.size()) == 1 &&
         EVP_DigestVerifyFinal(context.get(), raw(image.signature), image.signature.size()) == 1;
}

constexpr std::string_view kTrees = "hash-tree", kChecksum = "checksum";

Integrity about(const AvbDescriptor& d, uint64_t base) {
  const bool tree = d.tag == AvbTag::kHashTree;
  return {.kind = std::string(tree ? kTrees : kChecksum),
          .name = (tree ? "hash tree of partition " : "hash of partition ") + escape(d.name),
          .algorithm = escape(d.algorithm),
          .state = "valid",
          .offset = d.all.base() - base};
}

struct Tree {
  std::vector<std::pair<uint64_t, uint64_t>> levels;  // offset in the tree, blocks; from the top down
  uint64_t size = 0, digest = 0;
};

bool is_block_size(uint32_t size) { return std::has_single_bit(size) && size >= 512 && size <= (1u << 20); }

// The shape that follows from the sizes; none where they contradict each other.
std::optional<Tree> shape(const AvbDescriptor& d, const EVP_MD* kind) {
  if (d.verity_version != 1 || !is_block_size(d.data_block) || !is_block_size(d.hash_block) || d.image_size == 0 ||
      d.image_size % d.data_block)
    return std::nullopt;
  Tree tree;
  tree.digest = std::bit_ceil(static_cast<uint64_t>(EVP_MD_get_size(kind)));
  for (uint64_t blocks = d.image_size / d.data_block; blocks > 1;) {
    blocks = (blocks * tree.digest + d.hash_block - 1) / d.hash_block;
    tree.levels.emplace_back(0, blocks);
    tree.size += blocks * d.hash_block;
  }
  std::ranges::reverse(tree.levels);
  uint64_t at = 0;
  for (auto& [offset, blocks] : tree.levels) offset = at, at += blocks * d.hash_block;
  if (tree.size > d.tree_size) return std::nullopt;
  return tree;
}

struct Differ {
  uint64_t blocks = 0, differ = 0, first = 0;
};

// Every block of `region` against the digests stored in `digests`.
void compare(Bytes region, uint32_t block, Bytes digests, uint64_t width, Salted& hash, Differ& found) {
  for (uint64_t at = 0, i = 0; at < region.size(); at += block, ++i) {
    ++found.blocks;
    const std::string computed = hash(region.head(block, at));
    if (checksum_holds(std::string_view(computed), digests.head(computed.size(), i * width).text())) continue;
    if (found.differ++ == 0) found.first = region.base() + at;
  }
}

Differ compare_tree(const AvbDescriptor& d, const Tree& tree, Bytes data, Bytes stored, const EVP_MD* kind) {
  Salted hash(kind, d.salt);
  Differ found;
  Bytes digests = d.digest;
  for (const auto& [offset, blocks] : tree.levels) {
    const Bytes level = stored.head(blocks * d.hash_block, offset);
    compare(level, d.hash_block, digests, tree.digest, hash, found);
    digests = level;
  }
  compare(data, d.data_block, digests, tree.digest, hash, found);
  return found;
}

}  // namespace

std::string avb_algorithm(const AvbImage& image) {
  const Algorithm* algorithm = algorithm_of(image);
  return algorithm ? std::string(algorithm->name) : "algorithm " + std::to_string(image.algorithm);
}

AvbState check_avb_hash(const AvbImage& image) {
  const Algorithm* algorithm = algorithm_of(image);
  if (!algorithm) return AvbState::kNotCheckable;
  if (!algorithm->digest) return AvbState::kUnsigned;
  const DigestContext context(EVP_MD_CTX_new());
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!context || EVP_DigestInit_ex(context.get(), algorithm->digest(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), image.header.data(), image.header.size()) != 1 ||
      EVP_DigestUpdate(context.get(), image.auxiliary.data(), image.auxiliary.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), out, &size) != 1)
    return AvbState::kNotCheckable;
  const std::string_view computed(reinterpret_cast<const char*>(out), size);
  return checksum_holds(computed, image.hash.text()) ? AvbState::kValid : AvbState::kInvalid;
}

AvbState check_avb_signature(const AvbImage& image) {
  const Algorithm* algorithm = algorithm_of(image);
  if (!algorithm) return AvbState::kNotCheckable;
  if (!algorithm->digest) return AvbState::kUnsigned;
  const uint64_t bytes = algorithm->bits / 8;
  const auto bits = image.key.be<uint32_t>(0, "key's bits");
  if (!bits || *bits != algorithm->bits || image.key.size() < 8 + bytes) return AvbState::kInvalid;
  const Key key = rsa_key(image.key.head(bytes, 8));
  return key && verifies(key.get(), algorithm->digest(), image) ? AvbState::kValid : AvbState::kInvalid;
}

std::string avb_key_id(Bytes key) { return key.empty() ? std::string() : hex(sha1(key)); }

std::string_view known_test_key(std::string_view id) {
  // external/avb/test/data: keys that vendors ship by mistake; everyone can sign with them.
  if (id == "cdbb77177f731920bbe0a0f94f84d9038ae0617d") return "testkey_rsa2048";
  if (id == "2597c218aae470a130f61162feaae70afd97f011") return "testkey_rsa4096";
  if (id == "5227b569de003adc7f8ec3fc03e05dfbd969abad") return "testkey_rsa8192";
  return {};
}

Integrity avb_not_checkable(const AvbDescriptor& d, uint64_t base, std::string why) {
  Integrity i = about(d, base);
  i.state = "not-checkable";
  i.detail = std::move(why);
  return i;
}

Integrity check_avb_image_hash(const AvbDescriptor& d, Bytes covered, uint64_t base) {
  const EVP_MD* kind = digest_named(d.algorithm);
  if (!kind) return avb_not_checkable(d, base, "algorithm " + escape(d.algorithm) + " is not computed");
  if (d.digest.empty()) return avb_not_checkable(d, base, "the digest is kept on the device");
  if (covered.size() < d.image_size)
    return avb_not_checkable(d, base, "it covers " + std::to_string(d.image_size) + " bytes, more than there are");
  Integrity i = about(d, base);
  const std::string computed = Salted(kind, d.salt)(covered.head(d.image_size));
  if (!checksum_holds(std::string_view(computed), d.digest.text())) i.state = "invalid";
  return i;
}

Result<Integrity> check_avb_tree(const AvbDescriptor& d, Bytes partition, Sink& into) {
  const uint64_t base = partition.base();
  const EVP_MD* kind = digest_named(d.algorithm);
  if (!kind) return avb_not_checkable(d, base, "algorithm " + escape(d.algorithm) + " is not computed");
  if (d.digest.empty()) return avb_not_checkable(d, base, "the root digest is kept on the device");
  const auto tree = shape(d, kind);
  if (!tree) return avb_not_checkable(d, base, "the sizes of image, blocks and tree contradict each other");
  const auto data = partition.slice(0, d.image_size, "image"), stored = partition.slice(d.tree_offset, tree->size, "");
  if (!data || !stored) return avb_not_checkable(d, base, "image or tree are not whole in this partition");
  TRY_VOID(into.step(1 + d.image_size / d.data_block + tree->size / d.hash_block));
  const Differ found = compare_tree(d, *tree, *data, *stored, kind);
  Integrity i = about(d, base);
  if (found.differ == 0) return i;
  i.state = "invalid";
  i.detail = std::to_string(found.differ) + " of " + std::to_string(found.blocks) + " blocks differ, the first at " +
             hex_number(found.first);
  return i;
}

}  // namespace assay::unpack
