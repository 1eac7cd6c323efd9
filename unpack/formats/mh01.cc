// MH01, D-Link's signed and encrypted image (M30, R12, R15, E15, …); three of them are nested.
//
//   0   "MH01"
//   4   offset of the second part, from the end of the header
//   8   size of the second part
//   12  0x1A2B: tells the byte order
//   14  16 bits, not known
//   16  first part, then the second
//
// Outermost: first the inner MH01, second its signature. Inside that: first the initial vector in hexadecimal and a
// newline, second what `openssl enc` wrote ("Salted__", salt, AES-128-CBC; key from a passphrase, SHA-256, one round).
// That decrypts to a third MH01: the firmware and its signature. The passphrases are documented, one a model.
// Source: fkie-cad/fact_extractor plugins/unpacking/dlink/code/dlink_mh01.py (passphrases from D-Link's GPL release of
// M30); devttys0/delink src/mh01.rs.
#include "unpack/crypt.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::mh01 {
namespace {

constexpr Magic kMagics[] = {{"MH01"}};
constexpr uint64_t kHeader = 16, kSalted = 16;

constexpr std::string_view kPassphrases[] = {
    "044b4e59846ecee953662ff2238fcc23", "05c79b73cf88619d7b9725505cfd718f", "08324188e8c509105186636274cf4bea",
    "0b8073ca811bf3de07a4b79d90cdb49e", "0bcca591c37f932c839d1eaa4dafc292", "118e57f905f0690157f8389b745b6ac8",
    "1ae6c79be7d069ca74df7670bdfc4952", "1bfb1004e29f9eb76dbe26eb0dd87cd1", "238a29b9432f688e30b701548c753146",
    "29f9ef6781fa478377d9954187fd078b", "3fb5d73c6ee959edb17ab70f4fb097cf", "443a194860796cd9d9a24d99c4242e64",
    "4d5ee2c8b5d0fdd9a9a2d351ba897752", "4e5aad6e440bdd16bdc8b6ad441e47ba", "5655840cefb7da085e7c3d9640e64922",
    "5c67ae65b2329711441a965bc3a73667", "6276ccf4c1d8d6f54b481095e78ff97f", "6420da70a975455e4ddd6b8fa5b652e7",
    "6922920d95a6a48a44d8bf237bea3924", "6b29f1d663a21b35fb45b69a42649f5e", "6b5a65dbc1ebc492ac6d8efbbb59ae09",
    "6cc5de3f0022442fe809981fc1f40d4d", "70070e579f97548a96a7794d4d779376", "7b4df82f7f042b9d0b40971be0ff53c4",
    "80c4d262297149e54c04a91bc3329175", "927fc5786df1a9557524a0289e1e3f3b", "94706d6f4245039c411af6c3a705e607",
    "95d620854d9a51c90ae0a22787f50e17", "a07e5f355c8f4037a218d791e2d58fa6", "a4f7c17c3e0aa4532c2024ce6ac5f17c",
    "b0b2e9efd78ec5dba99e02293c36a94f", "b40c8b7a06b235471b69591021f82e60", "b4517d9b98e04d9f075f5e78c743e097",
    "c5f8a1e22f808abc84f2e4a6fa5f10bb", "c5ffe41dcdd9518060243921393e7d19", "ddcada1120056f68738e39d7336630eb",
    "df9c62b095a04e1f67bf4ffe21117eae", "e1d72a0952b1d349be0b7a32fbd1341e", "e5af7b6761f9791b6a522738275002db",
    "f21247200ea5d552efa08740522d0ff1", "f23051f55ed058c103c25ec37c6e1601", "fa0c50b3d95816b3fffd7da3efd5cb66",
};

struct Parts {
  Bytes first, second;
};

Result<Parts> read_parts(Bytes from) {
  const bool little = from.starts_with("\x2b\x1a", 12);
  if (!little && !from.starts_with("\x1a\x2b", 12)) return fail(Fault::kMalformed, "byte order", from.base() + 12);
  const Order order = little ? Order::kLittle : Order::kBig;
  const uint64_t offset = TRY(from.get<uint32_t>(4, order, "offset of the second part"));
  const uint64_t size = TRY(from.get<uint32_t>(8, order, "size of the second part"));
  if (offset == 0) return fail(Fault::kMalformed, "the first part is empty", from.base() + 4);
  return Parts{TRY(from.slice(kHeader, offset, "first part")), TRY(from.slice(kHeader + offset, size, "second part"))};
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> read_vector(Bytes part) {
  if (part.size() < 32 || part.size() > 34) return std::nullopt;
  std::string vector;
  for (uint64_t i = 0; i < 32; i += 2) {
    const int high = digit(static_cast<char>(part[i])), low = digit(static_cast<char>(part[i + 1]));
    if (high < 0 || low < 0) return std::nullopt;
    vector.push_back(static_cast<char>(high << 4 | low));
  }
  return vector;
}

bool is_encrypted(const Parts& p) { return read_vector(p.first) && p.second.starts_with("Salted__"); }

std::optional<std::string> decrypt(const Parts& p) {
  const std::string vector = read_vector(p.first).value_or("");
  const std::string_view salt = p.second.head(8, 8).text(), cipher = p.second.head(p.second.size(), kSalted).text();
  for (const std::string_view passphrase : kPassphrases) {
    const OpensslKey made = openssl_key(salt, passphrase, KeyHash::kSha256, 16);
    const auto first = aes_cbc_decrypt(cipher.substr(0, 16), made.key, vector);
    if (!first || !first->starts_with("MH01")) continue;
    auto plain = aes_cbc_decrypt(cipher, made.key, vector);
    if (plain) plain = unpadded(*std::move(plain));
    if (plain) return plain;
  }
  return std::nullopt;
}

Result<Measured> measure(Bytes from) {
  const Parts p = TRY(read_parts(from));
  return Measured{kHeader + p.first.size() + p.second.size(), is_encrypted(p) || p.first.starts_with("MH01")};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Parts p = TRY(read_parts(whole));
  into.range(Range::kHeader, 0, kHeader);
  if (!is_encrypted(p)) {
    into.range(Range::kHeader, p.second.base(), p.second.size());
    if (!p.second.empty())
      into.integrity(unchecked_signature("signature", "rsa" + std::to_string(8 * p.second.size()), p.second.base()));
    return into.child(p.first.starts_with("MH01") ? "encrypted" : "firmware", stored(p.first));
  }
  into.range(Range::kHeader, p.first.base(), p.first.size());
  const auto plain = decrypt(p);
  if (plain)
    return opened_child("image", p.second, *plain, "aes-128-cbc",
                        "a passphrase of the maker's GPL source, in fact_extractor and delink", into);
  leave_encrypted(p.second, "encrypted with AES-128-CBC (openssl enc); none of the documented passphrases opens it",
                  into);
  return {};
}

}  // namespace

extern const Format kMh01;
const Format kMh01 = {.id = "mh01",
                      .title = "D-Link MH01 signed and encrypted image",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .limits = "the signatures are not checked: their public keys are in the devices",
                      .source = "fact_extractor plugins/unpacking/dlink/code/dlink_mh01.py; delink src/mh01.rs",
                      .checked = "the sample of fact_extractor; own builder in the tests"};

}  // namespace assay::unpack::mh01
