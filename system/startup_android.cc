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
#include <set>

namespace assay::system::android_init {
namespace {

constexpr size_t kMaximumTable = 1 << 20, kMaximumLines = 20000;
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

std::vector<Command> commands_of(const Tree& tree, int volume, const Artifact& table) {
  std::vector<Command> found;
  bool goes_on = false;
  for (const Line& line : lines(tree.content(table).text().substr(0, kMaximumTable))) {
    std::string_view text = line.text;
    while (text.ends_with('\r')) text.remove_suffix(1);
    const bool more = text.ends_with('\\');
    if (more) text.remove_suffix(1);
    if (goes_on)
      found.back().text += " " + std::string(trim(text));
    else if (found.size() < kMaximumLines)
      found.push_back({std::string(trim(text)), {}, &table, volume, line.offset});
    goes_on = more && !found.empty();
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
  for (Command& command : commands_of(tree, volume, table)) {
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
  std::set<std::string> events{"early-init", "init", "late-init"};
  for (size_t before = 0; before != events.size();) {
    before = events.size();
    for (const Action& action : scripts.actions)
      for (const Command& command : action.commands)
        if (events.contains(trigger(action)) && command.words[0] == "trigger" && command.words.size() == 2)
          events.insert(command.words[1]);
  }
  return events;
}

class Walk {
 public:
  Walk(const Tree& tree, const Scripts& scripts, StartWalker& walker)
      : tree_(tree), scripts_(scripts), fired_(fired(scripts)), walker_(walker) {}

  void run() {
    for (const Action& action : scripts_.actions)
      for (const Command& command : action.commands)
        if (command.words.size() > 1) follow(action, command);
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
    if (run.empty()) return;
    run[0] = in_volume(at.volume, run[0]);
    const StartContext context{.mechanism = "android-init",
                               .event = "boot",
                               .when = when,
                               .user = user,
                               .conditional = !fired_.contains(when)};
    walker_.start(at.volume, context, std::move(run), at.text, evidence_at(*at.table, at.offset, at.text));
  }

  void state(const Service& service, const std::string& when) {
    const std::vector<std::string>& words = service.line.words;
    state(service.line, when, service.user, {words.begin() + 2, words.end()});
  }

  void follow(const Action& action, const Command& command) {
    const std::string& name = command.words[0];
    const std::string& subject = command.words[1];
    if (name == "class_start") {
      for (const Service& service : scripts_.services)
        if (!service.disabled && std::ranges::count(service.classes, subject) > 0) state(service, trigger(action));
    } else if (name == "start" || name == "exec_start" || name == "restart" || name == "enable") {
      for (const Service& service : scripts_.services)
        if (service.line.words[1] == subject) state(service, trigger(action));
    } else if (name == "exec" || name == "exec_background") {
      const auto dashes = std::ranges::find(command.words, "--");
      if (dashes == command.words.end()) return;
      const bool user = dashes - command.words.begin() > 2;
      state(command, trigger(action), user ? command.words[2] : "root", {dashes + 1, command.words.end()});
    }
  }

  const Tree& tree_;
  const Scripts& scripts_;
  std::set<std::string> fired_;
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
