// The ciphers of encrypted images, through libcrypto. Block ciphers only, whole contents, no padding removed.
#pragma once
#include "core/bytes.h"

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

}  // namespace assay::unpack
