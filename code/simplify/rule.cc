#include "code/simplify/rule.h"

namespace assay::code::ir {

namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Pattern all() {
    out_.root = node();
    ASSAY_CHECK(rest_.empty() && out_.nodes.size() < 256);
    return std::move(out_);
  }

 private:
  void skip() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  std::string_view word() {
    const size_t end = std::min(rest_.find_first_of(" ()"), rest_.size());
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
  }
  static uint64_t digits(std::string_view text) {
    uint64_t n = 0;
    for (char c : text) {
      ASSAY_CHECK(c >= '0' && c <= '9');
      n = n * 10 + static_cast<uint64_t>(c - '0');
    }
    return n;
  }
  uint8_t add(const Node& n) {
    out_.nodes.push_back(n);
    return static_cast<uint8_t>(out_.nodes.size() - 1);
  }
  static Node operation(std::string_view word) {
    Node n{.kind = Node::Kind::kOperation};
    const size_t dot = word.find('.');
    if (dot != word.npos) n.bits = static_cast<uint8_t>(digits(word.substr(dot + 1)));
    const std::string_view name = word.substr(0, dot);
    if (name == "zfit") n.kind = Node::Kind::kFitZero;
    if (name == "sfit") n.kind = Node::Kind::kFitSign;
    for (int i = 1; i < kCodes; ++i)
      if (shape(static_cast<Code>(i)).name == name) n.code = static_cast<Code>(i);
    ASSAY_CHECK(n.kind != Node::Kind::kOperation || (n.code != Code::kNone && shape(n.code).pure));
    n.count = n.kind == Node::Kind::kOperation ? shape(n.code).values : 1;
    return n;
  }
  static Node leaf(std::string_view word) {
    ASSAY_CHECK(!word.empty());
    if (word == "W") return {.kind = Node::Kind::kWidth};
    const char c = word.front();
    if (c == '-' || (c >= '0' && c <= '9')) {
      const auto n = static_cast<int64_t>(digits(word.substr(c == '-')));
      return {.kind = Node::Kind::kNumber, .number = c == '-' ? -n : n};
    }
    const bool upper = c >= 'A' && c <= 'Z';
    ASSAY_CHECK(upper || (c >= 'a' && c <= 'z'));
    Node n{.kind = upper ? Node::Kind::kConstant : Node::Kind::kValue,
           .name = static_cast<uint8_t>(c - (upper ? 'A' : 'a'))};
    if (word.size() > 1) {
      ASSAY_CHECK(word[1] == '.');
      n.bits = static_cast<uint8_t>(digits(word.substr(2)));
    }
    return n;
  }
  uint8_t node() {
    skip();
    if (!rest_.starts_with('(')) return add(leaf(word()));
    rest_.remove_prefix(1);
    Node n = operation(word());
    for (uint8_t i = 0; i < n.count; ++i) n.children[i] = node();
    skip();
    ASSAY_CHECK(rest_.starts_with(')'));
    rest_.remove_prefix(1);
    return add(n);
  }

  std::string_view rest_;
  Pattern out_;
};

bool commutes(const Node& n) { return n.kind == Node::Kind::kOperation && shape(n.code).commutes; }

// Constants stand on the right of what commutes (rewrite.cc puts them there), so that order alone is tried.
bool may_swap(const Pattern& p, const Node& n) {
  const auto fixed = [&](uint8_t child) {
    const Node::Kind kind = p.nodes[child].kind;
    return kind == Node::Kind::kConstant || kind == Node::Kind::kNumber || kind == Node::Kind::kWidth;
  };
  return commutes(n) && !fixed(n.children[0]) && !fixed(n.children[1]);
}

void add_orders(Ways& ways, Way way, size_t from) {
  for (size_t i = from; i < way.from.nodes.size(); ++i) {
    if (!may_swap(way.from, way.from.nodes[i])) continue;
    Way other = way;
    std::swap(other.from.nodes[i].children[0], other.from.nodes[i].children[1]);
    add_orders(ways, std::move(other), i + 1);
  }
  const Node& first = way.from.nodes[way.from.top().children[0]];
  if (first.kind == Node::Kind::kOperation) way.first = first.code;
  if (first.kind == Node::Kind::kConstant || first.kind == Node::Kind::kNumber) way.first = Code::kConst;
  ways.of[static_cast<size_t>(way.from.top().code)].push_back(std::move(way));
}

Ways make_ways() {
  Ways ways;
  for (size_t i = 0; i < rules().size(); ++i) {
    const Rule& rule = rules()[i];
    Way way{.rule = static_cast<uint16_t>(i), .from = read_pattern(rule.from), .to = read_pattern(rule.to), .when = {}};
    if (!rule.when.empty()) way.when = read_pattern(rule.when);
    ASSAY_CHECK(way.from.top().kind == Node::Kind::kOperation);
    add_orders(ways, std::move(way), 0);
  }
  return ways;
}

}  // namespace

Pattern read_pattern(std::string_view text) { return Reader(text).all(); }

const Ways& Ways::all() {
  static const Ways kWays = make_ways();
  return kWays;
}

}  // namespace assay::code::ir
