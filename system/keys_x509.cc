// Certificates and keys in ASN.1, read by libcrypto: RFC 5280 (X.509), RFC 5208/5958 (PKCS#8), RFC 8017 (RSA), RFC 5915
// (EC), RFC 2986 (requests). Nothing here asks for a passphrase: what is encrypted is said to be so and left closed.
#include "core/freed.h"
#include "core/hash.h"
#include "system/keys.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace assay::system {
namespace {

using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using AnyKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;
using Encrypted8 = std::unique_ptr<X509_SIG, Freed<X509_SIG_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

constexpr size_t kMaxDer = 1 << 20;

// Leaves libcrypto's error queue as empty as it was, and keeps it from reading a configuration file of the host.
struct Quiet {
  Quiet() { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); }
  ~Quiet() { ERR_clear_error(); }
};

const unsigned char* start(std::string_view der) { return reinterpret_cast<const unsigned char*>(der.data()); }

// Decodes `der` with a d2i function and insists that it takes all of it.
template <class Owner, class Decode>
Owner whole(std::string_view der, Decode decode) {
  const unsigned char* p = start(der);
  Owner object(decode(nullptr, &p, static_cast<long>(der.size())));
  if (object && p != start(der) + der.size()) object.reset();
  return object;
}

std::string algorithm_of(int id) {
  switch (id) {
    case EVP_PKEY_RSA:
      return "rsa";
    case EVP_PKEY_RSA_PSS:
      return "rsa-pss";
    case EVP_PKEY_DSA:
      return "dsa";
    case EVP_PKEY_EC:
      return "ec";
    case EVP_PKEY_DH:
    case EVP_PKEY_DHX:
      return "dh";
    case EVP_PKEY_ED25519:
      return "ed25519";
    case EVP_PKEY_X25519:
      return "x25519";
    case EVP_PKEY_ED448:
      return "ed448";
    case EVP_PKEY_X448:
      return "x448";
    default: {
      const char* name = OBJ_nid2sn(id);
      return name && id != NID_undef ? name : "";
    }
  }
}

void describe_kind(const EVP_PKEY* pkey, Key& key) {
  key.algorithm = algorithm_of(EVP_PKEY_get_base_id(pkey));
  key.bits = static_cast<uint32_t>(std::max(EVP_PKEY_get_bits(pkey), 0));
  if (key.algorithm == "ec") {
    char name[80];
    size_t length = 0;
    if (EVP_PKEY_get_group_name(pkey, name, sizeof name, &length) == 1) key.curve.assign(name, length);
  }
  if (key.algorithm.starts_with("ed") || key.algorithm.starts_with("x")) key.curve = key.algorithm;
}

void describe(const EVP_PKEY* pkey, Key& key) {
  describe_kind(pkey, key);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(pkey, &der);
  if (size <= 0) return;
  key.fingerprint = sha256(Bytes({reinterpret_cast<const char*>(der), static_cast<size_t>(size)})).hex();
  OPENSSL_free(der);
}

// A public key libcrypto has no algorithm for still has a fingerprint: that of the bytes as they stand.
void describe(X509_PUBKEY* info, Key& key) {
  if (const EVP_PKEY* pkey = X509_PUBKEY_get0(info)) return describe(pkey, key);
  ASN1_OBJECT* id = nullptr;
  X509_PUBKEY_get0_param(&id, nullptr, nullptr, nullptr, info);
  key.algorithm = algorithm_of(OBJ_obj2nid(id));
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(info, &der);
  if (size <= 0) return;
  key.fingerprint = sha256(Bytes({reinterpret_cast<const char*>(der), static_cast<size_t>(size)})).hex();
  OPENSSL_free(der);
}

std::string name_text(const X509_NAME* name) {
  const Memory out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) < 0) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

std::string serial_text(const ASN1_INTEGER* serial) {
  const Number number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (!number) return {};
  char* text = BN_bn2hex(number.get());
  std::string out = text ? text : "";
  OPENSSL_free(text);
  return out;
}

int64_t days_before(int64_t year, int64_t month) {  // 1970-01-01 to the first of the month; proleptic Gregorian
  if (month <= 2) --year, month += 12;
  return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 - 719468;
}

std::optional<int64_t> seconds_of(const ASN1_TIME* time) {
  tm t{};
  if (!time || ASN1_TIME_to_tm(time, &t) != 1) return std::nullopt;
  return (days_before(t.tm_year + 1900, t.tm_mon + 1) + t.tm_mday - 1) * 86400 + t.tm_hour * 3600 + t.tm_min * 60 +
         t.tm_sec;
}

Key certificate(X509* x) {
  Key key;
  key.kind = "certificate";
  describe(X509_get_X509_PUBKEY(x), key);
  key.subject = name_text(X509_get_subject_name(x));
  key.issuer = name_text(X509_get_issuer_name(x));
  key.serial = serial_text(X509_get0_serialNumber(x));
  key.not_before = seconds_of(X509_get0_notBefore(x));
  key.not_after = seconds_of(X509_get0_notAfter(x));
  const int signature = X509_get_signature_nid(x);
  if (const char* name = signature == NID_undef ? nullptr : OBJ_nid2ln(signature)) key.signature_algorithm = name;
  if (auto* basic = static_cast<BASIC_CONSTRAINTS*>(X509_get_ext_d2i(x, NID_basic_constraints, nullptr, nullptr))) {
    key.authority = basic->ca != 0;
    BASIC_CONSTRAINTS_free(basic);
  }
  key.self_signed = X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
  return key;
}

std::optional<Key> request(std::string_view der) {
  const auto r = whole<Request>(der, d2i_X509_REQ);
  if (!r) return std::nullopt;
  Key key;
  key.kind = "certificate-request";
  describe(X509_REQ_get_X509_PUBKEY(r.get()), key);
  key.subject = name_text(X509_REQ_get_subject_name(r.get()));
  if (const char* name = OBJ_nid2ln(X509_REQ_get_signature_nid(r.get()))) key.signature_algorithm = name;
  return key;
}

std::optional<Key> of_kind(std::string_view kind, const AnyKey& pkey) {
  if (!pkey) return std::nullopt;
  Key key;
  key.kind = kind;
  describe(pkey.get(), key);
  return key;
}

// libcrypto computes the public key of a DSA or DH key from its private one, at a cost that the length of the prime
// chooses: 3072 bits fit into this many bytes of PKCS#8, and longer ones are told by their algorithm only.
constexpr size_t kMaxComputed = 900;

bool is_costly(int algorithm, size_t size) {
  return (algorithm == NID_dsa || algorithm == NID_dhKeyAgreement || algorithm == NID_dhpublicnumber) &&
         size > kMaxComputed;
}

std::optional<Key> pkcs8(std::string_view der) {
  const auto info = whole<Pkcs8>(der, d2i_PKCS8_PRIV_KEY_INFO);
  const ASN1_OBJECT* id = nullptr;
  if (!info || !PKCS8_pkey_get0(&id, nullptr, nullptr, nullptr, info.get())) return std::nullopt;
  const int algorithm = OBJ_obj2nid(id);
  if (!is_costly(algorithm, der.size())) {
    if (const AnyKey pkey(EVP_PKCS82PKEY(info.get())); pkey) return of_kind("private-key", pkey);
  }
  Key key;  // well formed, of an algorithm libcrypto lacks
  key.kind = "private-key";
  key.algorithm = algorithm_of(algorithm);
  return key;
}

std::optional<Key> encrypted_pkcs8(std::string_view der) {
  const auto sealed = whole<Encrypted8>(der, d2i_X509_SIG);
  if (!sealed) return std::nullopt;
  // The same shape as a DigestInfo: the algorithm has to be one of password-based encryption (PKCS#5, PKCS#12).
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(sealed.get(), &algorithm, nullptr);
  const ASN1_OBJECT* id = nullptr;
  X509_ALGOR_get0(&id, nullptr, nullptr, algorithm);
  if (!EVP_PBE_find(EVP_PBE_TYPE_OUTER, OBJ_obj2nid(id), nullptr, nullptr, nullptr)) return std::nullopt;
  Key key;
  key.kind = "private-key";
  key.encrypted = true;
  return key;
}

// d2i_PrivateKey would read PKCS#8 here too, whatever its algorithm; that has its own way in.
AnyKey private_of(int type, std::string_view der) {
  if (whole<Pkcs8>(der, d2i_PKCS8_PRIV_KEY_INFO)) return nullptr;
  return whole<AnyKey>(
      der, [type](EVP_PKEY**, const unsigned char** p, long n) { return d2i_PrivateKey(type, nullptr, p, n); });
}
AnyKey public_of(int type, std::string_view der) {
  return whole<AnyKey>(der, [type](EVP_PKEY**, const unsigned char** p, long n) {
    EVP_PKEY* empty = EVP_PKEY_new();  // d2i_PublicKey wants one that knows its type
    if (empty && EVP_PKEY_set_type(empty, type) != 1) EVP_PKEY_free(std::exchange(empty, nullptr));
    if (!empty) return empty;
    EVP_PKEY* const given = empty;
    EVP_PKEY* const read = d2i_PublicKey(type, &empty, p, n);
    if (!read) EVP_PKEY_free(given == empty ? given : nullptr);
    return read;
  });
}
// Parameters have no public key yet, so no fingerprint.
std::optional<Key> parameters(std::string_view der) {
  const auto read = [](EVP_PKEY**, const unsigned char** p, long n) {
    return d2i_KeyParams(EVP_PKEY_DH, nullptr, p, n);
  };
  const auto pkey = whole<AnyKey>(der, read);
  if (!pkey) return std::nullopt;
  Key key;
  key.kind = "dh-parameters";
  describe_kind(pkey.get(), key);
  return key;
}

std::optional<Key> certificate_of(std::string_view der, bool trusted) {
  const auto x = trusted ? whole<Certificate>(der, d2i_X509_AUX) : whole<Certificate>(der, d2i_X509);
  if (!x) return std::nullopt;
  return certificate(x.get());
}

std::optional<Key> by_label(std::string_view label, std::string_view der) {
  if (label == "CERTIFICATE" || label == "X509 CERTIFICATE") return certificate_of(der, false);
  if (label == "TRUSTED CERTIFICATE") return certificate_of(der, true);
  if (label == "CERTIFICATE REQUEST" || label == "NEW CERTIFICATE REQUEST") return request(der);
  if (label == "PRIVATE KEY") return pkcs8(der);
  if (label == "ENCRYPTED PRIVATE KEY") return encrypted_pkcs8(der);
  if (label == "RSA PRIVATE KEY") return of_kind("private-key", private_of(EVP_PKEY_RSA, der));
  if (label == "DSA PRIVATE KEY") return of_kind("private-key", private_of(EVP_PKEY_DSA, der));
  if (label == "EC PRIVATE KEY") return of_kind("private-key", private_of(EVP_PKEY_EC, der));
  if (label == "PUBLIC KEY") return of_kind("public-key", whole<AnyKey>(der, d2i_PUBKEY));
  if (label == "RSA PUBLIC KEY") return of_kind("public-key", public_of(EVP_PKEY_RSA, der));
  if (label == "DH PARAMETERS") return parameters(der);
  return std::nullopt;
}

}  // namespace

std::optional<Key> read_der(std::string_view label, std::string_view der) {
  if (der.empty() || der.size() > kMaxDer) return std::nullopt;
  const Quiet quiet;
  auto key = by_label(label, der);
  if (key) key->container = "pem";
  return key;
}

std::optional<Key> guess_der(std::string_view der) {
  if (der.size() < 16 || der.size() > kMaxDer || der[0] != 0x30) return std::nullopt;
  const Quiet quiet;
  for (const std::string_view label : {"CERTIFICATE", "CERTIFICATE REQUEST", "PUBLIC KEY", "PRIVATE KEY",
                                       "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"})
    if (auto key = by_label(label, der)) {
      key->container = "der";
      return key;
    }
  return std::nullopt;
}

}  // namespace assay::system
