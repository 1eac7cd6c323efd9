// Accounts of the operating system and of the services: from passwd and shadow files wherever they lie (a default copy
// under /etc_ro becomes /etc/passwd at boot), the password files of web servers and Samba, default settings and the
// arguments of programs. At the end commonly known default passwords are tried under one budget (password_trial.h).
//
// An entry of shadow takes shell, home and numbers from the passwd file beside it; without one it can log in when it
// has a usable hash, since nothing in the image says otherwise.
#include "system/account_files.h"
#include "system/config_files.h"
#include "system/password_trial.h"
#include "system/setting_words.h"

#include <algorithm>
#include <map>

namespace assay::system::accounts {
namespace {

std::string_view directory_of(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

bool is_named(const TextFile& file, std::string_view base) {  // passwd, passwd-, passwd.bak, passwd_default, .passwd
  std::string_view name = file.name;
  if (name.starts_with('.')) name.remove_prefix(1);
  if (!name.starts_with(base)) return false;
  const std::string_view rest = name.substr(base.size());
  for (const std::string_view tail : {"", "-", "~", ".bak", ".orig", ".default", ".def", "_default", ".sample", ".new",
                                      ".old", ".tmpl", ".template", "_def", ".conf", ".local"})
    if (rest == tail) return true;
  return false;
}

Accounts read(const TextFile& file) {
  if (is_web_page(file) || file.type == "xml") return {};
  if (is_named(file, "passwd")) {
    const bool system = file.text.find(":/") != std::string_view::npos || file.below("/etc");
    return system ? read_passwd(file.text) : Accounts{};
  }
  if (is_named(file, "shadow")) return read_shadow(file.text);
  if (is_named(file, "smbpasswd")) return read_smbpasswd(file.text);
  if (is_named(file, "htpasswd") || is_named(file, "htdigest") || file.name.ends_with(".htpasswd") ||
      (file.below("/lighttpd") && (file.name.ends_with(".user") || file.name.ends_with(".users"))) ||
      is_named(file, "webpasswd") || is_named(file, "lighttpd-plain.user") || is_named(file, "vsftpd.passwd"))
    return read_htpasswd(file.text);
  if (is_named(file, "httpd") && file.name.ends_with(".conf")) return read_busybox_httpd(file.text);
  if (file.is_script() || file.name == "inittab") return read_command_logins(file.text);
  return {};
}

// By volume, directory and name.
using Passwd = std::map<std::tuple<int, std::string, std::string>, const Account*>;

void complete_shadow(std::vector<Account>& accounts, const std::vector<std::pair<int, std::string>>& places) {
  Passwd passwd;
  for (size_t i = 0; i < accounts.size(); ++i)
    if (accounts[i].source == "passwd")
      passwd.try_emplace({places[i].first, places[i].second, accounts[i].name}, &accounts[i]);
  for (size_t i = 0; i < accounts.size(); ++i) {
    Account& entry = accounts[i];
    if (entry.source != "shadow") continue;
    const auto found = passwd.find({places[i].first, places[i].second, entry.name});
    if (found == passwd.end()) continue;
    const Account& beside = *found->second;
    entry.uid = beside.uid;
    entry.gid = beside.gid;
    entry.home = beside.home;
    entry.shell = beside.shell;
    entry.can_log_in = beside.can_log_in;
  }
}

// Logins given to a telnet server where it is started: the start was followed, so variables have their values here.
void add_started_logins(const Facts& facts, std::vector<Account>& accounts) {
  for (const Startup& start : facts.startup) {
    if (!start.program.ends_with("telnetd")) continue;
    for (Account& account : read_command_logins(start.program + " " + start.arguments).accounts) {
      account.at = start.at;
      const bool known = std::ranges::any_of(accounts, [&](const Account& other) {
        return other.name == account.name && other.hash == account.hash && other.at.artifact == account.at.artifact;
      });
      if (!known) accounts.push_back(std::move(account));
    }
  }
}

void run(Tree& tree, Facts& out) {
  for (const Artifact* artifact : texts_too_long(tree))
    out.problems.push_back({artifact->way, Fault::kLimit,
                            "a text of " + std::to_string(artifact->size) + " bytes is not searched for configuration",
                            0});
  std::vector<Account> accounts;
  std::vector<std::pair<int, std::string>> places;  // volume and directory, by account
  for (const TextFile& file : text_files(tree)) {
    Accounts found = read(file);
    if (found.limited) out.problems.push_back({file.artifact->way, Fault::kLimit, "more accounts than are read", 0});
    for (Account& account : found.accounts) {
      place(account.at, *file.artifact);
      accounts.push_back(std::move(account));
      places.emplace_back(file.volume, std::string(directory_of(file.path)));
    }
  }
  complete_shadow(accounts, places);
  add_started_logins(out, accounts);
  for (const ConfigFile& file : config_files(tree)) {
    for (Account& account : secrets_of(file.values.values, file.source, file.text).accounts) {
      place(account.at, *file.artifact);
      accounts.push_back(std::move(account));
    }
  }
  try_default_passwords(accounts);
  out.accounts.insert(out.accounts.end(), std::make_move_iterator(accounts.begin()),
                      std::make_move_iterator(accounts.end()));
}

}  // namespace

extern const TreeAnalysis kAccounts;
const TreeAnalysis kAccounts = {.id = "accounts", .version = 1, .run = run};

}  // namespace assay::system::accounts
