// Builds Verified Boot metadata for tests, signed with keys made anew through openssl.
#pragma once
#include "test/unpack/build.h"
#include "unpack/examine.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <map>
#include <memory>

namespace assay::unpack::avb {

inline std::string padded(std::string text, size_t to) {
  text.resize((text.size() + to - 1) / to * to, '\0');
  return text;
}

inline std::string digest(const std::string& algorithm, const std::string& text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), out, &size, EVP_get_digestbyname(algorithm.c_str()), nullptr);
  return {reinterpret_cast<const char*>(out), size};
}

inline EVP_PKEY* key(int bits) {  // one a size, kept for the whole program
  static std::map<int, std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>> keys;
  auto& made = keys.try_emplace(bits, nullptr, EVP_PKEY_free).first->second;
  if (!made) made.reset(EVP_RSA_gen(static_cast<unsigned>(bits)));
  return made.get();
}

inline std::string key_blob(int bits) {
  BIGNUM* n = nullptr;
  EVP_PKEY_get_bn_param(key(bits), OSSL_PKEY_PARAM_RSA_N, &n);
  std::string modulus(static_cast<size_t>(bits / 8), '\0');
  BN_bn2binpad(n, reinterpret_cast<unsigned char*>(modulus.data()), bits / 8);
  BN_free(n);
  return big(static_cast<uint64_t>(bits)) + big(0) + modulus + std::string(modulus.size(), '\0');
}

inline std::string signature(int bits, const std::string& algorithm, const std::string& text) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string out(static_cast<size_t>(bits / 8), '\0');
  size_t size = out.size();
  EVP_DigestSignInit(context, nullptr, EVP_get_digestbyname(algorithm.c_str()), nullptr, key(bits));
  EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                 reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MD_CTX_free(context);
  return out;
}

inline std::string descriptor(uint64_t tag, const std::string& fields) {
  const std::string body = padded(fields, 8);
  return big(tag, 8) + big(body.size(), 8) + body;
}

inline std::string property(const std::string& name, const std::string& value) {
  return descriptor(0, big(name.size(), 8) + big(value.size(), 8) + name + '\0' + value + '\0');
}

inline std::string hash(const std::string& name, const std::string& algorithm, uint64_t size, const std::string& salt,
                        const std::string& of) {
  return descriptor(2, big(size, 8) + filled(algorithm, 32) + big(name.size()) + big(salt.size()) + big(of.size()) +
                           big(0) + std::string(60, '\0') + name + salt + of);
}

inline std::string command_line(const std::string& text) { return descriptor(3, big(0) + big(text.size()) + text); }

inline std::string chain(const std::string& name, uint32_t location) {
  return descriptor(4, big(location) + big(name.size()) + big(4) + std::string(64, '\0') + name + "key.");
}

struct HashTree {
  std::string bytes, root;
};

inline std::string level_of(const std::string& data, const std::string& algorithm, const std::string& salt) {
  std::string level;
  for (size_t at = 0; at < data.size(); at += 4096) {
    std::string one = digest(algorithm, salt + data.substr(at, 4096));
    one.resize(std::bit_ceil(one.size()), '\0');
    level += one;
  }
  return level;
}

// Levels of 4096-byte blocks, the top one first, as dm-verity has them.
inline HashTree hash_tree(const std::string& data, const std::string& algorithm, const std::string& salt) {
  HashTree tree;
  std::string below = data;
  while (below.size() > 4096) {
    below = padded(level_of(below, algorithm, salt), 4096);
    tree.bytes = below + tree.bytes;
  }
  tree.root = digest(algorithm, salt + below);
  return tree;
}

inline std::string tree_descriptor(const std::string& name, const std::string& data, const std::string& algorithm,
                                   const std::string& salt, const HashTree& tree) {
  return descriptor(1, big(1) + big(data.size(), 8) + big(data.size(), 8) + big(tree.bytes.size(), 8) + big(4096) +
                           big(4096) + big(0) + big(0, 8) + big(0, 8) + filled(algorithm, 32) + big(name.size()) +
                           big(salt.size()) + big(tree.root.size()) + big(0) + std::string(60, '\0') + name + salt +
                           tree.root);
}

// `bits`: of the RSA key; 0 leaves it unsigned.
inline std::string vbmeta(const std::string& descriptors, int bits, const std::string& algorithm = "sha256") {
  const std::string blob = bits ? key_blob(bits) : "";
  const std::string auxiliary = padded(descriptors + blob, 64);
  const size_t hash_size = bits ? digest(algorithm, "").size() : 0, signature_size = static_cast<size_t>(bits / 8);
  const std::string blank = padded(std::string(hash_size + signature_size, '\0'), 64);
  const int number = (bits == 2048 ? 1 : bits == 4096 ? 2 : bits ? 3 : 0) + (bits && algorithm == "sha512" ? 3 : 0);
  const std::string header = filled(
      "AVB0" + big(1) + big(0) + big(blank.size(), 8) + big(auxiliary.size(), 8) + big(static_cast<uint64_t>(number)) +
          big(0, 8) + big(hash_size, 8) + big(hash_size, 8) + big(signature_size, 8) + big(descriptors.size(), 8) +
          big(blob.size(), 8) + big(descriptors.size() + blob.size(), 8) + big(0, 8) + big(0, 8) +
          big(descriptors.size(), 8) + big(7, 8) + big(0) + big(0) + filled("own builder", 48),
      256);
  if (!bits) return header + auxiliary;
  const std::string text = header + auxiliary;
  return header + padded(digest(algorithm, text) + signature(bits, algorithm, text), 64) + auxiliary;
}

// Image, tree, vbmeta at the next 4096 bytes, footer at the end of a partition of `size` bytes.
inline std::string with_footer(const std::string& image, const std::string& tree, const std::string& meta,
                               size_t size) {
  std::string partition = padded(image + tree, 4096);
  const size_t at = partition.size();
  partition = filled(partition + meta, size);
  put(partition, size - 64, "AVBf" + big(1) + big(0) + big(image.size(), 8) + big(at, 8) + big(meta.size(), 8));
  return partition;
}

}  // namespace assay::unpack::avb
