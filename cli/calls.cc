// assay calls IMAGE [PATH]: the call graph of a program, as lines or for Graphviz.
#include "cli/asking.h"

#include "core/text.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace assay::cli {
namespace {

struct Flags : ProgramFlags {
  std::string dot;
};

std::string callee_of(const CodeCall& c) {
  if (c.to) return place_of(c.to, c.callee);
  return c.callee.empty() ? "(not resolved)" : escape(c.callee);
}

std::string lines_of(const CodeAnswer& answer) {
  std::string out;
  size_t unresolved = 0;
  for (const CodeCall& c : answer.calls) {
    out += fmt::format("{:#x}  {}  {}  {}\n", c.from, place_of(c.function, c.caller), c.how, callee_of(c));
    unresolved += c.to == 0 && c.callee.empty();
  }
  return out + fmt::format("# {} calls, {} of them not resolved\n", answer.calls.size(), unresolved);
}

std::string quoted(const std::string& raw) {
  std::string out = "\"";
  for (const char c : escape(raw)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Each function once, each pair of caller and callee once; imports are boxes.
std::string dot_of(const CodeAnswer& answer) {
  std::map<std::string, std::string> nodes;  // key -> attributes
  std::set<std::string> edges;
  const auto function = [&](uint64_t address, const std::string& name) {
    const std::string key = quoted(hex_of(address));
    nodes.try_emplace(key, "label=" + quoted(name.empty() ? hex_of(address) : name));
    return key;
  };
  for (const CodeCall& c : answer.calls) {
    if (c.to == 0 && c.callee.empty()) continue;
    const std::string from = function(c.function, c.caller);
    const std::string to = c.to ? function(c.to, c.callee) : quoted(c.callee);
    if (!c.to) nodes.try_emplace(to, "shape=box");
    edges.insert(fmt::format("  {} -> {}{};\n", from, to, c.how == "direct" ? "" : " [style=dashed]"));
  }
  std::string out = "digraph calls {\n  rankdir=LR;\n";
  for (const auto& [key, attributes] : nodes) out += fmt::format("  {} [{}];\n", key, attributes);
  for (const std::string& edge : edges) out += edge;
  return out + "}\n";
}

int run(const Flags& flags) {
  const auto answer = ask_code(flags, {.kind = CodeQuestion::kCalls});
  if (!answer) return answer.error();
  Result<void> written = {};
  if (flags.dot != "-") written = write_file("-", lines_of(*answer));
  if (written && !flags.dot.empty()) written = write_file(flags.dot, dot_of(*answer));
  if (!written) return complain(kUnreadable, written.error().what);
  return status_of(*answer);
}

}  // namespace

void add_calls(App& app, int& status) {
  App* command = app.add_subcommand("calls", "Show who calls whom in a program");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  flags->add_path(*command);
  command->add_option("--dot", flags->dot, "Write the graph for Graphviz (- is standard output)")->type_name("FILE");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
