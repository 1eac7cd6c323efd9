// Readers of the files that hold accounts: pure functions over text. Offsets are in the text; `at.shows` is the line.
#pragma once
#include "core/facts.h"

#include <string_view>

namespace assay::system {

struct Accounts {
  std::vector<Account> accounts;
  bool limited = false;  // more than the bound: the rest was not read
};

Accounts read_passwd(std::string_view text);            // passwd(5)
Accounts read_shadow(std::string_view text);            // shadow(5)
Accounts read_htpasswd(std::string_view text);          // name:hash, one a line
Accounts read_busybox_httpd(std::string_view text);     // /path:name:password (busybox httpd.conf)
Accounts read_smbpasswd(std::string_view text);         // smbpasswd(5)
Accounts read_command_logins(std::string_view script);  // telnetd -u name:password, echo name:password | chpasswd

// pap-secrets and chap-secrets: client server secret addresses.
std::vector<Credential> read_ppp_secrets(std::string_view text);

bool is_login_shell(std::string_view shell);  // "" means /bin/sh (passwd(5))

}  // namespace assay::system
