// credential.hard_coded: the image holds a password of a service (remote management, web, PPP, file sharing …) as it
// is. Everyone who has the image has it, and every device with this image starts with it.
#include "checks/words.h"

namespace assay::checks::credential_hard_coded {
namespace {

constexpr uint32_t kCwe[] = {798, 259, 312};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PREDEFINED_AUTHENTICATION_ATTRIBUTES_DELETION",
                                              "TS 33.117 TC_CONFIDENTIAL_SYSTEM_INTERNAL_DATA"};
constexpr std::string_view kManagement[] = {"tr069", "web"};
constexpr std::string_view kOther[] = {"ppp", "samba", "generic"};

void run(const Input& input, Report& report) {
  for (const Credential& c : input.facts.credentials) {
    const bool management = is_one_of(c.kind, kManagement);
    if (c.value.empty() || (!management && !is_one_of(c.kind, kOther))) continue;
    report.state(management ? Severity::kHigh : Severity::kMedium,
                 c.kind == "generic" ? Confidence::kPossible : Confidence::kLikely,
                 "A " + c.kind + " password is stored readable in " + place(c.at) + ": " + in_quotes(c.name) + " = " +
                     in_quotes(c.value) + (c.account.empty() ? "" : ", for the user " + in_quotes(c.account)),
                 c.at);
  }
}

}  // namespace

extern const Check kCredentialHardCoded;
const Check kCredentialHardCoded = {
    .id = "credential.hard_coded",
    .version = 1,
    .title = "Password stored readable in the image",
    .means = "A setting of the image whose name says it is a password holds one, the same on every device.",
    .misses = "Passwords inside programs, and settings whose names do not say what they hold.",
    .mistakes = "Examples and placeholders; settings which the device replaces when it is installed.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::credential_hard_coded
