// service.present_not_started: a server program is in the image, and nothing read starts it. It takes a command, a
// setting or a key press to open it.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::service_present_not_started {
namespace {

constexpr uint32_t kCwe[] = {1242, 489};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNUSED_SOFTWARE", "TS 33.117 TC_NO_UNUSED_FUNCTIONS"};
constexpr std::string_view kRemoteAccess[] = {"telnet", "rsh", "rlogin", "rexec", "ftp", "tftp", "ssh", "web-shell"};

void run(const Input& input, Report& report) {
  for (const Service& s : input.facts.services) {
    if (s.started || s.port_source == "code") continue;  // the latter: service.listens_and_starts_shell
    const bool access = is_one_of(s.name, kRemoteAccess) || s.gives_shell;
    report.state(access ? Severity::kLow : Severity::kNote, Confidence::kLikely,
                 "The server " + (s.program == "internal" ? "inetd" : escape(s.program)) + " (" + escape(s.name) +
                     ") is in the image, in " + place(s.at) + ", and nothing in the image was seen to start it" +
                     (s.resolves_to.empty() ? "" : "; the program is " + s.resolves_to),
                 s.at, s.more);
  }
}

}  // namespace

extern const Check kServicePresentNotStarted;
const Check kServicePresentNotStarted = {
    .id = "service.present_not_started",
    .version = 1,
    .title = "Server program that nothing starts",
    .means = "A server for the network is part of the image although no start script, timer or table names it.",
    .misses = "Servers whose names and contents are not known as such.",
    .mistakes = "Servers that a program starts by itself on a user's request; parts of a multi-call program.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_present_not_started
