// The simple commands of a shell script, as words with quotes removed, each with its place. No expansion, no control
// flow: "if a && b; then c" yields a, b and c. For analyses that look for single commands (iptables, sysctl, mtd).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::system {

struct ScriptCommand {
  std::vector<std::string> words;  // redirections stand as words of their own: ">", ">>", "<"
  std::string_view text;           // as written
  uint64_t offset = 0;             // of text
  bool piped_into = false;         // reads what the command before it writes

  std::string_view program() const;                      // base name of the first word that is no assignment
  std::vector<std::string_view> arguments() const;       // words after the program
  std::string_view option(std::string_view flag) const;  // the word after `flag`, "" when absent
  bool has(std::string_view word) const;
};

// At most 20000 commands; POSIX.1-2017 Shell & Utilities 2.2 (quoting) and 2.3 (tokens).
std::vector<ScriptCommand> script_commands(std::string_view script);

}  // namespace assay::system
