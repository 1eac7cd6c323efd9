// sysctl.aslr: the kernel does not, or not fully, randomise where programs lie in memory
// (Linux, Documentation/admin-guide/sysctl/kernel.rst, randomize_va_space: 0 off, 1 without the heap, 2 all; the
// default is 2, or 1 where the kernel is built with CONFIG_COMPAT_BRK).
#include "checks/sysctl_settings.h"
#include "checks/words.h"

namespace assay::checks::sysctl_aslr {
namespace {

constexpr uint32_t kCwe[] = {693};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PROTECTION_FROM_BUFFER_OVERFLOW"};
constexpr std::string_view kNames[] = {"kernel.randomize_va_space"};

void run(const Input& input, Report& report) {
  const auto settings = sysctls(input.facts, kNames);
  for (const Setting* s : settings) {
    if (s->value != "0" && s->value != "1") continue;
    const bool off = s->value == "0";
    report.state(off ? Severity::kMedium : Severity::kLow, Confidence::kCertain,
                 place(s->at) + " sets kernel.randomize_va_space to " + s->value +
                     (off ? ": the kernel places programs at the same addresses every time"
                          : ": the kernel does not randomise where the heap lies"),
                 s->at);
  }
  if (!settings.empty()) return;
  for (const KernelOption& o : input.facts.kernel_options)
    if (o.name == "CONFIG_COMPAT_BRK" && o.value == "y")
      report.state(
          Severity::kNote, Confidence::kLikely,
          "Nothing in the image sets kernel.randomize_va_space, and the kernel is built with CONFIG_COMPAT_BRK: "
          "its default is then 1, which does not randomise where the heap lies",
          o.at);
}

}  // namespace

extern const Check kSysctlAslr;
const Check kSysctlAslr = {
    .id = "sysctl.aslr",
    .version = 1,
    .title = "Address space not fully randomised",
    .means = "A setting, or the kernel's own default, turns the randomisation of addresses off or leaves the heap out.",
    .misses = "The command line word norandmaps, and values that programs write when they run.",
    .mistakes = "A setting that a later one replaces: the order in which they apply is not decided.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::sysctl_aslr
