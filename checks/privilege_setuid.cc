// privilege.setuid: whoever starts this program runs it with its owner's rights. A short list of names that systems
// customarily ship with the bit is stated low; its name proves nothing about a file, so it is stated still.
#include "checks/words.h"

namespace assay::checks::privilege_setuid {
namespace {

constexpr uint32_t kCwe[] = {250, 732};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_OS_PRIVILEGE"};
constexpr std::string_view kCustomary[] = {
    "busybox",     "chage",      "chfn",        "chsh",    "crontab", "dbus-daemon-launch-helper",
    "expiry",      "fusermount", "fusermount3", "gpasswd", "login",   "mount",
    "newgrp",      "newgidmap",  "newuidmap",   "passwd",  "ping",    "ping6",
    "pkexec",      "ssh-agent",  "ssh-keysign", "su",      "sudo",    "traceroute",
    "traceroute6", "umount",     "unix_chkpwd", "wall",    "write"};

std::string octal(uint32_t mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) out += static_cast<char>('0' + (mode >> shift & 7));
  return out;
}

void run(const Input& input, Report& report) {
  for (const Permission& p : input.facts.permissions) {
    const bool user = p.kind == "setuid";
    if (!user && p.kind != "setgid") continue;
    const bool customary = is_one_of(base_name(p.at.artifact), kCustomary);
    const bool superuser = user && p.uid == 0;
    const Severity severity = customary ? Severity::kNote : superuser ? Severity::kMedium : Severity::kLow;
    report.state(severity, Confidence::kCertain,
                 place(p.at) + " has mode " + octal(p.mode) + " and " +
                     (user ? "user " + std::to_string(p.uid) : "group " + std::to_string(p.gid)) +
                     ": whoever may start it runs it with the rights of that " + (user ? "user" : "group") +
                     (customary ? "; programs of this name customarily have the bit" : ""),
                 p.at);
  }
}

}  // namespace

extern const Check kPrivilegeSetuid;
const Check kPrivilegeSetuid = {
    .id = "privilege.setuid",
    .version = 1,
    .title = "Program that runs with its owner's rights",
    .means = "The setuid or setgid bit of a program is set.",
    .misses = "File systems that store no modes, and bits that are set when the device runs.",
    .mistakes = "File systems mounted nosuid; programs that give their rights up at once.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::privilege_setuid
