// The table of traits. A trait is a mechanism: every group of its names must be met by one name at least.
#include "system/elf_traits.h"

#include "system/strings.h"

#include <algorithm>
#include <set>

namespace assay::system {
namespace {

using namespace std::string_view_literals;

enum Mark : uint32_t {
  kShell = 1 << 0,
  kAccountFile = 1 << 1,
  kAsksPassword = 1 << 2,
  kLogin = 1 << 3,
  kLoginRefusal = 1 << 4,
  kWebLogin = 1 << 5,
  kPacket = 1 << 6,
  kFlash = 1 << 7,
  kFirewall = 1 << 8,
  kWebRequest = 1 << 9,
  kMemory = 1 << 10,
  kPreload = 1 << 11,
  kTerminal = 1 << 12,
  kMultiCall = 1 << 13,
  kCommandWords = 1 << 14,
  kPeerKey = 1 << 15,
};

// Where the text has to end: C strings end in NUL, and a linker merges strings with a common tail.
struct Text {
  std::string_view text;
  uint32_t mark;  // 0: a word of a command interpreter
};
constexpr Text kTexts[] = {
    {"/bin/sh\0"sv, kShell},
    {"/bin/bash\0"sv, kShell},
    {"/bin/ash\0"sv, kShell},
    {"/bin/dash\0"sv, kShell},
    {"/bin/zsh\0"sv, kShell},
    {"/bin/ksh\0"sv, kShell},
    {"/bin/csh\0"sv, kShell},
    {"/system/bin/sh\0"sv, kShell},
    {"//bin/sh", kShell},
    {"/bin//sh", kShell},
    {"/etc/shadow", kAccountFile},
    {"/etc/passwd", kAccountFile},
    {"password", kAsksPassword},
    {"Password", kAsksPassword},
    {"passphrase", kAsksPassword},
    {"/bin/login\0"sv, kLogin},
    {"/sbin/login\0"sv, kLogin},
    {"Login incorrect", kLoginRefusal},
    {"login incorrect", kLoginRefusal},
    {"Login failed", kLoginRefusal},
    {"HMAC-MD5", kPeerKey},
    {"HMAC-SHA", kPeerKey},
    {"hmac-md5", kPeerKey},
    {"hmac-sha", kPeerKey},
    {"authorized_keys", kPeerKey},
    {"WWW-Authenticate", kWebLogin},
    {"www-authenticate", kWebLogin},
    {"PF_PACKET", kPacket},
    {"AF_PACKET", kPacket},
    {"packet socket", kPacket},
    {"/proc/net/packet", kPacket},
    {"/dev/mtd", kFlash},
    {"/proc/mtd", kFlash},
    {"iptables", kFirewall},
    {"ebtables", kFirewall},
    {"REQUEST_METHOD", kWebRequest},
    {"QUERY_STRING", kWebRequest},
    {"/dev/mem\0"sv, kMemory},
    {"/dev/kmem\0"sv, kMemory},
    {"LD_PRELOAD", kPreload},
    {"/dev/ptmx\0"sv, kTerminal},
    {"multi-call binary", kMultiCall},
    {"readonly\0"sv, 0},
    {"umask\0"sv, 0},
    {"shift\0"sv, 0},
    {"unset\0"sv, 0},
    {"export\0"sv, 0},
    {"times\0"sv, 0},
    {"break\0"sv, 0},
    {"continue\0"sv, 0},
    {"getopts\0"sv, 0},
    {"unalias\0"sv, 0},
};
constexpr int kCommandWordsNeeded = 6;  // of the ten: no other kind of program names so many of a shell's own commands

uint32_t marks_in(const Marks& words) {
  uint32_t marks = 0;
  std::set<uint32_t> command_words;
  words.each([&](uint32_t i, uint64_t) {
    marks |= kTexts[i].mark;
    if (kTexts[i].mark == 0) command_words.insert(i);
  });
  if (command_words.size() >= kCommandWordsNeeded) marks |= kCommandWords;
  return marks;
}

using Group = std::string_view;  // names separated by blanks: one of them is enough

constexpr Group kExecutes = "execve execv execvp execvpe execl execlp execle fexecve posix_spawn posix_spawnp execveat";
constexpr Group kCompares = "strcmp strncmp strcasecmp strncasecmp memcmp bcmp";

struct Trait {
  std::string_view name;
  Group groups[4];       // empty: no further group
  uint32_t marks = 0;    // one of these must be there too, if any
  uint32_t without = 0;  // none of these may be there
};

constexpr Trait kTraits[] = {
    {"asks-web-login", {kCompares}, kWebLogin},
    {"changes-firewall", {"system popen execve execv execvp execl execlp execle setsockopt"}, kFirewall},
    {"checks-key", {kCompares}, kPeerKey},
    {"checks-password", {"crypt crypt_r crypt_checkpass getspnam getspnam_r pam_authenticate fgetspent"}},
    {"checks-password", {kCompares}, kLoginRefusal},
    {"command-interpreter", {kExecutes}, kCommandWords},
    {"connects", {"socket", "connect"}},
    {"executes",
     {"system popen execve execv execvp execvpe execl execlp execle fexecve posix_spawn posix_spawnp execveat"}},
    {"hands-to-login", {kExecutes}, kLogin},
    {"hooks-packets",
     {"nf_register_hook nf_register_hooks nf_register_net_hook nf_register_net_hooks dev_add_pack "
      "netdev_rx_handler_register xt_register_target xt_register_match"}},
    {"listens", {"socket", "bind", "listen", "accept accept4"}},
    {"listens-udp", {"socket", "bind", "recvfrom recvmsg recvmmsg"}},
    {"loads-code", {"dlopen __libc_dlopen_mode"}},
    {"loads-modules", {"init_module finit_module"}},
    {"maps-memory-device", {"open open64 openat mmap mmap2"}, kMemory},
    {"mounts", {"mount"}},
    {"opens-terminal", {"openpty forkpty grantpt ptsname ptsname_r posix_openpt getpt"}},
    {"opens-terminal", {"open open64 openat"}, kTerminal},
    {"packet-socket", {"pcap_open_live pcap_create pcap_activate libnet_init"}},
    {"packet-socket", {"socket"}, kPacket},
    {"reads-accounts", {"getpwnam getpwnam_r getpwuid getpwent getspnam fgetpwent"}},
    {"reads-accounts", {"open open64 openat fopen fopen64"}, kAccountFile},
    {"reads-web-request", {"getenv secure_getenv"}, kWebRequest},
    {"reboots", {"reboot"}},
    {"redirects-descriptors", {"dup2 dup3"}},
    {"runs-command-lines", {"system popen wordexp"}},
    {"sets-preload", {kExecutes}, kPreload},
    {"sets-uid", {"setuid seteuid setreuid setresuid setgid setegid setregid setresgid initgroups"}},
    {"starts-shell", {kExecutes}, kShell, kCommandWords},
    {"traces", {"ptrace process_vm_readv process_vm_writev"}},
    {"writes-flash", {"open open64 openat fopen fopen64", "write fwrite ioctl"}, kFlash},
};

bool met(Group group, const std::vector<std::string_view>& names) {
  while (!group.empty()) {
    const size_t end = std::min(group.find(' '), group.size());
    if (std::ranges::binary_search(names, group.substr(0, end))) return true;
    group.remove_prefix(std::min(end + 1, group.size()));
  }
  return false;
}

bool has(const Trait& trait, const std::vector<std::string_view>& names, uint32_t marks) {
  if ((trait.marks && !(marks & trait.marks)) || (marks & trait.without)) return false;
  for (const Group& group : trait.groups)
    if (!group.empty() && !met(group, names)) return false;
  return true;
}

// A password read from an account file and compared by the program itself, as utilities with their own crypt do.
bool compares_account_password(const std::vector<std::string_view>& names, uint32_t marks) {
  return (marks & kAccountFile) && (marks & kAsksPassword) && met(kCompares, names);
}

}  // namespace

std::span<const std::string_view> trait_words() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> all;
    for (const Text& text : kTexts) all.push_back(text.text);
    return all;
  }();
  return words;
}

std::vector<std::string> traits_of(const std::vector<std::string_view>& names, const Marks& words) {
  const uint32_t marks = marks_in(words);
  std::set<std::string_view> found;
  for (const Trait& trait : kTraits)
    if (has(trait, names, marks)) found.insert(trait.name);
  if (compares_account_password(names, marks)) found.insert("checks-password");
  if (marks & kMultiCall) found.insert("multi-call");
  return {found.begin(), found.end()};
}

}  // namespace assay::system
