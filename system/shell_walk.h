// Follows what a shell script would start, without running anything: constants are put in for variables, functions and
// sourced files are entered, tests that the image itself decides (a file that is there, two constants) choose a branch.
// Every other branch is entered too, and what stands below it is marked conditional.
//
// Values assigned below an undecided branch are forgotten after it, so a value that is used was certain on its path.
#pragma once
#include "system/shell.h"
#include "system/tree.h"
#include "system/uci.h"

#include <map>
#include <memory>
#include <optional>
#include <set>

namespace assay::system {

// Where a start comes from; copied into every fact below it.
struct StartContext {
  std::string mechanism, event, when, user;
  bool conditional = false;
  int depth = 0;  // scripts that start scripts
};

struct MountCommand {
  int volume = -1;
  Mount mount;
};

class StartWalker {
 public:
  using OnMount = std::function<void(const MountCommand&)>;
  StartWalker(Tree& tree, Facts& out, OnMount on_mount);

  // A command line of a table (inittab, cron, …): states it and follows it. `table`: where the line stands.
  void command_line(int volume, const StartContext& context, std::string_view line, Evidence at);
  // A program with its arguments, as a fact; follows it when it is a script.
  void start(int volume, const StartContext& context, std::vector<std::string> words, std::string command, Evidence at);
  // Follows a script that is itself already stated.
  void script(int volume, const StartContext& context, const Artifact& artifact, std::vector<std::string> arguments);
  bool visited(const Artifact& artifact) const { return visited_scripts_.count(artifact.way) > 0; }
  bool is_script(const Artifact& artifact) const;
  void limit() { limited_ = true; }  // what was not followed for want of a budget
  void limits();                     // states budgets that were hit, as problems

 private:
  enum class Outcome : uint8_t { kTrue, kFalse, kUnknown };
  enum class Flow : uint8_t { kNormal, kReturn, kExit };
  struct Value {
    std::string text;
    bool known = false, exported = false;
  };
  struct Word {
    std::string text;
    bool known = true, glob = false;
  };
  struct Loaded {
    const Artifact* artifact = nullptr;
    shell::Script script;
  };
  struct Function {
    const shell::Node* node;
    const Loaded* home;
  };
  struct Process {  // one shell
    int volume = -1;
    StartContext context;
    std::map<std::string, Value, std::less<>> variables;
    std::map<std::string, Function, std::less<>> functions;
    std::vector<std::string> positional;  // [0]: the script's name
    std::string folder;                   // current directory, "" : not known
    const Loaded* here = nullptr;
    std::optional<Evidence> inside;  // text of an eval or a table: every place in it is this one
    bool conditional = false, maybe_exited = false, maybe_returned = false;
    int calls = 0, undecided = 0;
    std::vector<std::pair<std::string, std::optional<Value>>> journal;
    std::vector<UciSection> uci;
    std::vector<std::string> procd;
    Evidence procd_at;
    bool procd_conditional = false;
  };

  const Loaded* load(const Artifact& artifact);
  void run_wrapped(Process& p, const Loaded& loaded, std::string_view wrapper);
  Flow sequence(Process& p, std::span<const shell::Node> nodes, Outcome& last);
  Flow one(Process& p, const shell::Node& node, Outcome& outcome);
  Flow undecided(Process& p, std::span<const shell::Node> nodes, std::set<std::string>& changed);
  void forget(Process& p, const std::set<std::string>& names);
  Flow branch(Process& p, const shell::Node& node, Outcome& outcome);
  Flow loop(Process& p, const shell::Node& node);
  Flow each(Process& p, const shell::Node& node);
  Flow choose(Process& p, const shell::Node& node);
  Flow simple(Process& p, const shell::Node& node, Outcome& outcome);
  Flow command(Process& p, const shell::Node& node, std::vector<Word> words, Outcome& outcome);
  bool builtin(Process& p, const shell::Node& node, std::vector<Word>& words, Outcome& outcome, Flow& flow);
  bool openwrt(Process& p, const shell::Node& node, const std::vector<Word>& words, Outcome& outcome, Flow& flow);
  Flow call(Process& p, const Function& function, const std::vector<std::string>& arguments);
  Flow source(Process& p, std::string_view path, std::vector<std::string> arguments);
  Flow evaluate(Process& p, const shell::Node& node, std::string_view text);
  void run_text(int volume, const StartContext& context, std::string_view text, Evidence at);
  Outcome test(const Process& p, std::vector<Word> words) const;
  Outcome test_file(const Process& p, char kind, const Word& path) const;
  void set(Process& p, std::string_view name, Value value);
  const Value* get(const Process& p, std::string_view name, Value& made) const;
  Value output_of(const Process& p, std::string_view command, std::string_view raw) const;
  void expand_variable(const Process& p, std::string_view raw, size_t& at, Value& out) const;
  Value braces(const Process& p, std::string_view inner, std::string_view raw) const;
  void assign(Process& p, const std::vector<std::pair<std::string_view, std::string_view>>& assignments, bool exported);
  Word join(const Process& p, std::string_view raw) const;  // one word, not split
  void expand(const Process& p, std::string_view raw, std::vector<Word>& out) const;
  std::vector<std::string> files_of(const Process& p, std::string_view pattern) const;
  Evidence place(const Process& p, const shell::Node& node) const;
  const Artifact* program(const Process& p, std::string_view name) const;
  void launch(Process& p, const shell::Node& node, const std::vector<Word>& words);
  void emit(const Process& p, std::vector<std::string> words, std::string_view command, Evidence at, bool conditional);
  void state(int volume, const StartContext& context, std::vector<std::string> words, std::string command,
             const Artifact* found, Evidence at, const std::map<std::string, Value, std::less<>>* exported);
  void run_script(int volume, const StartContext& context, const Artifact& artifact, std::vector<std::string> arguments,
                  const std::map<std::string, Value, std::less<>>* exported);
  void state_mount(Process& p, const shell::Node& node, const std::vector<Word>& words);
  void forget_assigned(Process& p, std::span<const shell::Node> nodes);
  const UciSection* uci_section(const Process& p, std::string_view name) const;

  Tree& tree_;
  Facts& out_;
  OnMount on_mount_;
  std::map<std::string, std::unique_ptr<Loaded>, std::less<>> loaded_;
  std::vector<std::unique_ptr<Loaded>> snippets_;
  std::set<std::string> visited_, visited_scripts_, stated_;
  std::map<std::string, uint32_t> stated_at_;
  uint64_t steps_ = 0;
  mutable int expanding_ = 0;
  int depth_ = 0;
  bool limited_ = false;
};

// Words of a command that hide another command: nohup, env, start-stop-daemon …; what is left is what runs.
std::vector<std::string> unwrap(std::vector<std::string> words);
bool is_shell_name(std::string_view base);
std::string_view base_name(std::string_view path);

}  // namespace assay::system
