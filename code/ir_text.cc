// The text of a function and its reading: docs/ir.md, "Text". One line an operation:
//   block 0x1000 next 0x1008
//   @0x1000
//     %1 = get.32 a0
//     %2 = load.32be %1 if %7
//     put v0 %2
//     opaque "SQRT_S" reads f2 writes f0 loads
#include "code/ir.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <unordered_map>

namespace assay::code::ir {

namespace {

using Out = std::back_insert_iterator<std::string>;

void print_list(Out out, const Function& f, std::string_view word, std::span<const RegisterId> list) {
  if (list.empty()) return;
  fmt::format_to(out, " {}", word);
  for (RegisterId id : list) fmt::format_to(out, " {}", f.reg(id).name);
}

void print_effect(Out out, const Function& f, const Effect& e) {
  fmt::format_to(out, " \"{}\"", e.name);
  print_list(out, f, "reads", f.reads(e));
  print_list(out, f, "writes", f.writes(e));
  if (e.loads) fmt::format_to(out, " loads");
  if (e.stores) fmt::format_to(out, " stores");
  if (e.leaves) fmt::format_to(out, " leaves");
}

bool has_order(Code code) { return code == Code::kLoad || code == Code::kStore; }

void print_op(Out out, const Function& f, const Op& op, Value number) {
  const Shape& s = shape(op.code);
  if (number != 0) fmt::format_to(out, "%{} = ", number);
  fmt::format_to(out, "{}", s.name);
  if (op.bits != 0) fmt::format_to(out, ".{}", op.bits);
  if (has_order(op.code) && op.bits > 8) fmt::format_to(out, "{}", op.order == Order::kBig ? "be" : "le");
  switch (op.code) {
    case Code::kConst:
      fmt::format_to(out, " {:#x}", constant(op));
      break;
    case Code::kGet:
      fmt::format_to(out, " {}", f.reg(static_cast<RegisterId>(op.a)).name);
      break;
    case Code::kPut:
      fmt::format_to(out, " {} %{}", f.reg(static_cast<RegisterId>(op.a)).name, op.b);
      break;
    case Code::kTrap:
      fmt::format_to(out, " {}", trap_name(op.trap));
      break;
    case Code::kOpaque:
      print_effect(out, f, f.effects[op.a]);
      break;
    default:
      if (s.values > 0) fmt::format_to(out, " %{}", op.a);
      if (s.values > 1) fmt::format_to(out, " %{}", op.b);
      if (s.values > 2) fmt::format_to(out, " %{}", op.c);
  }
  if (s.guarded && op.c != 0) fmt::format_to(out, " if %{}", op.c);
}

// Values are numbered from 1 in each block, in order of their making. at(address) is called where an instruction
// begins, operation(op, number) for each of its operations.
template <class At, class Operation>
void walk(const Function& f, const Block& block, At at_instruction, Operation operation) {
  std::unordered_map<Value, Value> numbers;
  uint32_t mark = block.mark;
  for (Value at = block.first; at <= block.first + block.count; ++at) {
    for (; mark < block.mark + block.marks && f.marks[mark].op <= at; ++mark)
      at_instruction(block.address_of(f.marks[mark]));
    if (at == block.first + block.count) break;
    Op op = f.ops[at];
    if (op.code == Code::kNone) continue;
    for_values(op, [&](Value& v) { v = numbers[v]; });
    Value number = 0;
    if (shape(op.code).pure || op.code == Code::kLoad) number = numbers[at] = static_cast<Value>(numbers.size() + 1);
    operation(op, number);
  }
}

void print_block(Out out, const Function& f, const Block& block) {
  fmt::format_to(out, "block {:#x} next {:#x}\n", block.address, block.next);
  walk(
      f, block, [&](uint64_t address) { fmt::format_to(out, "@{:#x}\n", address); },
      [&](const Op& op, Value number) {
        fmt::format_to(out, "  ");
        print_op(out, f, op, number);
        fmt::format_to(out, "\n");
      });
}

// A line cut into words; what is wrong is said with the line's number.
class Reader {
 public:
  Reader(Function& f, int line, std::string_view text) : f_(f), line_(line), rest_(text) {}

  std::string_view word() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    const size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
  }
  std::unexpected<Error> wrong(std::string_view what, std::string_view word) const {
    return fail(Fault::kMalformed, fmt::format("line {}: {}: {}", line_, what, word), static_cast<uint64_t>(line_));
  }
  Result<uint64_t> number(std::string_view text) const {
    const int base = text.starts_with("0x") ? 16 : 10;
    const std::string_view digits = base == 16 ? text.substr(2) : text;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc() || end != digits.data() + digits.size()) return wrong("not a number", text);
    return value;
  }
  Result<RegisterId> reg(std::string_view name) const {
    if (const RegisterId id = f_.file->find(name); id != kNoRegister) return id;
    for (size_t i = 0; i < f_.variables.size(); ++i)
      if (f_.variables[i].name == name) return static_cast<RegisterId>(f_.file->registers.size() + i);
    return wrong("no such register", name);
  }
  Result<Value> value(std::string_view text, std::span<const Value> made) const {
    if (!text.starts_with('%')) return wrong("not a value", text);
    const uint64_t n = TRY(number(text.substr(1)));
    if (n == 0 || n > made.size()) return wrong("no such value", text);
    return made[n - 1];
  }

 private:
  Function& f_;
  int line_;
  std::string_view rest_;
};

struct Head {
  Op op;
  std::string_view order;
};

// "load.32be" → code, width, order.
Result<Head> read_head(const Reader& r, std::string_view word) {
  const size_t dot = word.find('.');
  const std::string_view name = word.substr(0, dot);
  Head head;
  for (int i = 1; i < kCodes; ++i)
    if (shape(static_cast<Code>(i)).name == name) head.op.code = static_cast<Code>(i);
  if (head.op.code == Code::kNone) return r.wrong("no such operation", word);
  if (dot == std::string_view::npos) return head;
  std::string_view width = word.substr(dot + 1);
  if (width.ends_with("be")) head.op.order = Order::kBig;
  if (width.ends_with("be") || width.ends_with("le")) width.remove_suffix(2);
  head.op.bits = static_cast<uint8_t>(TRY(r.number(width)));
  return head;
}

Result<void> read_effect(Reader& r, Function& f, Op& op, std::string_view& last) {
  Effect e;
  std::string_view name = r.word();
  if (name.size() < 2 || name.front() != '"' || name.back() != '"') return r.wrong("not a name in quotes", name);
  e.name = name.substr(1, name.size() - 2);
  std::string_view word = r.word();
  const auto list = [&](std::string_view title, uint32_t& first, uint16_t& count) -> Result<void> {
    first = static_cast<uint32_t>(f.lists.size());
    if (word != title) return {};
    for (word = r.word(); !word.empty() && r.reg(word); word = r.word()) f.lists.push_back(TRY(r.reg(word)));
    count = static_cast<uint16_t>(f.lists.size() - first);
    return {};
  };
  TRY_VOID(list("reads", e.reads, e.read_count));
  TRY_VOID(list("writes", e.writes, e.write_count));
  for (; word == "loads" || word == "stores" || word == "leaves"; word = r.word())
    (word == "loads" ? e.loads : word == "stores" ? e.stores : e.leaves) = true;
  last = word;
  op.a = static_cast<uint32_t>(f.effects.size());
  f.effects.push_back(e);
  return {};
}

Result<void> read_trap(Reader& r, Op& op) {
  const std::string_view name = r.word();
  for (int i = 0; i <= static_cast<int>(Trap::kCondition); ++i) {
    op.trap = static_cast<Trap>(i);
    if (trap_name(op.trap) == name) return {};
  }
  return r.wrong("no such trap", name);
}

Result<void> read_values(Reader& r, Op& op, std::span<const Value> made) {
  const uint8_t count = shape(op.code).values;
  if (count > 0) op.a = TRY(r.value(r.word(), made));
  if (count > 1) op.b = TRY(r.value(r.word(), made));
  if (count > 2) op.c = TRY(r.value(r.word(), made));
  return {};
}

Result<void> read_op(Reader& r, Function& f, std::string_view word, std::vector<Value>& made) {
  const bool yields = word.starts_with('%');
  if (yields && (r.word() != "=" || TRY(r.number(word.substr(1))) != made.size() + 1))
    return r.wrong("values are numbered from 1 on", word);
  Op op = TRY(read_head(r, yields ? r.word() : word)).op;
  std::string_view last;
  switch (op.code) {
    case Code::kConst:
      op = make_constant(op.bits, TRY(r.number(r.word())));
      break;
    case Code::kGet:
      op.a = TRY(r.reg(r.word()));
      break;
    case Code::kPut:
      op.a = TRY(r.reg(r.word()));
      op.b = TRY(r.value(r.word(), made));
      break;
    case Code::kTrap:
      TRY_VOID(read_trap(r, op));
      break;
    case Code::kOpaque:
      TRY_VOID(read_effect(r, f, op, last));
      break;
    default:
      TRY_VOID(read_values(r, op, made));
  }
  if (last.empty()) last = r.word();
  if (last == "if" && shape(op.code).guarded)
    op.c = TRY(r.value(r.word(), made));
  else if (!last.empty())
    return r.wrong("not understood", last);
  if (yields) made.push_back(static_cast<Value>(f.ops.size()));
  f.ops.push_back(op);
  return {};
}

Result<void> read_line(Reader& r, Function& f, std::vector<Value>& made) {
  const std::string_view word = r.word();
  if (word == "var") {
    f.variables.push_back({std::string(r.word()), 0});
    f.variables.back().bits = static_cast<uint8_t>(TRY(r.number(r.word())));
  } else if (word == "block") {
    made.clear();
    Block block{.first = static_cast<uint32_t>(f.ops.size()), .mark = static_cast<uint32_t>(f.marks.size())};
    block.address = TRY(r.number(r.word()));
    if (r.word() != "next") return r.wrong("block without next", word);
    block.next = TRY(r.number(r.word()));
    f.blocks.push_back(block);
  } else if (f.blocks.empty()) {
    return r.wrong("outside of a block", word);
  } else if (word.starts_with('@')) {
    const uint64_t offset = TRY(r.number(word.substr(1))) - f.blocks.back().address;
    if (offset > UINT32_MAX) return r.wrong("far from its block", word);
    f.marks.push_back({static_cast<uint32_t>(offset), static_cast<uint32_t>(f.ops.size())});
  } else {
    TRY_VOID(read_op(r, f, word, made));
  }
  if (!f.blocks.empty()) {
    f.blocks.back().count = static_cast<uint32_t>(f.ops.size()) - f.blocks.back().first;
    f.blocks.back().marks = static_cast<uint32_t>(f.marks.size()) - f.blocks.back().mark;
  }
  return {};
}

}  // namespace

std::string print(const Function& f) {
  std::string text;
  for (const Register& v : f.variables) fmt::format_to(std::back_inserter(text), "var {} {}\n", v.name, v.bits);
  for (const Block& block : f.blocks) print_block(std::back_inserter(text), f, block);
  return text;
}

std::vector<Line> lines(const Function& f, const Block& block) {
  std::vector<Line> out;
  uint64_t address = block.address;
  walk(
      f, block, [&](uint64_t at) { address = at; },
      [&](const Op& op, Value number) {
        print_op(std::back_inserter(out.emplace_back(Line{address, {}}).text), f, op, number);
      });
  return out;
}

Result<Function> parse(std::string_view text, const RegisterFile& file) {
  Function f;
  f.file = &file;
  std::vector<Value> made;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    Reader reader(f, line, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (Reader peek = reader; peek.word().empty()) continue;
    TRY_VOID(read_line(reader, f, made));
  }
  if (std::string what = malformed(f); !what.empty()) return fail(Fault::kMalformed, std::move(what));
  return f;
}

}  // namespace assay::code::ir
