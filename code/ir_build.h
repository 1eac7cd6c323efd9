// Appends operations to a function, or hands them to the one that simplifies them on the way there. An ambient guard
// makes whatever is built conditional: predicated instructions (ARM), IT blocks and annulled delay slots set it; a
// guarded put selects between the new and the old value.
//
// The language leaves open in which order a call's arguments are evaluated, and compilers differ: at most one argument
// of a call may build an operation, the others are named before. A test holds gcc's and clang's results to one digest.
#pragma once
#include "code/ir.h"

namespace assay::code::ir {

class Rewriter;
Value take(Rewriter& through, const Op& op);  // code/simplify/rewrite.h

class Builder {
 public:
  explicit Builder(Function& f, Rewriter* through = nullptr) : f_(f), through_(through) {}

  Function& function() { return f_; }
  uint8_t bits(Value v) const { return f_.ops[v].bits; }
  const Op& op(Value v) const { return f_.ops[v]; }
  Value guard() const { return guard_; }
  void set_guard(Value guard) { guard_ = guard; }
  // The guard that holds where both the ambient one and `condition` (0: always) do.
  Value both(Value condition) {
    if (condition == 0 || guard_ == 0) return condition | guard_;
    return emit({.code = Code::kAnd, .bits = 1, .a = guard_, .b = condition});
  }

  Value constant(unsigned bits, uint64_t value) { return emit(make_constant(static_cast<uint8_t>(bits), value)); }
  Value undefined(unsigned bits) { return emit({.code = Code::kUndefined, .bits = static_cast<uint8_t>(bits)}); }
  Value get(RegisterId r) { return emit({.code = Code::kGet, .bits = f_.reg(r).bits, .a = r}); }
  void put(RegisterId r, Value v) {
    if (guard_ != 0) v = select(guard_, v, get(r));
    emit({.code = Code::kPut, .a = r, .b = v});
  }

  Value unary(Code code, Value a) { return emit({.code = code, .bits = bits(a), .a = a}); }
  Value binary(Code code, Value a, Value b) { return emit({.code = code, .bits = bits(a), .a = a, .b = b}); }
  Value compare(Code code, Value a, Value b) { return emit({.code = code, .bits = 1, .a = a, .b = b}); }
  Value select(Value c, Value a, Value b) {
    return emit({.code = Code::kSelect, .bits = bits(a), .a = c, .b = a, .c = b});
  }
  Value ternary(Code code, Value a, Value b, Value c) {
    return emit({.code = code, .bits = bits(c), .a = a, .b = b, .c = c});
  }

  Value bit_not(Value a) { return unary(Code::kNot, a); }
  Value negate(Value a) { return unary(Code::kNegate, a); }
  Value add(Value a, Value b) { return binary(Code::kAdd, a, b); }
  Value sub(Value a, Value b) { return binary(Code::kSubtract, a, b); }
  Value mul(Value a, Value b) { return binary(Code::kMultiply, a, b); }
  Value bit_and(Value a, Value b) { return binary(Code::kAnd, a, b); }
  Value bit_or(Value a, Value b) { return binary(Code::kOr, a, b); }
  Value bit_xor(Value a, Value b) { return binary(Code::kXor, a, b); }
  Value shl(Value a, Value b) { return binary(Code::kShiftLeft, a, b); }
  Value shr(Value a, Value b) { return binary(Code::kShiftRight, a, b); }
  Value sar(Value a, Value b) { return binary(Code::kShiftRightSigned, a, b); }
  Value ror(Value a, Value b) { return binary(Code::kRotateRight, a, b); }
  Value add_number(Value a, int64_t n) { return add(a, like(a, static_cast<uint64_t>(n))); }
  Value and_mask(Value a, uint64_t n) { return bit_and(a, like(a, n)); }
  Value or_mask(Value a, uint64_t n) { return bit_or(a, like(a, n)); }
  Value shl_by(Value a, unsigned n) { return n == 0 ? a : shl(a, like(a, n)); }
  Value shr_by(Value a, unsigned n) { return n == 0 ? a : shr(a, like(a, n)); }
  Value sar_by(Value a, unsigned n) { return n == 0 ? a : sar(a, like(a, n)); }
  Value ror_by(Value a, unsigned n) { return n == 0 ? a : ror(a, like(a, n)); }
  Value equal(Value a, Value b) { return compare(Code::kEqual, a, b); }
  Value not_equal(Value a, Value b) { return compare(Code::kNotEqual, a, b); }
  Value less_unsigned(Value a, Value b) { return compare(Code::kLessUnsigned, a, b); }
  Value equals(Value a, uint64_t n) { return equal(a, like(a, n)); }
  Value differs(Value a, uint64_t n) { return not_equal(a, like(a, n)); }

  // To exactly `width` bits, whichever way that is.
  Value zero_extend(Value a, unsigned width) { return resize(Code::kZeroExtend, a, width); }
  Value sign_extend(Value a, unsigned width) { return resize(Code::kSignExtend, a, width); }
  Value truncate(Value a, unsigned width) { return resize(Code::kTruncate, a, width); }
  // Bits [low, low + width).
  Value extract(Value a, unsigned low, unsigned width) { return truncate(shr_by(a, low), width); }
  Value sign_bit(Value a) { return extract(a, bits(a) - 1U, 1); }
  Value like(Value a, uint64_t n) { return constant(bits(a), n); }

  Value load(unsigned bits, Order order, Value address) {
    return emit({.code = Code::kLoad, .bits = static_cast<uint8_t>(bits), .order = order, .a = address, .c = guard_});
  }
  void store(Order order, Value address, Value value, Value condition = 0) {
    const Value c = both(condition);
    emit({.code = Code::kStore, .bits = bits(value), .order = order, .a = address, .b = value, .c = c});
  }
  void leave(Code code, Value target, Value condition = 0) {
    const Value c = both(condition);
    emit({.code = code, .a = target, .c = c});
  }
  void trap(Trap kind, Value condition = 0) {
    const Value c = both(condition);
    emit({.code = Code::kTrap, .trap = kind, .c = c});
  }
  void opaque(const Effect& effect) {
    f_.effects.push_back(effect);
    emit({.code = Code::kOpaque, .a = static_cast<uint32_t>(f_.effects.size() - 1), .c = guard_});
  }

  void begin_block(uint64_t address) {
    f_.blocks.push_back({.address = address,
                         .first = static_cast<uint32_t>(f_.ops.size()),
                         .mark = static_cast<uint32_t>(f_.marks.size())});
  }
  void begin_instruction(uint64_t address) {
    f_.marks.push_back(
        {static_cast<uint32_t>(address - f_.blocks.back().address), static_cast<uint32_t>(f_.ops.size())});
  }
  void end_block(uint64_t next) {
    Block& block = f_.blocks.back();
    block.next = next;
    block.count = static_cast<uint32_t>(f_.ops.size()) - block.first;
    block.marks = static_cast<uint32_t>(f_.marks.size()) - block.mark;
  }

 private:
  Value emit(const Op& op) {
    if (through_ != nullptr) return take(*through_, op);
    f_.ops.push_back(op);
    return static_cast<Value>(f_.ops.size() - 1);
  }
  Value resize(Code code, Value a, unsigned width) {
    if (bits(a) == width) return a;
    return emit({.code = bits(a) > width ? Code::kTruncate : code, .bits = static_cast<uint8_t>(width), .a = a});
  }

  Function& f_;
  Rewriter* through_;
  Value guard_ = 0;
};

}  // namespace assay::code::ir
