// credential.default_snmp: an SNMP community of the image is one that every scanner tries first (RFC 1157 communities
// travel in the clear; "public" and "private" are the customary ones).
#include "checks/words.h"

namespace assay::checks::credential_default_snmp {
namespace {

constexpr uint32_t kCwe[] = {1392, 319};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PREDEFINED_AUTHENTICATION_ATTRIBUTES_DELETION",
                                              "TS 33.117 TC_PROTECT_DATA_INFO_TRANSFER_1"};
constexpr std::string_view kCustomary[] = {"public",    "private", "admin",   "snmp",    "write",  "read",
                                           "community", "default", "manager", "monitor", "secret", "test"};

void run(const Input& input, Report& report) {
  for (const Credential& c : input.facts.credentials) {
    if (c.kind != "snmp-community" || !is_one_of(lower(c.value), kCustomary)) continue;
    const bool writes = c.access == "rw";
    report.state(writes ? Severity::kHigh : Severity::kMedium, Confidence::kCertain,
                 "The SNMP community " + in_quotes(c.value) + (writes ? ", which may write," : "") + " is stored in " +
                     place(c.at) + " as " + in_quotes(c.name) + "; it is a customary default",
                 c.at);
  }
}

}  // namespace

extern const Check kCredentialDefaultSnmp;
const Check kCredentialDefaultSnmp = {
    .id = "credential.default_snmp",
    .version = 1,
    .title = "Customary SNMP community",
    .means = "A stored SNMP community is one of the customary default words.",
    .misses = "Communities compiled into the agent, and unusual ones that are the same on every device.",
    .mistakes = "A setting of an agent that nothing starts, or that is replaced when the device is installed.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::credential_default_snmp
