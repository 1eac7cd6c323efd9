// What modes, extended attributes and node types of the stored entries allow: setuid, setgid, file capabilities, files
// and directories that everyone may write, and device nodes.
// security.capability: struct vfs_cap_data (include/uapi/linux/capability.h): le32 magic_etc (revision in the top byte,
// bit 0 effective), then permitted and inheritable per 32 capabilities (one pair in revision 1, two in 2 and 3), then
// in revision 3 le32 rootid.
#include "core/text.h"
#include "system/tree.h"

#include <array>

namespace assay::system::permissions {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({"chown",
                                                         "dac_override",
                                                         "dac_read_search",
                                                         "fowner",
                                                         "fsetid",
                                                         "kill",
                                                         "setgid",
                                                         "setuid",
                                                         "setpcap",
                                                         "linux_immutable",
                                                         "net_bind_service",
                                                         "net_broadcast",
                                                         "net_admin",
                                                         "net_raw",
                                                         "ipc_lock",
                                                         "ipc_owner",
                                                         "sys_module",
                                                         "sys_rawio",
                                                         "sys_chroot",
                                                         "sys_ptrace",
                                                         "sys_pacct",
                                                         "sys_admin",
                                                         "sys_boot",
                                                         "sys_nice",
                                                         "sys_resource",
                                                         "sys_time",
                                                         "sys_tty_config",
                                                         "mknod",
                                                         "lease",
                                                         "audit_write",
                                                         "audit_control",
                                                         "setfcap",
                                                         "mac_override",
                                                         "mac_admin",
                                                         "syslog",
                                                         "wake_alarm",
                                                         "block_suspend",
                                                         "audit_read",
                                                         "perfmon",
                                                         "bpf",
                                                         "checkpoint_restore"});

void add_names(uint64_t set, std::string_view flag, std::string& out) {
  std::string names;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if (!(set >> bit & 1)) continue;
    names += names.empty() ? "" : ",";
    names += bit < kNames.size() ? "cap_" + std::string(kNames[bit]) : "cap_" + std::to_string(bit);
  }
  if (!names.empty()) out += (out.empty() ? "" : " ") + names + "+" + std::string(flag);
}

Result<std::string> capabilities(Bytes value) {
  const auto magic = TRY(value.le<uint32_t>(0, "magic_etc"));
  const uint32_t revision = magic >> 24;
  if (revision < 1 || revision > 3) return fail(Fault::kUnsupported, "revision " + std::to_string(revision));
  uint64_t permitted = TRY(value.le<uint32_t>(4, "permitted")), inheritable = TRY(value.le<uint32_t>(8, "inheritable"));
  if (revision > 1) {
    permitted |= uint64_t{TRY(value.le<uint32_t>(12, "permitted"))} << 32;
    inheritable |= uint64_t{TRY(value.le<uint32_t>(16, "inheritable"))} << 32;
  }
  std::string out;
  add_names(permitted, magic & 1 ? "ep" : "p", out);
  add_names(inheritable, "i", out);
  if (revision == 3) out += " rootid=" + std::to_string(TRY(value.le<uint32_t>(20, "rootid")));
  return out;
}

std::string octal(uint32_t mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) out += static_cast<char>('0' + (mode >> shift & 7));
  return out;
}

void state(const Artifact& artifact, std::string_view kind, std::string detail, Facts& out) {
  const Node& node = artifact.node;
  const uint32_t mode = node.mode.value_or(0), uid = node.uid.value_or(0), gid = node.gid.value_or(0);
  std::string shows = "mode " + octal(mode) + ", owner " + std::to_string(uid) + ":" + std::to_string(gid);
  if (!detail.empty()) shows = detail + ", " + shows;
  out.permissions.push_back(
      {std::string(kind), mode, uid, gid, std::move(detail), evidence_of(artifact, std::move(shows))});
}

void judge_mode(const Artifact& artifact, Facts& out) {
  const Node& node = artifact.node;
  if (!node.mode) return;
  const uint32_t mode = *node.mode;
  const bool regular = node.kind == Kind::kFile || node.kind == Kind::kHardLink;
  // A set-id bit on a file that nobody may execute has no effect.
  if (regular && mode & 04000 && mode & 0111) state(artifact, "setuid", "", out);
  if (regular && mode & 02000 && mode & 0010) state(artifact, "setgid", "", out);
  if (regular && mode & 0002) state(artifact, "world-writable-file", "", out);
  if (node.kind == Kind::kDirectory && mode & 0002 && !(mode & 01000))
    state(artifact, "world-writable-directory", "", out);
}

void judge_capabilities(const Artifact& artifact, Facts& out) {
  for (const auto& [name, value] : artifact.node.xattrs) {
    if (name != "security.capability") continue;
    auto text = capabilities(Bytes(value));
    if (text) {
      state(artifact, "capabilities", *std::move(text), out);
    } else {
      out.problems.push_back({artifact.way, text.error().fault, "security.capability: " + text.error().what, 0});
    }
  }
}

void run(Tree& tree, Facts& out) {
  for (const Artifact& artifact : tree.artifacts()) {
    const Node& node = artifact.node;
    if (node.kind == Kind::kImage || node.kind == Kind::kPart) continue;
    judge_mode(artifact, out);
    judge_capabilities(artifact, out);
    const bool character = node.kind == Kind::kCharDevice;
    if (!character && node.kind != Kind::kBlockDevice) continue;
    const uint64_t device = node.device.value_or(0);
    state(artifact, "device-node",
          std::string(character ? "char " : "block ") + std::to_string(device >> 32) + ":" +
              std::to_string(device & 0xffffffff),
          out);
  }
}

}  // namespace

extern const TreeAnalysis kPermissions;
const TreeAnalysis kPermissions = {.id = "permissions", .version = 1, .run = run};

}  // namespace assay::system::permissions
