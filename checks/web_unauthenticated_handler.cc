// web.unauthenticated_handler: programs behind web addresses that the server calls without asking who the user is.
// Pages and pictures are left out: a login page must be reachable.
#include "checks/words.h"
#include "core/text.h"

#include <map>

namespace assay::checks::web_unauthenticated_handler {
namespace {

constexpr uint32_t kCwe[] = {306, 425};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SYS_FUN_USAGE"};

void run(const Input& input, Report& report) {
  std::map<std::string, std::vector<const WebRoute*>> by_program;
  for (const WebRoute& r : input.facts.web_routes)
    if (r.authenticated == Known::kNo && r.kind != "page") by_program[r.at.artifact].push_back(&r);
  for (const auto& [program, routes] : by_program) {
    std::vector<Evidence> at;
    std::string paths;
    for (const WebRoute* r : routes) {
      at.push_back(r->at);
      if (at.size() <= 5) paths += (paths.empty() ? "" : ", ") + in_quotes(r->path);
    }
    report.state(Severity::kMedium, Confidence::kPossible,
                 place(at.front()) + " answers " + plural(routes.size(), "web address", "web addresses") +
                     " with a program and without asking who the user is: " + paths + (at.size() > 5 ? ", …" : ""),
                 at.front(), some(at));
  }
}

}  // namespace

extern const Check kWebUnauthenticatedHandler;
const Check kWebUnauthenticatedHandler = {
    .id = "web.unauthenticated_handler",
    .version = 1,
    .title = "Web address that runs a program without login",
    .means = "A web address leads to a program and what was read says that no login stands before it.",
    .misses = "Handlers whose guard is decided in the server's code, and addresses in no table.",
    .mistakes = "Programs that check the session themselves, and those a login needs.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::web_unauthenticated_handler
