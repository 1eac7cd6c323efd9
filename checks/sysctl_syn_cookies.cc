// sysctl.syn_cookies: the kernel does not use SYN cookies (RFC 4987, 3.6), so a flood of connection requests fills its
// table (Linux, Documentation/networking/ip-sysctl: tcp_syncookies; needs CONFIG_SYN_COOKIES).
#include "checks/sysctl_settings.h"
#include "checks/words.h"

namespace assay::checks::sysctl_syn_cookies {
namespace {

constexpr uint32_t kCwe[] = {770, 400};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SYN_FLOOD_PREVENTION"};
constexpr std::string_view kNames[] = {"net.ipv4.tcp_syncookies"};

void run(const Input& input, Report& report) {
  for (const Setting* s : sysctls(input.facts, kNames))
    if (s->value == "0")
      report.state(Severity::kMedium, Confidence::kCertain,
                   place(s->at) +
                       " sets net.ipv4.tcp_syncookies to 0: the kernel keeps a half-open connection for "
                       "every request of a flood",
                   s->at);
  for (const KernelOption& o : input.facts.kernel_options)
    if (o.name == "CONFIG_SYN_COOKIES" && o.value == "n")
      report.state(Severity::kLow, Confidence::kCertain,
                   "The kernel is built without CONFIG_SYN_COOKIES: no setting can turn SYN cookies on", o.at);
}

}  // namespace

extern const Check kSysctlSynCookies;
const Check kSysctlSynCookies = {
    .id = "sysctl.syn_cookies",
    .version = 1,
    .title = "SYN cookies are off",
    .means = "A setting or the kernel's configuration turns SYN cookies off.",
    .misses =
        "Images that set nothing, whose kernel's default depends on its version; values set when the device runs.",
    .mistakes = "A setting that a later one replaces; devices that offer no TCP service.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::sysctl_syn_cookies
