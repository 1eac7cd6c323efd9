// service.listens_and_starts_shell: a program's code both waits for the network and starts a shell, and nothing read in
// it asks for a secret. First from services whose port was read out of the code, then from what single ELF files can
// do: there the two abilities need not lie on one path through the code, so that is possible only, and stated lower.
#include "checks/words.h"
#include "core/text.h"

#include <algorithm>
#include <set>

namespace assay::checks::service_listens_and_starts_shell {
namespace {

constexpr uint32_t kCwe[] = {306, 912, 553};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNNECESSARY_SERVICE", "TS 33.117 TC_SYS_FUN_USAGE",
                                              "TS 33.117 TC_NO_UNUSED_FUNCTIONS"};

// What was read in the program of a started service (its traits stand in `more`): the abilities are certain, that they
// lie on one path is likely where nothing in the file compares anything, so that no secret can be asked for.
void judge_services(const Facts& facts, std::set<std::string>& told, Report& report) {
  for (const Service& s : facts.services) {
    told.insert(s.resolves_to.empty() ? s.at.artifact : s.resolves_to);
    if (s.port_source != "code" || !s.gives_shell || s.asks_for_secret == Known::kYes) continue;
    const bool open = s.asks_for_secret == Known::kNo;
    const Severity started = open ? Severity::kCritical : Severity::kHigh;
    report.state(s.started ? started : Severity::kMedium, open ? Confidence::kLikely : Confidence::kPossible,
                 describe(s) + ". Its code can join a connection to a command interpreter and start one, and " +
                     (open ? "holds no comparison by which it could ask for a secret"
                           : "nothing was found in it that checks a password"),
                 s.at, s.more);
  }
}

bool can(const Elf& e, std::string_view trait) { return std::ranges::find(e.traits, trait) != e.traits.end(); }

// A connection becomes a shell's standard input: listens, dup2 or a terminal, exec with a shell's path, no login. In a
// program that calls system() or popen() the path of a shell is most often theirs, so those are left out.
bool hands_out_shell(const Elf& e) {
  const bool waits = can(e, "listens") || can(e, "listens-udp");
  const bool joins = can(e, "redirects-descriptors") || can(e, "opens-terminal");
  const bool guards = can(e, "checks-password") || can(e, "hands-to-login") || can(e, "asks-web-login");
  const bool other = can(e, "multi-call") || can(e, "runs-command-lines");
  return e.is_program && waits && joins && can(e, "starts-shell") && !guards && !other;
}

const Startup* started_by(const Facts& facts, const Elf& e) {
  for (const Startup& s : facts.startup)
    if (s.resolves_to == e.at.artifact && s.event != "shutdown") return &s;
  return nullptr;
}

void judge_programs(const Facts& facts, const std::set<std::string>& told, Report& report) {
  for (const Elf& e : facts.elf) {
    if (!hands_out_shell(e) || told.contains(e.at.artifact)) continue;
    const Startup* starter = started_by(facts, e);
    std::vector<Evidence> more;
    std::string claim = place(e.at) + " can wait for the network (socket, bind, " +
                        (can(e, "listens") ? "listen, accept" : "receive") + ") and start a shell (" +
                        (can(e, "redirects-descriptors") ? "redirects descriptors, " : "") +
                        (can(e, "opens-terminal") ? "opens a terminal, " : "") +
                        "names a shell's path and executes); it imports nothing that checks a password";
    if (starter != nullptr) {
      claim += "; it is started by " + place(starter->at) + ": " + in_quotes(starter->command);
      more.push_back(starter->at);
    } else {
      claim += "; nothing in the image was seen to start it";
    }
    report.state(starter != nullptr ? Severity::kMedium : Severity::kLow, Confidence::kPossible, claim, e.at, more);
  }
}

void run(const Input& input, Report& report) {
  std::set<std::string> told;
  judge_services(input.facts, told, report);
  judge_programs(input.facts, told, report);
}

}  // namespace

extern const Check kServiceListensAndStartsShell;
const Check kServiceListensAndStartsShell = {
    .id = "service.listens_and_starts_shell",
    .version = 1,
    .title = "Program that listens and starts a shell",
    .means = "A program can wait for the network and start a command interpreter, and nothing in it asks for a secret.",
    .misses = "Programs that call through pointers or libraries, and commands run without a shell.",
    .mistakes = "Programs in which the two abilities serve different ends, or which check a secret in their own way.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_listens_and_starts_shell
