// elf.rpath: an ELF file tells the dynamic linker to look for its libraries in a directory that is relative, empty or
// writable for others (ld.so(8), DT_RPATH and DT_RUNPATH): whoever writes there chooses the code that it runs.
#include "checks/words.h"
#include "core/text.h"

#include <map>

namespace assay::checks {
namespace {

constexpr uint32_t kCwe[] = {426, 427};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_FILESYSTEM_AUTHORIZATION_PRIVILEGES"};
constexpr std::string_view kWritable[] = {"/tmp", "/var/tmp", "/dev/shm", "/mnt", "/media", "/var/run", "/run"};

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

void run(const Input& input, Report& report) {
  std::map<std::pair<std::string, std::string>, std::pair<std::string, std::vector<Evidence>>> found;
  for (const Elf& e : input.facts.elf) {
    const std::string volume = volume_of(e.at.artifact);
    for (const auto* list : {&e.rpath, &e.runpath})
      for (const std::string& entry : *list)
        for (const std::string_view directory : split(entry, ':')) {
          const std::string why = trouble(directory, volume, input.facts);
          if (why.empty()) continue;
          auto& [reason, at] = found[{volume, std::string(directory)}];
          reason = why;
          if (at.empty() || at.back().artifact != e.at.artifact) at.push_back(e.at);
        }
  }
  for (const auto& [key, value] : found)
    report.state(Severity::kMedium, Confidence::kCertain,
                 plural(value.second.size(), "ELF file", "ELF files") + " in " + volume_words(key.first) + " (first " +
                     place(value.second.front()) + ") load libraries from " + quoted(key.second) + ", " + value.first,
                 value.second.front(), some(value.second));
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

}  // namespace assay::checks
