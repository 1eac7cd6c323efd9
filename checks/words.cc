// See words.h.
#include "checks/words.h"

#include "core/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace assay::checks {
namespace {

// Ids of formats whose entries are named files: what stands before them in a way is where the file system lies.
// clang-format off
constexpr std::string_view kVolumes[] = {
    "7z", "ambarellaromfs", "ar", "arc", "arj", "btrfs", "cab", "cpio", "cramfs", "erofs", "exfat", "ext", "f2fs",
    "fat", "hfsplus", "iso9660", "jffs2", "jfs", "lha", "minifs", "minix", "ntfs", "qnx-ifs", "rar", "rar5",
    "reiserfs", "romfs", "rpm", "squashfs", "tar", "tar-v7", "ubifs", "udf", "ufs", "xar", "xfs", "yaffs", "zip",
};
// clang-format on

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string in_quotes(std::string_view raw) {
  constexpr size_t kLongest = 80;
  const bool cut = raw.size() > kLongest;
  return "\"" + escape(raw.substr(0, kLongest)) + (cut ? "…\"" : "\"");
}

std::string plural(uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string base_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string place(const Evidence& at) { return at.artifact.empty() ? "the image itself" : at.artifact; }

bool is_one_of(std::string_view word, std::span<const std::string_view> list) {
  return std::ranges::find(list, word) != list.end();
}

bool lies_in(std::string_view way, std::string_view directory) {
  while (directory.ends_with('/')) directory.remove_suffix(1);
  if (!way.starts_with(directory)) return false;
  return directory.empty() || way.size() == directory.size() || way[directory.size()] == '/';
}

bool is_shell(std::string_view program) {
  constexpr std::string_view kShells[] = {"sh", "ash", "bash", "dash", "ksh", "mksh", "zsh", "hush", "csh", "tcsh"};
  std::string name = base_name(program);
  if (name.starts_with('-')) name.erase(0, 1);  // a login shell, as init and getty start it
  return is_one_of(name, kShells);
}

std::string volume_of(std::string_view way) {
  size_t end = 0, at = 0;
  for (const std::string_view piece : split(way, '/')) {
    at += piece.size();
    if (is_one_of(piece, kVolumes) && at < way.size()) end = at;
    ++at;
  }
  return std::string(way.substr(0, end));
}

std::string volume_words(std::string_view volume) { return volume.empty() ? "the image" : std::string(volume); }

std::vector<Evidence> some(const std::vector<Evidence>& all, size_t skip, size_t limit) {
  if (all.size() <= skip) return {};
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(skip);
  const size_t count = std::min(limit, all.size() - skip);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

bool is_serial(const Service& service) { return service.protocol == "serial"; }

// tty1, tty2 …: a screen and a keyboard (Linux, Documentation/admin-guide/devices.txt); ttyS0, ttyAMA0, console: a
// line.
bool is_virtual_terminal(const Service& s) {
  const std::string_view name = std::string_view(s.bind).substr(s.bind.rfind('/') + 1);
  return name.starts_with("tty") && name.size() > 3 &&
         name.find_first_not_of("0123456789", 3) == std::string_view::npos;
}

std::string describe(const Service& s) {
  std::string out = escape(s.program);
  if (s.program.empty() || s.program == "internal") out = "The service " + in_quotes(s.name);  // inetd's own
  const bool from_code = s.port_source == "code";  // it can; whether it does was not followed
  const std::string listens = from_code ? " can listen on " : " listens on ";
  if (is_serial(s))
    out += (is_virtual_terminal(s) ? " serves the virtual terminal" : " serves the serial line") +
           (s.bind.empty() ? "" : " " + escape(s.bind));
  else if (s.port != 0)
    out += listens + (s.protocol.empty() ? "" : s.protocol + " ") + "port " + std::to_string(s.port);
  else
    out += listens + (s.protocol.empty() ? "a port" : "a " + s.protocol + " port") + " that was not determined";
  if (!s.bind.empty() && !is_serial(s)) out += " of address " + escape(s.bind);
  if (!s.started) return out + "; nothing in the image was seen to start it";
  out += s.started_by.empty() ? ", started at boot" : ", started by " + s.started_by;
  if (s.conditional) out += " under a condition that was not decided";
  return out;
}

std::string sysctl_name(std::string_view written) {
  constexpr std::string_view kProc = "/proc/sys/";
  if (written.starts_with(kProc)) written.remove_prefix(kProc.size());
  std::string out(written);
  if (out.find('/') != std::string::npos) std::ranges::replace(out, '/', '.');
  return out;
}

}  // namespace assay::checks
