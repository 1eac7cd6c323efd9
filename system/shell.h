// A tolerant reader of POSIX shell scripts (POSIX.1-2017, XCU 2: Shell Command Language; with the habits of busybox ash
// and bash that firmware shows). It makes a tree of commands; it expands and executes nothing.
//
// What it does not understand it passes over: an odd script gives fewer commands, never an error. Nesting, size and the
// number of commands are bounded; `limited` says that a bound was hit.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::system::shell {

enum class NodeKind : uint8_t { kSimple, kIf, kFor, kWhile, kCase, kGroup, kSubshell, kFunction };
enum class Link : uint8_t { kAlways, kAnd, kOr, kPipe };  // how a command hangs on the one before it

struct Branch;

struct Node {
  NodeKind kind = NodeKind::kSimple;
  Link link = Link::kAlways;
  bool background = false, negated = false, until = false;
  uint64_t offset = 0, length = 0;      // in the script
  std::string_view name;                // of the function; the variable of `for`
  std::vector<std::string_view> words;  // raw, with quotes: the command, the list of `for`, the subject of `case`
  std::vector<std::pair<std::string_view, std::string_view>> assignments;
  std::vector<std::string_view> outputs;  // raw targets of > and >>
  std::vector<Node> condition, body, otherwise;
  std::vector<Branch> branches;  // of `case`
};
struct Branch {
  std::vector<std::string_view> patterns;  // raw
  std::vector<Node> body;
};

struct Script {
  std::string text;  // the views above point into it
  std::vector<Node> commands;
  bool limited = false;
  Script() = default;
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
};
void parse(std::string_view text, Script& script);

// `text` as `name` with '*', '?' and [sets] matches `pattern` (POSIX.1-2017, XCU 2.13; no '/' rule).
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace assay::system::shell
