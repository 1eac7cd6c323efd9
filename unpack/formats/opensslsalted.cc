// Files that `openssl enc` wrote: "Salted__", 8 bytes of salt, the ciphertext up to the end. Nothing in it says which
// cipher or key derivation was used. With a passphrase from the laboratory (a file; a newline at its end is ignored)
// AES-256-CBC is tried with the key derivations of the program's past and present defaults, EVP_BytesToKey with MD5
// (before 1.1.0) and SHA-256. A try counts when the padding holds and a structure known here starts the plain text,
// since padding alone agrees by chance once in 256 times. Source: OpenSSL, apps/enc.c; EVP_BytesToKey(3).
#include "unpack/crypt.h"
#include "unpack/describe.h"

#include "core/text.h"

#include <algorithm>

namespace assay::unpack {
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
                               .version = 1,
                               .magics = kMagics,
                               .measure = measure,
                               .unpack = unpack,
                               .carve = false,
                               .reads = "aes-256-cbc, keys derived with MD5 or SHA-256, with the laboratory's password",
                               .limits = "only aes-256-cbc with EVP_BytesToKey; not -pbkdf2",
                               .source = "OpenSSL apps/enc.c",
                               .checked = "foreign tool: openssl enc"};

}  // namespace assay::unpack
