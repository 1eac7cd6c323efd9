// The ciphers of encrypted images, through libcrypto. Block ciphers only, whole contents, no padding removed.
#pragma once
#include "core/bytes.h"

#include <array>
#include <optional>

namespace assay::unpack {

// DES in ECB mode, whole blocks; what is left over behind the last one stays as it is. `key`: 8 bytes.
std::optional<std::string> des_ecb_decrypt(std::string_view bytes, std::string_view key);
std::optional<std::string> des_ecb_encrypt(std::string_view bytes, std::string_view key);

enum class KeyHash : uint8_t { kMd5, kSha256 };
// EVP_BytesToKey with one round, as `openssl enc` without -pbkdf2 derives key (32) and initial vector (16), then
// AES-256-CBC. None where the padding at the end does not hold.
std::optional<std::string> openssl_aes256_decrypt(std::string_view bytes, std::string_view salt,
                                                  std::string_view passphrase, KeyHash hash);

// The key material itself, for formats that vary the rest: `key_size` bytes of key, then 16 of initial vector.
struct OpensslKey {
  std::string key, vector;
};
OpensslKey openssl_key(std::string_view salt, std::string_view passphrase, KeyHash hash, size_t key_size);

// AES over whole blocks, the padding left in place. `key`: 16, 24 or 32 bytes; `vector`: 16. None for other sizes.
std::optional<std::string> aes_cbc_decrypt(std::string_view bytes, std::string_view key, std::string_view vector);
std::optional<std::string> aes_cbc_encrypt(std::string_view bytes, std::string_view key, std::string_view vector);
std::optional<std::string> aes_ecb_decrypt(std::string_view bytes, std::string_view key);
std::optional<std::string> aes_ecb_encrypt(std::string_view bytes, std::string_view key);
// Without the PKCS #7 padding of a 16-byte block cipher; none where it does not hold.
std::optional<std::string> unpadded(std::string plain);

std::array<uint8_t, 64> sha512(Bytes bytes);                                // FIPS 180-4
std::string hmac_sha1_hex(std::string_view key, std::string_view message);  // RFC 2104, in lower case

}  // namespace assay::unpack
