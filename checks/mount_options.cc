// mount.options: removable or external storage is mounted without nosuid, nodev or noexec (mount(8)): programs, devices
// and setuid bits on a stranger's stick or server then count.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::mount_options {
namespace {

constexpr uint32_t kCwe[] = {732, 1299};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_EXTERNAL_FILE_SYSTEM_MOUNT_RESTRICTIONS"};
constexpr std::string_view kForeignTypes[] = {"vfat",    "msdos", "fat",     "exfat",   "ntfs",  "ntfs3",
                                              "ntfs-3g", "nfs",   "nfs4",    "cifs",    "smbfs", "smb3",
                                              "iso9660", "udf",   "hfsplus", "fuseblk", "ufsd"};
constexpr std::string_view kRemovable[] = {"/dev/sd", "/dev/usb", "/dev/sr",   "/dev/cdrom", "$MDEV",
                                           "/dev/$",  "$DEVNAME", "${DEVNAME", "${MDEV"};
constexpr std::string_view kSystem[] = {"/", "/boot", "/usr", "/overlay", "/rom", "/proc", "/sys", "/dev"};

bool is_external(const Mount& m) {
  if (is_one_of(m.target, kSystem)) return false;
  if (is_one_of(lower(m.type), kForeignTypes)) return true;
  for (const std::string_view prefix : kRemovable)
    if (m.source.starts_with(prefix)) return true;
  return lies_in(m.target, "/media") || lies_in(m.target, "/mnt/usb") || lies_in(m.target, "/tmp/usb");
}

std::string missing_options(const Mount& m) {
  std::string missing;
  const auto given = split(m.options, ',');
  for (const std::string_view option : {"nosuid", "nodev", "noexec"}) {
    bool there = false;
    for (const std::string_view one : given) there = there || trim(one) == option;
    if (!there) missing += (missing.empty() ? "" : ", ") + std::string(option);
  }
  return missing;
}

void run(const Input& input, Report& report) {
  for (const Mount& m : input.facts.mounts) {
    if (!is_external(m)) continue;
    const std::string missing = missing_options(m);
    if (missing.empty()) continue;
    report.state(Severity::kMedium, Confidence::kLikely,
                 place(m.at) + " mounts external storage " + in_quotes(m.source) + " on " + in_quotes(m.target) +
                     (m.type.empty() ? "" : " as " + escape(m.type)) + " without " + missing +
                     (m.options.empty() ? "" : " (options: " + escape(m.options) + ")"),
                 m.at);
  }
}

}  // namespace

extern const Check kMountOptions;
const Check kMountOptions = {
    .id = "mount.options",
    .version = 1,
    .title = "External storage mounted without restrictions",
    .means = "A mount of removable or remote storage lacks nosuid, nodev or noexec.",
    .misses = "Mounts made by programs, and storage whose source and type do not say that it is external.",
    .mistakes =
        "Storage built into the device under a name that removable storage also has; FAT, which holds no setuid.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::mount_options
