// Operations as C expressions.
#pragma once
#include "code/ir.h"

namespace assay::code::pseudo {

struct Text {
  std::string text;
  bool atom = true;  // needs no parentheses as an operand
  const std::string str() const { return atom ? text : "(" + text + ")"; }
};

std::string number(uint64_t value, unsigned bits);
std::string type_of(unsigned bits, bool with_sign = false);
// Of an operation whose operands are written already; `from`: the width of its operands; `right`: where the second is a
// constant, that constant.
Text expression(const ir::Op& op, unsigned from, const std::array<Text, 3>& of, const ir::Op* right);
// The opposite of a comparison, if it is one.
ir::Code turned_round(ir::Code code, bool& swaps);

}  // namespace assay::code::pseudo
