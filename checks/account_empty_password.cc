// account.empty_password: the password field of an account is there and empty, so login asks for nothing.
#include "checks/words.h"

namespace assay::checks::account_empty_password {
namespace {

constexpr uint32_t kCwe[] = {258, 1391};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_ACCOUNT_PROTECTION"};

void run(const Input& input, Report& report) {
  for (const Account& a : input.facts.accounts) {
    if (a.hash_kind != "empty") continue;
    const bool root = a.uid == 0u;
    const Severity severity = !a.can_log_in ? Severity::kLow : root ? Severity::kCritical : Severity::kHigh;
    report.state(severity, Confidence::kCertain,
                 "The password field of account " + in_quotes(a.name) + " in " + place(a.at) + " is empty" +
                     (a.can_log_in ? ": it logs in without a password" : "; no login shell is set for it") +
                     (root ? "; the account has uid 0" : ""),
                 a.at);
  }
}

}  // namespace

extern const Check kAccountEmptyPassword;
const Check kAccountEmptyPassword = {
    .id = "account.empty_password",
    .version = 1,
    .title = "Account with an empty password",
    .means = "An account's password field is empty, so that its name alone logs in.",
    .misses = "Accounts whose password the device empties later, for example on a reset to factory settings.",
    .mistakes = "Login programs that refuse empty passwords on the network; devices that set one at first boot.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::account_empty_password
