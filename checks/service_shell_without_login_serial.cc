// service.shell_without_login_serial: the console (a serial line that whoever opens the case can reach, or a screen and
// keyboard) gives a shell without login.
#include "checks/words.h"

namespace assay::checks::service_shell_without_login_serial {
namespace {

constexpr uint32_t kCwe[] = {1299, 306};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SYS_FUN_USAGE", "TS 33.117 TC_ACCOUNT_PROTECTION"};

void run(const Input& input, Report& report) {
  for (const Service& s : input.facts.services) {
    if (!is_serial(s) || !s.gives_shell || s.asks_for_secret != Known::kNo) continue;
    report.state(s.started ? Severity::kMedium : Severity::kLow,
                 s.conditional ? Confidence::kLikely : Confidence::kCertain,
                 describe(s) + "; it gives a command interpreter without login", s.at, s.more);
  }
}

}  // namespace

extern const Check kServiceShellWithoutLoginSerial;
const Check kServiceShellWithoutLoginSerial = {
    .id = "service.shell_without_login_serial",
    .version = 1,
    .title = "Shell on the console without login",
    .means =
        "A serial line or virtual terminal gives a command interpreter to whoever has it, without asking for a secret.",
    .misses = "Programs that offer commands on the line without being a shell.",
    .mistakes = "Devices without the connector, or whose receive line is cut.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_shell_without_login_serial
