// privilege.capabilities: a program gets parts of the superuser's power from its file (capabilities(7)).
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::privilege_capabilities {
namespace {

constexpr uint32_t kCwe[] = {250, 269};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_OS_PRIVILEGE"};
// Each of these is enough to become root or to read every file.
constexpr std::string_view kStrong[] = {"chown",     "dac_override", "dac_read_search", "fowner",     "setuid",
                                        "setgid",    "setfcap",      "sys_admin",       "sys_module", "sys_ptrace",
                                        "sys_rawio", "sys_chroot",   "mknod",           "bpf",        "sys_boot"};

std::string strong_name(const std::string& detail) {
  const std::string names = lower(detail);
  for (const std::string_view one : kStrong) {
    const std::string name(one);
    for (size_t at = names.find(name); at != std::string::npos; at = names.find(name, at + 1)) {
      const bool starts =
          at == 0 || names[at - 1] == ',' || names[at - 1] == ' ' || (at >= 4 && names.compare(at - 4, 4, "cap_") == 0);
      const size_t end = at + name.size();
      if (starts &&
          (end == names.size() || names[end] == ',' || names[end] == '+' || names[end] == '=' || names[end] == ' '))
        return "cap_" + name;
    }
  }
  return "";
}

void run(const Input& input, Report& report) {
  for (const Permission& p : input.facts.permissions) {
    if (p.kind != "capabilities") continue;
    const std::string strong = strong_name(p.detail);
    report.state(strong.empty() ? Severity::kLow : Severity::kMedium, Confidence::kCertain,
                 place(p.at) + " carries the capabilities " + escape(p.detail) +
                     (strong.empty() ? "" : "; " + strong + " suffices to gain the superuser's rights"),
                 p.at);
  }
}

}  // namespace

extern const Check kPrivilegeCapabilities;
const Check kPrivilegeCapabilities = {
    .id = "privilege.capabilities",
    .version = 1,
    .title = "Program with file capabilities",
    .means = "The file of a program gives whoever starts it capabilities of the superuser.",
    .misses = "Capabilities that a service manager or a parent program hands down.",
    .mistakes = "Programs that check who calls them before they use the capability.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::privilege_capabilities
