// service.adb_open: a property of Android takes a protection of its debugging bridge (adb) away
// (AOSP packages/modules/adb/daemon/main.cpp and auth.cpp: ro.adb.secure, ro.secure, ro.debuggable,
// service.adb.tcp.port).
#include "checks/words.h"

namespace assay::checks::service_adb_open {
namespace {

constexpr uint32_t kCwe[] = {306, 489, 1191};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNNECESSARY_SERVICE",
                                              "TS 33.117 TC_NO_UNUSED_FUNCTIONS"};

struct Weakness {
  std::string_view name, value, meaning;  // value "": any but 0 and -1
  Severity severity;
};
constexpr Weakness kWeaknesses[] = {
    {"ro.adb.secure", "0", "adb takes every peer, none has to show a key", Severity::kHigh},
    {"ro.secure", "0", "adb's shells are the superuser's", Severity::kHigh},
    {"ro.debuggable", "1", "adb gives a superuser's shell on request, and every app may be debugged",
     Severity::kMedium},
    {"service.adb.tcp.port", "", "adb, once started, listens on that TCP port", Severity::kMedium},
    {"persist.adb.tcp.port", "", "adb, once started, listens on that TCP port", Severity::kMedium},
};

bool holds(const Weakness& weakness, const std::string& value) {
  return weakness.value.empty() ? !value.empty() && value != "0" && value != "-1" : value == weakness.value;
}

void run(const Input& input, Report& report) {
  for (const Setting& s : input.facts.settings)
    for (const Weakness& weakness : kWeaknesses)
      if (s.kind == "property" && s.name == weakness.name && holds(weakness, s.value))
        report.state(
            weakness.severity, Confidence::kLikely,
            place(s.at) + " sets " + s.name + " to " + in_quotes(s.value) + ": " + std::string(weakness.meaning), s.at);
}

}  // namespace

extern const Check kServiceAdbOpen;
const Check kServiceAdbOpen = {
    .id = "service.adb_open",
    .version = 1,
    .title = "Debugging bridge without protection",
    .means =
        "A property that the image stores lets the debugging bridge accept strangers, give a superuser's shell or "
        "listen on the network.",
    .misses = "Properties that programs or the boot loader set, and a bridge built without the question for a key.",
    .mistakes = "A property that another partition's file replaces; an image in which the bridge never starts.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_adb_open
