// startup.removable_media_autorun: something that starts by itself runs a file from removable storage, so whoever plugs
// in a stick chooses what the device runs.
#include "checks/words.h"
#include "core/text.h"

#include <set>

namespace assay::checks::startup_removable_media_autorun {
namespace {

constexpr uint32_t kCwe[] = {829, 1299};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_AUTO_LAUNCH_OF_REMOVABLE_MEDIA"};
constexpr std::string_view kMedia[] = {"/media",     "/mnt",   "/tmp/mnt", "/tmp/usb", "/var/usb", "/var/mnt",
                                       "/run/media", "/udisk", "/usb",     "/sdcard",  "/autofs"};
constexpr std::string_view kSources[] = {"/dev/sd", "/dev/mmcblk", "/dev/usb", "/dev/$",
                                         "$MDEV",   "$DEVNAME",    "/dev/sr"};

std::set<std::string> media(const Facts& facts) {
  std::set<std::string> out(std::begin(kMedia), std::end(kMedia));
  for (const Mount& m : facts.mounts)
    for (const std::string_view source : kSources)
      if (m.source.starts_with(source) && m.target.size() > 1) out.insert(m.target);
  return out;
}

bool on_media(std::string_view path, const std::set<std::string>& directories) {
  if (!path.starts_with('/')) return false;
  for (const std::string& directory : directories)
    if (path != directory && lies_in(path, directory)) return true;
  return false;
}

// What the line runs from media: its program, or the script that a shell is given.
std::string runs_from_media(const Startup& s, const std::set<std::string>& directories) {
  if (on_media(s.program, directories)) return s.program;
  if (!is_shell(s.program) && s.program != "." && s.program != "source") return "";
  for (std::string_view word : words(s.arguments)) {
    while (!word.empty() && (word.back() == '"' || word.back() == ';')) word.remove_suffix(1);
    if (!word.empty() && word.front() == '"') word.remove_prefix(1);
    if (on_media(word, directories)) return std::string(word);
    if (!word.starts_with('-')) return "";  // the script's own arguments follow
  }
  return "";
}

void run(const Input& input, Report& report) {
  const std::set<std::string> directories = media(input.facts);
  for (const Startup& s : input.facts.startup) {
    const std::string file = runs_from_media(s, directories);
    if (file.empty() || !s.resolves_to.empty()) continue;  // a program that the image itself has there
    report.state(Severity::kHigh, Confidence::kLikely,
                 place(s.at) + " (" + s.mechanism + (s.event.empty() ? "" : ", " + s.event) +
                     ") runs a file from removable storage: " + in_quotes(s.command) + "; the image holds no " +
                     in_quotes(file),
                 s.at);
  }
}

}  // namespace

extern const Check kStartupRemovableMediaAutorun;
const Check kStartupRemovableMediaAutorun = {
    .id = "startup.removable_media_autorun",
    .version = 1,
    .title = "Runs a file from removable storage",
    .means = "A start script or device rule runs a program that lies where removable storage is mounted.",
    .misses = "Programs that look for such files in their own code, and paths put together from variables.",
    .mistakes = "Internal storage mounted under a directory that customarily holds removable storage.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::startup_removable_media_autorun
