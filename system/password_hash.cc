// Prefixes: crypt(5) of libxcrypt; apr1 and {SHA}: the Apache HTTP Server's "Password Formats". The cost of a trial
// stands in the salt, so an image can choose it: it is computed from the salt alone and never paid blindly.
// Costs were measured once with libxcrypt 4.4 (MD5-crypt 0.12 ms, SHA-crypt 0.3 us a round, bcrypt 50 us << cost,
// yescrypt and scrypt 0.2 us for each block of N * r).
#include "system/password_hash.h"

#include "core/hash.h"
#include "core/text.h"

#include <crypt.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <optional>

namespace assay::system {
namespace {

constexpr std::string_view kAlphabet =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";  // of crypt(5)
constexpr uint64_t kMaximumMemory = 64 << 20;
constexpr uint64_t kMd5Crypt = 150, kApr1 = 1500, kDes = 30, kMd4 = 5;

bool in_alphabet(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return kAlphabet.find(c) != std::string_view::npos; });
}
int value_of(char c) { return static_cast<int>(kAlphabet.find(c)); }  // -1: not in the alphabet

Result<uint64_t> refused(std::string why) { return fail(Fault::kUnsupported, std::move(why)); }

Result<uint64_t> sha_crypt_cost(std::string_view hash) {
  constexpr std::string_view kRounds = "rounds=";
  uint64_t rounds = 5000;  // the default of the specification by U. Drepper
  if (hash.substr(3).starts_with(kRounds)) {
    const std::string_view digits = hash.substr(3 + kRounds.size());
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), rounds);
    if (read.ec != std::errc() || read.ptr == digits.data() + digits.size() || *read.ptr != '$')
      return refused("rounds of the salt are no number");
    if (rounds > 999999999) return refused("rounds=" + std::to_string(rounds) + " exceed 999999999");
    rounds = std::max<uint64_t>(rounds, 1000);
  }
  return std::max<uint64_t>(1, rounds * 3 / 10);
}

Result<uint64_t> bcrypt_cost(std::string_view hash) {
  if (hash.size() != 60 || !std::isdigit(static_cast<unsigned char>(hash[4])) ||
      !std::isdigit(static_cast<unsigned char>(hash[5])) || hash[6] != '$')
    return refused("a bcrypt hash has 60 characters and two digits of cost");
  const int cost = (hash[4] - '0') * 10 + hash[5] - '0';
  if (cost < 4 || cost > 31) return refused("bcrypt cost " + std::to_string(cost) + " is out of range");
  return uint64_t{50} << cost;
}

Result<uint64_t> block_cost(int log_n, uint64_t r) {
  if (log_n < 1 || log_n > 30 || r == 0) return refused("parameters of the salt are out of range");
  const uint64_t blocks = (uint64_t{1} << log_n) * r;
  if (blocks * 128 > kMaximumMemory) return refused("a trial would take " + human_size(blocks * 128) + " of memory");
  return std::max<uint64_t>(1, blocks / 5);
}

// "$y$" flavour, then log2(N) and r, one character each in the common case (alg-yescrypt-common.c documents the
// encoding: values below 48 are one character, value + offset). Longer encodings and more parameters are not tried.
Result<uint64_t> yescrypt_cost(std::string_view hash) {
  const size_t end = hash.find('$', 3);
  if (end != 6) return refused("yescrypt parameters other than flavour, N and r");
  const int flavour = value_of(hash[3]), n = value_of(hash[4]), r = value_of(hash[5]);
  if (flavour < 0 || n < 0 || n >= 48 || r < 0 || r >= 48)
    return refused("yescrypt parameters \"" + std::string(hash.substr(3, 3)) + "\"");
  return block_cost(n + 1, static_cast<uint64_t>(r) + 1);
}

Result<uint64_t> yescrypt_kind_cost(std::string_view hash) {
  if (hash.starts_with("$y$")) return yescrypt_cost(hash);
  return refused("this kind of hash is not tried");
}

std::string base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t group = static_cast<uint32_t>(bytes[i] << 16 | (i + 1 < bytes.size() ? bytes[i + 1] << 8 : 0) |
                                                 (i + 2 < bytes.size() ? bytes[i + 2] : 0));
    for (int k = 0; k < 4; ++k)
      out += i + static_cast<size_t>(k) > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
  }
  return out;
}

std::string as_text(const std::array<uint8_t, 16>& digest) { return {digest.begin(), digest.end()}; }

// MD5-crypt with Apache's magic: the algorithm of P.-H. Kamp's crypt() with "$apr1$" for "$1$".
std::string apr1(std::string_view password, std::string_view salt) {
  const std::string pass(password);
  const std::string inner = as_text(md5(Bytes(pass + std::string(salt) + pass)));
  std::string first = pass + "$apr1$" + std::string(salt);
  for (size_t left = pass.size(); left > 0; left -= std::min<size_t>(left, 16))
    first += inner.substr(0, std::min<size_t>(left, 16));
  for (size_t i = pass.size(); i > 0; i >>= 1) first += i & 1 ? '\0' : pass[0];
  std::array<uint8_t, 16> digest = md5(Bytes(first));
  for (int round = 0; round < 1000; ++round) {
    std::string next = round & 1 ? pass : as_text(digest);
    if (round % 3) next += salt;
    if (round % 7) next += pass;
    next += round & 1 ? as_text(digest) : pass;
    digest = md5(Bytes(next));
  }
  std::string out;
  const auto put = [&](uint32_t value, int characters) {
    for (; characters-- > 0; value >>= 6) out += kAlphabet[value & 63];
  };
  constexpr int kOrder[5][3] = {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
  for (const auto& [a, b, c] : kOrder)
    put(static_cast<uint32_t>(digest[static_cast<size_t>(a)] << 16 | digest[static_cast<size_t>(b)] << 8 |
                              digest[static_cast<size_t>(c)]),
        4);
  put(digest[11], 2);
  return out;
}

bool apr1_opens(std::string_view hash, std::string_view password) {
  const std::string_view rest = hash.substr(6);
  const size_t dollar = rest.find('$');
  if (dollar == std::string_view::npos) return false;
  return apr1(password, rest.substr(0, std::min<size_t>(dollar, 8))) == rest.substr(dollar + 1);
}

bool libcrypt_opens(const std::string& hash, const std::string& password) {
  const auto data = std::make_unique<crypt_data>();  // zeroed
  const char* made = crypt_r(password.c_str(), hash.c_str(), data.get());
  return made != nullptr && hash == made;
}

}  // namespace

std::string_view hash_kind(std::string_view hash) {
  if (hash.empty()) return "empty";
  if (hash[0] == '!' || hash[0] == '*' || hash == "x" || hash == "NP" || hash == "LK") return "locked";
  constexpr std::pair<std::string_view, std::string_view> kPrefixes[] = {
      {"$1$", "md5crypt"},    {"$apr1$", "apr1"},  {"{SHA}", "sha1"},   {"$2a$", "bcrypt"},
      {"$2b$", "bcrypt"},     {"$2y$", "bcrypt"},  {"$2x$", "bcrypt"},  {"$5$", "sha256crypt"},
      {"$6$", "sha512crypt"}, {"$y$", "yescrypt"}, {"$gy$", "yescrypt"}};
  for (const auto& [prefix, kind] : kPrefixes)
    if (hash.starts_with(prefix)) return kind;
  if (hash[0] == '_' && hash.size() == 20 && in_alphabet(hash.substr(1))) return "bsdi";
  if (hash.size() == 13 && in_alphabet(hash)) return "des";
  return "other";
}

Result<uint64_t> trial_cost(std::string_view hash) {
  if (hash.find('\0') != std::string_view::npos || hash.size() > 255) return refused("the field is no hash");
  const std::string_view kind = hash_kind(hash);
  if (kind == "md5crypt") return kMd5Crypt;
  if (kind == "apr1") return kApr1;
  if (kind == "sha1") return kMd4;
  if (kind == "des") return kDes;
  if (kind == "sha256crypt" || kind == "sha512crypt") return sha_crypt_cost(hash);
  if (kind == "bcrypt") return bcrypt_cost(hash);
  if (kind == "yescrypt") return yescrypt_kind_cost(hash);
  if (hash.starts_with("$3$$") && hash.size() == 36) return kMd4;  // NT hash, as smbpasswd is handed here
  if (kind == "bsdi") {  // four characters of rounds, least significant first; 25 rounds are one DES-crypt
    uint64_t rounds = 0;
    for (int i = 4; i >= 1; --i) rounds = rounds << 6 | static_cast<uint64_t>(value_of(hash[static_cast<size_t>(i)]));
    return std::max<uint64_t>(kDes, rounds * kDes / 25);
  }
  return refused("this kind of hash is not tried");
}

bool opens(std::string_view hash, std::string_view password) {
  if (password.find('\0') != std::string_view::npos) return false;
  if (hash.starts_with("$apr1$")) return apr1_opens(hash, password);
  if (hash.starts_with("{SHA}")) return hash.substr(5) == base64(sha1(Bytes(password)));
  return libcrypt_opens(std::string(hash), std::string(password));
}

}  // namespace assay::system
