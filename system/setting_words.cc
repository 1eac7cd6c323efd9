// The vocabulary: TR-098/TR-181 parameter names (ManagementServer.Username, PreSharedKey, KeyPassphrase,
// X_..._WebUserInfo), hostapd.conf, UCI's wireless and network files, and the NVRAM names of the common SDKs.
#include "system/setting_words.h"

#include "core/text.h"
#include "system/password_hash.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace assay::system {
namespace {

using Words = std::vector<std::string>;

bool has(const Words& words, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(words, [&](const std::string& word) { return std::ranges::find(any, word) != any.end(); });
}
// Names run words together (wpapsk, httppasswd, adminpwd): a word that contains one counts for the longer ones.
bool contains(const Words& words, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(words, [&](const std::string& word) {
    return std::ranges::any_of(any, [&](std::string_view part) { return word.find(part) != std::string::npos; });
  });
}

// A name that only speaks about passwords: their length, whether to ask, where the file is.
bool is_about(const Words& words) {
  return has(words, {"auth",    "length",     "len",      "min",      "max",       "enable", "enabled",  "enc",
                     "encrypt", "encryption", "type",     "mode",     "file",      "path",   "error",    "index",
                     "idx",     "id",         "mgmt",     "rotation", "interval",  "status", "change",   "changed",
                     "expire",  "age",        "retry",    "retries",  "hint",      "prompt", "title",    "label",
                     "policy",  "strength",   "update",   "rekey",    "renew",     "period", "timeout",  "support",
                     "flag",    "show",       "display",  "through",  "algorithm", "alg",    "format",   "count",
                     "num",     "host",       "port",     "cipher",   "reset",     "check",  "required", "dir",
                     "level",   "method",     "protocol", "exchange", "minlen"}) ||
         contains(words, {"passthrough", "passthru", "keymgmt", "keytype", "keyidx", "keyindex", "passwordauth",
                          "keyboard", "keyword", "keylen", "bypass", "keepalive"});
}

std::string_view kind_of(const Words& all, const Words& own) {
  if (contains(all, {"community"})) return "snmp-community";
  if (contains(own, {"wep"}) && contains(own, {"key", "wep"})) return "wep-key";
  if (own.size() >= 3 && own[0] == "key" && has(own, {"str"})) return "wep-key";  // Key1Str1 of RT2860AP.dat
  if (has(own, {"pin"}) || contains(own, {"wpspin", "wscpin", "pincode", "devicepin"})) return "wps-pin";
  if (contains(all, {"cwmp", "tr069", "tr98", "acs", "managementserver", "connectionrequest"}) ||
      (has(all, {"tr"}) && has(all, {"069"})) || (has(all, {"management"}) && has(all, {"server"})) ||
      (has(all, {"connection"}) && has(all, {"request"})))
    return "tr069";
  if (contains(own, {"psk", "wpa", "presharedkey", "passphrase", "keypassphrase"}) ||
      (has(own, {"shared"}) && has(own, {"key"})) ||
      (contains(all, {"wlan", "wifi", "wireless", "ssid", "iface"}) && has(own, {"key"})))
    return "wifi-psk";
  if (contains(all, {"ppp", "pptp", "l2tp", "wanuser", "dialup"}) || has(all, {"chap", "pap", "apn"})) return "ppp";
  if (contains(all, {"smb", "samba", "cifs"})) return "samba";
  if (contains(all, {"ddns", "smtp", "mail", "sip", "voip", "radius", "ntp", "proxy", "vpn", "ipsec", "mqtt", "sntp"}))
    return "generic";
  if (contains(all, {"http", "web", "gui", "luci"})) return "web";
  if (contains(all, {"admin", "login", "telnet", "ssh", "root", "cli", "super", "sys", "console", "operator", "user",
                     "guest", "ftp", "account", "support"}))
    return "login";
  return "generic";
}

}  // namespace

std::vector<std::string> words_of_name(std::string_view name) {
  Words found;
  char before = 0;
  for (const char c : name.substr(0, 160)) {
    const auto u = static_cast<unsigned char>(c);
    if (!std::isalnum(u)) {
      before = 0;
      continue;
    }
    const auto b = static_cast<unsigned char>(before);
    const bool digits = std::isdigit(u) != 0;
    const bool starts = before == 0 || (std::isupper(u) && !std::isupper(b)) || (digits != (std::isdigit(b) != 0));
    if (starts || found.empty()) found.emplace_back();
    found.back() += static_cast<char>(std::tolower(u));
    before = c;
  }
  return found;
}

Meaning meaning_of(std::string_view scope, std::string_view name) {
  const Words own = words_of_name(name);
  if (own.empty() || is_about(own)) return {};
  Words all = words_of_name(scope);
  all.insert(all.end(), own.begin(), own.end());
  Meaning meaning{.kind = kind_of(all, own)};
  const bool key = has(own, {"key"}) && (meaning.kind == "wep-key" || meaning.kind == "wifi-psk");
  const bool numbered_key = meaning.kind == "wep-key" && contains(own, {"key", "wep"});
  const bool pass = contains(own, {"password", "passwd", "passphrase", "pword"}) ||
                    std::ranges::any_of(own, [](const std::string& w) {
                      return w == "pass" || w.ends_with("pwd") || w.ends_with("psk") || w == "pw";
                    });
  const bool secret = pass || key || numbered_key || meaning.kind == "snmp-community" || meaning.kind == "wps-pin" ||
                      contains(own, {"presharedkey", "sharedsecret"}) || has(own, {"secret"}) ||
                      (has(own, {"shared"}) && has(own, {"key"})) || (has(own, {"radius"}) && has(own, {"key"}));
  if (secret) {
    meaning.role = Meaning::Role::kSecret;
    if (meaning.kind == "snmp-community") {
      if (contains(own, {"write", "rw", "set"}))
        meaning.access = "rw";
      else if (contains(own, {"read", "ro", "get"}))
        meaning.access = "ro";
    }
    return meaning;
  }
  if (contains(own, {"username", "usrname", "userid", "loginname"}) ||
      has(own, {"user", "login", "account", "username"}) ||
      (has(own, {"name"}) && contains(own, {"admin", "login", "user", "usr", "acct", "account"})))
    meaning.role = Meaning::Role::kUser;
  return meaning;
}

bool is_literal_secret(std::string_view kind, std::string_view value) {
  if (value.empty() || value.size() > 255 || value.find_first_of("\n\t<>{}$`%") != std::string_view::npos) return false;
  if (value[0] == '/' || value[0] == '*' || value == "x" || value == "null" || value == "none") return false;
  if (value.starts_with("http://") || value.starts_with("https://")) return false;
  if (kind == "wps-pin") return value.size() >= 4 && value.find_first_not_of("0123456789") == std::string_view::npos;
  if (kind == "wifi-psk") return value.size() >= 8 && value.size() <= 64;
  if (kind == "wep-key") return value.size() >= 5;
  constexpr std::array<std::string_view, 12> kSwitches{"on",     "off",     "yes",     "no",       "true",   "false",
                                                       "enable", "disable", "enabled", "disabled", "string", "text"};
  return std::ranges::find(kSwitches, value) == kSwitches.end();
}

namespace {

struct Candidate {
  const NamedValue* value;
  Words words;
};

size_t common_words(const Words& a, const Words& b) {
  size_t common = 0;
  for (const std::string& word : a) common += std::ranges::find(b, word) != b.end();
  return common;
}

// The user name that belongs to a secret: of the same group, sharing most words of the name, the nearest of equals.
// In a flat file (NVRAM) every value is of one group, so a word must be shared there, or the names be bare.
const NamedValue* user_beside(const NamedValue& secret, const std::vector<Candidate>& users) {
  const Words words = words_of_name(secret.name);
  const NamedValue* best = nullptr;
  size_t best_common = 0;
  uint64_t best_distance = 0;
  for (const Candidate& user : users) {
    const size_t common = common_words(user.words, words);
    if (common == 0 && words.size() > 1 && user.words.size() > 1) continue;
    const uint64_t distance =
        user.value->offset > secret.offset ? user.value->offset - secret.offset : secret.offset - user.value->offset;
    if (best && (common < best_common || (common == best_common && distance >= best_distance))) continue;
    best = user.value;
    best_common = common;
    best_distance = distance;
  }
  return best;
}

Evidence place(const NamedValue& value, std::string_view text) {
  return {.offset = value.offset,
          .length = value.length,
          .shows = std::string(text.substr(value.offset, std::min<uint64_t>(value.length, 200)))};
}

std::string full_name(const NamedValue& value) {
  return value.scope.empty() ? value.name : value.scope + "/" + value.name;
}

Account account_of(const NamedValue& secret, const NamedValue& user, std::string_view source, std::string_view text) {
  Account account{.name = user.value,
                  .source = std::string(source),
                  .hash = secret.value,
                  .can_log_in = true,
                  .at = place(secret, text)};
  const std::string_view kind = hash_kind(secret.value);
  const bool hashed = secret.value.starts_with('$') && kind != "other";
  account.hash_kind = secret.value.empty() ? "empty" : hashed ? std::string(kind) : "plain";
  return account;
}

}  // namespace

Secrets secrets_of(const std::vector<NamedValue>& values, std::string_view source, std::string_view text) {
  constexpr size_t kMaximumUsers = 64;  // of one group: bounds the search for the name beside a secret
  struct Secret {
    const NamedValue* value;
    Meaning meaning;
  };
  std::vector<Secret> secrets;
  std::map<uint32_t, std::vector<Candidate>> users;
  for (const NamedValue& value : values) {
    const Meaning meaning = meaning_of(value.scope, value.name);
    if (meaning.role == Meaning::Role::kSecret) secrets.push_back({&value, meaning});
    if (meaning.role != Meaning::Role::kUser || value.value.empty() ||
        value.value.find_first_of("$%<{ ") != std::string::npos)
      continue;
    auto& group = users[value.group];
    if (group.size() < kMaximumUsers) group.push_back({&value, words_of_name(value.name)});
  }
  Secrets found;
  for (const auto& [value, meaning] : secrets) {
    const NamedValue* user = user_beside(*value, users[value->group]);
    const bool login = meaning.kind == "login" || meaning.kind == "web";
    const bool hashed = value->value.starts_with('$') && hash_kind(value->value) != "other";
    if (login && user && (value->value.empty() || hashed || is_literal_secret(meaning.kind, value->value))) {
      found.accounts.push_back(account_of(*value, *user, source, text));
    } else if (is_literal_secret(meaning.kind, value->value)) {
      found.credentials.push_back({.kind = std::string(meaning.kind == "login" ? "generic" : meaning.kind),
                                   .name = full_name(*value),
                                   .account = user ? user->value : "",
                                   .value = value->value,
                                   .access = std::string(meaning.access),
                                   .at = place(*value, text)});
    }
  }
  return found;
}

}  // namespace assay::system
