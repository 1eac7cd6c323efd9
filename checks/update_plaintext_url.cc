// update.plaintext_url: software or settings are fetched over a transport that neither hides nor proves what it
// carries.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::update_plaintext_url {
namespace {

constexpr uint32_t kCwe[] = {494, 319};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SW_PKG_INTEGRITY_1",
                                              "TS 33.117 TC_PROTECT_DATA_INFO_TRANSFER_1"};
constexpr std::string_view kOpen[] = {"http", "ftp", "tftp"};

void run(const Input& input, Report& report) {
  for (const Update& u : input.facts.update) {
    if (!is_one_of(u.transport, kOpen)) continue;
    const bool verified = u.verified == Known::kYes;
    report.state(verified ? Severity::kLow : Severity::kMedium, Confidence::kLikely,
                 place(u.at) + " fetches software over " + u.transport + ": " + in_quotes(u.value) +
                     (verified ? "; a signature is checked before it is written"
                               : "; that a signature is checked before it is written was not seen"),
                 u.at);
  }
}

}  // namespace

extern const Check kUpdatePlaintextUrl;
const Check kUpdatePlaintextUrl = {
    .id = "update.plaintext_url",
    .version = 1,
    .title = "Software fetched without encryption",
    .means = "An address from which software is fetched begins with http, ftp or tftp.",
    .misses = "Addresses put together or received when the device runs.",
    .mistakes = "Addresses that only show a notice; servers that redirect to https and programs that insist on it.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::update_plaintext_url
