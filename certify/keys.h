// Keys that sign statements and checkpoints: Ed25519 (RFC 8032) and ECDSA over P-256 with SHA-256 (FIPS 186-5, the
// signature in DER as X9.62 has it). A private key is a PKCS#8 PEM file or lives in a PKCS#11 module.
#pragma once
#include "core/hash.h"

#include <memory>

namespace assay::certify {

enum class Algorithm : uint8_t { kEd25519, kP256 };
std::string_view algorithm_name(Algorithm algorithm);  // "Ed25519", "P-256"

struct PublicKey {
  Algorithm algorithm = Algorithm::kEd25519;
  std::string spki;  // SubjectPublicKeyInfo, DER (RFC 5280), exactly as OpenSSL writes it

  std::string id() const;   // SHA-256 of spki, hex: how statements and roots.json name a key
  std::string raw() const;  // Ed25519: the 32 bytes; P-256: the uncompressed point
  std::string pem() const;
  bool operator==(const PublicKey&) const = default;
};

Result<PublicKey> public_key_from_spki(std::string_view der);  // kUnsupported: another kind of key
Result<PublicKey> public_key_from_pem(std::string_view pem, const std::string& file);
PublicKey ed25519_public_key(std::string_view raw);  // 32 bytes
PublicKey p256_public_key(std::string_view point);   // 65 bytes, uncompressed

bool verify(const PublicKey& key, std::string_view message, std::string_view signature);

class SigningKey {
 public:
  // `where`: a PEM file, or a PKCS#11 URI (RFC 7512; certify/pkcs11.h says which attributes are read).
  static Result<SigningKey> open(const std::string& where);
  static Result<SigningKey> from_pem(std::string_view pem, const std::string& file);
  static Result<SigningKey> generate(Algorithm algorithm);
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  const PublicKey& public_key() const;
  Result<std::string> sign(std::string_view message) const;
  Result<std::string> pem() const;  // PKCS#8; kUnsupported for a key that does not leave its module

  struct Backend;  // a key in memory, or a session with a module
  explicit SigningKey(std::unique_ptr<Backend> backend);

 private:
  std::unique_ptr<Backend> backend_;
};

}  // namespace assay::certify
