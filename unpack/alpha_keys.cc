#include "unpack/alpha_keys.h"

#include "unpack/crypt.h"

namespace assay::unpack {
namespace {

constexpr size_t kWrap = 252, kBlock = 16;

constexpr AlphaKey kKeys[] = {
    {"oVhq0hvXHdfaGFLdubM4/QvuVHdKee7v", "0BO5nlYankuVBe4s"}, {"EfCHXytwsC6F0zsedwZc+9vDbCjE3ge4", "ggPy917jwESpnfXm"},
    {"qBiz6o/1RVQTtJBd3FS7FDbqogE8yoBm", "EfDMqWWxHCOhEqgY"}, {"KNpsEntCcsep1jdFIs3wnXySKRGNCGmf", "uph587JdKHrtAUlr"},
    {"xQYoRZeD726UAbRb846kO7TeNw8eZa6u", "zufEbNF3kUafxFiE"}, {"BIuS1CVMEQG+0pUeE99jnR+vLlLd9unr", "f3+odwHhmJL1ceW1"},
    {"qQehHMEmEPQ5izL+cabn8bNHZXHjkp6W", "Mmb+IKQgnO8OuF4b"}, {"KY0H9R2PDL3eu1J4uCVd1CK7BJ7vF1kc", "qbStAzIRvWeQHz5U"},
};

constexpr std::string_view kPlainMagics[] = {"\x5e\xa3\xa4\x17", "\xd0\x0d\xfe\xed",
                                             std::string_view("\x5d\0\0\x80", 4), "\x27\x05\x19\x56"};

std::string mixed(std::string_view text, std::string_view name) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<char>(out[i] ^ static_cast<char>((i + 1) % kWrap) ^ name[i % name.size()]);
  return out;
}

}  // namespace

std::span<const AlphaKey> alpha_keys() { return kKeys; }

std::optional<std::string> alpha_decrypt(std::string_view bytes, const AlphaKey& key, std::string_view name) {
  if (name.empty()) return std::nullopt;
  return aes_cbc_decrypt(bytes, mixed(key.key, name), mixed(key.vector, name));
}

std::optional<std::string> alpha_encrypt(std::string_view bytes, const AlphaKey& key, std::string_view name) {
  if (name.empty()) return std::nullopt;
  return aes_cbc_encrypt(bytes, mixed(key.key, name), mixed(key.vector, name));
}

const AlphaKey* find_alpha_key(Bytes cipher, std::string_view name) {
  for (const AlphaKey& key : kKeys) {
    const auto first = alpha_decrypt(cipher.head(kBlock).text(), key, name);
    if (!first || first->size() != kBlock) continue;
    for (const std::string_view magic : kPlainMagics)
      if (first->starts_with(magic)) return &key;
  }
  return nullptr;
}

}  // namespace assay::unpack
