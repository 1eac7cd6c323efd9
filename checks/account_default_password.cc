// account.default_password: a password hash of the image opens with a password that is publicly documented.
// Whoever reads the manual, or a list of default passwords, logs in to every device that runs this image.
#include "checks/words.h"

namespace assay::checks::account_default_password {
namespace {

constexpr uint32_t kCwe[] = {1392, 1393, 798};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PREDEFINED_AUTHENTICATION_ATTRIBUTES_DELETION",
                                              "TS 33.117 TC_PASSWORD_STRUCT"};

void run(const Input& input, Report& report) {
  for (const Account& a : input.facts.accounts) {
    if (a.opened_by.empty() || a.hash_kind == "empty") continue;
    const bool root = a.uid == 0u;
    const std::string claim = "The " + a.hash_kind + " entry of account " + in_quotes(a.name) + " in " + place(a.at) +
                              " is opened by the commonly known default password " + in_quotes(a.opened_by) +
                              (root ? "; the account has uid 0" : "") +
                              (a.can_log_in ? "" : "; no login shell is set for it");
    const Severity severity = !a.can_log_in ? Severity::kMedium : root ? Severity::kCritical : Severity::kHigh;
    report.state(severity, Confidence::kCertain, claim, a.at);
  }
}

}  // namespace

extern const Check kAccountDefaultPassword;
const Check kAccountDefaultPassword = {
    .id = "account.default_password",
    .version = 1,
    .title = "Commonly known default password",
    .means = "The stored password of an account is one of the commonly known default passwords that were tried.",
    .misses = "Passwords that are on no list, and hashes whose rounds cost more than the budget allows.",
    .mistakes = "An account that the device deletes or gives a new password when it first boots.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::account_default_password
