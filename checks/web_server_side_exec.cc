// web.server_side_exec: a page of the web server holds a server side include that runs a command (Apache's mod_include
// manual, element exec; NCSA httpd before it).
#include "checks/words.h"

namespace assay::checks::web_server_side_exec {
namespace {

constexpr uint32_t kCwe[] = {97};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_EXECUTION_OF_SYSTEM_COMMANDS"};

void run(const Input& input, Report& report) {
  for (const Setting& s : input.facts.settings) {
    const bool usual = s.name == "ssi.exec";  // else in a page that servers read for includes only where told to
    if (s.kind != "web" || (!usual && s.name != "ssi.exec.where_told")) continue;
    report.state(
        Severity::kMedium, usual ? Confidence::kLikely : Confidence::kPossible,
        "The page " + place(s.at) + " has the web server run a command when it is asked for: " + in_quotes(s.value),
        s.at);
  }
}

}  // namespace

extern const Check kWebServerSideExec;
const Check kWebServerSideExec = {
    .id = "web.server_side_exec",
    .version = 2,
    .title = "Page has the web server run a command",
    .means = "A page below the document root holds a server side include with exec.",
    .misses =
        "Commands that the server's own handlers and CGI programs run; pages that are made while the device runs, or "
        "lie "
        "in a folder outside the document root that only a link leads to.",
    .mistakes = "Servers that read no includes, or none with exec: they send the line to the browser.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::web_server_side_exec
