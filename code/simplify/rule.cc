#include "code/simplify/rule.h"

namespace assay::code::ir {

namespace {

class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : rest_(text) {}

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

// The code that an operand must have; kNone: any.
Code wanted(const Pattern& p, uint8_t child) {
  const Node& n = p.nodes[child];
  if (n.kind == Node::Kind::kOperation) return n.code;
  return n.kind == Node::Kind::kConstant || n.kind == Node::Kind::kNumber ? Code::kConst : Code::kNone;
}

void look(Way& way) {
  const Node& top = way.from.top();
  const Node& first = way.from.nodes[top.children[0]];
  way.first = wanted(way.from, top.children[0]);
  way.first_bits = first.bits;
  if (top.count < 2) return;
  const Node& second = way.from.nodes[top.children[1]];
  way.second = wanted(way.from, top.children[1]);
  way.same = first.kind == Node::Kind::kValue && second.kind == first.kind && second.name == first.name;
  way.counts = second.kind == Node::Kind::kNumber;
  way.number = static_cast<uint64_t>(second.number);
}

}  // namespace

void Ways::add_orders(Way way, size_t from) {
  for (size_t i = from; i < way.from.nodes.size(); ++i) {
    if (!may_swap(way.from, way.from.nodes[i])) continue;
    Way other = way;
    std::swap(other.from.nodes[i].children[0], other.from.nodes[i].children[1]);
    add_orders(std::move(other), i + 1);
  }
  look(way);
  all_[static_cast<size_t>(way.from.top().code)].push_back(std::move(way));
}

Ways::Ways() {
  for (size_t i = 0; i < rules().size(); ++i) {
    const Rule& rule = rules()[i];
    Way way{.rule = static_cast<uint16_t>(i), .from = read_pattern(rule.from), .to = read_pattern(rule.to), .when = {}};
    if (!rule.when.empty()) way.when = read_pattern(rule.when);
    ASSAY_CHECK(way.from.top().kind == Node::Kind::kOperation);
    add_orders(std::move(way), 0);
  }
  sort_in();
}

namespace {
void give_class(std::array<uint8_t, kCodes>& classes, uint8_t& count, Code code) {
  uint8_t& c = classes[static_cast<size_t>(code)];
  if (code != Code::kNone && c == 0) c = ++count;
}
}  // namespace

void Ways::sort_in() {
  uint8_t firsts = 0, seconds = 0;
  for (const auto& ways : all_)
    for (const Way& way : ways) give_class(firsts_, firsts, way.first), give_class(seconds_, seconds, way.second);
  ASSAY_CHECK(firsts < kClasses && seconds < kClasses);
  begins_.resize(size_t{kCodes} * kClasses * kClasses + 1);
  for (size_t at = 0; at + 1 < begins_.size(); ++at) {
    const size_t first = at / kClasses % kClasses, second = at % kClasses;
    for (const Way& way : all_[at / (kClasses * kClasses)]) {
      const bool one = way.first == Code::kNone || firsts_[static_cast<size_t>(way.first)] == first;
      if (one && (way.second == Code::kNone || seconds_[static_cast<size_t>(way.second)] == second))
        lists_.emplace_back(way);
    }
    ASSAY_CHECK(lists_.size() < 0x10000);
    begins_[at + 1] = static_cast<uint16_t>(lists_.size());
  }
}

Pattern read_pattern(std::string_view text) { return PatternReader(text).all(); }

const Ways& Ways::all() {
  static const Ways kWays;
  return kWays;
}

}  // namespace assay::code::ir
