// See crypt.h. Single DES is not in OpenSSL's default provider; triple DES with three equal keys is the same function.
#include "unpack/crypt.h"

#include <openssl/evp.h>

#include <memory>

namespace assay::unpack {
namespace {

constexpr size_t kDesBlock = 8;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::optional<std::string> cipher(std::string_view bytes, const EVP_CIPHER* kind, std::string_view key,
                                  std::string_view vector, bool encrypt) {
  const Context context(EVP_CIPHER_CTX_new());
  if (!context || bytes.size() > (1u << 30) ||
      EVP_CipherInit_ex(context.get(), kind, nullptr, raw(key), vector.empty() ? nullptr : raw(vector), encrypt) != 1)
    return std::nullopt;
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  std::string out(bytes.size() + 32, '\0');
  int first = 0, last = 0;
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  if (EVP_CipherUpdate(context.get(), to, &first, raw(bytes), static_cast<int>(bytes.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), to + first, &last) != 1)
    return std::nullopt;
  out.resize(static_cast<size_t>(first) + static_cast<size_t>(last));
  return out;
}

std::optional<std::string> des_ecb(std::string_view bytes, std::string_view key, bool encrypt) {
  if (key.size() != kDesBlock) return std::nullopt;
  const std::string triple = std::string(key) + std::string(key) + std::string(key);
  const size_t whole = bytes.size() / kDesBlock * kDesBlock;
  auto out = cipher(bytes.substr(0, whole), EVP_des_ede3_ecb(), triple, {}, encrypt);
  if (out) *out += bytes.substr(whole);
  return out;
}

}  // namespace

std::optional<std::string> des_ecb_decrypt(std::string_view bytes, std::string_view key) {
  return des_ecb(bytes, key, false);
}

std::optional<std::string> des_ecb_encrypt(std::string_view bytes, std::string_view key) {
  return des_ecb(bytes, key, true);
}

std::optional<std::string> openssl_aes256_decrypt(std::string_view bytes, std::string_view salt,
                                                  std::string_view passphrase, KeyHash hash) {
  unsigned char key[EVP_MAX_KEY_LENGTH], vector[EVP_MAX_IV_LENGTH];
  const EVP_MD* digest = hash == KeyHash::kMd5 ? EVP_md5() : EVP_sha256();
  if (salt.size() != 8 || bytes.empty() || bytes.size() % 16 ||
      EVP_BytesToKey(EVP_aes_256_cbc(), digest, raw(salt), raw(passphrase), static_cast<int>(passphrase.size()), 1, key,
                     vector) != 32)
    return std::nullopt;
  auto out = cipher(bytes, EVP_aes_256_cbc(), {reinterpret_cast<char*>(key), 32}, {reinterpret_cast<char*>(vector), 16},
                    false);
  if (!out || out->empty()) return std::nullopt;
  const auto padding = static_cast<unsigned char>(out->back());
  if (padding < 1 || padding > 16 || padding > out->size()) return std::nullopt;
  for (size_t i = out->size() - padding; i < out->size(); ++i)
    if (static_cast<unsigned char>((*out)[i]) != padding) return std::nullopt;
  out->resize(out->size() - padding);
  return out;
}

}  // namespace assay::unpack
