// service.debug: a service whose purpose is debugging, test or measurement is started or lies ready.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::service_debug {
namespace {

constexpr uint32_t kCwe[] = {489, 1244};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNNECESSARY_SERVICE",
                                              "TS 33.117 TC_NO_UNUSED_FUNCTIONS"};
// Words of the field and names of the programs; the first group hands out control of the device, the second measures.
constexpr std::string_view kControl[] = {"gdb",         "adb",    "kgdb",   "gdbserver", "adbd",
                                         "lldb-server", "strace", "netcat", "socat"};
constexpr std::string_view kMeasure[] = {"iperf", "netperf", "ttcp", "discard", "chargen", "echo", "systat", "netstat"};

bool named(const Service& s, std::span<const std::string_view> list) {
  return is_one_of(s.name, list) || is_one_of(base_name(s.program), list);
}

void run(const Input& input, Report& report) {
  for (const Service& s : input.facts.services) {
    const bool control = named(s, kControl);
    if (!control && (!s.started || !named(s, kMeasure))) continue;  // not started: service.present_not_started
    const Severity started = control ? Severity::kHigh : Severity::kMedium;
    report.state(s.started ? started : Severity::kLow, s.conditional ? Confidence::kLikely : Confidence::kCertain,
                 describe(s) + "; it is a service for debugging or measurement (" + escape(s.name) + ")", s.at, s.more);
  }
}

}  // namespace

extern const Check kServiceDebug;
const Check kServiceDebug = {
    .id = "service.debug",
    .version = 1,
    .title = "Debugging service",
    .means = "A debugger's server or a measuring service is part of the image, and perhaps started.",
    .misses = "Debugging functions inside other programs.",
    .mistakes = "Scripts that start it only in a mode of the factory which the device leaves.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_debug
