// boot.console_shell: the kernel's command line makes a shell the first process (Linux,
// Documentation/admin-guide/kernel-parameters.txt: init=, rdinit=, single), so the console is the superuser's.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::boot_console_shell {
namespace {

constexpr uint32_t kCwe[] = {1299, 306};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SYS_FUN_USAGE"};

// Whether the same place is stated as the init program of a command line already.
bool has_init(const Facts& facts, const Evidence& at) {
  for (const Boot& b : facts.boot)
    if (b.kind == "init" && b.at.artifact == at.artifact && b.at.offset == at.offset) return true;
  return false;
}

// The word that does it, or "".
std::string shell_word(const Boot& b) {
  if (b.kind == "init") return is_shell(b.value) ? b.value : "";
  if (b.kind != "bootargs" && b.kind != "bootcmd" && b.kind != "environment") return "";
  for (std::string_view word : words(b.value)) {
    while (word.ends_with('"') || word.ends_with(';')) word.remove_suffix(1);
    for (const std::string_view name : {"init=", "rdinit="})
      if (word.starts_with(name) && is_shell(word.substr(name.size()))) return std::string(word);
  }
  return "";
}

void run(const Input& input, Report& report) {
  for (const Boot& b : input.facts.boot) {
    const std::string word = shell_word(b);
    if (word.empty() || (b.kind != "init" && has_init(input.facts, b.at))) continue;
    report.state(Severity::kHigh, Confidence::kLikely,
                 "The " + b.kind + " value in " + place(b.at) + " makes a shell the first process of the kernel (" +
                     in_quotes(word) + "): the console then serves a shell with uid 0 and asks for no secret",
                 b.at);
  }
}

}  // namespace

extern const Check kBootConsoleShell;
const Check kBootConsoleShell = {
    .id = "boot.console_shell",
    .version = 1,
    .title = "The kernel is told to start a shell first",
    .means = "A stored kernel command line names a shell as the first process.",
    .misses = "Command lines put together by the boot loader from parts that do not stand in one value.",
    .mistakes = "A rescue entry of the boot environment that the normal boot never uses.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::boot_console_shell
