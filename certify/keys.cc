#include "certify/keys.h"
#include "core/freed.h"

#include "certify/files.h"
#include "certify/key_backend.h"
#include "certify/pkcs11.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace assay::certify {
namespace {

// The only forms of SubjectPublicKeyInfo that are read: id-Ed25519 (RFC 8410), and id-ecPublicKey with the curve
// prime256v1 named and the point uncompressed (RFC 5480). What follows is the key.
constexpr std::string_view kEd25519Head("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
constexpr std::string_view kP256Head(
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00", 26);

using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Text = std::unique_ptr<BIO, Freed<BIO_free>>;

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Text reading(std::string_view text) { return Text(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

std::string spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  std::string out(reinterpret_cast<char*>(der), size > 0 ? static_cast<size_t>(size) : 0);
  OPENSSL_free(der);
  return out;
}

Key parse_spki(std::string_view der) {
  const unsigned char* at = octets(der);
  return Key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
}

const EVP_MD* digest_for(Algorithm algorithm) { return algorithm == Algorithm::kEd25519 ? nullptr : EVP_sha256(); }

class InMemory final : public SigningKey::Backend {
 public:
  InMemory(Key key, PublicKey known) : key_(std::move(key)) { public_key = std::move(known); }

  Result<std::string> sign(std::string_view message) override {
    const DigestContext context(EVP_MD_CTX_new());
    size_t size = 256;
    std::string out(size, '\0');
    if (EVP_DigestSignInit(context.get(), nullptr, digest_for(public_key.algorithm), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, octets(message),
                       message.size()) != 1)
      return fail(Fault::kIo, "the key could not sign");
    out.resize(size);
    return out;
  }

  Result<std::string> pem() override {
    const Text bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
      return fail(Fault::kIo, "the key could not be written");
    return written(bio.get());
  }

 private:
  Key key_;
};

// An encrypted key would make OpenSSL ask on the terminal; here it is an error that says so.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

std::string_view algorithm_name(Algorithm algorithm) { return algorithm == Algorithm::kEd25519 ? "Ed25519" : "P-256"; }

std::string PublicKey::id() const { return sha256(Bytes(spki)).hex(); }
std::string PublicKey::raw() const {
  return spki.substr(algorithm == Algorithm::kEd25519 ? kEd25519Head.size() : kP256Head.size());
}
std::string PublicKey::pem() const {
  const Key key = parse_spki(spki);
  const Text bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(bio.get(), key.get());
  return written(bio.get());
}

Result<PublicKey> public_key_from_spki(std::string_view der) {
  PublicKey key{.spki = std::string(der)};
  if (der.starts_with(kEd25519Head) && der.size() == kEd25519Head.size() + 32)
    key.algorithm = Algorithm::kEd25519;
  else if (der.starts_with(kP256Head) && der.size() == kP256Head.size() + 65)
    key.algorithm = Algorithm::kP256;
  else
    return fail(Fault::kUnsupported, "wrong key type: only Ed25519 and P-256 keys are used");
  if (!parse_spki(der)) return fail(Fault::kMalformed, "the public key is not a point of its curve");
  return key;
}

Result<PublicKey> public_key_from_pem(std::string_view pem, const std::string& file) {
  const Text bio = reading(pem);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return fail(Fault::kMalformed, file + ": no PEM public key (-----BEGIN PUBLIC KEY-----)");
  auto known = public_key_from_spki(spki_of(key.get()));
  if (!known) return fail(known.error().fault, file + ": " + known.error().what);
  return known;
}

PublicKey ed25519_public_key(std::string_view raw) {
  return {Algorithm::kEd25519, std::string(kEd25519Head) + std::string(raw)};
}

PublicKey p256_public_key(std::string_view point) {
  return {Algorithm::kP256, std::string(kP256Head) + std::string(point)};
}

bool verify(const PublicKey& key, std::string_view message, std::string_view signature) {
  const Key parsed = parse_spki(key.spki);
  const DigestContext context(EVP_MD_CTX_new());
  return parsed &&
         EVP_DigestVerifyInit(context.get(), nullptr, digest_for(key.algorithm), nullptr, parsed.get()) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message), message.size()) == 1;
}

SigningKey::SigningKey(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;
const PublicKey& SigningKey::public_key() const { return backend_->public_key; }
Result<std::string> SigningKey::sign(std::string_view message) const { return backend_->sign(message); }
Result<std::string> SigningKey::pem() const { return backend_->pem(); }

Result<SigningKey> SigningKey::open(const std::string& where) {
  if (where.starts_with("pkcs11:")) return SigningKey(TRY(open_pkcs11(where)));
  return from_pem(TRY(read_file(where, 1 << 20)), where);
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem, const std::string& file) {
  const Text bio = reading(pem);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key)
    return fail(Fault::kMalformed,
                file + ": no private key in PEM without a passphrase; `assay keygen -o K` makes one");
  auto known = public_key_from_spki(spki_of(key.get()));
  if (!known) return fail(known.error().fault, file + ": " + known.error().what);
  return SigningKey(std::make_unique<InMemory>(std::move(key), std::move(*known)));
}

Result<SigningKey> SigningKey::generate(Algorithm algorithm) {
  Key key(algorithm == Algorithm::kEd25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519") : EVP_EC_gen("P-256"));
  if (!key) return fail(Fault::kIo, "no key could be generated");
  PublicKey known = TRY(public_key_from_spki(spki_of(key.get())));
  return SigningKey(std::make_unique<InMemory>(std::move(key), std::move(known)));
}

}  // namespace assay::certify
