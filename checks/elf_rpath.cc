// elf.rpath: an ELF file tells the dynamic linker to look for its libraries in a directory that is relative, empty or
// writable for others (ld.so(8), DT_RPATH and DT_RUNPATH): whoever writes there chooses the code that it runs.
#include "checks/words.h"
#include "core/text.h"

#include <map>

namespace assay::checks::elf_rpath {
namespace {

constexpr uint32_t kCwe[] = {426, 427};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_FILESYSTEM_AUTHORIZATION_PRIVILEGES"};
constexpr std::string_view kWritable[] = {"/tmp", "/var/tmp", "/dev/shm", "/mnt", "/media", "/var/run", "/run"};

struct Found {
  std::string why;
  bool decided = true;  // every dynamic linker does it
  std::vector<Evidence> at;
};

// Why a directory of the search path is unsafe; "" : it is not.
std::string trouble(std::string_view directory, const std::string& volume, const Facts& facts) {
  if (directory.empty() || directory == ".") return "the directory it is started from";
  if (directory.starts_with("$ORIGIN") || directory.starts_with("${ORIGIN}")) return "";
  if (!directory.starts_with('/')) return "a relative directory";
  for (const std::string_view writable : kWritable)
    if (lies_in(directory, writable)) return "a directory that is customarily writable or removable";
  for (const Permission& p : facts.permissions)
    if (p.kind == "world-writable-directory" && p.at.artifact == volume + std::string(directory))
      return "a directory that everyone may write to";
  return "";
}

using All = std::map<std::pair<std::string, std::string>, Found>;  // volume, entry of the search path

void read_entry(const Elf& e, const std::string& entry, const Facts& facts, All& all) {
  const std::string volume = volume_of(e.at.artifact);
  for (const std::string_view directory : split(entry, ':')) {
    const std::string why = trouble(directory, volume, facts);
    if (why.empty()) continue;
    // An entry that is empty as a whole is passed over by glibc and musl, and is "." to uClibc (ldso/dl-elf.c).
    Found& found = all[{volume, entry.empty() ? "" : std::string(directory) + (directory.empty() ? "." : "")}];
    found.why = entry.empty() ? "which some dynamic linkers read as the directory it is started from" : why;
    found.decided = !entry.empty();
    if (found.at.empty() || found.at.back().artifact != e.at.artifact) found.at.push_back(e.at);
  }
}

void run(const Input& input, Report& report) {
  All all;
  for (const Elf& e : input.facts.elf)
    for (const auto* list : {&e.rpath, &e.runpath})
      for (const std::string& entry : *list) read_entry(e, entry, input.facts, all);
  for (const auto& [key, found] : all)
    report.state(found.decided ? Severity::kMedium : Severity::kLow,
                 found.decided ? Confidence::kCertain : Confidence::kPossible,
                 plural(found.at.size(), "ELF file", "ELF files") + " in " + volume_words(key.first) +
                     " with the search path " + in_quotes(key.second) + " for libraries, " + found.why +
                     "; the first is " + place(found.at.front()),
                 found.at.front(), some(found.at));
}

}  // namespace

extern const Check kElfRpath;
const Check kElfRpath = {
    .id = "elf.rpath",
    .version = 1,
    .title = "Libraries searched in an unsafe directory",
    .means = "DT_RPATH or DT_RUNPATH names a directory that is relative, empty or writable for others.",
    .misses = "Directories that become writable when the device runs, LD_LIBRARY_PATH set by scripts, dlopen.",
    .mistakes = "Paths left from the build that do not exist on the device and that nobody can create there.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::elf_rpath
