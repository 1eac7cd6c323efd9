// Android's init.rc: services and the actions that start them or run programs.
//
//   import PATH          on TRIGGER [&& TRIGGER]…      service NAME PROGRAM [ARGUMENT]…
//   below "on": commands, of them start, exec_start NAME; class_start CLASS; exec, exec_background [LABEL [USER
//   GROUP…]] -- PROGRAM …; below "service": options, of them class CLASS…; user NAME; disabled. '#' begins a comment,
//   '\' before the line's end goes on with the next.
// A service that is not "disabled" starts with its class ("default" where none is named), else when an action names it.
// An action below a property alone ("property:a=b") runs when it is set, which the image does not decide. Every
// partition's tables are one system's.
//
// Source: AOSP system/core/init/README.md, parser.cpp, tokenizer.cpp (where the files lie: init.cpp, LoadBootScripts).
#include "core/text.h"
#include "system/startup.h"

#include <algorithm>
#include <map>
#include <set>

namespace assay::system::android_init {
namespace {

// Of all tables together; a phone has some 10,000 lines, which start some 500 programs.
constexpr size_t kMaximumBytes = 8 << 20, kMaximumLines = 50000, kMaximumStarts = 5000;
constexpr std::string_view kTables[] = {"/*.rc",
                                        "/etc/init/*.rc",
                                        "/etc/init/hw/*.rc",
                                        "/system/etc/init/*.rc",
                                        "/system/etc/init/hw/*.rc",
                                        "/vendor/etc/init/*.rc",
                                        "/vendor/etc/init/hw/*.rc"};

struct Command {  // one line, its continuations joined
  std::string text;
  std::vector<std::string> words;
  const Artifact* table;
  int volume;
  uint64_t offset;
};

struct Service {
  Command line;
  std::vector<std::string> classes;
  std::string user = "root";
  bool disabled = false;
};

struct Action {
  Command line;
  std::vector<Command> commands;
};

struct Scripts {
  std::vector<Service> services;
  std::vector<Action> actions;
  size_t bytes = 0, lines = 0;
  bool cut = false;  // by what may be read
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> found;
  bool open = false, quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      if (!open) found.emplace_back();
      open = true;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\r')) {
      open = false;
    } else if (!quoted && !open && c == '#') {
      break;
    } else {
      if (!open) found.emplace_back();
      open = true;
      found.back() += c;
    }
  }
  return found;
}

std::vector<Command> commands_of(const Tree& tree, int volume, const Artifact& table, Scripts& scripts) {
  std::vector<Command> found;
  bool goes_on = false;
  const std::string_view content = tree.content(table).text().substr(0, kMaximumBytes - scripts.bytes);
  scripts.bytes += content.size();
  scripts.cut |= content.size() < tree.content(table).size();
  for (const Line& line : lines(content)) {
    if (++scripts.lines > kMaximumLines) {
      scripts.cut = true;
      break;
    }
    std::string_view text = line.text;
    while (text.ends_with('\r')) text.remove_suffix(1);
    const bool more = text.ends_with('\\');
    if (more) text.remove_suffix(1);
    if (goes_on)
      found.back().text += " " + std::string(trim(text));
    else
      found.push_back({std::string(trim(text)), {}, &table, volume, line.offset});
    goes_on = more;
  }
  for (Command& command : found) command.words = words_of(command.text);
  std::erase_if(found, [](const Command& command) { return command.words.empty(); });
  return found;
}

void read_option(const Command& option, Service& service) {
  const std::string& name = option.words[0];
  if (name == "class") service.classes.assign(option.words.begin() + 1, option.words.end());
  if (name == "user" && option.words.size() > 1) service.user = option.words[1];
  if (name == "disabled") service.disabled = true;
}

void read_table(const Tree& tree, int volume, const Artifact& table, Scripts& scripts) {
  enum class Section : uint8_t { kNone, kService, kAction } section = Section::kNone;
  for (Command& command : commands_of(tree, volume, table, scripts)) {
    const std::string& word = command.words[0];
    if (word == "service" && command.words.size() > 2) {
      scripts.services.push_back({.line = std::move(command), .classes = {"default"}});
      section = Section::kService;
    } else if (word == "on" && command.words.size() > 1) {
      scripts.actions.push_back({std::move(command), {}});
      section = Section::kAction;
    } else if (word == "service" || word == "on" || word == "import") {
      section = Section::kNone;
    } else if (section == Section::kService) {
      read_option(command, scripts.services.back());
    } else if (section == Section::kAction) {
      scripts.actions.back().commands.push_back(std::move(command));
    }
  }
}

std::string trigger(const Action& action) {
  std::string text;
  for (size_t i = 1; i < action.line.words.size(); ++i) text += (i > 1 ? " " : "") + action.line.words[i];
  return text;
}

// The events that happen at every start: those of init itself, and what their actions trigger in turn.
std::set<std::string> fired(const Scripts& scripts) {
  std::map<std::string, std::vector<std::string>> triggers;
  for (const Action& action : scripts.actions)
    for (const Command& command : action.commands)
      if (command.words[0] == "trigger" && command.words.size() == 2)
        triggers[trigger(action)].push_back(command.words[1]);
  std::vector<std::string> next{"early-init", "init", "late-init"};
  std::set<std::string> events;
  while (!next.empty()) {
    const std::string event = std::move(next.back());
    next.pop_back();
    if (!events.insert(event).second) continue;
    const auto more = triggers.find(event);
    if (more != triggers.end()) next.insert(next.end(), more->second.begin(), more->second.end());
  }
  return events;
}

class Walk {
 public:
  Walk(const Tree& tree, const Scripts& scripts, StartWalker& walker)
      : tree_(tree), scripts_(scripts), fired_(fired(scripts)), walker_(walker) {
    for (const Service& service : scripts.services) {
      by_name_[service.line.words[1]].push_back(&service);
      if (!service.disabled)
        for (const std::string& one : service.classes) by_class_[one].push_back(&service);
    }
  }

  void run() {
    for (const Action& action : scripts_.actions) {
      const std::string when = trigger(action);
      for (const Command& command : action.commands)
        if (command.words.size() > 1) follow(when, command);
    }
    if (scripts_.cut || starts_ > kMaximumStarts) walker_.limit();
  }

 private:
  // A partition is mounted on a folder of its name: what its own tables call /vendor/bin/x is its bin/x.
  std::string in_volume(int volume, const std::string& program) const {
    const size_t second = program.find('/', 1);
    if (!program.starts_with('/') || second == std::string::npos || tree_.find(volume, escape(program))) return program;
    const std::string inside = program.substr(second);
    return tree_.find(volume, escape(inside)) ? inside : program;
  }

  void state(const Command& at, const std::string& when, const std::string& user, std::vector<std::string> run) {
    if (run.empty() || ++starts_ > kMaximumStarts) return;
    run[0] = in_volume(at.volume, run[0]);
    const StartContext context{.mechanism = "android-init",
                               .event = "boot",
                               .when = when,
                               .user = user,
                               .conditional = !fired_.contains(when)};
    walker_.start(at.volume, context, std::move(run), at.text, evidence_at(*at.table, at.offset, at.text));
  }

  using Services = std::map<std::string, std::vector<const Service*>>;
  void state_all(const Services& services, const std::string& of, const std::string& when) {
    const auto found = services.find(of);
    if (found == services.end()) return;
    for (const Service* service : found->second) {
      if (starts_ > kMaximumStarts) return;
      const std::vector<std::string>& words = service->line.words;
      state(service->line, when, service->user, {words.begin() + 2, words.end()});
    }
  }

  void follow(const std::string& when, const Command& command) {
    const std::string& name = command.words[0];
    const std::string& subject = command.words[1];
    if (name == "class_start") {
      state_all(by_class_, subject, when);
    } else if (name == "start" || name == "exec_start" || name == "restart" || name == "enable") {
      state_all(by_name_, subject, when);
    } else if (name == "exec" || name == "exec_background") {
      const auto dashes = std::ranges::find(command.words, "--");
      if (dashes == command.words.end()) return;
      const bool user = dashes - command.words.begin() > 2;
      state(command, when, user ? command.words[2] : "root", {dashes + 1, command.words.end()});
    }
  }

  const Tree& tree_;
  const Scripts& scripts_;
  std::set<std::string> fired_;
  Services by_name_, by_class_;
  size_t starts_ = 0;
  StartWalker& walker_;
};

}  // namespace
}  // namespace assay::system::android_init

namespace assay::system {

void read_android_init(const Tree& tree, StartWalker& walker) {
  android_init::Scripts scripts;
  for (int volume = 0; volume < static_cast<int>(tree.volumes().size()); ++volume)
    for (const std::string_view tables : android_init::kTables)
      for (const Artifact* table : tree.match(volume, tables)) android_init::read_table(tree, volume, *table, scripts);
  android_init::Walk(tree, scripts, walker).run();
}

}  // namespace assay::system
