// Tables that start programs on an event: connections (inetd.conf(5), xinetd.conf(5)), times (crontab(5), as busybox
// crond and vixie cron read them) and devices (busybox mdev.conf, udev(7) rules, OpenWrt's hotplug.d).
#include "core/text.h"
#include "system/startup.h"

#include <algorithm>

namespace assay::system {
namespace {

constexpr size_t kMaximumTable = 1 << 16;  // bytes read of one table

// The rest of a line from its nth blank-separated word on.
std::string_view from_word(std::string_view line, size_t n) {
  const std::vector<std::string_view> all = words(line);
  if (n >= all.size()) return {};
  return trim(line.substr(static_cast<size_t>(all[n].data() - line.data())));
}

std::vector<Line> table_lines(const Tree& tree, const Artifact& table) {
  std::vector<Line> kept;
  for (const Line& line : lines(tree.content(table).text().substr(0, kMaximumTable))) {
    const std::string_view text = trim(line.text);
    if (!text.empty() && !text.starts_with('#')) kept.push_back(line);
  }
  return kept;
}

const Artifact* file_at(const Tree& tree, int volume, std::string_view path) {
  const Artifact* found = tree.find(volume, path);
  return found && found->node.kind == Kind::kFile ? found : nullptr;
}

// service type protocol wait|nowait[.max] user program arguments (the first argument is the program's own name)
void read_inetd_line(int volume, const Artifact& table, const Line& line, StartWalker& walker) {
  const std::vector<std::string_view> field = words(line.text);
  if (field.size() < 6) return;
  const std::string_view user = field[4].substr(0, field[4].find_first_of(".:"));
  StartContext context{.mechanism = "inetd",
                       .event = "connection",
                       .when = std::string(field[2]) + "/" + std::string(field[0]),
                       .user = std::string(user)};
  std::vector<std::string> run{std::string(field[5])};
  if (field[5] == "internal")
    return walker.start(volume, context, run, std::string(line.text), evidence_at(table, line.offset, line.text));
  const bool wrapped = base_name(field[5]) == "tcpd" && field.size() > 6;
  if (wrapped) run[0] = field[6];
  if (base_name(run[0]) == "busybox" && field.size() > 6) run[0] = field[6];
  for (size_t i = 7; i < field.size(); ++i) run.emplace_back(field[i]);
  walker.start(volume, context, std::move(run), std::string(line.text), evidence_at(table, line.offset, line.text));
}

struct XinetdEntry {
  std::string name, protocol = "tcp", port, user, server, arguments;
  bool disabled = false;
  Line server_line;
};

void finish(int volume, const Artifact& table, XinetdEntry& entry, StartWalker& walker) {
  if (entry.name.empty() || entry.name == "defaults" || entry.disabled || entry.server.empty()) return;
  const std::string when = entry.protocol + "/" + (entry.port.empty() ? entry.name : entry.port);
  std::vector<std::string> run{entry.server};
  for (const std::string_view word : words(entry.arguments)) run.emplace_back(word);
  walker.start(volume, {.mechanism = "xinetd", .event = "connection", .when = when, .user = entry.user}, std::move(run),
               entry.server + (entry.arguments.empty() ? "" : " " + entry.arguments),
               evidence_at(table, entry.server_line.offset, entry.server_line.text));
}

void read_xinetd_file(const Tree& tree, int volume, const Artifact& table, StartWalker& walker) {
  XinetdEntry entry;
  for (const Line& line : table_lines(tree, table)) {
    const std::vector<std::string_view> field = words(line.text);
    if (field[0] == "service" && field.size() > 1)
      entry = {.name = std::string(field[1])};
    else if (field[0] == "defaults")
      entry = {.name = "defaults"};
    else if (field[0] == "}") {
      finish(volume, table, entry, walker);
      entry = {};
    }
    const size_t sign = line.text.find('=');
    if (sign == std::string_view::npos) continue;
    const std::string_view name = trim(line.text.substr(0, sign)), value = trim(line.text.substr(sign + 1));
    if (name == "disable")
      entry.disabled = value == "yes";
    else if (name == "protocol")
      entry.protocol = value;
    else if (name == "port")
      entry.port = value;
    else if (name == "user")
      entry.user = value;
    else if (name == "server_args")
      entry.arguments = value;
    else if (name == "server") {
      entry.server = value;
      entry.server_line = line;
    }
  }
}

// `user`: of a user's own table; "" where the table names the user in the sixth field.
void read_crontab(const Tree& tree, int volume, const Artifact& table, std::string_view user, StartWalker& walker) {
  for (const Line& line : table_lines(tree, table)) {
    const std::string_view text = trim(line.text);
    const size_t times = text.starts_with('@') ? 1 : 5;
    const std::vector<std::string_view> field = words(text);
    if (field[0].find('=') != std::string_view::npos || field.size() < times + (user.empty() ? 2 : 1)) continue;
    std::string when;
    for (size_t i = 0; i < times; ++i) when += (i > 0 ? " " : "") + std::string(field[i]);
    const StartContext context{.mechanism = "cron",
                               .event = when == "@reboot" ? "boot" : "timer",
                               .when = when,
                               .user = std::string(user.empty() ? field[times] : user)};
    walker.command_line(volume, context, from_word(text, times + (user.empty() ? 1 : 0)),
                        evidence_at(table, line.offset, line.text));
  }
}

// The next "quoted" value after `key` in an udev rule, from `at` on.
std::string_view udev_value(std::string_view rule, std::string_view key, size_t& at) {
  for (at = rule.find(key, at); at != std::string_view::npos; at = rule.find(key, at)) {
    at += key.size();
    while (at < rule.size() && (rule[at] == '+' || rule[at] == '=' || rule[at] == ' ' || rule[at] == '{')) {
      if (rule[at] == '{') at = std::min(rule.find('}', at), rule.size() - 1);
      ++at;
    }
    if (at >= rule.size() || rule[at] != '"') continue;
    const size_t end = rule.find('"', at + 1);
    if (end == std::string_view::npos) break;
    const std::string_view value = rule.substr(at + 1, end - at - 1);
    at = end;
    return value;
  }
  at = std::string_view::npos;
  return {};
}

void read_udev_file(const Tree& tree, int volume, const Artifact& rules, StartWalker& walker) {
  for (const Line& line : table_lines(tree, rules)) {
    for (const std::string_view key : {"RUN", "PROGRAM"}) {
      size_t at = 0;
      while (at != std::string_view::npos) {
        std::string_view command = udev_value(line.text, key, at);
        if (command.starts_with("builtin") || command.empty()) continue;
        std::string line_text(command);
        if (!command.starts_with('/')) line_text = "/lib/udev/" + line_text;
        const size_t subsystem_at = line.text.find("SUBSYSTEM==\"");
        std::string when;
        if (subsystem_at != std::string_view::npos) {
          const std::string_view rest = line.text.substr(subsystem_at + 12);
          when = rest.substr(0, rest.find('"'));
        }
        walker.command_line(volume, {.mechanism = "udev", .event = "device", .when = when, .user = "root"}, line_text,
                            evidence_at(rules, line.offset, line.text));
      }
    }
  }
}

// device-pattern user:group mode [=path|>path|!] [@|$|*command]
void read_mdev(const Tree& tree, int volume, const Artifact& table, StartWalker& walker) {
  for (const Line& line : table_lines(tree, table)) {
    const std::vector<std::string_view> field = words(line.text);
    for (size_t i = 2; i < field.size(); ++i) {
      if (std::string_view("@$*").find(field[i][0]) == std::string_view::npos) continue;
      std::string_view command = from_word(line.text, i);
      command = trim(command.substr(1));
      walker.command_line(volume,
                          {.mechanism = "mdev", .event = "device", .when = std::string(field[0]), .user = "root"},
                          command, evidence_at(table, line.offset, line.text));
      break;
    }
  }
}

}  // namespace

void read_inetd(Tree& tree, int volume, StartWalker& walker) {
  for (const std::string_view path : {"/etc/inetd.conf", "/etc/inet/inetd.conf"}) {
    const Artifact* table = file_at(tree, volume, path);
    if (!table) continue;
    for (const Line& line : table_lines(tree, *table)) read_inetd_line(volume, *table, line, walker);
  }
  std::vector<const Artifact*> tables = entries_of(tree, volume, "/etc/xinetd.d");
  if (const Artifact* main = file_at(tree, volume, "/etc/xinetd.conf")) tables.insert(tables.begin(), main);
  for (const Artifact* table : tables) read_xinetd_file(tree, volume, *table, walker);
}

void read_cron(Tree& tree, int volume, StartWalker& walker) {
  if (const Artifact* table = file_at(tree, volume, "/etc/crontab")) read_crontab(tree, volume, *table, "", walker);
  for (const Artifact* table : entries_of(tree, volume, "/etc/cron.d")) {
    if (table->node.kind == Kind::kFile) read_crontab(tree, volume, *table, "", walker);
  }
  for (const std::string_view folder : {"/etc/crontabs", "/var/spool/cron/crontabs", "/var/spool/cron"}) {
    for (const Artifact* table : entries_of(tree, volume, folder)) {
      if (table->node.kind == Kind::kFile) read_crontab(tree, volume, *table, base_name(table->way), walker);
    }
  }
  for (const std::string_view period : {"hourly", "daily", "weekly", "monthly"}) {
    const std::string folder = "/etc/cron." + std::string(period);
    for (const Artifact* entry : entries_of(tree, volume, folder)) {
      const std::string path(tree.path_in_volume(*entry));
      if (base_name(path).starts_with('.') || base_name(path) == "placeholder") continue;
      walker.start(volume, {.mechanism = "cron", .event = "timer", .when = std::string(period), .user = "root"}, {path},
                   path, evidence_of(*entry, path));
    }
  }
}

void read_devices(Tree& tree, int volume, StartWalker& walker) {
  if (const Artifact* table = file_at(tree, volume, "/etc/mdev.conf")) read_mdev(tree, volume, *table, walker);
  for (const std::string_view folder : {"/etc/udev/rules.d", "/lib/udev/rules.d", "/usr/lib/udev/rules.d"}) {
    for (const Artifact* rules : entries_of(tree, volume, folder)) {
      if (rules->node.kind == Kind::kFile) read_udev_file(tree, volume, *rules, walker);
    }
  }
  for (const Artifact* script : tree.match(volume, "/etc/hotplug.d/*/*")) {
    const std::string_view path = tree.path_in_volume(*script);
    const std::string_view folder = path.substr(0, path.rfind('/'));
    const StartContext context{
        .mechanism = "hotplug", .event = "device", .when = std::string(base_name(folder)), .user = "root"};
    walker.start(volume, context, {std::string(path)}, std::string(path), evidence_of(*script, std::string(path)));
  }
}

}  // namespace assay::system
