// RISC-V: what makes addresses. Source: The RISC-V Instruction Set Manual, volume I; Zba.
#include "code/recipe.h"

namespace assay::code {
namespace {

using enum Do;
using enum Twist;
constexpr Recipe kRiscv[] = {
    {"LUI", kPage, 0, -1, -1, 1, kHigh20},
    {"C_LUI", kPage, 0, -1, -1, 1, kHigh20},
    {"AUIPC", kPage, 0, -1, -1, 1, kHigh20FromPc},
    {"ADDI", kAdd, 0, 1, -1, 2},
    {"C_ADDI", kAdd, 0, 1, -1, 2},
    {"C_ADDI16SP", kAdd, 0, 1, -1, 2},
    {"C_ADDI4SPN", kAdd, 0, 1, -1, 2},
    {"ADDIW", kAdd, 0, 1, -1, 2, kPlain, 0, true, true},
    {"C_ADDIW", kAdd, 0, 1, -1, 2, kPlain, 0, true, true},
    {"C_LI", kSet, 0, -1, -1, 1},
    {"ADD", kAdd, 0, 1, 2},
    {"C_ADD", kAdd, 0, 1, 2},
    {"ADDW", kAdd, 0, 1, 2, -1, kPlain, 0, true, true},
    {"C_ADDW", kAdd, 0, 1, 2, -1, kPlain, 0, true, true},
    {"SUB", kSubtract, 0, 1, 2},
    {"C_SUB", kSubtract, 0, 1, 2},
    {"C_MV", kAdd, 0, 1},
    {"SH1ADD", kAdd, 0, 2, 1, -1, kPlain, 2},
    {"SH2ADD", kAdd, 0, 2, 1, -1, kPlain, 4},
    {"SH3ADD", kAdd, 0, 2, 1, -1, kPlain, 8},
    {"SLLI", kShiftLeft, 0, 1, -1, 2},
    {"C_SLLI", kShiftLeft, 0, 1, -1, 2},
    {"SRLI", kShiftRight, 0, 1, -1, 2},
    {"C_SRLI", kShiftRight, 0, 1, -1, 2},
    {"ANDI", kAnd, 0, 1, -1, 2},
    {"C_ANDI", kAnd, 0, 1, -1, 2},
    {"AND", kAnd, 0, 1, 2},
    {"C_AND", kAnd, 0, 1, 2},
    {"OR", kOr, 0, 1, 2},
    {"C_OR", kOr, 0, 1, 2},
    {"ORI", kOr, 0, 1, -1, 2},
    {"XOR", kExclusive, 0, 1, 2},
    {"LB", kLoad, 0, 1, -1, 2, kPlain, 1, true},
    {"LBU", kLoad, 0, 1, -1, 2, kPlain, 1},
    {"LH", kLoad, 0, 1, -1, 2, kPlain, 2, true},
    {"LHU", kLoad, 0, 1, -1, 2, kPlain, 2},
    {"LW", kLoad, 0, 1, -1, 2, kPlain, 4, true},
    {"C_LW", kLoad, 0, 1, -1, 2, kPlain, 4, true},
    {"C_LWSP", kLoad, 0, 1, -1, 2, kPlain, 4, true},
    {"LWU", kLoad, 0, 1, -1, 2, kPlain, 4},
    {"LD", kLoad, 0, 1, -1, 2, kPlain, 8},
    {"C_LD", kLoad, 0, 1, -1, 2, kPlain, 8},
    {"C_LDSP", kLoad, 0, 1, -1, 2, kPlain, 8},
    {"FLD", kTouch, 0, 1, -1, 2, kPlain, 8},
    {"FLW", kTouch, 0, 1, -1, 2, kPlain, 4},
    {"FSD", kTouch, 0, 1, -1, 2, kPlain, 8},
    {"FSW", kTouch, 0, 1, -1, 2, kPlain, 4},
    {"SB", kStore, 0, 1, -1, 2, kPlain, 1},
    {"SH", kStore, 0, 1, -1, 2, kPlain, 2},
    {"SW", kStore, 0, 1, -1, 2, kPlain, 4},
    {"C_SW", kStore, 0, 1, -1, 2, kPlain, 4},
    {"C_SWSP", kStore, 0, 1, -1, 2, kPlain, 4},
    {"SD", kStore, 0, 1, -1, 2, kPlain, 8},
    {"C_SD", kStore, 0, 1, -1, 2, kPlain, 8},
    {"C_SDSP", kStore, 0, 1, -1, 2, kPlain, 8},
    {"SLTIU", kLess, 0, 1, -1, 2},
    {"SLTI", kLess, 0, 1, -1, 2, kPlain, 0, true},
    {"SLTU", kLess, 0, 1, 2},
    {"SLT", kLess, 0, 1, 2, -1, kPlain, 0, true},
};

}  // namespace

std::span<const Recipe> riscv_recipes() { return kRiscv; }

}  // namespace assay::code
