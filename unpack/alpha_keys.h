// The documented keys of the encrypted images that Alpha Networks makes for others.
//
// Each family of devices has a key and an initial vector as text; an image's own key is that text, mixed with the name
// ("signature") of the image: byte i is text[i] ^ ((i + 1) mod 252) ^ name[i mod length]. The name stands in the image
// (wrgg) or belongs to the device (alphaenc). Source: onekey-sec/unblob handlers/archive/dlink/alpha_encimg.py;
// devttys0/delink src/encimg.rs, where the texts are cut out of the program board_fw.
#pragma once
#include "core/bytes.h"

#include <optional>
#include <span>

namespace assay::unpack {

struct AlphaKey {
  std::string_view key, vector;  // 32 and 16 characters
};
std::span<const AlphaKey> alpha_keys();

// AES-256-CBC with the key made from `key` and `name`; whole blocks only.
std::optional<std::string> alpha_decrypt(std::string_view bytes, const AlphaKey& key, std::string_view name);
std::optional<std::string> alpha_encrypt(std::string_view bytes, const AlphaKey& key, std::string_view name);

// The key under which `cipher` begins with the magic of something that such images hold.
const AlphaKey* find_alpha_key(Bytes cipher, std::string_view name);

}  // namespace assay::unpack
