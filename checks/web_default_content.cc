// web.default_content: samples, tests and documentation below the web server's document root.
#include "checks/words.h"

namespace assay::checks::web_default_content {
namespace {

constexpr uint32_t kCwe[] = {1188, 531};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_DEFAULT_CONTENT"};
constexpr std::string_view kKinds[] = {"sample", "test", "source", "version-control", "editor"};

void run(const Input& input, Report& report) {
  for (const WebServer& w : input.facts.web_servers) {
    if (w.root.empty()) continue;
    std::vector<Evidence> found;
    for (const Leftover& l : input.facts.leftovers) {
      if (!is_one_of(l.kind, kKinds)) continue;
      if (lies_in(l.at.artifact, w.root)) found.push_back(l.at);
      for (const Evidence& e : l.more)
        if (lies_in(e.artifact, w.root)) found.push_back(e);
    }
    if (found.empty()) continue;
    report.state(Severity::kLow, Confidence::kLikely,
                 plural(found.size(), "file", "files") + " of samples, tests or development lie below " + w.root +
                     ", which the web server " + in_quotes(w.program) + " serves; the first is " + place(found.front()),
                 found.front(), some(found));
  }
}

}  // namespace

extern const Check kWebDefaultContent;
const Check kWebDefaultContent = {
    .id = "web.default_content",
    .version = 1,
    .title = "Samples and tests served by the web server",
    .means = "Files of samples, tests or development lie below the document root of the web server.",
    .misses = "Pages that are not known as samples, and those compiled into the server.",
    .mistakes = "Files whose names read like samples and which the product uses.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::web_default_content
