// service.shell_without_login_network: a service hands a command interpreter to whoever connects, and asks for nothing.
#include "checks/words.h"

namespace assay::checks::service_shell_without_login_network {
namespace {

constexpr uint32_t kCwe[] = {306, 553};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SYS_FUN_USAGE", "TS 33.117 TC_NO_UNNECESSARY_SERVICE",
                                              "TS 33.117 TC_ACCOUNT_PROTECTION"};

void run(const Input& input, Report& report) {
  for (const Service& s : input.facts.services) {
    if (is_serial(s) || !s.gives_shell || s.asks_for_secret != Known::kNo || s.port_source == "code") continue;
    const std::string user = s.user.empty() ? "the rights of what starts it" : "the rights of " + in_quotes(s.user);
    report.state(s.started ? Severity::kCritical : Severity::kMedium,
                 s.conditional ? Confidence::kLikely : Confidence::kCertain,
                 describe(s) + "; it gives whoever connects a command interpreter with " + user +
                     " and asks for no login, password or key" +
                     (s.arguments.empty() ? "" : " (arguments: " + in_quotes(s.arguments) + ")"),
                 s.at, s.more);
  }
}

}  // namespace

extern const Check kServiceShellWithoutLoginNetwork;
const Check kServiceShellWithoutLoginNetwork = {
    .id = "service.shell_without_login_network",
    .version = 1,
    .title = "Shell over the network without login",
    .means = "A service gives a command interpreter to every peer without asking for a secret.",
    .misses = "Services whose code decides it: those are service.listens_and_starts_shell.",
    .mistakes =
        "Services that a firewall or the bound address keeps inside; starts under a condition that never holds.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_shell_without_login_network
