// account.root_login_remote: the superuser may log in over the network: an SSH server's PermitRootLogin
// (sshd_config(5)), a dropbear started without -w (dropbear(8)), or a telnet login that no securetty list
// (securetty(5)) restricts.
#include "checks/words.h"

#include <algorithm>

namespace assay::checks::account_root_login_remote {
namespace {

constexpr uint32_t kCwe[] = {250, 269};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_REMOTE_LOGIN_RESTRICTIONS_PRIVILEGED_USERS"};

// An account of uid 0 which a password opens; the one a remote login would use.
const Account* root_with_password(const Facts& facts) {
  for (const Account& a : facts.accounts)
    if (a.uid == 0u && a.can_log_in && a.hash_kind != "locked" && a.hash_kind != "none") return &a;
  return nullptr;
}

void judge_setting(const Setting& s, Report& report) {
  if (s.kind != "ssh" || lower(s.name) != "permitrootlogin") return;
  const std::string value = lower(s.value);
  if (value == "no" || value == "off" || value == "0" || value == "forced-commands-only") return;
  const bool password = value == "yes" || value == "on" || value == "1";
  report.state(password ? Severity::kMedium : Severity::kLow, Confidence::kCertain,
               "The SSH server's setting PermitRootLogin is " + in_quotes(s.value) + " in " + place(s.at) +
                   (password ? ": root may log in over the network with a password"
                             : ": root may log in over the network with a key"),
               s.at);
}

// The words of an argument list: an option of its own, or among joined letters ("-Fw").
bool has_option(std::string_view arguments, char letter) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool starts = i == 0 || arguments[i - 1] == ' ';
    if (!starts || arguments[i] != '-' || i + 1 >= arguments.size() || arguments[i + 1] == '-') continue;
    const std::string_view word = arguments.substr(i, arguments.find(' ', i) - i);
    if (word.find(letter) != std::string_view::npos) return true;
  }
  return false;
}

bool restricts_root(const Facts& facts, const Service& s) {
  if (s.name == "ssh") return s.program != "dropbear" || has_option(s.arguments, 'w') || has_option(s.arguments, 'g');
  return std::ranges::any_of(facts.settings, [](const Setting& setting) {
    return setting.kind == "login" && lower(setting.name).find("securetty") != std::string::npos &&
           setting.value.find("pts") == std::string::npos;
  });
}

void judge_service(const Facts& facts, const Service& s, Report& report) {
  const bool telnet = s.name == "telnet" && s.asks_for_secret == Known::kYes;
  const bool ssh = s.name == "ssh" && s.program == "dropbear";
  if (!s.started || (!telnet && !ssh) || restricts_root(facts, s)) return;
  const Account* root = root_with_password(facts);
  if (root == nullptr) return;
  report.state(telnet ? Severity::kHigh : Severity::kMedium, Confidence::kLikely,
               describe(s) + ", and account " + in_quotes(root->name) + " (uid 0) has a password in " +
                   place(root->at) +
                   (telnet ? "; no list of terminals for root was found, so root may log in over telnet"
                           : "; it is started without -w or -g, so root may log in over SSH with that password"),
               s.at, {root->at});
}

void run(const Input& input, Report& report) {
  for (const Setting& s : input.facts.settings) judge_setting(s, report);
  for (const Service& s : input.facts.services) judge_service(input.facts, s, report);
}

}  // namespace

extern const Check kAccountRootLoginRemote;
const Check kAccountRootLoginRemote = {
    .id = "account.root_login_remote",
    .version = 1,
    .title = "The superuser may log in over the network",
    .means = "A remote login is started or configured such that uid 0 can log in directly.",
    .misses = "Limits and permissions that a program or a library (PAM) applies without a setting read here.",
    .mistakes = "Login programs that refuse root on the network by themselves; a firewall in front of the service.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::account_root_login_remote
