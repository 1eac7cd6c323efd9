// PowerPC: what makes addresses. Source: Power ISA 2.07, book I.
#include "code/recipe.h"

namespace assay::code {
namespace {

using enum Do;
using enum Twist;
constexpr Recipe kPpcRecipes[] = {
    {"LI", kSet, 0, -1, -1, 1, kSigned16},
    {"LI8", kSet, 0, -1, -1, 1, kSigned16},
    {"LIS", kPage, 0, -1, -1, 1, kHigh16},
    {"LIS8", kPage, 0, -1, -1, 1, kHigh16},
    {"ADDI", kAdd, 0, 1, -1, 2, kSigned16},
    {"ADDI8", kAdd, 0, 1, -1, 2, kSigned16},
    {"ADDIC", kAdd, 0, 1, -1, 2, kSigned16},
    {"ADDIS", kAdd, 0, 1, -1, 2, kHigh16},
    {"ADDIS8", kAdd, 0, 1, -1, 2, kHigh16},
    {"ADD4", kAdd, 0, 1, 2},
    {"ADD8", kAdd, 0, 1, 2},
    {"SUBF", kSubtract, 0, 2, 1},
    {"SUBF8", kSubtract, 0, 2, 1},
    {"OR", kOr, 0, 1, 2},
    {"OR8", kOr, 0, 1, 2},
    {"ORI", kOr, 0, 1, -1, 2},
    {"ORI8", kOr, 0, 1, -1, 2},
    {"AND", kAnd, 0, 1, 2},
    {"ANDI_rec", kAnd, 0, 1, -1, 2},
    {"ANDI8_rec", kAnd, 0, 1, -1, 2},
    {"XOR", kExclusive, 0, 1, 2},
    {"RLWINM", kField, 0, 1, -1, 2, kRotateMask},
    {"RLWINM8", kField, 0, 1, -1, 2, kRotateMask},
    {"EXTSB", kNarrow, 0, 1, -1, -1, kPlain, 1, true},
    {"EXTSH", kNarrow, 0, 1, -1, -1, kPlain, 2, true},
    {"EXTSW", kNarrow, 0, 1, -1, -1, kPlain, 4, true},
    {"LWZ", kLoad, 0, 2, -1, 1, kSigned16, 4},
    {"LWZ8", kLoad, 0, 2, -1, 1, kSigned16, 4},
    {"LD", kLoad, 0, 2, -1, 1, kSigned16, 8},
    {"LWA", kLoad, 0, 2, -1, 1, kSigned16, 4, true},
    {"LBZ", kLoad, 0, 2, -1, 1, kSigned16, 1},
    {"LBZ8", kLoad, 0, 2, -1, 1, kSigned16, 1},
    {"LHZ", kLoad, 0, 2, -1, 1, kSigned16, 2},
    {"LHZ8", kLoad, 0, 2, -1, 1, kSigned16, 2},
    {"LHA", kLoad, 0, 2, -1, 1, kSigned16, 2, true},
    {"LWZX", kLoad, 0, 1, 2, -1, kPlain, 4},
    {"LDX", kLoad, 0, 1, 2, -1, kPlain, 8},
    {"LWAX", kLoad, 0, 1, 2, -1, kPlain, 4, true},
    {"LBZX", kLoad, 0, 1, 2, -1, kPlain, 1},
    {"LHZX", kLoad, 0, 1, 2, -1, kPlain, 2},
    {"LHAX", kLoad, 0, 1, 2, -1, kPlain, 2, true},
    {"LFD", kTouch, 0, 2, -1, 1, kSigned16, 8},
    {"LFS", kTouch, 0, 2, -1, 1, kSigned16, 4},
    {"STFD", kTouch, 0, 2, -1, 1, kSigned16, 8},
    {"STFS", kTouch, 0, 2, -1, 1, kSigned16, 4},
    {"STW", kStore, 0, 2, -1, 1, kSigned16, 4},
    {"STW8", kStore, 0, 2, -1, 1, kSigned16, 4},
    {"STD", kStore, 0, 2, -1, 1, kSigned16, 8},
    {"STB", kStore, 0, 2, -1, 1, kSigned16, 1},
    {"STH", kStore, 0, 2, -1, 1, kSigned16, 2},
    {"STWX", kTouch, 0, 1, 2, -1, kPlain, 4},
    {"STBX", kTouch, 0, 1, 2, -1, kPlain, 1},
    {"STHX", kTouch, 0, 1, 2, -1, kPlain, 2},
    {"CMPLWI", kCompare, -1, 1, -1, 2},
    {"CMPWI", kCompare, -1, 1, -1, 2, kSigned16},
    {"CMPLDI", kCompare, -1, 1, -1, 2},
    {"CMPDI", kCompare, -1, 1, -1, 2, kSigned16},
    {"CMPLW", kCompare, -1, 1, 2},
    {"CMPW", kCompare, -1, 1, 2},
    {"CMPLD", kCompare, -1, 1, 2},
    {"CMPD", kCompare, -1, 1, 2},
};

}  // namespace

std::span<const Recipe> ppc_recipes() { return kPpcRecipes; }

}  // namespace assay::code
