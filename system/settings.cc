// Values that configuration gives to the kernel and to programs, as written: sysctl.conf(5) and /proc/sys written by
// scripts, sshd_config(5), dropbear's arguments and UCI file, login.defs(5), securetty(5), umask of profiles,
// snmpd.conf(5), smb.conf(5), vsftpd.conf(5), hosts.allow(5), Android's property files. What they mean for safety is
// for checks to say.
#include "core/text.h"
#include "system/config_files.h"
#include "system/script_commands.h"

#include <algorithm>
#include <cctype>

namespace assay::system::settings {
namespace {

void add(const TextFile& file, uint64_t offset, std::string_view shown, std::string_view kind, std::string name,
         std::string value, Facts& out) {
  out.settings.push_back({std::string(kind), std::move(name), std::move(value), file.at(offset, shown)});
}

// "net/ipv4/ip_forward" -> "net.ipv4.ip_forward"; a name with both keeps its '/' as sysctl(8) does.
std::string dotted(std::string_view name) {
  std::string out(name);
  if (out.find('.') == std::string::npos || out.find('/') < out.find('.')) std::ranges::replace(out, '/', '.');
  return out;
}

void read_sysctl_file(const TextFile& file, Facts& out) {
  for (const NamedValue& value : read_assignments(file.text).values)
    add(file, value.offset, file.text.substr(value.offset, value.length), "sysctl", dotted(value.name), value.value,
        out);
}

// echo N > /proc/sys/a/b
void read_echo(const TextFile& file, const ScriptCommand& command, Facts& out) {
  constexpr std::string_view kTree = "/proc/sys/";
  for (size_t i = 1; i + 1 < command.words.size(); ++i) {
    const std::string_view target = command.words[i + 1];
    if (command.words[i] != ">" && command.words[i] != ">>") continue;
    if (!target.starts_with(kTree) || target.find_first_of("$*`") != std::string_view::npos) continue;
    std::string value;
    for (size_t k = 1; k < i; ++k)
      if (command.words[k] != "-n" && command.words[k] != "-e") value += (value.empty() ? "" : " ") + command.words[k];
    if (value.find_first_of("$`") != std::string::npos) continue;
    std::string name(target.substr(kTree.size()));
    std::ranges::replace(name, '/', '.');
    add(file, command.offset, command.text, "sysctl", std::move(name), std::move(value), out);
  }
}

void read_sysctl_command(const TextFile& file, const ScriptCommand& command, Facts& out) {
  for (const std::string_view word : command.arguments()) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0 || word.find_first_of("$`") != std::string_view::npos) continue;
    add(file, command.offset, command.text, "sysctl", dotted(word.substr(0, equals)),
        std::string(word.substr(equals + 1)), out);
  }
}

// dropbear(8): -w no root login, -s no password logins, -g no password logins for root, -B blank passwords.
void read_dropbear(const TextFile& file, const ScriptCommand& command, Facts& out) {
  const auto flag = [&](std::string_view letter, std::string_view name, std::string_view value) {
    if (command.has(letter)) add(file, command.offset, command.text, "ssh", std::string(name), std::string(value), out);
  };
  flag("-w", "PermitRootLogin", "no");
  flag("-s", "PasswordAuthentication", "no");
  flag("-g", "RootPasswordAuthentication", "no");
  flag("-B", "PermitEmptyPasswords", "yes");
}

void read_script(const TextFile& file, Facts& out) {
  constexpr std::string_view kWords[] = {"/proc/sys/", "sysctl", "dropbear", "umask"};
  if (std::ranges::none_of(kWords,
                           [&](std::string_view word) { return file.text.find(word) != std::string_view::npos; }))
    return;
  for (const ScriptCommand& command : script_commands(file.text)) {
    const std::string_view program = command.program();
    if (program == "echo" || program == "printf") read_echo(file, command, out);
    if (program == "sysctl") read_sysctl_command(file, command, out);
    if (program == "dropbear") read_dropbear(file, command, out);
    if (program == "umask" && command.words.size() > 1)
      add(file, command.offset, command.text, "profile", "umask", command.words[1], out);
  }
}

// Lines "Name value": sshd_config, login.defs, snmpd.conf, boa.conf.
void read_directives(const TextFile& file, std::string_view kind, Facts& out) {
  for (const Line& line : lines(file.text)) {
    const std::string_view entry = trim(line.text);
    if (entry.empty() || entry[0] == '#' || entry[0] == ';') continue;
    const size_t end = entry.find_first_of(" \t=");
    if (end == std::string_view::npos) continue;
    std::string_view value = trim(entry.substr(end));
    if (value.starts_with('=')) value = trim(value.substr(1));
    add(file, line.offset, line.text, kind, std::string(entry.substr(0, end)), std::string(value), out);
  }
}

// "name = value" with sections; the section stands before the name: "[global]/map to guest".
void read_sections(const TextFile& file, std::string_view kind, Facts& out) {
  std::string section;
  for (const Line& line : lines(file.text)) {
    const std::string_view entry = trim(line.text);
    if (entry.empty() || entry[0] == '#' || entry[0] == ';') continue;
    if (entry[0] == '[' && entry.back() == ']') section = std::string(entry) + "/";
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    add(file, line.offset, line.text, kind, section + std::string(trim(entry.substr(0, equals))),
        std::string(trim(entry.substr(equals + 1))), out);
  }
}

void read_lines(const TextFile& file, std::string_view kind, std::string_view name, Facts& out) {
  for (const Line& line : lines(file.text)) {
    const std::string_view entry = trim(line.text);
    if (!entry.empty() && entry[0] != '#')
      add(file, line.offset, line.text, kind, std::string(name), std::string(entry), out);
  }
}

void read_uci_service(const TextFile& file, std::string_view kind, Facts& out) {
  for (const NamedValue& value : read_uci(file.text).values)
    add(file, value.offset, file.text.substr(value.offset, value.length), kind, value.name, value.value, out);
}

void read_uci_file(const TextFile& file, Facts& out) {
  constexpr std::pair<std::string_view, std::string_view> kFiles[] = {{"dropbear", "ssh"}, {"uhttpd", "web"},
                                                                      {"snmpd", "snmp"},   {"samba", "samba"},
                                                                      {"upnpd", "upnp"},   {"vsftpd", "ftp"}};
  for (const auto& [name, kind] : kFiles)
    if (file.name == name) read_uci_service(file, kind, out);
}

// Android's properties that say who may debug: of some hundred names in each file the others are no settings of safety.
void read_properties(const TextFile& file, Facts& out) {
  constexpr std::string_view kNames[] = {"ro.adb.secure",        "ro.debuggable",        "ro.secure",
                                         "service.adb.tcp.port", "persist.adb.tcp.port", "persist.sys.usb.config"};
  for (const Line& line : lines(file.text)) {
    const std::string_view entry = trim(line.text);
    const size_t equals = entry.find('=');
    if (entry.starts_with('#') || equals == std::string_view::npos) continue;
    const std::string_view name = trim(entry.substr(0, equals));
    if (std::ranges::find(kNames, name) != std::end(kNames))
      add(file, line.offset, line.text, "property", std::string(name), std::string(trim(entry.substr(equals + 1))),
          out);
  }
}

void read_file(const TextFile& file, Facts& out) {
  const std::string_view name = file.name;
  if (name == "build.prop" || name == "default.prop" || name == "prop.default") return read_properties(file, out);
  if (file.below("/etc/config/")) return read_uci_file(file, out);
  if (name == "sysctl.conf" || (file.below("/sysctl.d/") && name.ends_with(".conf")))
    return read_sysctl_file(file, out);
  if (name == "sshd_config" || file.below("/sshd_config.d/")) return read_directives(file, "ssh", out);
  if (name == "login.defs") return read_directives(file, "login", out);
  if (name == "snmpd.conf") return read_directives(file, "snmp", out);
  if (name == "boa.conf" || name == "thttpd.conf" || name == "mini_httpd.conf")
    return read_directives(file, "web", out);
  if (name == "miniupnpd.conf" || name == "upnpd.conf") return read_sections(file, "upnp", out);
  if (name.starts_with("lighttpd") && name.ends_with(".conf")) return read_sections(file, "web", out);
  if (name == "smb.conf" || name.starts_with("smb.conf.")) return read_sections(file, "samba", out);
  if (name == "vsftpd.conf" || name == "proftpd.conf") return read_sections(file, "ftp", out);
  if (name == "securetty") return read_lines(file, "login", "securetty", out);
  if (name == "hosts.allow" || name == "hosts.deny") return read_lines(file, "generic", name, out);
  const bool profile =
      name == "profile" || name.starts_with(".profile") || name == ".bashrc" || file.below("/profile.d/");
  if (file.is_script() || profile || name == "inittab") read_script(file, out);
}

void run(Tree& tree, Facts& out) {
  for (const TextFile& file : text_files(tree))
    if (!is_web_page(file)) read_file(file, out);
}

}  // namespace

extern const TreeAnalysis kSettings;
const TreeAnalysis kSettings = {.id = "settings", .version = 2, .run = run};

}  // namespace assay::system::settings
