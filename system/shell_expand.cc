// The part of the walker that turns raw words into values and decides tests (POSIX.1-2017, XCU 2.6 and `test`).
// What a device only knows while it runs (most command substitution, unset variables) stays as written and is not
// known.
#include "core/text.h"
#include "system/shell_walk.h"

#include <algorithm>

namespace assay::system {
namespace {

constexpr size_t kMaximumValue = 4096;
constexpr size_t kMaximumWords = 1024;
constexpr int kMaximumNesting = 16;

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return is_name_start(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// The end of a piece that opens at `at` ("{", "(", or a back quote), past its closing sign.
size_t end_of(std::string_view raw, size_t at) {
  const char open = raw[at], close = open == '{' ? '}' : open == '(' ? ')' : '`';
  int depth = 0;
  for (size_t i = at; i < raw.size(); ++i) {
    if (raw[i] == '\\')
      ++i;
    else if (raw[i] == close && (open == '`' ? i > at : --depth == 0))
      return i + 1;
    else if (raw[i] == open)
      ++depth;
  }
  return raw.size();
}

std::string strip(std::string_view value, std::string_view pattern, bool suffix, bool longest) {
  for (size_t i = 0; i <= value.size(); ++i) {
    const size_t length = longest ? value.size() - i : i;
    const std::string_view piece = suffix ? value.substr(value.size() - length) : value.substr(0, length);
    if (shell::matches_pattern(pattern, piece))
      return std::string(suffix ? value.substr(0, value.size() - length) : value.substr(length));
  }
  return std::string(value);
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const bool minus = text.starts_with('-');
  if (minus) text.remove_prefix(1);
  if (text.empty() || text.size() > 15) return {};
  for (const char c : text) {
    if (!is_digit(c)) return {};
    value = value * 10 + (c - '0');
  }
  return minus ? -value : value;
}

}  // namespace

const StartWalker::Value* StartWalker::get(const Process& p, std::string_view name, Value& made) const {
  if (is_digit(name[0])) {
    const size_t index = static_cast<size_t>(number(name).value_or(1 << 20));
    made = {index < p.positional.size() ? p.positional[index] : "", true, false};
    return &made;
  }
  if (name == "#") {
    made = {std::to_string(p.positional.empty() ? 0 : p.positional.size() - 1), true, false};
    return &made;
  }
  if (name == "@" || name == "*") {
    made = {"", true, false};
    for (size_t i = 1; i < p.positional.size(); ++i) made.text += (i > 1 ? " " : "") + p.positional[i];
    return &made;
  }
  const auto found = p.variables.find(name);
  return found == p.variables.end() ? nullptr : &found->second;
}

// ${name}, ${name:-word}, ${name:+word}, ${name#pattern} …; `raw` is what stays when the value is not known.
StartWalker::Value StartWalker::braces(const Process& p, std::string_view inner, std::string_view raw) const {
  const Value unknown{std::string(raw), false, false};
  size_t end = 0;
  while (end < inner.size() && is_name(inner[end])) ++end;
  if (end == 0 && !inner.empty() && (inner[0] == '@' || inner[0] == '*') && inner.size() == 1) end = 1;
  if (end == 0) return unknown;
  Value made;
  const Value* value = get(p, inner.substr(0, end), made);
  std::string_view rest = inner.substr(end);
  if (!value || !value->known) return unknown;
  if (rest.empty()) return *value;
  const bool colon = rest[0] == ':';
  if (colon) rest.remove_prefix(1);
  if (rest.empty()) return unknown;
  const char sign = rest[0];
  const bool twice = rest.size() > 1 && rest[1] == sign;
  const Word word = join(p, rest.substr(twice && (sign == '#' || sign == '%') ? 2 : 1));
  const bool present = !value->text.empty() || !colon;
  if (sign == '-' || sign == '=') return present ? *value : Value{word.text, word.known, false};
  if (sign == '+') return present ? Value{word.text, word.known, false} : Value{"", true, false};
  if ((sign == '#' || sign == '%') && !colon && word.known && value->text.size() <= 512)
    return {strip(value->text, word.text, sign == '%', twice), true, false};
  return unknown;
}

// What `command` prints, where the image itself says it: only `cat FILE` and `< FILE` with one short word in the file.
// `raw` is what stays otherwise.
StartWalker::Value StartWalker::output_of(const Process& p, std::string_view command, std::string_view raw) const {
  constexpr uint64_t kLongestOutput = 256;
  const Value unknown{std::string(raw), false, false};
  std::vector<std::string_view> parts = words(command);
  const bool reads = parts.size() == 2 && (parts[0] == "cat" || parts[0] == "<");
  if (!reads) return unknown;
  const Word name = join(p, parts[1]);
  const Artifact* file = name.known && name.text.starts_with('/') ? tree_.find(p.volume, name.text) : nullptr;
  if (!file || file->size > kLongestOutput) return unknown;
  const std::string_view text = trim(tree_.content(*file).text());
  if (text.empty() || !looks_like_text(text) || words(text).size() != 1) return unknown;
  return {std::string(text), true, false};
}

// At a '$': the value of what follows; `at` moves past it.
void StartWalker::expand_variable(const Process& p, std::string_view raw, size_t& at, Value& out) const {
  const size_t start = at++;
  const char next = at < raw.size() ? raw[at] : '\0';
  if (next == '{' || next == '(') {
    at = end_of(raw, at);
    const std::string_view whole = raw.substr(start, at - start);
    const bool closed = whole.size() > 3 && whole.back() == (next == '{' ? '}' : ')');
    if (next == '{' && closed)
      out = braces(p, whole.substr(2, whole.size() - 3), whole);
    else
      out = closed ? output_of(p, whole.substr(2, whole.size() - 3), whole) : Value{std::string(whole), false, false};
    return;
  }
  size_t end = at;
  if (is_name_start(next)) {
    while (end < raw.size() && is_name(raw[end])) ++end;
  } else if (next != '\0' && (is_digit(next) || std::string_view("@*#?$!-").find(next) != std::string_view::npos)) {
    ++end;
  }
  if (end == at) {
    out = {"$", true, false};
    return;
  }
  Value made;
  const Value* value = get(p, raw.substr(at, end - at), made);
  at = end;
  out = value && value->known ? *value : Value{std::string(raw.substr(start, end - start)), false, false};
}

void StartWalker::expand(const Process& p, std::string_view raw, std::vector<Word>& out) const {
  if (raw == "\"$@\"" || raw == "$@") {
    for (size_t i = 1; i < p.positional.size(); ++i) out.push_back({p.positional[i], true, false});
    return;
  }
  if (++expanding_ > kMaximumNesting || out.size() > kMaximumWords) {
    --expanding_;
    out.push_back({std::string(raw.substr(0, kMaximumValue)), false, false});
    return;
  }
  Word word;
  bool started = false, quoted = false;
  for (size_t at = 0; at < raw.size();) {
    const char c = raw[at];
    if (c == '\'' && !quoted) {
      const size_t end = std::min(raw.find('\'', at + 1), raw.size());
      word.text += raw.substr(at + 1, end - at - 1);
      at = std::min(end + 1, raw.size());
      started = true;
    } else if (c == '"') {
      quoted = !quoted;
      started = true;
      ++at;
    } else if (c == '\\') {
      if (at + 1 < raw.size() && raw[at + 1] != '\n') word.text += raw[at + 1];
      at += 2;
      started = true;
    } else if (c == '`') {
      const size_t end = end_of(raw, at);
      const std::string_view whole = raw.substr(at, end - at);
      const Value value = whole.size() > 2 ? output_of(p, whole.substr(1, whole.size() - 2), whole)
                                           : Value{std::string(whole), false, false};
      word.text += value.text;
      word.known &= value.known;
      started = true;
      at = end;
    } else if (c == '$') {
      Value value;
      expand_variable(p, raw, at, value);
      word.known &= value.known;
      if (quoted || !value.known) {
        word.text += value.text;
        started = true;
        continue;
      }
      for (const char v : value.text) {  // field splitting
        if (!is_space(v)) {
          word.text += v;
          word.glob |= v == '*' || v == '?';
          started = true;
        } else if (started) {
          out.push_back(std::move(word));
          word = {};
          started = false;
        }
        if (out.size() > kMaximumWords) break;
      }
    } else {
      word.glob |= !quoted && (c == '*' || c == '?' || c == '[');
      word.text += c;
      started = true;
      ++at;
    }
    if (word.text.size() > kMaximumValue) {
      word.text.resize(kMaximumValue);
      word.known = false;
      break;
    }
  }
  if (started) out.push_back(std::move(word));
  --expanding_;
}

StartWalker::Word StartWalker::join(const Process& p, std::string_view raw) const {
  std::vector<Word> pieces;
  expand(p, raw, pieces);
  Word whole;
  for (size_t i = 0; i < pieces.size() && whole.text.size() < kMaximumValue; ++i) {
    whole.text += (i > 0 ? " " : "") + pieces[i].text;
    whole.known &= pieces[i].known;
    whole.glob |= pieces[i].glob;
  }
  return whole;
}

// Names that a pattern yields, sorted as a shell sorts them. A '[' as its own word is the command `test`.
std::vector<std::string> StartWalker::files_of(const Process& p, std::string_view pattern) const {
  std::vector<std::string> found;
  if (p.volume < 0 || pattern.find('/') == std::string_view::npos) return found;
  const std::string path = pattern.starts_with('/') ? std::string(pattern) : p.folder + "/" + std::string(pattern);
  const size_t slash = path.rfind('/');
  const std::string_view folder = std::string_view(path).substr(0, slash),
                         name = std::string_view(path).substr(slash + 1);
  if (folder.find_first_of("*?[") != std::string_view::npos) return found;
  const Artifact* directory = tree_.find(p.volume, folder.empty() ? "/" : folder);
  const std::string real = directory ? std::string(tree_.path_in_volume(*directory)) : std::string(folder);
  const int volume = directory ? tree_.volume_of(*directory) : p.volume;
  for (const Artifact& artifact : tree_.artifacts()) {
    if (tree_.volume_of(artifact) != volume) continue;
    const std::string_view at = tree_.path_in_volume(artifact);
    if (at.size() <= real.size() + 1 || !at.starts_with(real) || at[real.size()] != '/') continue;
    const std::string_view leaf = at.substr(real.size() + 1);
    if (leaf.find('/') != std::string_view::npos || leaf.starts_with('.')) continue;
    if (shell::matches_pattern(name, leaf)) found.push_back(std::string(folder) + "/" + std::string(leaf));
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Only that a file is there decides: what is missing in the image may be made while the device runs.
StartWalker::Outcome StartWalker::test_file(const Process& p, char kind, const Word& path) const {
  if (!path.known || path.text.empty() || p.volume < 0) return Outcome::kUnknown;
  const Artifact* found = tree_.find(p.volume, escape(path.text));
  if (!found) return Outcome::kUnknown;
  const bool directory = found->node.kind == Kind::kDirectory, file = found->node.kind == Kind::kFile;
  bool holds = true;
  if (kind == 'd') holds = directory;
  if (kind == 'f') holds = file;
  if (kind == 's') holds = found->size > 0;
  if (kind == 'x') holds = directory || !found->node.mode || (*found->node.mode & 0111) != 0;
  if (kind == 'L' || kind == 'h') return Outcome::kUnknown;
  return holds ? Outcome::kTrue : Outcome::kFalse;
}

StartWalker::Outcome StartWalker::test(const Process& p, std::vector<Word> words) const {
  const auto told = [](bool holds) { return holds ? Outcome::kTrue : Outcome::kFalse; };
  const auto inverse = [](Outcome o) {
    return o == Outcome::kTrue ? Outcome::kFalse : o == Outcome::kFalse ? Outcome::kTrue : o;
  };
  if (words.size() > 32) return Outcome::kUnknown;
  if (!words.empty() && words[0].known && words[0].text == "!")
    return inverse(test(p, std::vector<Word>(words.begin() + 1, words.end())));
  if (words.size() == 1) return words[0].known ? told(!words[0].text.empty()) : Outcome::kUnknown;
  if (words.size() == 2 && words[0].known && words[0].text.size() == 2 && words[0].text[0] == '-') {
    const char kind = words[0].text[1];
    if (kind == 'n' || kind == 'z')
      return words[1].known ? told(words[1].text.empty() == (kind == 'z')) : Outcome::kUnknown;
    if (std::string_view("fexdsrwLh").find(kind) != std::string_view::npos) return test_file(p, kind, words[1]);
    return Outcome::kUnknown;
  }
  for (size_t i = 1; i + 1 < words.size() && words.size() > 3;
       ++i) {  // a -a b: -o binds less, so it is looked for first
    const bool either = std::any_of(words.begin(), words.end(), [](const Word& w) { return w.text == "-o"; });
    if (!words[i].known || words[i].text != (either ? "-o" : "-a")) continue;
    const Outcome left = test(p, std::vector<Word>(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i)));
    const Outcome right = test(p, std::vector<Word>(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end()));
    const Outcome decides = either ? Outcome::kTrue : Outcome::kFalse;
    if (left == decides || right == decides) return decides;
    return left == right ? left : Outcome::kUnknown;
  }
  if (words.size() != 3 || !words[0].known || !words[1].known || !words[2].known) return Outcome::kUnknown;
  const std::string &left = words[0].text, &sign = words[1].text, &right = words[2].text;
  if (sign == "=" || sign == "==") return told(left == right);
  if (sign == "!=") return told(left != right);
  const auto a = number(left), b = number(right);
  if (!a || !b) return Outcome::kUnknown;
  if (sign == "-eq") return told(*a == *b);
  if (sign == "-ne") return told(*a != *b);
  if (sign == "-gt") return told(*a > *b);
  if (sign == "-ge") return told(*a >= *b);
  if (sign == "-lt") return told(*a < *b);
  if (sign == "-le") return told(*a <= *b);
  return Outcome::kUnknown;
}

}  // namespace assay::system
