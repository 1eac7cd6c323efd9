#include "code/simplify/evaluate.h"

#include <bit>

namespace assay::code::ir {

namespace {

using Wide = unsigned __int128;
using SignedWide = __int128;

uint64_t reversed(uint64_t a, unsigned bits, unsigned group) {
  uint64_t out = 0;
  for (unsigned at = 0; at < bits; at += group) out = out << group | (a >> at & mask(group));
  return out;
}

uint64_t fold_one(Code code, unsigned bits, unsigned from, uint64_t a) {
  switch (code) {
    case Code::kNot:
      return ~a;
    case Code::kNegate:
      return ~a + 1;
    case Code::kSignExtend:
      return static_cast<uint64_t>(sign_extend(a, from));
    case Code::kReverseBytes:
      return reversed(a, bits, 8);
    case Code::kReverseBits:
      return reversed(a, bits, 1);
    case Code::kLeadingZeros:
      return bits - static_cast<unsigned>(std::bit_width(a));
    case Code::kTrailingZeros:
      return a == 0 ? bits : static_cast<unsigned>(std::countr_zero(a));
    case Code::kCountOnes:
      return static_cast<unsigned>(std::popcount(a));
    default:
      return a;
  }
}

uint64_t fold_division(Code code, unsigned bits, uint64_t a, uint64_t b) {
  const bool quotient = code == Code::kDivideUnsigned || code == Code::kDivideSigned;
  if (b == 0) return quotient ? 0 : a;
  if (code == Code::kDivideUnsigned) return a / b;
  if (code == Code::kRemainderUnsigned) return a % b;
  const int64_t x = sign_extend(a, bits), y = sign_extend(b, bits);
  if (y == -1) return quotient ? ~a + 1 : 0;
  return static_cast<uint64_t>(quotient ? x / y : x % y);
}

uint64_t fold_shift(Code code, unsigned bits, uint64_t a, uint64_t n) {
  switch (code) {
    case Code::kShiftLeft:
      return n < bits ? a << n : 0;
    case Code::kShiftRight:
      return n < bits ? a >> n : 0;
    case Code::kShiftRightSigned:
      return static_cast<uint64_t>(sign_extend(a, bits) >> std::min<uint64_t>(n, bits - 1));
    default:
      return n % bits == 0 ? a : a >> n % bits | a << (bits - n % bits);
  }
}

uint64_t fold_comparison(Code code, unsigned from, uint64_t a, uint64_t b) {
  const uint64_t top = uint64_t{1} << (from - 1);  // turned over, signed order is unsigned order
  switch (code) {
    case Code::kEqual:
      return a == b;
    case Code::kNotEqual:
      return a != b;
    case Code::kLessUnsigned:
      return a < b;
    case Code::kLessEqualUnsigned:
      return a <= b;
    case Code::kLessSigned:
      return (a ^ top) < (b ^ top);
    default:
      return (a ^ top) <= (b ^ top);
  }
}

uint64_t fold_two(Code code, unsigned bits, unsigned from, uint64_t a, uint64_t b) {
  switch (code) {
    case Code::kAdd:
      return a + b;
    case Code::kSubtract:
      return a - b;
    case Code::kMultiply:
      return a * b;
    case Code::kMultiplyHighUnsigned:
      return static_cast<uint64_t>(static_cast<Wide>(a) * b >> bits);
    case Code::kMultiplyHighSigned:
      return static_cast<uint64_t>(static_cast<SignedWide>(sign_extend(a, bits)) * sign_extend(b, bits) >> bits);
    case Code::kAnd:
      return a & b;
    case Code::kOr:
      return a | b;
    case Code::kXor:
      return a ^ b;
    case Code::kDivideUnsigned:
    case Code::kDivideSigned:
    case Code::kRemainderUnsigned:
    case Code::kRemainderSigned:
      return fold_division(code, bits, a, b);
    default:
      return shape(code).compares ? fold_comparison(code, from, a, b) : fold_shift(code, bits, a, b);
  }
}

// The dividend has twice the width; quotient and remainder are of magnitudes, signs are put back afterwards.
uint64_t fold_long(Code code, unsigned bits, uint64_t high, uint64_t low, uint64_t by) {
  if (by == 0) return 0;
  const bool is_signed = code == Code::kDivideLongSigned || code == Code::kRemainderLongSigned;
  const bool quotient = code == Code::kDivideLongUnsigned || code == Code::kDivideLongSigned;
  const bool negative = is_signed && (high >> (bits - 1) & 1) != 0, minus = is_signed && (by >> (bits - 1) & 1) != 0;
  Wide dividend = static_cast<Wide>(high) << bits | low;
  if (negative) dividend = ~dividend + 1;
  if (bits < 64) dividend &= (Wide{1} << 2 * bits) - 1;
  const uint64_t divisor = minus ? (~by + 1) & mask(bits) : by;
  const auto out = static_cast<uint64_t>(quotient ? dividend / divisor : dividend % divisor);
  const bool flip = quotient ? negative != minus : negative;
  return flip ? ~out + 1 : out;
}

}  // namespace

uint64_t fold(Code code, unsigned bits, unsigned from, uint64_t a, uint64_t b, uint64_t c) {
  switch (shape(code).values) {
    case 1:
      return fold_one(code, bits, from, a) & mask(bits);
    case 2:
      return fold_two(code, bits, from, a, b) & mask(bits);
    default:
      return code == Code::kSelect ? (a != 0 ? b : c) : fold_long(code, bits, a, b, c) & mask(bits);
  }
}

}  // namespace assay::code::ir
