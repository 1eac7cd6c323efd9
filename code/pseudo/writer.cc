#include "code/pseudo/writer.h"

#include "code/pseudo/expression.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::code::pseudo {

using ir::Code;
using ir::Op;
using ir::RegisterId;
using ir::Value;

namespace {

constexpr unsigned kMostFolded = 24;             // operations in one expression
constexpr size_t kMostLooked = 8;                // blocks, for who reads a result
constexpr size_t kMostPassed = 4096;             // operations, for the same
constexpr int64_t kFarthest = int64_t{1} << 40;  // a distance that no frame has

// A distance from the stack pointer at the entry, moved by a constant of the code; kNoDepth: it is none of a frame.
int64_t moved(int64_t from, const Op& by) {
  const int64_t distance = ir::sign_extend(ir::constant(by), by.bits);
  if (from == kNoDepth || distance <= -kFarthest || distance >= kFarthest) return kNoDepth;
  const int64_t sum = from + distance;
  return sum <= -kFarthest || sum >= kFarthest ? kNoDepth : sum;
}

class Writer {
 public:
  Writer(Context& context, const Graph& graph, uint32_t block)
      : c_(context), g_(graph), f_(*context.code), abi_(*context.abi), index_(block), b_(f_.blocks[block]) {}

  Written write() {
    plan();
    for (at_ = b_.first; at_ < end(); ++at_) {
      while (mark_ < b_.mark + b_.marks && f_.marks[mark_].op <= at_) ++mark_;
      operation();
    }
    if (out_.ending.address == 0) out_.ending.address = address();
    return std::move(out_);
  }

 private:
  // What becomes of a value: written where it is used, kept under a name of its own, or known by the register it is put
  // into.
  enum class Mode : uint8_t { kInline, kTemporary, kRegister };
  struct Plan {
    Mode mode = Mode::kInline;
    uint32_t uses = 0;
    Value first = 0, last = 0;  // operations that write it down
    Value put = 0;              // kRegister
    unsigned size = 1;
    std::string name;
  };

  Value end() const { return b_.first + b_.count; }
  const Op& op(Value v) const { return f_.ops[v]; }
  Plan& plan(Value v) { return plans_[v - b_.first]; }
  bool yields(const Op& o) const { return ir::shape(o.code).pure || o.code == Code::kLoad; }
  uint64_t address() const {
    return b_.marks == 0 ? b_.address : b_.address_of(f_.marks[mark_ == b_.mark ? mark_ : mark_ - 1]);
  }
  const std::string& register_name(RegisterId r) const { return f_.reg(r).name; }

  // ---- planning

  static bool changes_memory(Code code) {
    return code == Code::kStore || code == Code::kCall || code == Code::kOpaque || code == Code::kTrap;
  }
  bool memory_changes(Value from, Value to) const {
    const auto next = std::ranges::upper_bound(clobbers_, from);
    return next != clobbers_.end() && *next < to;
  }
  bool register_changes(RegisterId r, Value from, Value to) const {
    const auto of = writes_.find(r);
    if (of == writes_.end()) return false;
    const auto next = std::ranges::upper_bound(of->second, from);
    return next != of->second.end() && *next < to;
  }
  bool stays(Value v, Value from, Value to) const {
    const Op& o = op(v);
    if (o.code == Code::kGet) return is_stack(o) || !register_changes(static_cast<RegisterId>(o.a), from, to);
    return o.code != Code::kLoad || !memory_changes(from, to);
  }
  // The stack pointer is written as its distance from the function's frame.
  bool is_stack(const Op& o) const { return stack_offset(o) != kNoDepth; }
  int64_t stack_offset(const Op& o) const {
    if (o.code != Code::kGet) return kNoDepth;
    return o.a == abi_.stack ? c_.depth[index_] : o.a == abi_.frame ? c_.frame[index_] : kNoDepth;
  }

  void plan() {
    plans_.resize(b_.count);
    for (Value at = b_.first; at < end(); ++at) {
      const Op& o = op(at);
      if (changes_memory(o.code)) clobbers_.push_back(at);
      if (o.code == Code::kPut) writes_[static_cast<RegisterId>(o.a)].push_back(at);
      if (o.code == Code::kOpaque)
        for (RegisterId r : f_.writes(f_.effects[o.a])) writes_[r].push_back(at);
      measure(at);
    }
    for (Value at = end(); at-- > b_.first;) {
      if (yields(op(at))) decide(at);
      if (yields(op(at)) && plan(at).uses == 0 && op(at).code != Code::kLoad) continue;
      spread(at);
    }
  }
  void measure(Value at) {
    unsigned size = 1;
    ir::for_values(op(at), [&](Value v) { size += plan(v).size; });
    const bool cut = size > kMostFolded && yields(op(at)) && op(at).code != Code::kConst;
    plan(at).size = cut ? 1 : size;
    if (cut) plan(at).mode = Mode::kTemporary;
  }
  // Uses lie behind, and what becomes of them is decided already.
  void spread(Value at) {
    const bool folded = yields(op(at)) && plan(at).mode == Mode::kInline && plan(at).uses > 0;
    const bool later = yields(op(at)) && plan(at).mode == Mode::kRegister;
    const Value first = folded ? plan(at).first : later ? plan(at).put : at;
    const Value last = folded ? plan(at).last : later ? plan(at).put : at;
    ir::for_values(op(at), [&](Value v) {
      Plan& p = plan(v);
      p.first = p.uses == 0 ? first : std::min(p.first, first);
      p.last = std::max(p.last, last);
      ++p.uses;
    });
  }
  void decide(Value at) {
    Plan& p = plan(at);
    const Op& o = op(at);
    if (o.code == Code::kConst || p.uses == 0) return;
    const bool forced = p.mode == Mode::kTemporary;
    if (!forced && (p.uses == 1 || o.code == Code::kGet) && stays(at, at, p.last)) return;
    p.mode = Mode::kTemporary;
    if (op(p.first).code != Code::kPut || op(p.first).b != at || !stays(at, at, p.first)) return;
    if (register_changes(static_cast<RegisterId>(op(p.first).a), p.first, p.last)) return;
    p.mode = Mode::kRegister;
    p.put = p.first;
  }

  // ---- expressions

  Text text(Value v) {
    Plan& p = plan(v);
    if (!p.name.empty()) return {p.name};
    return fresh(v);
  }
  Text fresh(Value v) {
    const Op& o = op(v);
    if (const int64_t at = offset_of(v); at != kNoDepth) return {place(at, true)};
    switch (o.code) {
      case Code::kConst:
        return constant(o);
      case Code::kGet:
        return {register_name(static_cast<RegisterId>(o.a))};
      case Code::kLoad:
        return load(v);
      default:
        break;
    }
    if (const std::string* known = meaning_at(v)) return {*known};
    if (const uint64_t at = beside_global(o); at != 0) return constant(ir::make_constant(o.bits, at));
    std::array<Text, 3> of;
    unsigned i = 0;
    ir::for_values(o, [&](Value child) { of[i++] = text(child); });
    const bool constant_right = ir::shape(o.code).values == 2 && op(o.b).code == Code::kConst;
    const unsigned from = ir::shape(o.code).values > 0 ? op(o.a).bits : 0;
    return expression(o, from, of, constant_right ? &op(o.b) : nullptr);
  }
  Text constant(const Op& o) const {
    const auto known = c_.meanings.find(ir::constant(o));
    return {known != c_.meanings.end() ? known->second : number(ir::constant(o), o.bits)};
  }
  // What a distance from the global pointer comes to; 0: it is none.
  uint64_t beside_global(const Op& o) const {
    const uint64_t global = c_.reading->program.global_pointer;
    if (o.code != Code::kAdd || op(o.b).code != Code::kConst || global == 0) return 0;
    const Op& base = op(o.a);
    if (base.code != Code::kGet || abi_.global == ir::kNoRegister || base.a != abi_.global) return 0;
    return (global + ir::constant(op(o.b))) & ir::mask(o.bits);
  }
  // A sum that completes the address of a string or a function.
  const std::string* meaning_at(Value v) const {
    if (op(v).code != Code::kAdd || op(op(v).b).code != Code::kConst) return nullptr;
    const auto refs = c_.reading->references_from(address_of(f_, b_, v));
    if (refs.size() != 1) return nullptr;
    const auto known = c_.meanings.find(refs[0].to);
    return known == c_.meanings.end() ? nullptr : &known->second;
  }
  Text load(Value v) {
    const Op& o = op(v);
    // Out of a table of addresses: the address itself has a name.
    const auto refs = c_.reading->references_from(address_of(f_, b_, v));
    if (refs.size() == 1 && (refs[0].use == Use::kFunction || refs[0].use == Use::kImport) &&
        op(o.a).code != Code::kConst)
      if (const std::string name = c_.reading->meaning(refs[0]); !name.empty()) return {name};
    Text inner = memory(o.a, o.bits);
    if (o.c == 0) return inner;
    return {text(o.c).str() + " ? " + inner.str() + " : 0", false};
  }
  Text memory(Value at, unsigned bits) {
    if (const int64_t offset = offset_of(at); offset != kNoDepth && bits == op(at).bits) return {place(offset, false)};
    return {"*(" + type_of(bits) + " *)" + text(at).str()};
  }
  // An address as its distance from the stack pointer at the function's entry.
  int64_t offset_of(Value v) const {
    const Op& o = op(v);
    if (o.code == Code::kGet) return stack_offset(o);
    if (o.code != Code::kAdd || op(o.b).code != Code::kConst) return kNoDepth;
    return moved(stack_offset(op(o.a)), op(o.b));
  }
  static std::string place(int64_t offset, bool is_address) {
    const std::string name = offset < 0 ? fmt::format("local_{:x}", -offset) : fmt::format("stack_{:x}", offset);
    return (is_address ? "&" : "") + name;
  }

  std::string condition(Value v) { return text(v).text; }
  std::string opposite(Value v) {
    bool swaps = false;
    const Op& o = op(v);
    const Code other = turned_round(o.code, swaps);
    if (!plan(v).name.empty() || other == Code::kNone)
      return o.code == Code::kNot && plan(v).name.empty() ? text(o.a).text : "!" + text(v).str();
    Op turned = o;
    turned.code = other;
    std::array<Text, 3> of = {text(o.a), text(o.b), {}};
    if (swaps) std::swap(of[0], of[1]);
    return expression(turned, op(o.a).bits, of, nullptr).text;
  }
  std::string guarded(Value guard, std::string statement) {
    return guard == 0 ? statement : "if (" + condition(guard) + ") " + std::move(statement);
  }

  // ---- statements

  void say(std::string text) { out_.statements.push_back({address(), std::move(text)}); }

  void operation() {
    const Op& o = op(at_);
    if (yields(o)) return value();
    switch (o.code) {
      case Code::kPut:
        return put(o);
      case Code::kStore:
        return say(guarded(o.c, memory(o.a, o.bits).text + " = " + text(o.b).text + ";"));
      case Code::kCall:
        return call(o);
      case Code::kReturn:
        return give_back(o);
      case Code::kJump:
        return jump(o);
      case Code::kTrap:
        return say(guarded(o.c, std::string(ir::trap_name(o.trap)) + "();"));
      case Code::kOpaque:
        return opaque(o);
      default:
        return;
    }
  }
  void value() {
    Plan& p = plan(at_);
    const bool unused_load = op(at_).code == Code::kLoad && p.uses == 0;
    if (unused_load) return say(fresh(at_).text + ";");
    if (p.uses == 0 || p.mode != Mode::kTemporary) return;
    const std::string name = fmt::format("t{}", ++temporaries_);
    say(name + " = " + fresh(at_).text + ";");
    p.name = name;
  }
  void put(const Op& o) {
    const auto r = static_cast<RegisterId>(o.a);
    Plan& p = plan(o.b);
    const bool names = p.mode == Mode::kRegister && p.put == at_;
    const bool of_stack = (r == abi_.stack || r == abi_.frame) && offset_of(o.b) != kNoDepth;
    if (!of_stack) {
      assigned_.push_back({out_.statements.size(), r, at_});
      const Op& v = op(o.b);
      // r = c ? x : r
      if (v.code == Code::kSelect && p.name.empty() && op(v.c).code == Code::kGet && op(v.c).a == r &&
          plan(v.c).name.empty())
        say("if (" + condition(v.a) + ") " + register_name(r) + " = " + text(v.b).text + ";");
      else if (v.code == Code::kSelect && p.name.empty() && op(v.b).code == Code::kGet && op(v.b).a == r &&
               plan(v.b).name.empty())
        say("if (" + opposite(v.a) + ") " + register_name(r) + " = " + text(v.c).text + ";");
      else
        say(register_name(r) + " = " + text(o.b).text + ";");
    }
    if (names) p.name = register_name(r);
  }

  // What was put into a register last, if nothing else has been written since: taken back and returned.
  bool take_back(RegisterId r, std::string& text) {
    if (assigned_.empty() || out_.statements.empty()) return false;
    const Assigned last = assigned_.back();
    const std::string& said = out_.statements.back().text;
    const std::string start = register_name(r) + " = ";
    if (last.reg != r || last.statement + 1 != out_.statements.size() || !said.starts_with(start)) return false;
    if (Plan& p = plan(op(last.put).b); p.mode == Mode::kRegister && p.put == last.put && p.last > last.put)
      return false;
    text = said.substr(start.size(), said.size() - start.size() - 1);
    out_.statements.pop_back();
    assigned_.pop_back();
    return true;
  }
  std::string arguments() {
    size_t count = 0;
    for (const Assigned& a : assigned_)
      for (size_t i = count; i < abi_.arguments.size(); ++i)
        if (abi_.arguments[i] == a.reg) count = i + 1;
    std::vector<std::string> of(count);
    for (size_t i = 0; i < count; ++i) of[i] = register_name(abi_.arguments[i]);
    for (bool more = true; more;) {
      more = false;
      for (size_t i = 0; i < count && !more; ++i) more = take_back(abi_.arguments[i], of[i]);
    }
    std::string out;
    for (const std::string& a : of) out += (out.empty() ? "" : ", ") + a;
    assigned_.clear();
    return out;
  }
  // The name of whom the call at one of the last two instructions calls.
  std::string callee(const Op& o) {
    const uint32_t first = mark_ - b_.mark > 2 ? mark_ - 2 : b_.mark;
    for (uint32_t m = mark_; m > first; --m)
      for (const Call& call : c_.reading->calls_from(b_.address_of(f_.marks[m - 1]))) {
        if (call.kind == CallKind::kCallback) continue;
        if (std::string name = c_.reading->call(call).callee; !name.empty()) return name;
      }
    if (op(o.a).code == Code::kConst) return fmt::format("sub_{:x}", ir::constant(op(o.a)) & ~abi_.convention.mode_bit);
    return "(*" + text(without_mode(o.a)).str() + ")";
  }
  // RISC-V's jumps through a register clear bit 0 of the address.
  Value without_mode(Value target) {
    const Op& o = op(target);
    const bool even = plan(target).name.empty() && o.code == Code::kAnd && op(o.b).code == Code::kConst &&
                      ir::constant(op(o.b)) == (ir::mask(o.bits) & ~uint64_t{1});
    return even ? o.a : target;
  }
  void call(const Op& o) {
    const std::string whom = callee(o), with = arguments();
    const bool used = abi_.result != ir::kNoRegister && reads_result(b_.next);
    say(guarded(o.c, (used ? register_name(abi_.result) + " = " : "") + whom + "(" + with + ");"));
  }
  bool reads_result(uint64_t next) const {
    std::vector<uint32_t> work;
    for (const uint32_t to : g_.next[index_])
      if (f_.blocks[to].address == next) work.push_back(to);
    size_t passed = 0;
    for (size_t i = 0; i < work.size(); ++i) {
      bool written = false;
      const ir::Block& b = f_.blocks[work[i]];
      for (Value at = b.first; at < b.first + b.count && !written; ++at) {
        const Op& o = op(at);
        if (++passed > kMostPassed) return true;  // it may be
        if (o.code == Code::kGet && o.a == abi_.result) return true;
        written = (o.code == Code::kPut && o.a == abi_.result) || o.code == Code::kCall;
        if (o.code == Code::kReturn) return c_.yields;
      }
      if (written) continue;
      for (const uint32_t to : g_.next[work[i]])
        if (work.size() < kMostLooked && std::ranges::find(work, to) == work.end()) work.push_back(to);
    }
    return false;
  }
  void give_back(const Op& o) {
    std::string result;
    if (o.c == 0 && abi_.result != ir::kNoRegister && take_back(abi_.result, result))
      return say("return " + result + ";");
    const bool some = c_.yields && abi_.result != ir::kNoRegister;
    say(guarded(o.c, some ? "return " + register_name(abi_.result) + ";" : "return;"));
  }
  void jump(const Op& o) {
    const bool is_last = at_ + 1 == end();
    const bool known = op(o.a).code == Code::kConst;
    const bool inside = known && std::ranges::any_of(g_.next[index_], [&](uint32_t to) {
                          return f_.blocks[to].address == (ir::constant(op(o.a)) & ~abi_.convention.mode_bit);
                        });
    if (!inside && !known && is_last && g_.next[index_].size() > 0 && o.c == 0) {
      out_.ending = {.address = address(), .condition = {}, .otherwise = {}, .chosen = text(o.a).text};
      return;
    }
    if (!inside) {  // a tail call
      const std::string whom = callee(o), with = arguments();
      return say(guarded(o.c, "return " + whom + "(" + with + ");"));
    }
    if (!is_last)
      return say(guarded(o.c, fmt::format("goto L_{:x};", ir::constant(op(o.a)) & ~abi_.convention.mode_bit)));
    out_.ending.address = address();
    if (o.c == 0) return;
    out_.ending.condition = condition(o.c);
    out_.ending.otherwise = opposite(o.c);
  }
  void opaque(const Op& o) {
    const ir::Effect& e = f_.effects[o.a];
    const auto list = [&](std::span<const RegisterId> ids) {
      std::string out;
      for (RegisterId r : ids) out += (out.empty() ? "" : ", ") + register_name(r);
      return out;
    };
    const std::string writes = list(f_.writes(e));
    say(guarded(o.c, (writes.empty() ? "" : writes + " = ") + "asm(\"" + std::string(e.name) + "\"" +
                         (e.read_count == 0 ? "" : ", " + list(f_.reads(e))) + ");"));
  }

  struct Assigned {
    size_t statement = 0;
    RegisterId reg = 0;
    Value put = 0;
  };

  Context& c_;
  const Graph& g_;
  const ir::Function& f_;
  const Abi& abi_;
  uint32_t index_;
  const ir::Block& b_;
  std::vector<Plan> plans_;
  std::vector<Value> clobbers_;
  std::map<RegisterId, std::vector<Value>> writes_;
  std::vector<Assigned> assigned_;
  Written out_;
  Value at_ = 0;
  uint32_t mark_ = b_.mark;
  unsigned temporaries_ = 0;
};

// ---- what is known beside the operations

// The stack pointer's distance from where it was at the entry, followed from block to block; where two ways disagree,
// it is not known.
class Depths {
 public:
  Depths(const ir::Function& f, const Graph& g, const Abi& abi, Context& out) : f_(f), g_(g), abi_(abi), out_(out) {}
  void follow() {
    out_.depth.assign(f_.blocks.size(), kNoDepth);
    out_.frame.assign(f_.blocks.size(), kNoDepth);
    std::vector<uint8_t> known(f_.blocks.size());
    if (f_.blocks.empty() || abi_.stack == ir::kNoRegister) return;
    known[0] = 1;
    out_.depth[0] = 0;
    for (const uint32_t i : g_.order) {
      int64_t depth = out_.depth[i], frame = out_.frame[i];
      walk(f_.blocks[i], depth, frame);
      for (const uint32_t to : g_.next[i]) {
        if (known[to] && out_.depth[to] != depth) wrong_ = true;
        if (known[to] && out_.frame[to] != frame) mixed_ = true;
        if (!known[to]) out_.depth[to] = depth, out_.frame[to] = frame, known[to] = 1;
      }
    }
    if (wrong_) out_.depth.assign(f_.blocks.size(), kNoDepth);
    if (wrong_ || mixed_) out_.frame.assign(f_.blocks.size(), kNoDepth);
  }

 private:
  void walk(const ir::Block& b, int64_t& depth, int64_t& frame) {
    std::map<Value, int64_t> of;
    const auto at = [&](Value v) {
      const auto found = of.find(v);
      return found == of.end() ? kNoDepth : found->second;
    };
    for (Value v = b.first; v < b.first + b.count; ++v) {
      const Op& o = f_.ops[v];
      if (o.code == Code::kGet && o.a == abi_.stack) of[v] = depth;
      if (o.code == Code::kGet && o.a == abi_.frame) of[v] = frame;
      if (o.code == Code::kAdd && f_.ops[o.b].code == Code::kConst) of[v] = moved(at(o.a), f_.ops[o.b]);
      if (o.code == Code::kPut && o.a == abi_.stack) depth = at(o.b);
      if (o.code == Code::kPut && o.a == abi_.frame) frame = at(o.b);
      if (o.code == Code::kCall && depth != kNoDepth) depth += abi_.convention.return_pops;
    }
  }

  const ir::Function& f_;
  const Graph& g_;
  const Abi& abi_;
  Context& out_;
  bool wrong_ = false, mixed_ = false;
};

}  // namespace

Context context_of(Reading& reading, const ir::Function& code, const Graph& graph, const Abi& abi) {
  Context c{.reading = &reading, .code = &code, .abi = &abi, .meanings = {}, .depth = {}, .frame = {}};
  for (const ir::Block& b : code.blocks) {
    for (uint32_t m = b.mark; m < b.mark + b.marks; ++m)
      for (const Reference& r : reading.references_from(b.address_of(code.marks[m])))
        if (std::string text = reading.meaning(r); !text.empty()) c.meanings.emplace(r.to, std::move(text));
    for (Value v = b.first; v < b.first + b.count; ++v)
      c.yields |= code.ops[v].code == Code::kPut && code.ops[v].a == abi.result;
  }
  Depths(code, graph, abi, c).follow();
  return c;
}

Written write_block(Context& context, const Graph& graph, uint32_t block) {
  return Writer(context, graph, block).write();
}

}  // namespace assay::code::pseudo
