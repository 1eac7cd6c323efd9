// The walker's control flow: sequences, branches, loops, functions, builtins. Values and tests: shell_expand.cc;
// what becomes a fact: shell_start.cc.
#include "system/shell_walk.h"

#include "core/text.h"

#include <algorithm>

namespace assay::system {
namespace {

constexpr uint64_t kMaximumSteps = 100'000;
constexpr int kMaximumCalls = 24;
constexpr int kMaximumDepth = 300;     // sequences in sequences, over all scripts
constexpr size_t kMaximumRounds = 64;  // of a `for` whose list is known

}  // namespace

StartWalker::StartWalker(Tree& tree, Facts& out, OnMount on_mount)
    : tree_(tree), out_(out), on_mount_(std::move(on_mount)) {}

const StartWalker::Loaded* StartWalker::load(const Artifact& artifact) {
  auto& slot = loaded_[artifact.way];
  if (slot) return slot.get();
  slot = std::make_unique<Loaded>();
  slot->artifact = &artifact;
  shell::parse(tree_.content(artifact).text(), slot->script);
  if (slot->script.limited)
    out_.problems.push_back({artifact.way, Fault::kLimit, "script is longer or deeper than is followed", 0});
  return slot.get();
}

void StartWalker::set(Process& p, std::string_view name, Value value) {
  auto at = p.variables.find(name);
  if (p.undecided > 0)
    p.journal.emplace_back(name, at == p.variables.end() ? std::nullopt : std::optional<Value>(at->second));
  if (at == p.variables.end()) {
    p.variables.emplace(std::string(name), std::move(value));
    return;
  }
  value.exported |= at->second.exported;
  at->second = std::move(value);
}

void StartWalker::assign(Process& p, const std::vector<std::pair<std::string_view, std::string_view>>& assignments,
                         bool exported) {
  for (const auto& [name, raw] : assignments) {
    const Word word = join(p, raw);
    set(p, name, {word.text, word.known, exported});
  }
}

void StartWalker::forget(Process& p, const std::set<std::string>& names) {
  for (const std::string& name : names) set(p, name, {});
}

// Variables that a loop's body assigns have no one value in it.
void StartWalker::forget_assigned(Process& p, std::span<const shell::Node> nodes) {
  std::vector<const shell::Node*> left;
  for (const shell::Node& node : nodes) left.push_back(&node);
  const auto add = [&left](const std::vector<shell::Node>& more) {
    for (const shell::Node& node : more) left.push_back(&node);
  };
  while (!left.empty() && ++steps_ < kMaximumSteps) {
    const shell::Node& node = *left.back();
    left.pop_back();
    for (const auto& [name, value] : node.assignments) set(p, name, {});
    if (!node.words.empty() && (node.words[0] == "read" || node.words[0] == "local")) {
      for (size_t i = 1; i < node.words.size(); ++i) set(p, node.words[i].substr(0, node.words[i].find('=')), {});
    }
    add(node.condition), add(node.body), add(node.otherwise);
    for (const shell::Branch& branch : node.branches) add(branch.body);
  }
}

StartWalker::Flow StartWalker::sequence(Process& p, std::span<const shell::Node> nodes, Outcome& last) {
  struct Level {
    int& depth;
    explicit Level(int& d) : depth(++d) {}
    ~Level() { --depth; }
  } level(depth_);
  for (const shell::Node& node : nodes) {
    if (++steps_ > kMaximumSteps || depth_ > kMaximumDepth) {
      limited_ = true;
      return Flow::kExit;
    }
    if (node.link == shell::Link::kAnd && last == Outcome::kFalse) continue;
    if (node.link == shell::Link::kOr && last == Outcome::kTrue) continue;
    const bool hangs = node.link == shell::Link::kAnd || node.link == shell::Link::kOr;
    if (hangs && last == Outcome::kUnknown) {
      std::set<std::string> changed;
      undecided(p, {&node, 1}, changed);
      forget(p, changed);
      continue;
    }
    const Flow flow = one(p, node, last);
    if (node.negated && last != Outcome::kUnknown) last = last == Outcome::kTrue ? Outcome::kFalse : Outcome::kTrue;
    if (flow != Flow::kNormal && !node.background) return flow;
  }
  return Flow::kNormal;
}

// Enters what may or may not run; the values it sets are taken back, their names go to `changed`.
StartWalker::Flow StartWalker::undecided(Process& p, std::span<const shell::Node> nodes,
                                         std::set<std::string>& changed) {
  const size_t mark = p.journal.size();
  const bool before = p.conditional;
  p.conditional = true;
  ++p.undecided;
  Outcome last = Outcome::kTrue;
  Flow flow = Flow::kNormal;
  // A lone command may hang on what was not decided: entered whatever its link says.
  if (nodes.size() == 1)
    flow = one(p, nodes[0], last);
  else
    flow = sequence(p, nodes, last);
  --p.undecided;
  while (p.journal.size() > mark) {
    auto& [name, old] = p.journal.back();
    changed.insert(name);
    if (old)
      p.variables[name] = *old;
    else
      p.variables.erase(name);
    p.journal.pop_back();
  }
  if (flow == Flow::kExit) p.maybe_exited = true;
  if (flow == Flow::kReturn) p.maybe_returned = true;
  p.conditional = before || p.maybe_exited || p.maybe_returned;
  return Flow::kNormal;
}

StartWalker::Flow StartWalker::one(Process& p, const shell::Node& node, Outcome& outcome) {
  using shell::NodeKind;
  Flow flow = Flow::kNormal;
  switch (node.kind) {
    case NodeKind::kSimple:
      return simple(p, node, outcome);
    case NodeKind::kIf:
      return branch(p, node, outcome);
    case NodeKind::kFor:
      outcome = Outcome::kUnknown;
      return each(p, node);
    case NodeKind::kWhile:
      outcome = Outcome::kUnknown;
      return loop(p, node);
    case NodeKind::kCase:
      outcome = Outcome::kUnknown;
      return choose(p, node);
    case NodeKind::kGroup:
      outcome = Outcome::kTrue;
      return sequence(p, node.body, outcome);
    case NodeKind::kSubshell: {
      const auto variables = p.variables;
      const bool exited = p.maybe_exited, conditional = p.conditional;
      outcome = Outcome::kTrue;
      flow = sequence(p, node.body, outcome);
      if (flow != Flow::kNormal) outcome = Outcome::kUnknown;
      if (p.undecided == 0) p.variables = variables;
      p.maybe_exited = exited;
      p.conditional = conditional;
      return Flow::kNormal;
    }
    case NodeKind::kFunction:
      if (p.functions.size() < 4096) p.functions[std::string(node.name)] = {&node, p.here};
      outcome = Outcome::kTrue;
      return Flow::kNormal;
  }
  return flow;
}

StartWalker::Flow StartWalker::branch(Process& p, const shell::Node& node, Outcome& outcome) {
  Outcome condition = Outcome::kTrue;
  if (const Flow flow = sequence(p, node.condition, condition); flow != Flow::kNormal) return flow;
  outcome = Outcome::kTrue;
  if (condition == Outcome::kTrue) return sequence(p, node.body, outcome);
  if (condition == Outcome::kFalse) return sequence(p, node.otherwise, outcome);
  std::set<std::string> changed;
  undecided(p, node.body, changed);
  undecided(p, node.otherwise, changed);
  forget(p, changed);
  outcome = Outcome::kUnknown;
  return Flow::kNormal;
}

StartWalker::Flow StartWalker::loop(Process& p, const shell::Node& node) {
  forget_assigned(p, node.condition);
  forget_assigned(p, node.body);
  Outcome condition = Outcome::kTrue;
  sequence(p, node.condition, condition);
  const Outcome enters = node.until ? Outcome::kFalse : Outcome::kTrue;
  if (condition == enters) {
    Outcome last = Outcome::kTrue;
    return sequence(p, node.body, last);
  }
  if (condition != Outcome::kUnknown) return Flow::kNormal;
  std::set<std::string> changed;
  undecided(p, node.body, changed);
  forget(p, changed);
  return Flow::kNormal;
}

StartWalker::Flow StartWalker::each(Process& p, const shell::Node& node) {
  std::vector<Word> list, values;
  bool known = true;
  for (const std::string_view raw : node.words) expand(p, raw, list);
  for (Word& word : list) {
    known &= word.known;
    if (!word.known || !word.glob) {
      values.push_back(std::move(word));
      continue;
    }
    for (std::string& path : files_of(p, word.text)) values.push_back({unescape(path), true, false});
  }
  if (known && values.size() <= kMaximumRounds) {
    for (const Word& value : values) {
      set(p, node.name, {value.text, true, false});
      Outcome last = Outcome::kTrue;
      if (const Flow flow = sequence(p, node.body, last); flow != Flow::kNormal) return flow;
    }
    return Flow::kNormal;
  }
  forget_assigned(p, node.body);
  set(p, node.name, {});
  std::set<std::string> changed;
  undecided(p, node.body, changed);
  forget(p, changed);
  return Flow::kNormal;
}

StartWalker::Flow StartWalker::choose(Process& p, const shell::Node& node) {
  const Word subject = node.words.empty() ? Word{} : join(p, node.words[0]);
  std::set<std::string> changed;
  bool decided = subject.known;
  for (const shell::Branch& branch : node.branches) {
    bool taken = false;
    for (const std::string_view raw : branch.patterns) {
      const Word pattern = join(p, raw);
      if (!pattern.known)
        decided = false;
      else
        taken |= decided && shell::matches_pattern(pattern.text, subject.text);
    }
    if (taken && decided) {
      forget(p, changed);
      Outcome last = Outcome::kTrue;
      return sequence(p, branch.body, last);
    }
    if (!decided) undecided(p, branch.body, changed);
  }
  forget(p, changed);
  return Flow::kNormal;
}

StartWalker::Flow StartWalker::simple(Process& p, const shell::Node& node, Outcome& outcome) {
  std::vector<Word> words;
  for (const std::string_view raw : node.words) {
    if (words.empty() && raw == "[")
      words.push_back({"[", true, false});
    else
      expand(p, raw, words);
  }
  if (words.empty()) {
    assign(p, node.assignments, false);
    outcome = Outcome::kTrue;
    if (!node.words.empty() || node.assignments.empty()) outcome = Outcome::kUnknown;
    for (const auto& [name, value] : node.assignments) {
      if (value.find("$(") != std::string_view::npos || value.find('`') != std::string_view::npos)
        outcome = Outcome::kUnknown;
    }
    return Flow::kNormal;
  }
  outcome = Outcome::kUnknown;
  if (!words[0].known) {
    launch(p, node, words);
    return Flow::kNormal;
  }
  return command(p, node, std::move(words), outcome);
}

StartWalker::Flow StartWalker::command(Process& p, const shell::Node& node, std::vector<Word> words, Outcome& outcome) {
  Flow flow = Flow::kNormal;
  if (builtin(p, node, words, outcome, flow)) return flow;
  if (openwrt(p, node, words, outcome, flow)) return flow;
  const bool replaces = words[0].text == "exec" && words.size() > 1;
  const auto function = p.functions.find(words[0].text);
  if (function == p.functions.end()) {
    launch(p, node, words);
    return replaces ? Flow::kExit : Flow::kNormal;
  }
  std::vector<std::string> arguments;
  for (size_t i = 1; i < words.size(); ++i) arguments.push_back(words[i].text);
  for (size_t i = 1; i < words.size(); ++i) {
    if (!words[i].known) {  // positional parameters have no "not known": leave such calls to what is certain
      arguments.resize(i - 1);
      break;
    }
  }
  return call(p, Function(function->second), arguments);
}

StartWalker::Flow StartWalker::call(Process& p, const Function& function, const std::vector<std::string>& arguments) {
  if (p.calls >= kMaximumCalls) return Flow::kNormal;
  ++p.calls;
  std::vector<std::string> positional{p.positional.empty() ? "" : p.positional[0]};
  positional.insert(positional.end(), arguments.begin(), arguments.end());
  std::swap(positional, p.positional);
  const Loaded* here = p.here;
  const bool conditional = p.conditional, returned = p.maybe_returned;
  p.here = function.home;
  p.maybe_returned = false;
  Outcome last = Outcome::kTrue;
  const Flow flow = sequence(p, function.node->body, last);
  p.here = here;
  p.maybe_returned = returned;
  p.conditional = conditional || p.maybe_exited;
  std::swap(positional, p.positional);
  --p.calls;
  return flow == Flow::kExit ? Flow::kExit : Flow::kNormal;
}

StartWalker::Flow StartWalker::source(Process& p, std::string_view path, std::vector<std::string> arguments) {
  const Artifact* found = p.volume < 0 ? nullptr : program(p, path);
  if (!found || found->node.kind != Kind::kFile || !is_script(*found) || p.calls >= kMaximumCalls) return Flow::kNormal;
  visited_scripts_.insert(found->way);
  const Loaded* loaded = load(*found);
  const Loaded* here = p.here;
  std::vector<std::string> positional = p.positional;
  if (!arguments.empty()) {
    p.positional.resize(1);
    p.positional.insert(p.positional.end(), arguments.begin(), arguments.end());
  }
  ++p.calls;
  p.here = loaded;
  Outcome last = Outcome::kTrue;
  const Flow flow = sequence(p, loaded->script.commands, last);
  p.here = here;
  if (!arguments.empty()) p.positional = std::move(positional);
  --p.calls;
  return flow == Flow::kExit ? Flow::kExit : Flow::kNormal;
}

// Text that becomes commands (eval): every place in it is the place of the command that holds it.
StartWalker::Flow StartWalker::evaluate(Process& p, const shell::Node& node, std::string_view text) {
  if (p.calls >= kMaximumCalls || snippets_.size() > 2000) return Flow::kNormal;
  snippets_.push_back(std::make_unique<Loaded>());
  Loaded& snippet = *snippets_.back();
  snippet.artifact = p.here ? p.here->artifact : nullptr;
  shell::parse(text, snippet.script);
  const bool outermost = !p.inside.has_value();
  if (outermost) p.inside = place(p, node);
  ++p.calls;
  Outcome last = Outcome::kTrue;
  const Flow flow = sequence(p, snippet.script.commands, last);
  --p.calls;
  if (outermost) p.inside.reset();
  return flow;
}

bool StartWalker::builtin(Process& p, const shell::Node& node, std::vector<Word>& words, Outcome& outcome, Flow& flow) {
  const std::string name = words[0].text;
  if (name == "[" || name == "test" || name == "[[") {
    words.erase(words.begin());
    if (name != "test" && !words.empty()) words.pop_back();
    outcome = test(p, std::move(words));
  } else if (name == "true" || name == ":") {
    outcome = Outcome::kTrue;
  } else if (name == "false") {
    outcome = Outcome::kFalse;
  } else if (name == "exit") {
    flow = Flow::kExit;
  } else if (name == "return") {
    flow = Flow::kReturn;
  } else if (name == "." || name == "source") {
    std::vector<std::string> arguments;
    for (size_t i = 2; i < words.size(); ++i) arguments.push_back(words[i].text);
    if (words.size() > 1 && words[1].known) flow = source(p, words[1].text, std::move(arguments));
  } else if (name == "eval") {
    std::string text;
    bool known = true;
    for (size_t i = 1; i < words.size(); ++i) {
      text += (i > 1 ? " " : "") + words[i].text;
      known &= words[i].known;
    }
    if (known && text.size() <= 4096) flow = evaluate(p, node, text);
  } else if (name == "export" || name == "local" || name == "readonly" || name == "declare" || name == "typeset") {
    for (size_t i = 1; i < words.size(); ++i) {
      const std::string_view text = words[i].text;
      const size_t sign = text.find('=');
      if (text.starts_with('-')) continue;
      if (sign != std::string_view::npos)
        set(p, text.substr(0, sign), {std::string(text.substr(sign + 1)), words[i].known, name == "export"});
      else if (name == "local")
        set(p, text, {"", true, false});
      else if (const auto at = p.variables.find(text); at != p.variables.end())
        at->second.exported |= name == "export";
    }
    outcome = Outcome::kTrue;
  } else if (name == "unset" || name == "read" || name == "getopts") {
    for (size_t i = 1; i < words.size(); ++i) set(p, words[i].text, {});
  } else if (name == "cd") {
    if (words.size() > 1 && words[1].known && words[1].text.starts_with('/'))
      p.folder = words[1].text;
    else if (words.size() < 2 || !words[1].known)
      p.folder.clear();
    else if (!p.folder.empty())
      p.folder += "/" + words[1].text;
  } else if (name == "set") {
    if (words.size() > 1 && !words[1].text.starts_with('-') && !words[1].text.starts_with('+')) {
      p.positional.resize(1);
      for (size_t i = 1; i < words.size(); ++i) p.positional.push_back(words[i].text);
    }
  } else if (name == "shift") {
    if (p.positional.size() > 1) p.positional.erase(p.positional.begin() + 1);
    if (words.size() > 1 && words[1].text == "2" && p.positional.size() > 1)
      p.positional.erase(p.positional.begin() + 1);
  } else if (base_name(name) == "mount") {
    state_mount(p, node, words);
  } else {
    return false;
  }
  return true;
}

}  // namespace assay::system
