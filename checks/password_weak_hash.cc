// password.weak_hash: a password is stored under a hash that common hardware tries billions of times a second, or that
// is not salted (crypt(5) lists the methods and says which are still fit).
#include "checks/words.h"

namespace assay::checks::password_weak_hash {
namespace {

constexpr uint32_t kCwe[] = {916, 328};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PSW_STOR_SUPPORT"};

struct Weak {
  std::string_view kind, why;
};
constexpr Weak kWeak[] = {
    {"apr1", "1000 rounds of MD5"},
    {"bsdi", "DES with a 24-bit salt"},
    {"des", "DES with a 12-bit salt; only the first 8 characters count"},
    {"md5crypt", "1000 rounds of MD5"},
    {"sha1", "one round of SHA-1"},
};

void run(const Input& input, Report& report) {
  for (const Account& a : input.facts.accounts)
    for (const Weak& weak : kWeak)
      if (a.hash_kind == weak.kind)
        report.state(Severity::kMedium, Confidence::kCertain,
                     "The password of account " + in_quotes(a.name) + " in " + place(a.at) + " is stored as " +
                         a.hash_kind + " (" + std::string(weak.why) + ")",
                     a.at);
}

}  // namespace

extern const Check kPasswordWeakHash;
const Check kPasswordWeakHash = {
    .id = "password.weak_hash",
    .version = 1,
    .title = "Weak password hash",
    .means = "The password of an account is stored under DES, MD5 or SHA-1, which are quick to try.",
    .misses = "Hashes of a vendor's own making, and strong methods with few rounds.",
    .mistakes = "Accounts whose password the device sets anew, with a better method, at first boot.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::password_weak_hash
