// See crypt.h. Single DES is not in OpenSSL's default provider; triple DES with three equal keys is the same function.
#include "unpack/crypt.h"

#include "core/freed.h"

#include "core/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

namespace assay::unpack {
namespace {

constexpr size_t kDesBlock = 8, kAesBlock = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

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

const EVP_CIPHER* aes_cbc(size_t key_size) {
  return key_size == 16   ? EVP_aes_128_cbc()
         : key_size == 24 ? EVP_aes_192_cbc()
         : key_size == 32 ? EVP_aes_256_cbc()
                          : nullptr;
}

const EVP_CIPHER* aes_ecb(size_t key_size) {
  return key_size == 16   ? EVP_aes_128_ecb()
         : key_size == 24 ? EVP_aes_192_ecb()
         : key_size == 32 ? EVP_aes_256_ecb()
                          : nullptr;
}

constexpr std::string_view kNoVector("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", kAesBlock);

std::optional<std::string> aes(std::string_view bytes, const EVP_CIPHER* kind, std::string_view key,
                               std::string_view vector, bool encrypt) {
  if (!kind || vector.size() != kAesBlock || bytes.size() % kAesBlock) return std::nullopt;
  return cipher(bytes, kind, key, vector, encrypt);
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

OpensslKey openssl_key(std::string_view salt, std::string_view passphrase, KeyHash hash, size_t key_size) {
  unsigned char key[EVP_MAX_KEY_LENGTH], vector[EVP_MAX_IV_LENGTH];
  const EVP_MD* digest = hash == KeyHash::kMd5 ? EVP_md5() : EVP_sha256();
  const EVP_CIPHER* kind = aes_cbc(key_size);
  if (!kind || salt.size() != 8 ||
      EVP_BytesToKey(kind, digest, raw(salt), raw(passphrase), static_cast<int>(passphrase.size()), 1, key, vector) !=
          static_cast<int>(key_size))
    return {};
  return {{reinterpret_cast<char*>(key), key_size}, {reinterpret_cast<char*>(vector), kAesBlock}};
}

std::optional<std::string> unpadded(std::string plain) {
  const size_t padding = plain.empty() ? 0 : static_cast<unsigned char>(plain.back());
  if (padding < 1 || padding > kAesBlock || padding > plain.size()) return std::nullopt;
  if (plain.find_first_not_of(plain.back(), plain.size() - padding) != plain.npos) return std::nullopt;
  plain.resize(plain.size() - padding);
  return plain;
}

std::optional<std::string> openssl_aes256_decrypt(std::string_view bytes, std::string_view salt,
                                                  std::string_view passphrase, KeyHash hash) {
  const OpensslKey made = openssl_key(salt, passphrase, hash, 32);
  if (bytes.empty()) return std::nullopt;
  auto out = aes_cbc_decrypt(bytes, made.key, made.vector);
  return out ? unpadded(*std::move(out)) : std::nullopt;
}

std::optional<std::string> aes_cbc_decrypt(std::string_view bytes, std::string_view key, std::string_view vector) {
  return aes(bytes, aes_cbc(key.size()), key, vector, false);
}

std::optional<std::string> aes_cbc_encrypt(std::string_view bytes, std::string_view key, std::string_view vector) {
  return aes(bytes, aes_cbc(key.size()), key, vector, true);
}

std::optional<std::string> aes_ecb_decrypt(std::string_view bytes, std::string_view key) {
  return aes(bytes, aes_ecb(key.size()), key, kNoVector, false);
}

std::optional<std::string> aes_ecb_encrypt(std::string_view bytes, std::string_view key) {
  return aes(bytes, aes_ecb(key.size()), key, kNoVector, true);
}

std::array<uint8_t, 64> sha512(Bytes bytes) {
  std::array<uint8_t, 64> out{};
  EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha512(), nullptr);
  return out;
}

std::string hmac_sha1_hex(std::string_view key, std::string_view message) {
  std::array<uint8_t, 20> out{};
  unsigned int size = 0;
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), raw(message), message.size(), out.data(), &size);
  return hex(out);
}

}  // namespace assay::unpack
