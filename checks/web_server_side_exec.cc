// web.server_side_exec: a page of the web server holds a server side include that runs a command (Apache's mod_include
// manual, element exec; NCSA httpd before it).
#include "checks/words.h"

namespace assay::checks {
namespace {

constexpr uint32_t kCwe[] = {97};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_EXECUTION_OF_SYSTEM_COMMANDS"};

// By their usual extensions servers read includes; in other pages only where they are told to.
bool is_read_for_includes(const std::string& way) {
  return way.ends_with(".shtml") || way.ends_with(".shtm") || way.ends_with(".stm");
}

void run(const Input& input, Report& report) {
  for (const Setting& s : input.facts.settings)
    if (s.kind == "web" && s.name == "ssi.exec")
      report.state(
          Severity::kMedium, is_read_for_includes(s.at.artifact) ? Confidence::kLikely : Confidence::kPossible,
          "The page " + place(s.at) + " has the web server run a command when it is asked for: " + quoted(s.value),
          s.at);
}

}  // namespace

extern const Check kWebServerSideExec;
const Check kWebServerSideExec = {
    .id = "web.server_side_exec",
    .version = 1,
    .title = "Page has the web server run a command",
    .means = "A page below the document root holds a server side include with exec.",
    .misses =
        "Commands that the server's own handlers and CGI programs run; pages that are made while the device runs.",
    .mistakes = "Servers that read no includes, or none with exec: they send the line to the browser.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks
