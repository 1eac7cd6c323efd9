// MIPS: what makes addresses. Source: MIPS32 and MIPS64 Architecture, volume II.
#include "code/recipe.h"

namespace assay::code {
namespace {

using enum Do;
using enum Twist;
constexpr Recipe kMipsRecipes[] = {
    {"LUi", kPage, 0, -1, -1, 1, kHigh16},
    {"LUi64", kPage, 0, -1, -1, 1, kHigh16},
    {"ADDiu", kAdd, 0, 1, -1, 2, kPlain, 0, true, true},
    {"ADDi", kAdd, 0, 1, -1, 2, kPlain, 0, true, true},
    {"DADDiu", kAdd, 0, 1, -1, 2},
    {"ADDu", kAdd, 0, 1, 2, -1, kPlain, 0, true, true},
    {"ADD", kAdd, 0, 1, 2, -1, kPlain, 0, true, true},
    {"DADDu", kAdd, 0, 1, 2},
    {"SUBu", kSubtract, 0, 1, 2, -1, kPlain, 0, true, true},
    {"DSUBu", kSubtract, 0, 1, 2},
    {"OR", kOr, 0, 1, 2},
    {"OR64", kOr, 0, 1, 2},
    {"ORi", kOr, 0, 1, -1, 2},
    {"ORi64", kOr, 0, 1, -1, 2},
    {"AND", kAnd, 0, 1, 2},
    {"ANDi", kAnd, 0, 1, -1, 2},
    {"ANDi64", kAnd, 0, 1, -1, 2},
    {"XOR", kExclusive, 0, 1, 2},
    {"SLL", kShiftLeft, 0, 1, -1, 2},
    {"DSLL", kShiftLeft, 0, 1, -1, 2},
    {"DSLL32", kShiftLeft, 0, 1, -1, 2, kPlus32},
    {"DSRL", kShiftRight, 0, 1, -1, 2},
    {"DSRL32", kShiftRight, 0, 1, -1, 2, kPlus32},
    {"SRL", kShiftRight, 0, 1, -1, 2},
    {"EXT", kField, 0, 1, -1, 2, Twist::kPositionWidth},
    {"DEXT", kField, 0, 1, -1, 2, Twist::kPositionWidth},
    {"SEB", kNarrow, 0, 1, -1, -1, kPlain, 1, true},
    {"SEH", kNarrow, 0, 1, -1, -1, kPlain, 2, true},
    {"LW", kLoad, 0, 1, -1, 2, kPlain, 4, true},
    {"LW64", kLoad, 0, 1, -1, 2, kPlain, 4, true},
    {"LWu", kLoad, 0, 1, -1, 2, kPlain, 4},
    {"LD", kLoad, 0, 1, -1, 2, kPlain, 8},
    {"LB", kLoad, 0, 1, -1, 2, kPlain, 1, true},
    {"LB64", kLoad, 0, 1, -1, 2, kPlain, 1, true},
    {"LBu", kLoad, 0, 1, -1, 2, kPlain, 1},
    {"LBu64", kLoad, 0, 1, -1, 2, kPlain, 1},
    {"LH", kLoad, 0, 1, -1, 2, kPlain, 2, true},
    {"LH64", kLoad, 0, 1, -1, 2, kPlain, 2, true},
    {"LHu", kLoad, 0, 1, -1, 2, kPlain, 2},
    {"LHu64", kLoad, 0, 1, -1, 2, kPlain, 2},
    {"LWX", kLoad, 0, 1, 2, -1, kPlain, 4, true},
    {"LBUX", kLoad, 0, 1, 2, -1, kPlain, 1},
    {"LWL", kTouch, 0, 1, -1, 2, kPlain, 4},
    {"LWR", kTouch, 0, 1, -1, 2, kPlain, 4},
    {"LDL", kTouch, 0, 1, -1, 2, kPlain, 8},
    {"LDR", kTouch, 0, 1, -1, 2, kPlain, 8},
    {"LWC1", kTouch, 0, 1, -1, 2, kPlain, 4},
    {"LDC1", kTouch, 0, 1, -1, 2, kPlain, 8},
    {"LDC164", kTouch, 0, 1, -1, 2, kPlain, 8},
    {"SWC1", kTouch, 0, 1, -1, 2, kPlain, 4},
    {"SDC1", kTouch, 0, 1, -1, 2, kPlain, 8},
    {"SDC164", kTouch, 0, 1, -1, 2, kPlain, 8},
    {"SB", kStore, 0, 1, -1, 2, kPlain, 1},
    {"SH", kStore, 0, 1, -1, 2, kPlain, 2},
    {"SW", kStore, 0, 1, -1, 2, kPlain, 4},
    {"SD", kStore, 0, 1, -1, 2, kPlain, 8},
    {"SB64", kStore, 0, 1, -1, 2, kPlain, 1},
    {"SH64", kStore, 0, 1, -1, 2, kPlain, 2},
    {"SW64", kStore, 0, 1, -1, 2, kPlain, 4},
    {"SLTiu", kLess, 0, 1, -1, 2},
    {"SLTiu64", kLess, 0, 1, -1, 2},
    {"SLTi", kLess, 0, 1, -1, 2, kPlain, 0, true},
    {"SLTi64", kLess, 0, 1, -1, 2, kPlain, 0, true},
    {"SLTu", kLess, 0, 1, 2},
    {"SLTu64", kLess, 0, 1, 2},
    {"SLT", kLess, 0, 1, 2, -1, kPlain, 0, true},
    {"SLT64", kLess, 0, 1, 2, -1, kPlain, 0, true},
};

}  // namespace

std::span<const Recipe> mips_recipes() { return kMipsRecipes; }

}  // namespace assay::code
