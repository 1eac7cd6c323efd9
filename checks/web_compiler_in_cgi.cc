// web.compiler_in_cgi: a compiler or build tool lies where the web server runs programs.
#include "checks/words.h"

namespace assay::checks::web_compiler_in_cgi {
namespace {

constexpr uint32_t kCwe[] = {553, 489};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_COMPILER_FOR_CGI"};

void run(const Input& input, Report& report) {
  for (const WebServer& w : input.facts.web_servers)
    for (const Leftover& l : input.facts.leftovers) {
      if (l.kind != "compiler") continue;
      std::vector<Evidence> at = {l.at};
      at.insert(at.end(), l.more.begin(), l.more.end());
      for (const Evidence& e : at)
        for (const std::string& cgi : w.cgi)
          if (!cgi.empty() && lies_in(e.artifact, cgi))
            report.state(Severity::kMedium, Confidence::kLikely,
                         place(e) + " is a compiler in a directory from which the web server " + in_quotes(w.program) +
                             " runs programs (" + cgi + ")",
                         e, {w.at});
    }
}

}  // namespace

extern const Check kWebCompilerInCgi;
const Check kWebCompilerInCgi = {
    .id = "web.compiler_in_cgi",
    .version = 1,
    .title = "Compiler where the web server runs programs",
    .means = "A CGI directory of the web server holds a compiler.",
    .misses = "Interpreters, and compilers elsewhere that a CGI program calls.",
    .mistakes = "A file that is named or looks like a compiler and is none.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::web_compiler_in_cgi
