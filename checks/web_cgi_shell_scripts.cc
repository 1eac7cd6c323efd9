// web.cgi_shell_scripts: requests from the web are answered by shell scripts. A shell takes words apart and runs
// substitutions, so values from a request become commands easily (CGI: RFC 3875).
#include "checks/words.h"

#include <map>

namespace assay::checks::web_cgi_shell_scripts {
namespace {

constexpr uint32_t kCwe[] = {78};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_CGI_OR_SCRIPTING_FOR_UPLOADS"};

void run(const Input& input, Report& report) {
  for (const WebServer& w : input.facts.web_servers) {
    std::map<std::string, Evidence> scripts;
    for (const FileType& f : input.facts.file_types) {
      if (f.type != "script" || !is_shell(f.interpreter)) continue;
      for (const std::string& cgi : w.cgi)
        if (!cgi.empty() && lies_in(f.at.artifact, cgi)) scripts.emplace(f.at.artifact, f.at);
    }
    if (scripts.empty()) continue;
    std::vector<Evidence> at;
    for (const auto& [way, evidence] : scripts) at.push_back(evidence);
    at.push_back(w.at);
    report.state(Severity::kLow, Confidence::kLikely,
                 plural(scripts.size(), "shell script answers", "shell scripts answer") +
                     " requests to the web server " + in_quotes(w.program) + "; the first is " + place(at.front()),
                 at.front(), some(at));
  }
}

}  // namespace

extern const Check kWebCgiShellScripts;
const Check kWebCgiShellScripts = {
    .id = "web.cgi_shell_scripts",
    .version = 1,
    .title = "Shell scripts answer web requests",
    .means = "Programs in the web server's CGI directories are shell scripts.",
    .misses = "Compiled CGI programs that call a shell, and handlers inside the web server.",
    .mistakes = "Scripts that take nothing from the request.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::web_cgi_shell_scripts
