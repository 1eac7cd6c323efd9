// account.duplicate_uid: two account names of one password file share a user id, so that the kernel, file ownership and
// logs cannot tell them apart. A second name with uid 0 is a second superuser.
#include "checks/words.h"

#include <map>

namespace assay::checks::account_duplicate_uid {
namespace {

constexpr uint32_t kCwe[] = {694, 250};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_UNIQUE_SYSTEM_ACCOUNT_IDENTIFICATION",
                                              "TS 33.117 TC_ACCOUNT_NUMBER"};

using Shared = std::map<std::pair<std::string, uint32_t>, std::map<std::string, const Account*>>;  // file, uid → names

Shared accounts_by_uid(const Facts& facts) {
  Shared out;
  for (const Account& a : facts.accounts)
    if (a.uid && a.source == "passwd") out[{a.at.artifact, *a.uid}].emplace(a.name, &a);
  return out;
}

void run(const Input& input, Report& report) {
  for (const auto& [where, accounts] : accounts_by_uid(input.facts)) {
    if (accounts.size() < 2) continue;
    std::string names;
    std::vector<Evidence> at;
    int logins = 0;
    for (const auto& [name, account] : accounts) {
      names += (names.empty() ? "" : ", ") + in_quotes(name);
      at.push_back(account->at);
      logins += account->can_log_in && account->hash_kind != "locked" && account->hash_kind != "none";
    }
    const bool root = where.second == 0;
    report.state(root && logins > 1 ? Severity::kHigh
                 : root             ? Severity::kMedium
                                    : Severity::kLow,
                 Confidence::kCertain,
                 plural(accounts.size(), "account", "accounts") + " of " + place(at.front()) + " have uid " +
                     std::to_string(where.second) + ": " + names +
                     (root ? "; each of them is the superuser" : "; the kernel and the logs cannot tell them apart"),
                 at.front(), some(at));
  }
}

}  // namespace

extern const Check kAccountDuplicateUid;
const Check kAccountDuplicateUid = {
    .id = "account.duplicate_uid",
    .version = 1,
    .title = "Several accounts share a user id",
    .means = "Two or more names of one password file have the same uid; with uid 0 each of them is the superuser.",
    .misses = "Accounts that are added when the device runs, and accounts spread over several files.",
    .mistakes = "A second name for uid 0 that is locked and kept only for tools which expect it.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::account_duplicate_uid
