// Keys as OpenSSH and dropbear keep them. Their numbers are put into a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), so
// that the fingerprint of a key is the same whichever container it lies in. Source: RFC 4253 section 6.6, RFC 5656
// section 3.1, RFC 8709; OpenSSH PROTOCOL.key; dropbear rsa.c, dss.c, ecdsa.c, ed25519.c.
#include "core/hash.h"
#include "system/keys.h"

#include <bit>

namespace assay::system {
namespace {

using namespace std::string_view_literals;

// The wire format: lengths of four bytes, big-endian.
class Wire {
 public:
  explicit Wire(std::string_view bytes) : left_(bytes) {}
  std::string_view string() {
    const uint32_t length = number();
    if (length > left_.size()) good_ = false;
    if (!good_) return {};
    const std::string_view part = left_.substr(0, length);
    left_.remove_prefix(length);
    return part;
  }
  uint32_t number() {
    if (left_.size() < 4) good_ = false;
    if (!good_) return 0;
    const uint32_t value = Bytes(left_).be<uint32_t>(0, "length").value_or(0);
    left_.remove_prefix(4);
    return value;
  }
  bool good() const { return good_; }
  bool empty() const { return left_.empty(); }

 private:
  std::string_view left_;
  bool good_ = true;
};

std::string der(uint8_t tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    out += static_cast<char>(content.size());
  } else {
    std::string length;
    for (size_t n = content.size(); n; n >>= 8) length.insert(length.begin(), static_cast<char>(n));
    out += static_cast<char>(0x80 | length.size());
    out += length;
  }
  return out.append(content);
}

std::string der_integer(std::string_view number) {  // mpint and INTEGER are both two's complement
  while (number.size() > 1 && number[0] == 0 && !(number[1] & 0x80)) number.remove_prefix(1);
  return der(0x02, number.empty() ? "\0"sv : number);
}

std::string public_key_info(std::string_view algorithm, std::string_view key) {
  return der(0x30, der(0x30, algorithm) + der(0x03, std::string(1, 0) + std::string(key)));
}

uint32_t bits_of(std::string_view number) {
  while (!number.empty() && number[0] == 0) number.remove_prefix(1);
  if (number.empty()) return 0;
  return static_cast<uint32_t>(number.size() * 8 - std::countl_zero(static_cast<uint8_t>(number[0])));
}

constexpr std::string_view kRsaId = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv;  // with NULL
constexpr std::string_view kDsaId = "\x06\x07\x2a\x86\x48\xce\x38\x04\x01"sv;
constexpr std::string_view kEcId = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"sv;
constexpr std::string_view kEd25519Id = "\x06\x03\x2b\x65\x70"sv;

struct Curve {
  std::string_view ssh, name, id;
  uint32_t bits;
};
constexpr Curve kCurves[] = {{"nistp256", "prime256v1", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, 256},
                             {"nistp384", "secp384r1", "\x06\x05\x2b\x81\x04\x00\x22"sv, 384},
                             {"nistp521", "secp521r1", "\x06\x05\x2b\x81\x04\x00\x23"sv, 521}};

void set_fingerprint(Key& key, const std::string& info) { key.fingerprint = sha256(Bytes(info)).hex(); }

void read_rsa(Wire& wire, Key& key) {
  const std::string_view e = wire.string(), n = wire.string();
  key.algorithm = "rsa";
  key.bits = bits_of(n);
  set_fingerprint(key, public_key_info(kRsaId, der(0x30, der_integer(n) + der_integer(e))));
}

void read_dsa(Wire& wire, Key& key) {
  const std::string_view p = wire.string(), q = wire.string(), g = wire.string(), y = wire.string();
  key.algorithm = "dsa";
  key.bits = bits_of(p);
  const std::string parameters = der(0x30, der_integer(p) + der_integer(q) + der_integer(g));
  set_fingerprint(key, public_key_info(std::string(kDsaId) + parameters, der_integer(y)));
}

bool read_ec(Wire& wire, Key& key) {
  const std::string_view name = wire.string(), point = wire.string();
  for (const Curve& curve : kCurves) {
    if (curve.ssh != name || point.empty()) continue;
    key.algorithm = "ec";
    key.curve = curve.name;
    key.bits = curve.bits;
    set_fingerprint(key, public_key_info(std::string(kEcId) + std::string(curve.id), point));
    return true;
  }
  return false;
}

bool read_ed25519(std::string_view point, Key& key) {
  if (point.size() != 32) return false;
  key.algorithm = "ed25519";
  key.curve = "ed25519";
  key.bits = 256;
  set_fingerprint(key, public_key_info(kEd25519Id, point));
  return true;
}

// The part that is public. dropbear's private Ed25519 key keeps the public half behind the private one.
std::optional<Key> read_public(std::string_view type, Wire& wire, bool dropbear) {
  Key key;
  if (type == "ssh-rsa") {
    read_rsa(wire, key);
  } else if (type == "ssh-dss") {
    read_dsa(wire, key);
  } else if (type.starts_with("ecdsa-sha2-") || type.starts_with("sk-ecdsa-sha2-")) {
    if (!read_ec(wire, key)) return std::nullopt;
  } else if (type == "ssh-ed25519" || type.starts_with("sk-ssh-ed25519")) {
    const std::string_view whole = wire.string();
    if (dropbear && whole.size() != 64) return std::nullopt;
    if (!read_ed25519(dropbear ? whole.substr(32) : whole, key)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (!wire.good() || key.bits == 0) return std::nullopt;
  return key;
}

}  // namespace

std::optional<Key> read_ssh_blob(std::string_view blob) {
  Wire wire(blob);
  const std::string_view type = wire.string();
  auto key = read_public(type, wire, false);
  if (!key) return std::nullopt;
  if (type.starts_with("sk-")) wire.string();  // the application
  if (!wire.good() || !wire.empty()) return std::nullopt;
  key->kind = "public-key";
  key->container = "openssh";
  return key;
}

std::optional<Key> read_openssh_private(std::string_view bytes) {
  constexpr std::string_view kMagic = "openssh-key-v1\0"sv;
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  Wire wire(bytes.substr(kMagic.size()));
  const std::string_view cipher = wire.string(), kdf = wire.string();
  wire.string();  // options of the key derivation
  const uint32_t count = wire.number();
  const std::string_view blob = wire.string();
  if (!wire.good() || count == 0) return std::nullopt;
  auto key = read_ssh_blob(blob);
  if (!key) return std::nullopt;
  key->kind = "private-key";
  key->encrypted = cipher != "none" || kdf != "none";
  return key;
}

std::optional<Key> read_dropbear(std::string_view bytes) {
  Wire wire(bytes);
  const std::string_view type = wire.string();
  auto key = read_public(type, wire, true);
  if (!key) return std::nullopt;
  int numbers = type == "ssh-ed25519" ? 1 : 0;  // its private half has been read with the public one
  for (; wire.good() && !wire.empty(); ++numbers) wire.string();
  // RSA: d, p, q (old ones d only); DSA: x; ECDSA: k.
  if (!wire.good() || numbers < 1 || numbers > 3) return std::nullopt;
  key->kind = "private-key";
  key->container = "dropbear";
  return key;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int held = 0;
  bool padded = false;
  for (const char c : text) {
    int value;
    if (c >= 'A' && c <= 'Z')
      value = c - 'A';
    else if (c >= 'a' && c <= 'z')
      value = c - 'a' + 26;
    else if (c >= '0' && c <= '9')
      value = c - '0' + 52;
    else if (c == '+')
      value = 62;
    else if (c == '/')
      value = 63;
    else if (c == '=') {
      padded = true;
      continue;
    } else if (c == '\n' || c == '\r' || c == ' ' || c == '\t')
      continue;
    else
      return std::nullopt;
    if (padded) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    if ((held += 6) < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held);
  }
  return out;
}

}  // namespace assay::system
