// Files that `openssl enc` wrote: "Salted__", 8 bytes of salt, the ciphertext up to the end. Nothing in it says which
// cipher or key derivation was used. With a passphrase from the laboratory (a file; a newline at its end is ignored)
// AES-256-CBC is tried with the key derivations of the program's past and present defaults, EVP_BytesToKey with MD5
// (before 1.1.0) and SHA-256. A try counts when the padding holds and a structure known here starts the plain text,
// since padding alone agrees by chance once in 256 times. Without one, passphrases that are published are tried the
// same way. Source: OpenSSL, apps/enc.c; EVP_BytesToKey(3).
#include "unpack/crypt.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include "core/text.h"

#include <algorithm>

namespace assay::unpack::opensslsalted {
namespace {

constexpr Magic kMagics[] = {{"Salted__"}};
constexpr uint64_t kHeaderSize = 16, kBlock = 8;

Result<Measured> measure(Bytes from) {
  const Bytes cipher = TRY(from.from(kHeaderSize, "ciphertext"));
  if (cipher.empty() || cipher.size() % kBlock)
    return fail(Fault::kMalformed, "ciphertext is not made of whole blocks", from.base() + kHeaderSize);
  return Measured{from.size(), false};
}

bool starts_known(Bytes plain) {
  if (looks_like_text(plain.head(4096).text())) return true;
  return std::ranges::any_of(formats(), [&](const Format* format) {
    return std::ranges::any_of(
               format->magics,
               [&](const Magic& m) { return m.bytes.size() >= 4 && plain.starts_with(m.bytes, m.offset); }) ||
           (format->id == "gzip" && plain.starts_with("\x1f\x8b\x08"));
  });
}

// Passphrases that makers used for every image of a product and that are published.
struct Documented {
  std::string_view passphrase;
  KeyHash hash;
  size_t key_size;
  std::string_view where;
};

constexpr std::string_view kDelink = "delink, src/r95.rs and src/dap1610.rs",
                           kEmba = "emba, config/foscam_enc_keys.txt";
constexpr Documented kDocumented[] = {
    {"CAD1C42B11F1982FFA94B6A24C260A43", KeyHash::kSha256, 32, kDelink},
    {"A11E331C15CE73ABA8E06171A11D2FB6", KeyHash::kSha256, 32, kDelink},
    {"BE81AE1B6F523AC7164C4FD67B6BD8FD", KeyHash::kSha256, 32, kDelink},
    {"91A9A3AF2218F4EA60AC37D5835EB318", KeyHash::kSha256, 32, kDelink},
    {"2c3b6fa78bd60b41bb0796fef4b058b0", KeyHash::kSha256, 32, kDelink},
    {"Wxift*", KeyHash::kMd5, 16, kEmba},
    {"Wxift*v2", KeyHash::kMd5, 16, kEmba},
    {"WWxift*", KeyHash::kMd5, 16, kEmba},
    {"WWxift*v2", KeyHash::kMd5, 16, kEmba},
    {"BpP+2R9*Q", KeyHash::kMd5, 16, kEmba},
    {"Ak47@99", KeyHash::kMd5, 16, kEmba},
    {"rizhi6789", KeyHash::kMd5, 16, kEmba},
};

// The first bytes decide first: a wrong passphrase costs no more than those.
std::optional<std::string> open_with(const Documented& d, std::string_view cipher, std::string_view salt) {
  constexpr size_t kFirst = 4096;
  if (cipher.size() % 16) return std::nullopt;
  const OpensslKey key = openssl_key(salt, d.passphrase, d.hash, d.key_size);
  if (cipher.size() > kFirst) {
    const auto first = aes_cbc_decrypt(cipher.substr(0, kFirst), key.key, key.vector);
    if (!first || !starts_known(Bytes(*first))) return std::nullopt;
  }
  auto plain = aes_cbc_decrypt(cipher, key.key, key.vector);
  if (plain) plain = unpadded(std::move(*plain));
  return plain && starts_known(Bytes(*plain)) ? plain : std::nullopt;
}

Result<void> unpack(Bytes whole, Sink& into) {
  into.range(Range::kHeader, 0, kHeaderSize);
  into.note("scheme", "openssl enc with a salt; the file does not state its cipher", 0);
  const Bytes cipher = TRY(whole.from(kHeaderSize, "ciphertext"));
  const std::string_view salt = whole.text().substr(8, 8);
  std::string_view passphrase = into.key("openssl-salted").text();
  if (passphrase.ends_with('\n')) passphrase.remove_suffix(1);
  for (const KeyHash hash : {KeyHash::kSha256, KeyHash::kMd5}) {
    if (passphrase.empty()) break;
    TRY_VOID(into.step(1 + cipher.size() / 4096));
    const auto plain = openssl_aes256_decrypt(cipher.text(), salt, passphrase, hash);
    if (!plain || !starts_known(Bytes(*plain))) continue;
    into.note("cipher", hash == KeyHash::kMd5 ? "aes-256-cbc, key by md5" : "aes-256-cbc, key by sha256", 0);
    TRY_VOID(into.output().write(Bytes(*plain).span()));
    return into.child("plain", {{cipher}, "aes-256-cbc"});
  }
  for (const Documented& d : kDocumented) {
    TRY_VOID(into.step());
    const auto plain = open_with(d, cipher.text(), salt);
    if (!plain) continue;
    into.note("cipher", d.key_size == 16 ? "aes-128-cbc, key by md5" : "aes-256-cbc, key by sha256", 0);
    return opened_child("plain", cipher, *plain, d.key_size == 16 ? "aes-128-cbc" : "aes-256-cbc", d.where, into);
  }
  into.range(Range::kEncrypted, kHeaderSize, cipher.size());
  into.problem({Fault::kEncrypted,
                passphrase.empty()
                    ? "encrypted by openssl enc; no passphrase was supplied (--key openssl-salted=FILE)"
                    : "the supplied passphrase yields no known plain text with aes-256-cbc and md5 or sha256",
                kHeaderSize});
  return {};
}

}  // namespace

extern const Format kOpensslSalted;
const Format kOpensslSalted = {.id = "openssl-salted",
                               .title = "File encrypted by openssl enc",
                               .version = 2,
                               .magics = kMagics,
                               .measure = measure,
                               .unpack = unpack,
                               .carve = false,
                               .reads =
                                   "aes-256-cbc with the laboratory's passphrase; 5 published passphrases (D-Link) "
                                   "with it, 7 (Foscam) with aes-128-cbc",
                               .limits = "not -pbkdf2, no other cipher",
                               .source = "OpenSSL apps/enc.c",
                               .checked = "foreign tool: openssl enc, published passphrases too"};

}  // namespace assay::unpack::opensslsalted
