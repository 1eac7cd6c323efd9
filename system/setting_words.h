// What the name of a setting says its value is: a secret, of what kind, or the user name beside one. Read from the
// words of the name (wpa_psk, adminPassword, snmp_rocommunity), never from who made the device.
#pragma once
#include "core/facts.h"
#include "system/named_values.h"

#include <string_view>

namespace assay::system {

struct Meaning {
  enum class Role : uint8_t { kNone, kSecret, kUser } role = Role::kNone;
  // snmp-community, wifi-psk, wep-key, wps-pin, tr069, web, ppp, samba, generic (core/facts.h), or "login": a
  // password of the operating system or of an administration interface
  std::string_view kind = "generic";
  std::string_view access;  // of SNMP: ro, rw
};
Meaning meaning_of(std::string_view scope, std::string_view name);

// Whether a value can be a secret as it stands: no variable, no path, no format, no switch.
bool is_literal_secret(std::string_view kind, std::string_view value);

// The words of a name, in lower case: "WLAN_PskKey1" -> wlan psk key 1.
std::vector<std::string> words_of_name(std::string_view name);

// The secrets of a file: logins with a user name beside them become accounts of `source`, the rest credentials.
// Offsets only; at.shows is cut from `text`.
struct Secrets {
  std::vector<Account> accounts;
  std::vector<Credential> credentials;
};
Secrets secrets_of(const std::vector<NamedValue>& values, std::string_view source, std::string_view text);

}  // namespace assay::system
