// password.plain: an account's password is stored as it is.
#include "checks/words.h"

namespace assay::checks::password_plain {
namespace {

constexpr uint32_t kCwe[] = {256, 312};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PSW_STOR_SUPPORT"};

void run(const Input& input, Report& report) {
  for (const Account& a : input.facts.accounts) {
    if (a.hash_kind != "plain" || a.hash.empty()) continue;
    report.state(a.can_log_in ? Severity::kHigh : Severity::kMedium, Confidence::kLikely,
                 "The password of account " + in_quotes(a.name) + " is stored readable in " + place(a.at) + " (" +
                     a.source + "): " + in_quotes(a.hash),
                 a.at);
  }
}

}  // namespace

extern const Check kPasswordPlain;
const Check kPasswordPlain = {
    .id = "password.plain",
    .version = 1,
    .title = "Password stored readable",
    .means = "The password of an account stands in the image without being hashed.",
    .misses = "Passwords encoded or encrypted by the program that reads them.",
    .mistakes = "Examples, and settings which the device replaces when it is installed.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::password_plain
