// passwd(5), shadow(5), smbpasswd(5), pppd(8) "AUTHENTICATION"; busybox httpd.c ("/cgi-bin:user:pass"), busybox
// chpasswd.c; the Apache HTTP Server's htpasswd.
#include "system/account_files.h"

#include "core/text.h"
#include "system/password_hash.h"
#include "system/script_commands.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace assay::system {
namespace {

constexpr size_t kMaximumAccounts = 10000, kMaximumName = 256, kShownText = 200;

std::optional<uint32_t> account_number(std::string_view text) {
  uint32_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

Evidence line_at(const Line& line) {
  return {.offset = line.offset, .length = line.text.size(), .shows = std::string(line.text.substr(0, kShownText))};
}

bool is_account_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaximumName && name.find_first_of(" \t\"'<>=(){};") == std::string_view::npos;
}

// Lines that are no comment, through `read(line, fields, account)`, which says whether the line is one.
template <class Reader>
Accounts each_line(std::string_view text, std::string_view source, Reader read) {
  Accounts found;
  for (const Line& line : lines(text)) {
    if (line.text.empty() || line.text[0] == '#') continue;
    const std::vector<std::string_view> fields = split(line.text.substr(0, 4096), ':');
    Account account{.source = std::string(source), .at = line_at(line)};
    if (!read(line, fields, account)) continue;
    if (found.accounts.size() == kMaximumAccounts) {
      found.limited = true;
      break;
    }
    found.accounts.push_back(std::move(account));
  }
  return found;
}

void set_hash(Account& account, std::string_view hash) {
  account.hash = hash;
  account.hash_kind = hash_kind(hash);
}
// Where the field may also hold the password itself.
void set_hash_or_plain(Account& account, std::string_view field) {
  set_hash(account, field);
  const bool hashed = account.hash_kind != "other" && account.hash_kind != "des" && account.hash_kind != "locked" &&
                      account.hash_kind != "bsdi";
  if (!hashed) account.hash_kind = field.starts_with('$') ? "other" : "plain";
}

}  // namespace

bool is_login_shell(std::string_view shell) {
  constexpr std::array<std::string_view, 7> kNone{"false", "nologin", "true", "sync", "shutdown", "halt", "null"};
  return std::ranges::find(kNone, shell.substr(shell.rfind('/') + 1)) == kNone.end();
}

Accounts read_passwd(std::string_view text) {
  return each_line(text, "passwd", [](const Line&, const auto& fields, Account& account) {
    if (fields.size() < 4 || fields.size() > 10 || !is_account_name(fields[0])) return false;
    account.uid = account_number(fields[2]);
    account.gid = account_number(fields[3]);
    if (!account.uid) return false;
    account.name = fields[0];
    set_hash(account, fields[1]);
    if (fields[1] == "x") account.hash_kind = "none";  // the hash stands in shadow
    if (fields.size() > 5) account.home = fields[5];
    if (fields.size() > 6) account.shell = trim(fields[6]);
    account.can_log_in = is_login_shell(account.shell);
    return true;
  });
}

Accounts read_shadow(std::string_view text) {
  return each_line(text, "shadow", [](const Line&, const auto& fields, Account& account) {
    if (fields.size() < 2 || fields.size() > 9 || !is_account_name(fields[0])) return false;
    for (size_t i = 2; i < fields.size(); ++i)  // days: numbers or nothing
      if (!fields[i].empty() && fields[i].find_first_not_of("-0123456789 ") != std::string_view::npos) return false;
    account.name = fields[0];
    set_hash(account, fields[1]);
    account.can_log_in = account.hash_kind != "locked";
    return true;
  });
}

Accounts read_htpasswd(std::string_view text) {
  return each_line(text, "htpasswd", [](const Line&, const auto& fields, Account& account) {
    if (fields.size() < 2 || !is_account_name(fields[0])) return false;
    account.name = fields[0];
    const std::string_view field = trim(fields.back());
    // Three fields: htdigest's name:realm:md5 of the three; two: a hash, or with some servers the password itself.
    set_hash_or_plain(account, field);
    if (fields.size() == 2 && field.size() == 13) set_hash(account, field);
    if (fields.size() == 3 && field.size() == 32) account.hash_kind = "other";
    account.can_log_in = true;
    return true;
  });
}

Accounts read_busybox_httpd(std::string_view text) {
  return each_line(text, "htpasswd", [](const Line&, const auto& fields, Account& account) {
    if (fields.size() != 3 || !fields[0].starts_with('/') || !is_account_name(fields[1])) return false;
    account.name = fields[1];
    set_hash_or_plain(account, trim(fields[2]));
    account.can_log_in = true;
    return true;
  });
}

Accounts read_smbpasswd(std::string_view text) {
  return each_line(text, "smbpasswd", [](const Line&, const auto& fields, Account& account) {
    if (fields.size() < 4 || !is_account_name(fields[0]) || fields[3].size() != 32) return false;
    account.uid = account_number(fields[1]);
    if (!account.uid) return false;
    account.name = fields[0];
    account.hash = fields[3];
    const bool none = account.hash.starts_with("NO PASSWORD"), locked = account.hash.starts_with("XXXX");
    account.hash_kind = none ? "empty" : locked ? "locked" : "other";
    account.can_log_in = !locked;
    return true;
  });
}

namespace {

// "name:password" with a literal password; what a variable or a substitution gives is not known.
std::optional<Account> login_of(std::string_view pair, const ScriptCommand& command) {
  const size_t colon = pair.find(':');
  if (colon == std::string_view::npos || pair.find_first_of("$`/") < colon) return std::nullopt;
  const std::string_view name = pair.substr(0, colon), password = pair.substr(colon + 1);
  if (!is_account_name(name) || password.find_first_of("$`") != std::string_view::npos) return std::nullopt;
  Account account{.name = std::string(name), .source = "arguments", .hash_kind = password.empty() ? "empty" : "plain"};
  account.hash = password;
  account.can_log_in = true;
  account.at = {.offset = command.offset,
                .length = command.text.size(),
                .shows = std::string(command.text.substr(0, kShownText))};
  return account;
}

}  // namespace

Accounts read_command_logins(std::string_view script) {
  Accounts found;
  if (script.find("telnetd") == std::string_view::npos && script.find("chpasswd") == std::string_view::npos)
    return found;
  const std::vector<ScriptCommand> commands = script_commands(script);
  for (size_t i = 0; i < commands.size(); ++i) {
    const ScriptCommand& command = commands[i];
    std::optional<Account> account;
    if (command.program().ends_with("telnetd")) account = login_of(command.option("-u"), command);
    // A command ends where a substitution begins: what that prints is the password, nothing says that it is empty.
    const std::string_view behind =
        script.substr(std::min<size_t>(command.offset + command.text.size(), script.size()));
    if (account && account->hash.empty() && (behind.starts_with('`') || behind.starts_with("$("))) account.reset();
    const bool fed =
        i > 0 && command.piped_into && command.program() == "chpasswd" && commands[i - 1].program() == "echo";
    if (fed && !commands[i - 1].arguments().empty())
      account = login_of(commands[i - 1].arguments().back(), commands[i - 1]);
    if (account && fed && (command.has("-e") || command.has("--encrypted"))) set_hash(*account, account->hash);
    if (account) found.accounts.push_back(std::move(*account));
  }
  return found;
}

std::vector<Credential> read_ppp_secrets(std::string_view text) {
  std::vector<Credential> found;
  for (const Line& line : lines(text)) {
    const std::string_view entry = trim(line.text);
    if (entry.empty() || entry[0] == '#' || found.size() == kMaximumAccounts) continue;
    std::vector<std::string> parts;
    for (const ScriptCommand& command : script_commands(entry))  // the same quotes as a shell's
      if (parts.empty()) parts = command.words;
    if (parts.size() < 3 || parts[2].empty() || parts[2].find('$') != std::string::npos) continue;
    found.push_back({.kind = "ppp", .name = parts[1], .account = parts[0], .value = parts[2], .at = line_at(line)});
  }
  return found;
}

}  // namespace assay::system
