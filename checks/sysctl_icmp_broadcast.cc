// sysctl.icmp_broadcast: the kernel answers echo requests sent to broadcast addresses, so that the device takes part in
// amplification (RFC 2644; Linux, Documentation/networking/ip-sysctl: icmp_echo_ignore_broadcasts, default 1).
#include "checks/sysctl_settings.h"
#include "checks/words.h"

namespace assay::checks::sysctl_icmp_broadcast {
namespace {

constexpr uint32_t kCwe[] = {406};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_BROADCAST_ICMP_HANDLING"};
constexpr std::string_view kNames[] = {"net.ipv4.icmp_echo_ignore_broadcasts"};

void run(const Input& input, Report& report) {
  for (const Setting* s : sysctls(input.facts, kNames))
    if (s->value == "0")
      report.state(Severity::kMedium, Confidence::kCertain,
                   place(s->at) +
                       " sets net.ipv4.icmp_echo_ignore_broadcasts to 0: the kernel answers echo requests "
                       "sent to broadcast addresses; without that setting it ignores them",
                   s->at);
}

}  // namespace

extern const Check kSysctlIcmpBroadcast;
const Check kSysctlIcmpBroadcast = {
    .id = "sysctl.icmp_broadcast",
    .version = 1,
    .title = "Answers echo requests to broadcast addresses",
    .means = "A setting makes the kernel answer ICMP echo requests that were sent to a broadcast address.",
    .misses = "Kernels before 2.6.13, whose own default is to answer; values that programs write when they run.",
    .mistakes = "A setting that a later one replaces, or packets that a firewall drops.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::sysctl_icmp_broadcast
