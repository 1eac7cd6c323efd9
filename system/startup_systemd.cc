// systemd units that start by themselves: those that a .wants or .requires folder links, what they want in turn, the
// services behind timers and sockets (systemd.unit(5), systemd.service(5), systemd.timer(5), systemd.socket(5)).
#include "core/text.h"
#include "system/startup.h"

#include <algorithm>

namespace assay::system {
namespace {

constexpr size_t kMaximumUnits = 2000;

struct Value {
  std::string_view text;
  Line line;
};
using Unit = std::map<std::string, std::vector<Value>, std::less<>>;  // "Service.ExecStart" -> values

Unit read_unit(std::string_view text) {
  Unit unit;
  std::string section;
  for (const Line& line : lines(text.substr(0, 1 << 16))) {
    const std::string_view plain = trim(line.text);
    if (plain.empty() || plain[0] == '#' || plain[0] == ';') continue;
    if (plain.front() == '[' && plain.back() == ']') {
      section = plain.substr(1, plain.size() - 2);
      continue;
    }
    const size_t sign = plain.find('=');
    if (sign == std::string_view::npos) continue;
    unit[section + "." + std::string(trim(plain.substr(0, sign)))].push_back({trim(plain.substr(sign + 1)), line});
  }
  return unit;
}

std::string first(const Unit& unit, std::string_view key) {
  const auto found = unit.find(key);
  return found == unit.end() ? "" : std::string(found->second.back().text);
}

constexpr std::string_view kFolders[] = {"/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system",
                                         "/usr/lib/systemd/system"};

const Artifact* unit_file(const Tree& tree, int volume, std::string_view name) {
  std::string plain(name);
  const size_t at = plain.find('@'), dot = plain.rfind('.');
  const std::string general = at != std::string::npos && dot != std::string::npos && dot > at
                                  ? plain.substr(0, at + 1) + plain.substr(dot)
                                  : plain;
  for (const std::string_view folder : kFolders) {
    for (const std::string& one : {plain, general}) {
      const Artifact* found = tree.find(volume, std::string(folder) + "/" + one);
      if (found && found->node.kind == Kind::kFile) return found;
    }
  }
  return nullptr;
}

// Exec lines may start with signs that change how, not what: '@', '-', ':', '+', '!'.
std::string_view without_signs(std::string_view command) {
  while (!command.empty() && std::string_view("@-:+!").find(command[0]) != std::string_view::npos)
    command.remove_prefix(1);
  return command;
}

void state_service(Tree& tree, int volume, const Artifact& file, const Unit& unit, StartContext context,
                   StartWalker& walker) {
  context.user = first(unit, "Service.User");
  context.conditional = false;
  for (const auto& [key, values] : unit) context.conditional |= key.starts_with("Unit.Condition");
  for (const std::string_view key : {"Service.ExecStartPre", "Service.ExecStart", "Service.ExecStartPost"}) {
    const auto found = unit.find(key);
    if (found == unit.end()) continue;
    for (const Value& value : found->second) {
      const std::string_view command = without_signs(value.text);
      if (command.empty()) continue;
      walker.command_line(volume, context, command, evidence_at(file, value.line.offset, value.line.text));
    }
  }
  (void)tree;
}

struct Wanted {
  std::string name;
  StartContext context;
};

void follow(Tree& tree, int volume, const Wanted& wanted, StartWalker& walker, std::vector<Wanted>& queue) {
  const Artifact* file = unit_file(tree, volume, wanted.name);
  if (!file) return;
  const Unit unit = read_unit(tree.content(*file).text());
  for (const std::string_view key : {"Unit.Wants", "Unit.Requires"}) {
    const auto found = unit.find(key);
    if (found == unit.end()) continue;
    for (const Value& value : found->second) {
      for (const std::string_view name : words(value.text)) queue.push_back({std::string(name), wanted.context});
    }
  }
  const std::string stem = wanted.name.substr(0, wanted.name.rfind('.'));
  if (wanted.name.ends_with(".timer")) {
    std::string when = first(unit, "Timer.OnCalendar");
    if (when.empty()) when = first(unit, "Timer.OnUnitActiveSec");
    if (when.empty()) when = first(unit, "Timer.OnBootSec");
    const std::string service = first(unit, "Timer.Unit");
    queue.push_back({service.empty() ? stem + ".service" : service,
                     {.mechanism = "systemd", .event = "timer", .when = when, .user = ""}});
  } else if (wanted.name.ends_with(".socket")) {
    const bool udp = unit.contains("Socket.ListenDatagram");
    const std::string listens = first(unit, udp ? "Socket.ListenDatagram" : "Socket.ListenStream");
    const std::string stated = first(unit, "Socket.Service");
    const std::string service = !stated.empty()                         ? stated
                                : first(unit, "Socket.Accept") == "yes" ? stem + "@.service"
                                                                        : stem + ".service";
    queue.push_back({service,
                     {.mechanism = "systemd",
                      .event = "connection",
                      .when = std::string(udp ? "udp/" : "tcp/") + listens,
                      .user = ""}});
  } else {
    state_service(tree, volume, *file, unit, wanted.context, walker);
  }
}

}  // namespace

void read_systemd(Tree& tree, int volume, StartWalker& walker) {
  std::vector<Wanted> queue;
  for (const Artifact& entry : tree.artifacts()) {
    if (tree.volume_of(entry) != volume) continue;
    const std::string_view path = tree.path_in_volume(entry);
    if (path.find("/systemd/system/") == std::string_view::npos) continue;
    const size_t slash = path.rfind('/');
    const std::string_view folder = path.substr(0, slash);
    if (!folder.ends_with(".wants") && !folder.ends_with(".requires")) continue;
    if (folder.ends_with("shutdown.target.wants") || folder.ends_with("reboot.target.wants")) continue;
    queue.push_back(
        {std::string(path.substr(slash + 1)), {.mechanism = "systemd", .event = "boot", .when = "", .user = ""}});
  }
  std::sort(queue.begin(), queue.end(), [](const Wanted& a, const Wanted& b) { return a.name < b.name; });
  std::set<std::string> seen;
  for (size_t i = 0; i < queue.size() && i < kMaximumUnits; ++i) {
    const Wanted wanted = queue[i];
    if (seen.insert(wanted.name + " " + wanted.context.event).second) follow(tree, volume, wanted, walker, queue);
  }
}

}  // namespace assay::system
