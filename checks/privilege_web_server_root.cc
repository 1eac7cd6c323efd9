// privilege.web_server_root: the web server runs with the superuser's rights, so a flaw in it is the whole device.
#include "checks/words.h"

namespace assay::checks::privilege_web_server_root {
namespace {

constexpr uint32_t kCwe[] = {250};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_SYSTEM_PRIVILEGES_WEB_SERVER"};

void run(const Input& input, Report& report) {
  for (const WebServer& w : input.facts.web_servers) {
    if (w.runs_as_root != Known::kYes) continue;
    report.state(Severity::kMedium, w.user.empty() ? Confidence::kLikely : Confidence::kCertain,
                 "The web server " + in_quotes(w.program) + " runs with uid 0: " +
                     (w.user.empty() ? "what starts it states no other user" : "its user is " + in_quotes(w.user)) +
                     " (" + place(w.at) + ")",
                 w.at);
  }
}

}  // namespace

extern const Check kPrivilegeWebServerRoot;
const Check kPrivilegeWebServerRoot = {
    .id = "privilege.web_server_root",
    .version = 1,
    .title = "Web server runs as the superuser",
    .means = "The web server is started by the superuser and no setting gives it another user.",
    .misses = "Web servers that were not recognised, and CGI programs that are setuid.",
    .mistakes = "Servers that change their user in their own code without a setting for it.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::privilege_web_server_root
