// The table of operations, and the rules of shape that every function keeps.
#include "code/ir.h"

#include <fmt/format.h>

namespace assay::code::ir {

namespace {

constexpr Shape unary(std::string_view name) { return {.name = name, .values = 1, .pure = true, .uses = 1}; }
constexpr Shape binary(std::string_view name, bool commutes = false) {
  return {.name = name, .values = 2, .pure = true, .commutes = commutes, .uses = 3};
}
constexpr Shape compare(std::string_view name, bool commutes = false) {
  return {.name = name, .values = 2, .pure = true, .commutes = commutes, .compares = true, .uses = 3};
}
constexpr Shape ternary(std::string_view name) { return {.name = name, .values = 3, .pure = true, .uses = 7}; }
constexpr Shape leaf(std::string_view name) { return {.name = name, .pure = true}; }
constexpr Shape effect(std::string_view name, uint8_t values) {
  const auto of = static_cast<uint8_t>((1 << values) - 1);
  return {.name = name, .values = values, .guarded = true, .uses = static_cast<uint8_t>(of | 4)};
}

}  // namespace

// In the order of Code.
constexpr std::array<Shape, kCodes> kShapes = {
    Shape{.name = "none"}, leaf("const"),       leaf("get"),
    leaf("undefined"),     unary("not"),        unary("neg"),
    unary("zext"),         unary("sext"),       unary("trunc"),
    unary("bswap"),        unary("rbit"),       unary("clz"),
    unary("ctz"),          unary("popcount"),   binary("add", true),
    binary("sub"),         binary("mul", true), binary("umulh", true),
    binary("smulh", true), binary("udiv"),      binary("sdiv"),
    binary("urem"),        binary("srem"),      binary("and", true),
    binary("or", true),    binary("xor", true), binary("shl"),
    binary("shr"),         binary("sar"),       binary("ror"),
    compare("eq", true),   compare("ne", true), compare("ult"),
    compare("ule"),        compare("slt"),      compare("sle"),
    ternary("select"),     ternary("udivl"),    ternary("ureml"),
    ternary("sdivl"),      ternary("sreml"),    Shape{.name = "put", .values = 1, .uses = 2},
    effect("load", 1),     effect("store", 2),  effect("jump", 1),
    effect("call", 1),     effect("ret", 1),    effect("trap", 0),
    effect("opaque", 0),
};

namespace {

// What is wrong with the widths of one operation, given those of its values.
std::string_view wrong_width(const Function& f, const Op& op) {
  const auto bits = [&](Value v) { return f.ops[v].bits; };
  switch (op.code) {
    case Code::kGet:
      return f.reg(static_cast<RegisterId>(op.a)).bits != op.bits ? "get of another width" : "";
    case Code::kPut:
      return f.reg(static_cast<RegisterId>(op.a)).bits != bits(op.b) ? "put of another width" : "";
    case Code::kZeroExtend:
    case Code::kSignExtend:
      return bits(op.a) >= op.bits ? "extension that does not widen" : "";
    case Code::kTruncate:
      return bits(op.a) <= op.bits ? "truncation that does not narrow" : "";
    case Code::kSelect:
      return bits(op.a) != 1                                  ? "condition of more than one bit"
             : bits(op.b) != op.bits || bits(op.c) != op.bits ? "select of other widths"
                                                              : "";
    case Code::kStore:
      return bits(op.b) != op.bits ? "store of another width" : "";
    default:
      break;
  }
  const Shape& s = shape(op.code);
  if (s.compares)
    return op.bits != 1               ? "comparison of more than one bit"
           : bits(op.a) != bits(op.b) ? "comparison of two widths"
                                      : "";
  if (!s.pure || is_resize(op.code)) return "";
  if (s.values > 0 && bits(op.a) != op.bits) return "operand a of another width";
  if (s.values > 1 && bits(op.b) != op.bits) return "operand b of another width";
  if (s.values > 2 && bits(op.c) != op.bits) return "operand c of another width";
  return "";
}

bool yields(const Op& op) { return shape(op.code).pure || op.code == Code::kLoad; }

std::string wrong(const Function& f, Value first, Value at) {
  const Op& op = f.ops[at];
  if ((op.code == Code::kGet || op.code == Code::kPut) && op.a >= f.file->registers.size() + f.variables.size())
    return "no such register";
  if (op.code == Code::kOpaque && op.a >= f.effects.size()) return "no such effect";
  std::string out;
  for_values(op, [&](Value v) {
    if (v < first || v >= at || !yields(f.ops[v])) out = fmt::format("value {} is not made before it is used", v);
  });
  if (!out.empty()) return out;
  if (shape(op.code).guarded && op.c != 0 && f.ops[op.c].bits != 1) return "guard of more than one bit";
  if (yields(op) && (op.bits == 0 || op.bits > 64)) return fmt::format("width {}", op.bits);
  if (op.code == Code::kConst && (constant(op) & ~mask(op.bits)) != 0) return "constant wider than its width";
  return std::string(wrong_width(f, op));
}

}  // namespace

std::string_view trap_name(Trap trap) {
  constexpr std::array<std::string_view, 5> kNames = {"syscall", "breakpoint", "undefined", "divide", "condition"};
  return kNames[static_cast<size_t>(trap)];
}

RegisterId RegisterFile::add(std::string name, uint8_t bits) {
  registers.push_back({std::move(name), bits});
  return static_cast<RegisterId>(registers.size() - 1);
}

RegisterId RegisterFile::find(std::string_view name) const {
  for (size_t i = 0; i < registers.size(); ++i)
    if (registers[i].name == name) return static_cast<RegisterId>(i);
  return kNoRegister;
}

void Function::clear_operations() {
  ops.clear();
  ops.push_back({});
  marks.clear();
  blocks.clear();
  effects.clear();
  lists.clear();
}

void Function::clear() {
  clear_operations();
  variables.clear();
}

std::string malformed(const Function& f) {
  for (const Block& block : f.blocks) {
    if (block.first == 0 || block.first + uint64_t{block.count} > f.ops.size())
      return "block outside of the operations";
    for (Value at = block.first; at < block.first + block.count; ++at) {
      if (f.ops[at].code == Code::kNone) continue;
      if (std::string what = wrong(f, block.first, at); !what.empty())
        return fmt::format("{} {}: {}", shape(f.ops[at].code).name, at, what);
    }
  }
  return "";
}

}  // namespace assay::code::ir
