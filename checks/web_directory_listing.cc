// web.directory_listing: the web server lists what a directory holds when it has no index page.
#include "checks/words.h"

namespace assay::checks::web_directory_listing {
namespace {

constexpr uint32_t kCwe[] = {548};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_DIRECTORY_LISTINGS"};

void run(const Input& input, Report& report) {
  for (const WebServer& w : input.facts.web_servers)
    if (w.directory_listing == Known::kYes)
      report.state(Severity::kLow, Confidence::kCertain,
                   "The web server " + in_quotes(w.program) + " lists directories" +
                       (w.root.empty() ? "" : " below " + w.root) + ", by its configuration in " + place(w.at),
                   w.at);
}

}  // namespace

extern const Check kWebDirectoryListing;
const Check kWebDirectoryListing = {
    .id = "web.directory_listing",
    .version = 1,
    .title = "Web server lists directories",
    .means = "The configuration of the web server turns directory listings on.",
    .misses = "Servers that list directories by default without a setting.",
    .mistakes = "Document roots in which every directory has an index page.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::web_directory_listing
