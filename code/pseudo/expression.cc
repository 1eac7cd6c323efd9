#include "code/pseudo/expression.h"

#include <fmt/format.h>

namespace assay::code::pseudo {

using ir::Code;

std::string type_of(unsigned bits, bool with_sign) { return fmt::format("{}{}", with_sign ? 's' : 'u', bits); }

std::string number(uint64_t value, unsigned bits) {
  if (value < 10) return fmt::format("{}", value);
  const uint64_t opposite = (0 - value) & ir::mask(bits);
  if (bits >= 16 && opposite <= 0x1000) return "-" + number(opposite, 8);
  return fmt::format("{:#x}", value);
}

ir::Code turned_round(Code code, bool& swaps) {
  swaps = code != Code::kEqual && code != Code::kNotEqual;
  switch (code) {
    case Code::kEqual:
      return Code::kNotEqual;
    case Code::kNotEqual:
      return Code::kEqual;
    case Code::kLessUnsigned:
      return Code::kLessEqualUnsigned;
    case Code::kLessEqualUnsigned:
      return Code::kLessUnsigned;
    case Code::kLessSigned:
      return Code::kLessEqualSigned;
    case Code::kLessEqualSigned:
      return Code::kLessSigned;
    default:
      return Code::kNone;
  }
}

namespace {

std::string_view sign_of(Code code, unsigned bits) {
  switch (code) {
    case Code::kAdd:
      return "+";
    case Code::kSubtract:
      return "-";
    case Code::kMultiply:
      return "*";
    case Code::kDivideUnsigned:
    case Code::kDivideSigned:
      return "/";
    case Code::kRemainderUnsigned:
    case Code::kRemainderSigned:
      return "%";
    case Code::kAnd:
      return bits == 1 ? "&&" : "&";
    case Code::kOr:
      return bits == 1 ? "||" : "|";
    case Code::kXor:
      return bits == 1 ? "!=" : "^";
    case Code::kShiftLeft:
      return "<<";
    case Code::kShiftRight:
    case Code::kShiftRightSigned:
      return ">>";
    case Code::kEqual:
      return "==";
    case Code::kNotEqual:
      return "!=";
    case Code::kLessUnsigned:
    case Code::kLessSigned:
      return "<";
    case Code::kLessEqualUnsigned:
    case Code::kLessEqualSigned:
      return "<=";
    default:
      return "";
  }
}

bool is_signed(Code code) {
  return code == Code::kDivideSigned || code == Code::kRemainderSigned || code == Code::kShiftRightSigned ||
         code == Code::kLessSigned || code == Code::kLessEqualSigned;
}

Text call(std::string_view name, unsigned count, const std::array<Text, 3>& of) {
  std::string out = std::string(name) + "(";
  for (unsigned i = 0; i < count; ++i) out += (i == 0 ? "" : ", ") + of[i].text;
  return {out + ")"};
}

bool is_number(const Text& t) {
  return !t.text.empty() && (t.text[0] == '-' || (t.text[0] >= '0' && t.text[0] <= '9'));
}

Text two(const ir::Op& op, unsigned from, const std::array<Text, 3>& of, const ir::Op* right) {
  const std::string_view sign = sign_of(op.code, op.bits);
  if (sign.empty()) return call(ir::shape(op.code).name, ir::shape(op.code).values, of);
  if (op.code == Code::kAdd && right != nullptr) {
    const int64_t by = ir::sign_extend(ir::constant(*right), right->bits);
    if (by < 0 && is_number(of[1]))
      return {of[0].str() + " - " + number((0 - static_cast<uint64_t>(by)) & ir::mask(op.bits), op.bits), false};
  }
  const auto with_sign = [&](const Text& t) {
    return is_signed(op.code) && !is_number(t) ? "(" + type_of(from, true) + ")" + t.str() : t.str();
  };
  const bool shift = op.code == Code::kShiftRightSigned;
  return {with_sign(of[0]) + " " + std::string(sign) + " " + (shift ? of[1].str() : with_sign(of[1])), false};
}

}  // namespace

Text expression(const ir::Op& op, unsigned from, const std::array<Text, 3>& of, const ir::Op* right) {
  switch (op.code) {
    case Code::kUndefined:
      return {"undefined"};
    case Code::kNot:
      return {(op.bits == 1 ? "!" : "~") + of[0].str()};
    case Code::kNegate:
      return {"-" + of[0].str()};
    case Code::kZeroExtend:
      return of[0];
    case Code::kSignExtend:
      return from == 1 ? Text{"-" + of[0].str()} : Text{"(" + type_of(from, true) + ")" + of[0].str()};
    case Code::kTruncate:
      return op.bits == 1 ? Text{of[0].str() + " & 1", false} : Text{"(" + type_of(op.bits) + ")" + of[0].str()};
    case Code::kSelect:
      return {of[0].str() + " ? " + of[1].str() + " : " + of[2].str(), false};
    default:
      break;
  }
  const uint8_t values = ir::shape(op.code).values;
  return values == 2 ? two(op, from, of, right) : call(ir::shape(op.code).name, values, of);
}

}  // namespace assay::code::pseudo
