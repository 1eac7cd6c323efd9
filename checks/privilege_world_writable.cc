// privilege.world_writable: files and directories of the image that every user may change. One finding per file system
// for files that the device starts at boot, one for other files, one for directories without the sticky bit.
#include "checks/words.h"

#include <map>
#include <set>

namespace assay::checks::privilege_world_writable {
namespace {

constexpr uint32_t kCwe[] = {732, 276};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_FILESYSTEM_AUTHORIZATION_PRIVILEGES"};

enum class Group : uint8_t { kStarted, kFile, kDirectory };

// What runs by itself: programs and the scripts and tables that name them.
std::set<std::string> started(const Facts& facts) {
  std::set<std::string> out;
  for (const Startup& s : facts.startup)
    for (const std::string& way : {s.resolves_to, s.started_by})
      if (!way.empty()) out.insert(way);
  return out;
}

std::string words_for(Group group, size_t count) {
  if (group == Group::kStarted) return plural(count, "file that starts by itself", "files that start by themselves");
  return group == Group::kFile
             ? plural(count, "file", "files")
             : plural(count, "directory without the sticky bit", "directories without the sticky bit");
}

void run(const Input& input, Report& report) {
  const std::set<std::string> boots = started(input.facts);
  std::map<std::pair<std::string, Group>, std::vector<Evidence>> found;
  for (const Permission& p : input.facts.permissions) {
    const bool directory = p.kind == "world-writable-directory";
    if (!directory && p.kind != "world-writable-file") continue;
    if (directory && (p.mode & 01000) != 0) continue;
    const Group group = directory ? Group::kDirectory : boots.contains(p.at.artifact) ? Group::kStarted : Group::kFile;
    found[{volume_of(p.at.artifact), group}].push_back(p.at);
  }
  for (const auto& [key, at] : found) {
    const Group group = key.second;
    report.state(group == Group::kStarted ? Severity::kMedium : Severity::kLow, Confidence::kCertain,
                 "Every user may change " + words_for(group, at.size()) + " in " + volume_words(key.first) +
                     ", the first " + place(at.front()),
                 at.front(), some(at));
  }
}

}  // namespace

extern const Check kPrivilegeWorldWritable;
const Check kPrivilegeWorldWritable = {
    .id = "privilege.world_writable",
    .version = 1,
    .title = "Files that every user may change",
    .means = "Modes stored in the image let every user write to files or directories.",
    .misses = "File systems that store no modes, and modes set when the device runs.",
    .mistakes = "Read-only file systems, where nobody writes whatever the mode says; devices with one user only.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::privilege_world_writable
