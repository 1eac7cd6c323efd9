// boot.interruptible: the boot loader waits for a key on the console, or does not boot by itself, and nothing read asks
// for a password (U-Boot, doc/README.autoboot: bootdelay > 0 waits, -1 stops at the prompt, 0 and -2 do not wait).
#include "checks/words.h"

#include <charconv>

namespace assay::checks::boot_interruptible {
namespace {

constexpr uint32_t kCwe[] = {1299, 1326};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_BOOT_INT_MEM_1"};

// Environment variables that make the boot loader ask for a key string or its hash before it stops.
bool is_guarded(const Facts& facts, const Boot& delay) {
  constexpr std::string_view kGuards[] = {"bootstopkey", "bootstopkeysha256", "bootstopkeycrypt", "bootstopusesha256",
                                          "bootpassword"};
  for (const Boot& b : facts.boot)
    if (b.at.artifact == delay.at.artifact && is_one_of(lower(b.name), kGuards) && !b.value.empty()) return true;
  return false;
}

void run(const Input& input, Report& report) {
  for (const Boot& b : input.facts.boot) {
    if (b.kind != "bootdelay") continue;
    int seconds = 0;
    const auto [end, error] = std::from_chars(b.value.data(), b.value.data() + b.value.size(), seconds);
    if (error != std::errc() || end != b.value.data() + b.value.size()) continue;
    if ((seconds <= 0 && seconds != -1) || is_guarded(input.facts, b)) continue;
    report.state(Severity::kMedium, Confidence::kLikely,
                 "bootdelay is " + std::to_string(seconds) + " in " + place(b.at) +
                     (seconds > 0 ? ": the boot loader waits that many seconds for a key on the console"
                                  : ": the boot loader stops at its prompt on the console") +
                     ", and no stop key or password was found beside it; its prompt can boot other code",
                 b.at);
  }
}

}  // namespace

extern const Check kBootInterruptible;
const Check kBootInterruptible = {
    .id = "boot.interruptible",
    .version = 1,
    .title = "The boot loader can be stopped at the console",
    .means = "A stored bootdelay lets whoever holds the serial line stop the boot loader without a password.",
    .misses = "Delays and keys compiled into the boot loader's code, and boot loaders with other variables.",
    .mistakes = "A boot loader built without a console, or one that asks for a password compiled into it.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::boot_interruptible
