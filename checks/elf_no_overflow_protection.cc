// elf.no_overflow_protection: programs built without the protections a tool chain offers against overwritten memory:
// a stack that cannot be executed (NX), a canary, position independence (PIE), read-only relocations (RELRO) and
// checked functions (FORTIFY). One finding per file system and missing protection, with counts, because such builds are
// made alike; programs that face the network come first.
#include "checks/words.h"

#include <algorithm>
#include <map>
#include <set>

namespace assay::checks::elf_no_overflow_protection {
namespace {

constexpr uint32_t kCwe[] = {693, 121};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PROTECTION_FROM_BUFFER_OVERFLOW"};

struct Protection {
  std::string_view verb, verbs, words, shows;  // of one file and of several, in the finding; of one file
  bool (*applies)(const Elf&);
  bool (*missing)(const Elf&);
  Severity exposed, otherwise;  // where a program that faces the network lacks it, and where none does
};

const Protection kProtections[] = {
    {"has", "have", "an executable stack (no NX)", "executable stack",
     [](const Elf& e) { return e.nx != Known::kUnknown; }, [](const Elf& e) { return e.nx == Known::kNo; },
     Severity::kMedium, Severity::kLow},
    {"has", "have", "no stack canary", "no stack canary", [](const Elf& e) { return e.canary != Known::kUnknown; },
     [](const Elf& e) { return e.canary == Known::kNo; }, Severity::kMedium, Severity::kLow},
    {"is", "are", "not position independent (no PIE)", "not position independent",
     [](const Elf& e) { return e.is_program; }, [](const Elf& e) { return !e.position_independent; }, Severity::kMedium,
     Severity::kLow},
    {"has", "have", "no full read-only relocations (RELRO)", "no full RELRO",
     [](const Elf& e) { return !e.relro.empty(); }, [](const Elf& e) { return e.relro != "full"; }, Severity::kLow,
     Severity::kLow},
    {"calls", "call", "only unchecked functions (no FORTIFY)", "unchecked functions only",
     [](const Elf& e) { return e.fortify != Known::kUnknown; }, [](const Elf& e) { return e.fortify == Known::kNo; },
     Severity::kLow, Severity::kNote},
};

std::set<std::string> served(const Facts& facts) {
  std::set<std::string> out;
  for (const Service& s : facts.services)
    if (!s.resolves_to.empty() && !is_serial(s)) out.insert(s.resolves_to);
  return out;
}

bool faces_network(const Elf& e, const std::set<std::string>& services) {
  return services.contains(e.at.artifact) || std::ranges::find(e.traits, "listens") != e.traits.end() ||
         std::ranges::find(e.traits, "listens-udp") != e.traits.end();
}

struct Count {
  uint64_t known = 0;
  std::vector<const Elf*> exposed, other;  // that lack it
};

void state(const std::string& volume, const Protection& protection, Count& found, Report& report) {
  const auto by_way = [](const Elf* a, const Elf* b) { return a->at.artifact < b->at.artifact; };
  std::ranges::sort(found.exposed, by_way);
  std::ranges::sort(found.other, by_way);
  std::vector<Evidence> at;
  for (const auto* list : {&found.exposed, &found.other})
    for (const Elf* e : *list) {
      at.push_back(e->at);
      at.back().shows = protection.shows;  // so that two protections of the same files are two findings
    }
  if (at.empty()) return;
  std::string claim = std::to_string(at.size()) + " of " + plural(found.known, "ELF file", "ELF files") + " in " +
                      volume_words(volume) + " " + std::string(at.size() == 1 ? protection.verb : protection.verbs) +
                      " " + std::string(protection.words);
  if (!found.exposed.empty())
    claim += "; " + std::to_string(found.exposed.size()) + " of them can listen on a socket, the first is " +
             place(found.exposed.front()->at);
  report.state(found.exposed.empty() ? protection.otherwise : protection.exposed, Confidence::kLikely, claim,
               at.front(), some(at));
}

void run(const Input& input, Report& report) {
  const std::set<std::string> services = served(input.facts);
  for (const Protection& protection : kProtections) {
    std::map<std::string, Count> volumes;
    for (const Elf& e : input.facts.elf) {
      if ((e.type != "executable" && e.type != "shared") || !protection.applies(e)) continue;
      Count& count = volumes[volume_of(e.at.artifact)];
      ++count.known;
      if (protection.missing(e)) (faces_network(e, services) ? count.exposed : count.other).push_back(&e);
    }
    for (auto& [volume, count] : volumes) state(volume, protection, count, report);
  }
}

}  // namespace

extern const Check kElfNoOverflowProtection;
const Check kElfNoOverflowProtection = {
    .id = "elf.no_overflow_protection",
    .version = 2,
    .title = "Programs without protection against overwritten memory",
    .means = "ELF files of one file system lack a protection that the compiler and linker offer.",
    .misses = "What the kernel and the processor do with it: NX on a processor that cannot, PIE without randomisation.",
    .mistakes = "Programs that hold no array on the stack need no canary and import none.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::elf_no_overflow_protection
