// account.predefined: accounts the image brings along that can log in. With a declaration that lists accounts, those it
// names are left out and the rest are undeclared; without one, every such account is listed as a lesser finding.
#include "checks/undeclared.h"
#include "checks/words.h"

#include <algorithm>

namespace assay::checks::account_predefined {
namespace {

constexpr uint32_t kCwe[] = {1392, 912};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PREDEFINED_ACCOUNT_DELETION"};

bool declares_accounts(const Input& input) { return input.declaration != nullptr && input.declaration->has_accounts; }

bool is_declared(const Input& input, const Account& a) {
  return declares_accounts(input) &&
         std::ranges::any_of(input.declaration->accounts, [&](const Declared& d) { return d.name == a.name; });
}

void run(const Input& input, Report& report) {
  const bool declared = declares_accounts(input);
  for (const Account& a : input.facts.accounts) {
    if (!can_be_used(a) || is_declared(input, a)) continue;
    std::string claim = "Account " + in_quotes(a.name) + (a.uid ? " (uid " + std::to_string(*a.uid) + ")" : "") +
                        " in " + place(a.at) + " can log in with the password stored there (" + a.hash_kind + ")";
    if (declared) claim += "; the declaration names no such account";
    const Severity severity = !declared ? Severity::kLow : a.uid == 0u ? Severity::kHigh : Severity::kMedium;
    report.state(severity, Confidence::kCertain, claim, a.at);
  }
}

}  // namespace

extern const Check kAccountPredefined;
const Check kAccountPredefined = {
    .id = "account.predefined",
    .version = 1,
    .title = "Predefined account that can log in",
    .means = "An account with a stored password comes with the image and is not among the declared ones.",
    .misses = "Accounts that programs make at run time, and names compared inside a program.",
    .mistakes = "Without a declaration every account is listed, the intended ones too.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::account_predefined
