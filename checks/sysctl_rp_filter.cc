// sysctl.rp_filter: the kernel accepts packets whose source address it would answer through another interface (RFC
// 3704; Linux, Documentation/networking/ip-sysctl: rp_filter, 0 no check, 1 strict, 2 loose; the kernel's default is 0,
// and the greater of conf.all and the interface's own value counts).
#include "checks/sysctl_settings.h"
#include "checks/words.h"

#include <algorithm>

namespace assay::checks::sysctl_rp_filter {
namespace {

constexpr uint32_t kCwe[] = {290};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_IP_SPOOFING_MITIGATION"};
constexpr std::string_view kNames[] = {"net.ipv4.conf.all.rp_filter", "net.ipv4.conf.default.rp_filter"};

bool turned_on(const Setting* s) { return s->value == "1" || s->value == "2"; }

void run(const Input& input, Report& report) {
  const auto settings = sysctls(input.facts, kNames);
  const bool also_on = std::ranges::any_of(settings, turned_on);
  for (const Setting* s : settings)
    if (s->value == "0")
      report.state(Severity::kLow, also_on ? Confidence::kPossible : Confidence::kLikely,
                   place(s->at) + " sets " + sysctl_name(s->name) +
                       " to 0: the kernel does not check whether a packet's source address fits the interface it "
                       "came in by" +
                       (also_on ? "; another setting turns the check on" : ""),
                   s->at);
  const Component* kernel = kernel_of(input.facts);
  if (settings.empty() && kernel != nullptr)
    report.state(Severity::kNote, Confidence::kLikely,
                 "Nothing in the image was seen to set net.ipv4.conf.all.rp_filter or its default; the kernel's own "
                 "default is 0, which does not check source addresses",
                 kernel->at);
}

}  // namespace

extern const Check kSysctlRpFilter;
const Check kSysctlRpFilter = {
    .id = "sysctl.rp_filter",
    .version = 1,
    .title = "Source addresses are not checked",
    .means = "The kernel's check of source addresses against the incoming interface is off.",
    .misses = "Values of single interfaces, and checks that firewall rules make instead.",
    .mistakes = "Devices whose routing is asymmetric on purpose; programs that set the value when they run.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::sysctl_rp_filter
