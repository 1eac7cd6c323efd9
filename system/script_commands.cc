// The simple commands of a shell script: one pass over the text, quotes and comments as POSIX.1-2017 (Shell &
// Utilities, 2.2 and 2.3) says. Command substitutions are cut out as commands of their own, since what runs in them
// runs.
#include "system/script_commands.h"

#include <algorithm>
#include <array>

namespace assay::system {
namespace {

constexpr size_t kMaximumCommands = 20000, kMaximumCommandWords = 256;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool ends_command(char c) {
  return c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '`' || c == '\0';
}
// Reserved words and commands that only run the command after them.
bool is_prefix(std::string_view word) {
  constexpr std::array<std::string_view, 18> kPrefixes{"if",    "then", "else", "elif", "do",   "while",
                                                       "until", "!",    "{",    "}",    "time", "exec",
                                                       "nohup", "eval", "sudo", "fi",   "done", "busybox"};
  return std::ranges::find(kPrefixes, word) != kPrefixes.end();
}
bool is_assignment(std::string_view word) {
  const size_t equals = word.find('=');
  if (equals == 0 || equals == std::string_view::npos) return false;
  return std::all_of(word.begin(), word.begin() + static_cast<long>(equals),
                     [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

class Scanner {
 public:
  explicit Scanner(std::string_view script) : script_(script) {}

  std::vector<ScriptCommand> run() {
    while (at_ < script_.size() && found_.size() < kMaximumCommands) step();
    finish_command();
    return std::move(found_);
  }

 private:
  void step() {
    const char c = script_[at_];
    if (c == '\\' && at_ + 1 < script_.size()) return escaped();
    if (c == '\'' || c == '"') return quoted(c);
    if (c == '$' && at_ + 1 < script_.size() && script_[at_ + 1] == '{') return parameter();
    if (c == '#' && !in_word_) {
      at_ = std::min(script_.find('\n', at_), script_.size());
      return;
    }
    if (is_blank(c)) {
      finish_word();
      ++at_;
    } else if (c == '>' || c == '<') {
      redirection(c);
    } else if (ends_command(c)) {
      separator(c);
    } else {
      add(c);
      ++at_;
    }
  }
  void separator(char c) {
    finish_command();
    const bool doubled = at_ + 1 < script_.size() && script_[at_ + 1] == c;
    piped_ = c == '|' && !doubled;
    at_ += doubled ? 2 : 1;
  }
  void escaped() {
    if (script_[at_ + 1] != '\n') add(script_[at_ + 1]);
    at_ += 2;
  }
  void redirection(char c) {
    finish_word();
    add(c);
    ++at_;
    while (at_ < script_.size() && (script_[at_] == c || script_[at_] == '&')) {
      if (script_[at_] == c) add(c);
      ++at_;
    }
    finish_word();
  }
  void parameter() {  // ${…}: kept as written, a '#' or '|' in it is no comment and no pipe
    const size_t end = script_.find_first_of("}\n", at_);
    const size_t stop = end == std::string_view::npos ? script_.size() : end + (script_[end] == '}');
    while (at_ < stop) add(script_[at_++]);
  }
  void quoted(char quote) {
    begin();
    ++at_;
    while (at_ < script_.size() && script_[at_] != quote) {
      if (quote == '"' && script_[at_] == '\\' && at_ + 1 < script_.size()) ++at_;
      add(script_[at_++]);
    }
    if (at_ < script_.size()) ++at_;
  }
  void begin() {
    if (words_.empty() && !in_word_) start_ = at_;
    in_word_ = true;
  }
  void add(char c) {
    begin();
    word_ += c;
  }
  void finish_word() {
    if (!in_word_) return;
    in_word_ = false;
    std::string word = std::move(word_);
    word_.clear();
    if (words_.empty() && is_prefix(word)) return;
    if (words_.size() < kMaximumCommandWords) words_.push_back(std::move(word));
  }
  void finish_command() {
    finish_word();
    if (!words_.empty()) {
      ScriptCommand command{.words = std::move(words_), .offset = start_, .piped_into = piped_};
      std::string_view text = script_.substr(start_, at_ - start_);
      while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
      command.text = text;
      found_.push_back(std::move(command));
      piped_ = false;
    }
    words_.clear();
  }

  std::string_view script_;
  size_t at_ = 0, start_ = 0;
  std::string word_;
  bool in_word_ = false, piped_ = false;
  std::vector<std::string> words_;
  std::vector<ScriptCommand> found_;
};

size_t program_at(const std::vector<std::string>& words) {
  size_t i = 0;
  while (i < words.size() && is_assignment(words[i])) ++i;
  return i;
}

}  // namespace

std::vector<ScriptCommand> script_commands(std::string_view script) { return Scanner(script).run(); }

std::string_view ScriptCommand::program() const {
  const size_t i = program_at(words);
  if (i == words.size()) return {};
  const std::string_view word = words[i];
  return word.substr(word.rfind('/') + 1);
}

std::vector<std::string_view> ScriptCommand::arguments() const {
  const size_t i = program_at(words);
  std::vector<std::string_view> rest;
  for (size_t k = i + 1; k < words.size(); ++k) rest.push_back(words[k]);
  return rest;
}

std::string_view ScriptCommand::option(std::string_view flag) const {
  for (size_t i = 1; i + 1 < words.size(); ++i)
    if (words[i] == flag) return words[i + 1];
  return {};
}

bool ScriptCommand::has(std::string_view word) const { return std::ranges::find(words, word) != words.end(); }

}  // namespace assay::system
