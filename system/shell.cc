// Reader of shell scripts: a lexer that keeps words raw and a recursive-descent parser with bounded depth.
// The grammar: POSIX.1-2017, XCU 2.10; reserved words count only where a command may start.
#include "system/shell.h"

#include <algorithm>
#include <array>

namespace assay::system::shell {
namespace {

constexpr int kMaximumDepth = 48;
constexpr size_t kMaximumNodes = 50'000;
constexpr size_t kMaximumText = 1 << 20;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

enum class TokenKind : uint8_t { kEnd, kNewline, kWord, kOperator };
struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  uint64_t offset = 0;
};

// Splits into tokens. Redirections are taken off here: they belong to no rule of the grammar that matters to us.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token next(std::vector<std::string_view>* outputs) {
    for (;;) {
      skip_blanks();
      if (at_ >= text_.size()) return {TokenKind::kEnd, {}, text_.size()};
      const uint64_t start = at_;
      if (text_[at_] == '\n') {
        ++at_;
        skip_here_documents();
        return {TokenKind::kNewline, text_.substr(start, 1), start};
      }
      if (take_redirection(outputs)) continue;
      for (const std::string_view sign : {";;", "&&", "||", ";", "&", "|", "(", ")"}) {
        if (!text_.substr(at_).starts_with(sign)) continue;
        at_ += sign.size();
        return {TokenKind::kOperator, text_.substr(start, sign.size()), start};
      }
      const std::string_view word = take_word();
      if (word.empty()) {  // a byte no rule takes
        ++at_;
        continue;
      }
      return {TokenKind::kWord, word, start};
    }
  }
  uint64_t position() const { return at_; }
  void rewind(uint64_t position) { at_ = position; }

 private:
  char peek(uint64_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void skip_blanks() {
    for (;;) {
      if (at_ < text_.size() && is_blank(text_[at_]))
        ++at_;
      else if (peek() == '\\' && peek(1) == '\n')
        at_ += 2;
      else if (peek() == '\\' && peek(1) == '\r' && peek(2) == '\n')
        at_ += 3;
      else if (peek() == '#')
        at_ = std::min(text_.find('\n', at_), text_.size());
      else
        return;
    }
  }

  bool take_redirection(std::vector<std::string_view>* outputs) {
    uint64_t ahead = 0;
    while (peek(ahead) >= '0' && peek(ahead) <= '9') ++ahead;
    if (ahead == 0 && peek() == '&' && peek(1) == '>') ahead = 1;
    if (peek(ahead) != '<' && peek(ahead) != '>') return false;
    const bool output = peek(ahead) == '>';
    at_ += ahead + 1;
    if (!output && peek() == '<') {
      ++at_;
      const bool here_string = peek() == '<';
      if (here_string) ++at_;
      const bool strip = !here_string && peek() == '-';
      if (strip) ++at_;
      skip_blanks();
      const std::string_view word = take_word();
      if (!here_string && !word.empty() && waiting_.size() < 16) waiting_.push_back({word, strip});
      return true;
    }
    while (peek() == '>' || peek() == '&' || peek() == '|') ++at_;
    skip_blanks();
    const std::string_view target = take_word();
    if (output && outputs && !target.empty()) outputs->push_back(target);
    return true;
  }

  // The bodies that start after this newline, each up to its delimiter.
  void skip_here_documents() {
    for (const auto& [raw, strip] : waiting_) {
      std::string delimiter;
      for (const char c : raw) {
        if (c != '\'' && c != '"' && c != '\\') delimiter += c;
      }
      while (at_ < text_.size()) {
        const uint64_t end = std::min(text_.find('\n', at_), text_.size());
        std::string_view line = text_.substr(at_, end - at_);
        at_ = std::min<uint64_t>(end + 1, text_.size());
        while (strip && line.starts_with('\t')) line.remove_prefix(1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line == delimiter) break;
      }
    }
    waiting_.clear();
  }

  std::string_view take_word() {
    const uint64_t start = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '<' || c == '>')
        break;
      skip_piece(0);
    }
    return text_.substr(start, at_ - start);
  }

  // One character, or one quoted or substituted piece with all that nests in it.
  void skip_piece(int depth) {
    const char c = text_[at_++];
    if (c == '\\') {
      at_ = std::min<uint64_t>(at_ + 1, text_.size());
    } else if (c == '\'') {
      at_ = std::min(text_.find('\'', at_), text_.size() - 1) + 1;
    } else if (c == '"') {
      skip_until('"', depth);
    } else if (c == '`') {
      while (at_ < text_.size() && text_[at_] != '`') at_ += text_[at_] == '\\' ? 2 : 1;
      at_ = std::min<uint64_t>(at_ + 1, text_.size());
    } else if (c == '$' && peek() == '{') {
      ++at_;
      skip_until('}', depth);
    } else if (c == '$' && peek() == '(') {
      ++at_;
      skip_until(')', depth);
    }
  }
  void skip_until(char end, int depth) {
    if (depth > kMaximumDepth) {
      at_ = text_.size();
      return;
    }
    int open = 0;  // parentheses inside $( ), and $(( ))
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == end && open == 0) {
        ++at_;
        return;
      }
      if (end == ')' && (c == '(' || c == ')')) {
        open += c == '(' ? 1 : -1;
        ++at_;
      } else if (end == '"' && c == '\'') {
        ++at_;  // no quote inside double quotes
      } else if (end == ')' && c == '#' && is_blank(text_[at_ - 1])) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        skip_piece(depth + 1);
      }
    }
  }

  std::string_view text_;
  uint64_t at_ = 0;
  std::vector<std::pair<std::string_view, bool>> waiting_;  // here-documents announced on this line
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) { advance(); }

  std::vector<Node> whole() {
    std::vector<Node> all;
    while (token_.kind != TokenKind::kEnd && !limited_) {
      std::vector<Node> more = list(0);
      all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
      if (token_.kind != TokenKind::kEnd) advance();  // a closing word that nothing opened
    }
    return all;
  }
  bool limited() const { return limited_; }

 private:
  void advance() {
    last_end_ = token_.offset + token_.text.size();
    token_ = lexer_.next(outputs_);
  }
  bool is_operator(std::string_view sign) const { return token_.kind == TokenKind::kOperator && token_.text == sign; }
  bool is_word(std::string_view word) const { return token_.kind == TokenKind::kWord && token_.text == word; }
  bool closes() const {
    if (token_.kind == TokenKind::kEnd) return true;
    if (is_operator(")") || is_operator(";;")) return true;
    if (token_.kind != TokenKind::kWord) return false;
    constexpr std::array<std::string_view, 8> kClosing{"then", "else", "elif", "fi", "do", "done", "esac", "}"};
    return std::find(kClosing.begin(), kClosing.end(), token_.text) != kClosing.end();
  }
  void skip_newlines() {
    while (token_.kind == TokenKind::kNewline) advance();
  }
  void skip_separators() {
    while (token_.kind == TokenKind::kNewline || is_operator(";")) advance();
  }

  std::vector<Node> list(int depth) {
    std::vector<Node> found;
    Link link = Link::kAlways;
    for (;;) {
      if (token_.kind == TokenKind::kNewline || is_operator(";")) {
        advance();
        continue;
      }
      if (closes() || limited_) return found;
      const uint64_t before = token_.offset;
      Node made = command(depth);
      made.link = link;
      link = Link::kAlways;
      if (is_operator("&&"))
        link = Link::kAnd;
      else if (is_operator("||"))
        link = Link::kOr;
      else if (is_operator("|"))
        link = Link::kPipe;
      else if (is_operator("&"))
        made.background = true;
      const bool follows = link != Link::kAlways || made.background;
      if (made.length > 0) found.push_back(std::move(made));
      if (++nodes_ > kMaximumNodes) limited_ = true;
      if (follows) advance();
      if (link != Link::kAlways) skip_newlines();
      if (!follows && token_.offset == before && token_.kind != TokenKind::kEnd) advance();  // always move on
    }
  }

  Node command(int depth) {
    Node made;
    made.offset = token_.offset;
    if (depth > kMaximumDepth) {
      limited_ = true;
      return made;
    }
    while (is_word("!")) {
      made.negated = !made.negated;
      advance();
    }
    outputs_ = nullptr;
    if (is_word("if"))
      conditional(made, depth);
    else if (is_word("while") || is_word("until"))
      loop(made, depth);
    else if (is_word("for") || is_word("select"))
      each(made, depth);
    else if (is_word("case"))
      cases(made, depth);
    else if (is_word("{"))
      grouped(made, depth, NodeKind::kGroup, "}");
    else if (is_operator("("))
      grouped(made, depth, NodeKind::kSubshell, ")");
    else
      simple(made, depth);
    made.length = last_end_ > made.offset ? last_end_ - made.offset : 0;
    return made;
  }

  void conditional(Node& made, int depth) {
    made.kind = NodeKind::kIf;
    advance();
    made.condition = list(depth + 1);
    if (is_word("then")) advance();
    made.body = list(depth + 1);
    if (is_word("elif")) {
      Node inner;
      inner.offset = token_.offset;
      if (depth > kMaximumDepth)
        limited_ = true;
      else
        conditional(inner, depth + 1);
      inner.length = last_end_ - inner.offset;
      made.otherwise.push_back(std::move(inner));
      return;  // the inner one took "fi"
    }
    if (is_word("else")) {
      advance();
      made.otherwise = list(depth + 1);
    }
    if (is_word("fi")) advance();
  }

  void loop(Node& made, int depth) {
    made.kind = NodeKind::kWhile;
    made.until = token_.text == "until";
    advance();
    made.condition = list(depth + 1);
    body_of_loop(made, depth);
  }
  void body_of_loop(Node& made, int depth) {
    if (is_word("do")) advance();
    made.body = list(depth + 1);
    if (is_word("done")) advance();
  }
  void each(Node& made, int depth) {
    made.kind = NodeKind::kFor;
    advance();
    made.name = token_.text;
    advance();
    skip_newlines();
    if (is_word("in")) {
      advance();
      while (token_.kind == TokenKind::kWord) {
        made.words.push_back(token_.text);
        advance();
      }
    } else {
      made.words.push_back("\"$@\"");
    }
    skip_separators();
    body_of_loop(made, depth);
  }

  void cases(Node& made, int depth) {
    made.kind = NodeKind::kCase;
    advance();
    if (token_.kind == TokenKind::kWord) made.words.push_back(token_.text);
    advance();
    skip_newlines();
    if (is_word("in")) advance();
    for (;;) {
      skip_separators();
      if (is_word("esac")) return advance();
      if (token_.kind == TokenKind::kEnd || limited_) return;
      if (is_operator("(")) advance();
      Branch branch;
      while (token_.kind == TokenKind::kWord || is_operator("|")) {
        if (token_.kind == TokenKind::kWord) branch.patterns.push_back(token_.text);
        advance();
      }
      if (!is_operator(")")) return;  // no case statement after all
      advance();
      branch.body = list(depth + 1);
      made.branches.push_back(std::move(branch));
      if (is_operator(";;"))
        advance();
      else if (!is_word("esac"))
        return;
    }
  }

  void grouped(Node& made, int depth, NodeKind kind, std::string_view end) {
    made.kind = kind;
    advance();
    made.body = list(depth + 1);
    if (is_word(end) || is_operator(end)) advance();
  }

  static bool takes_assignment(std::string_view word, Node& made) {
    const size_t sign = word.find('=');
    if (sign == 0 || sign == std::string_view::npos) return false;
    const std::string_view name = word.substr(0, sign);
    if (!std::all_of(name.begin(), name.end(), is_name_character) || (name[0] >= '0' && name[0] <= '9')) return false;
    made.assignments.emplace_back(name, word.substr(sign + 1));
    return true;
  }

  void simple(Node& made, int depth) {
    outputs_ = &made.outputs;
    while (token_.kind == TokenKind::kWord) {
      if (!made.words.empty() || !takes_assignment(token_.text, made)) made.words.push_back(token_.text);
      advance();
      if (made.words.size() == 1 && made.words[0] == "function" && token_.kind == TokenKind::kWord) {
        made.words[0] = token_.text;
        advance();
        if (is_operator("("))
          continue_function(made, depth);
        else
          define(made, depth);
        break;
      }
      if (made.words.size() == 1 && made.assignments.empty() && is_operator("(")) {
        continue_function(made, depth);
        break;
      }
    }
    outputs_ = nullptr;
  }
  void continue_function(Node& made, int depth) {
    outputs_ = nullptr;
    advance();
    if (is_operator(")")) advance();
    define(made, depth);
  }
  void define(Node& made, int depth) {
    outputs_ = nullptr;
    made.kind = NodeKind::kFunction;
    made.name = made.words[0];
    made.words.clear();
    skip_newlines();
    if (!closes()) made.body.push_back(command(depth + 1));
  }

  std::string_view text_;
  Lexer lexer_;
  Token token_;
  uint64_t last_end_ = 0;
  std::vector<std::string_view>* outputs_ = nullptr;
  size_t nodes_ = 0;
  bool limited_ = false;
};

// A [set] at the start of `pattern`: its length and whether it takes `c`; length 0: none.
std::pair<size_t, bool> set_at(std::string_view pattern, char c) {
  size_t i = 1;
  const bool inverted = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (inverted) ++i;
  bool taken = false;
  for (const size_t first = i; i < pattern.size(); ++i) {
    if (pattern[i] == ']' && i > first) return {i + 1, taken != inverted};
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      taken |= pattern[i] <= c && c <= pattern[i + 2];
      i += 2;
    } else {
      taken |= pattern[i] == c;
    }
  }
  return {0, false};
}

}  // namespace

void parse(std::string_view text, Script& script) {
  script.limited = text.size() > kMaximumText;
  script.text = text.substr(0, kMaximumText);
  Parser parser(script.text);
  script.commands = parser.whole();
  script.limited |= parser.limited();
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    const auto [length, taken] = p < pattern.size() && pattern[p] == '[' ? set_at(pattern.substr(p), text[t])
                                                                         : std::pair<size_t, bool>{0, false};
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (length > 0 && taken) {
      p += length, ++t;
    } else if (length == 0 && p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace assay::system::shell
