#include "code/relocation.h"

#include "code/bits.h"

#include <algorithm>

namespace assay::code {
namespace {

using enum Formula;
using enum Field;

constexpr RelocationRecipe k386Recipes[] = {
    {1, kAbsolute, kWord},  {2, kRelative, kWord},  {3, kOffset, kWord},    {4, kRelative, kWord},
    {9, kFromTable, kWord}, {10, kTable, kWord},    {20, kAbsolute, kHalf}, {21, kRelative, kHalf},
    {22, kAbsolute, kByte}, {23, kRelative, kByte}, {43, kOffset, kWord},
};
constexpr RelocationRecipe kAmd64Recipes[] = {
    {1, kAbsolute, kLong},  {2, kRelative, kWord},       {4, kRelative, kWord},       {9, kEntryRelative, kWord},
    {10, kAbsolute, kWord}, {11, kAbsolute, kWord},      {12, kAbsolute, kHalf},      {13, kRelative, kHalf},
    {14, kAbsolute, kByte}, {15, kRelative, kByte},      {24, kRelative, kLong},      {25, kFromTable, kLong},
    {26, kTable, kWord},    {41, kEntryRelative, kWord}, {42, kEntryRelative, kWord},
};
constexpr RelocationRecipe kMipsRelocations[] = {
    {1, kAbsolute, kHalf},
    {2, kAbsolute, kWord},
    {4, kAbsolute, kMips26},
    {5, kAbsolute, kMipsHigh},
    {6, kAbsolute, kMipsLow},
    {7, kFromPointer, kMipsLow},
    {9, kPointerOffset, kMipsLow},
    {10, kRelative, kMips16},
    {11, kPointerOffset, kMipsLow},
    {12, kFromPointer, kWord},
    {18, kAbsolute, kLong},
    {19, kPointerOffset, kMipsLow},
    {20, kPagePointer, kMipsLow},
    {37, kNothing, kWord},
    {248, kRelative, kWord},
    {21, kAbsolute, kMipsLow},
    {28, kAbsolute, kMipsHigher},
    {29, kAbsolute, kMipsHighest},
    // Three in one: GPREL16, SUB, then HI16 or LO16.
    {0x051807, kBackToPointer, kMipsHigh},
    {0x061807, kBackToPointer, kMipsLow},
    {0x120c, kFromPointer, kLong},  // GPREL32, 64
};
constexpr RelocationRecipe kArmRecipes[] = {
    {1, kRelative, kArm24},        {2, kAbsolute, kWord},         {3, kRelative, kWord},
    {10, kRelative, kThumb24},     {24, kFromTable, kWord},       {25, kTable, kWord},
    {26, kOffset, kWord},          {27, kRelative, kArm24},       {28, kRelative, kArm24},
    {29, kRelative, kArm24},       {30, kRelative, kThumb24},     {38, kAbsolute, kWord},
    {40, kNothing, kWord},         {42, kRelative, kArmPrel31},   {43, kAbsolute, kArmMov},
    {44, kAbsolute, kArmMovTop},   {45, kRelative, kArmMov},      {46, kRelative, kArmMovTop},
    {47, kAbsolute, kThumbMov},    {48, kAbsolute, kThumbMovTop}, {49, kRelative, kThumbMov},
    {50, kRelative, kThumbMovTop}, {96, kEntryRelative, kWord},
};
constexpr RelocationRecipe kA64Recipes[] = {
    {257, kAbsolute, kLong},           {258, kAbsolute, kWord},           {259, kAbsolute, kHalf},
    {260, kRelative, kLong},           {261, kRelative, kWord},           {262, kRelative, kHalf},
    {263, kAbsolute, kA64Mov},         {264, kAbsolute, kA64Mov},         {265, kAbsolute, kA64Mov, 16},
    {266, kAbsolute, kA64Mov, 16},     {267, kAbsolute, kA64Mov, 32},     {268, kAbsolute, kA64Mov, 32},
    {269, kAbsolute, kA64Mov, 48},     {273, kRelative, kA64Branch19, 2}, {274, kRelative, kA64Adr},
    {275, kPages, kA64Adr, 12},        {276, kPages, kA64Adr, 12},        {277, kAbsolute, kA64Imm12},
    {278, kAbsolute, kA64Imm12},       {279, kRelative, kA64Branch14, 2}, {280, kRelative, kA64Branch19, 2},
    {282, kRelative, kA64Branch26, 2}, {283, kRelative, kA64Branch26, 2}, {284, kAbsolute, kA64Imm12, 1},
    {285, kAbsolute, kA64Imm12, 2},    {286, kAbsolute, kA64Imm12, 3},    {299, kAbsolute, kA64Imm12, 4},
    {311, kEntryPages, kA64Adr, 12},   {312, kEntry, kA64Imm12, 3},
};
constexpr RelocationRecipe kPpcRelocations[] = {
    {1, kAbsolute, kWord},           {3, kAbsolute, kPpcLow},       {4, kAbsolute, kPpcLow},
    {5, kAbsolute, kPpcHigh},        {6, kAbsolute, kPpcHighRound}, {10, kRelative, kPpc24},
    {11, kRelative, kPpc14},         {12, kRelative, kPpc14},       {13, kRelative, kPpc14},
    {18, kRelative, kPpc24},         {23, kRelative, kPpc24},       {26, kRelative, kWord},
    {249, kRelative, kPpcLow},       {250, kRelative, kPpcLow},     {251, kRelative, kPpcHigh},
    {252, kRelative, kPpcHighRound},
};

constexpr RelocationRecipe kRiscvRecipes[] = {
    {1, kAbsolute, kWord},
    {2, kAbsolute, kLong},
    {16, kRelative, kRvBranch},
    {17, kRelative, kRvJal},
    {18, kRelative, kRvCall},
    {19, kRelative, kRvCall},
    {20, kEntryRelative, kRvHigh},
    {23, kRelative, kRvHigh},
    {24, kLowOfOther, kRvLow},
    {25, kLowOfOther, kRvLowStore},
    {26, kAbsolute, kRvHigh},
    {27, kAbsolute, kRvLow},
    {28, kAbsolute, kRvLowStore},
    {33, kAdd, kByte},
    {34, kAdd, kHalf},
    {35, kAdd, kWord},
    {36, kAdd, kLong},
    {37, kSubtract, kByte},
    {38, kSubtract, kHalf},
    {39, kSubtract, kWord},
    {40, kSubtract, kLong},
    {43, kNothing, kWord},
    {44, kRelative, kRvcBranch},
    {45, kRelative, kRvcJump},
    {51, kNothing, kWord},
    {54, kAbsolute, kByte},
    {55, kAbsolute, kHalf},
    {56, kAbsolute, kWord},
    {57, kRelative, kWord},
};

std::span<const RelocationRecipe> recipes_for(uint16_t machine) {
  switch (machine) {
    case 3:
      return k386Recipes;
    case 8:
      return kMipsRelocations;
    case 20:
      return kPpcRelocations;
    case 40:
      return kArmRecipes;
    case 62:
      return kAmd64Recipes;
    case 183:
      return kA64Recipes;
    case 243:
      return kRiscvRecipes;
    default:
      return {};
  }
}

uint64_t get_number(std::span<const std::byte> at, size_t size, Order order) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i)
    value = value << 8 | static_cast<uint8_t>(at[order == Order::kBig ? i : size - 1 - i]);
  return value;
}

void put_number(uint64_t value, std::span<std::byte> at, size_t size, Order order) {
  for (size_t i = 0; i < size; ++i)
    at[order == Order::kLittle ? i : size - 1 - i] = static_cast<std::byte>(value >> (8 * i));
}

// Thumb's pairs of halves, the first as the upper one.
uint32_t get_pair(std::span<const std::byte> at, Order order) {
  return static_cast<uint32_t>(get_number(at, 2, order) << 16 | get_number(at.subspan(2), 2, order));
}
void put_pair(uint32_t word, std::span<std::byte> at, Order order) {
  put_number(word >> 16, at, 2, order);
  put_number(word & 0xffff, at.subspan(2), 2, order);
}

// imm16 of movw and movt: imm4:imm12, and in Thumb imm4:i:imm3:imm8.
uint32_t arm_mov(uint32_t word) { return (word >> 4 & 0xf000) | (word & 0xfff); }
uint32_t with_arm_mov(uint32_t word, uint32_t imm) { return (word & 0xfff0f000) | (imm & 0xf000) << 4 | (imm & 0xfff); }
uint32_t thumb_mov(uint32_t word) {
  return (word >> 4 & 0xf000) | (word >> 15 & 0x800) | (word >> 4 & 0x700) | (word & 0xff);
}
uint32_t with_thumb_mov(uint32_t word, uint32_t imm) {
  return (word & 0xfbf08f00) | (imm & 0xf000) << 4 | (imm & 0x800) << 15 | (imm & 0x700) << 4 | (imm & 0xff);
}

// bl and b.w: S:I1:I2:imm10:imm11:0, where I1 = !(J1 ^ S).
int64_t thumb_branch(uint32_t word) {
  const uint32_t s = word >> 26 & 1, i1 = (word >> 13 & 1) ^ s ^ 1, i2 = (word >> 11 & 1) ^ s ^ 1;
  return sign_extend(s << 24 | i1 << 23 | i2 << 22 | (word >> 16 & 0x3ff) << 12 | (word & 0x7ff) << 1, 25);
}
uint32_t with_thumb_branch(uint32_t word, uint64_t value) {
  const auto v = static_cast<uint32_t>(value);
  const uint32_t s = v >> 24 & 1, j1 = (v >> 23 & 1) ^ s ^ 1, j2 = (v >> 22 & 1) ^ s ^ 1;
  return (word & 0xf800d000) | s << 26 | (v >> 12 & 0x3ff) << 16 | j1 << 13 | j2 << 11 | (v >> 1 & 0x7ff);
}

// Where a field is some bits of a 32-bit instruction: which, and how the value is brought there.
struct Bits {
  uint32_t from = 0, count = 0, right = 0;
};
std::optional<Bits> bits_of(Field field, uint8_t shift) {
  switch (field) {
    case kMips26:
      return Bits{0, 26, 2};
    case kMipsLow:
      return Bits{0, 16, 0};
    case kMips16:
      return Bits{0, 16, 2};
    case kArm24:
      return Bits{0, 24, 2};
    case kArmPrel31:
      return Bits{0, 31, 0};
    case kA64Branch26:
      return Bits{0, 26, shift};
    case kA64Branch19:
      return Bits{5, 19, shift};
    case kA64Branch14:
      return Bits{5, 14, shift};
    case kA64Mov:
      return Bits{5, 16, shift};
    case kPpc24:
      return Bits{2, 24, 2};
    case kPpc14:
      return Bits{2, 14, 2};
    default:
      return std::nullopt;
  }
}

uint64_t rounded(uint64_t value) { return (value + 0x8000) >> 16; }

// Which bit of a value stands in which bit of an instruction (RISC-V unprivileged ISA, chapters 2 and 16).
struct Run {
  uint8_t from, count, to;
};
constexpr Run kRvLowRuns[] = {{0, 12, 20}};
constexpr Run kRvLowStoreRuns[] = {{0, 5, 7}, {5, 7, 25}};
constexpr Run kRvBranchRuns[] = {{1, 4, 8}, {5, 6, 25}, {11, 1, 7}, {12, 1, 31}};
constexpr Run kRvJalRuns[] = {{1, 10, 21}, {11, 1, 20}, {12, 8, 12}, {20, 1, 31}};
constexpr Run kRvcBranchRuns[] = {{1, 2, 3}, {3, 2, 10}, {5, 1, 2}, {6, 2, 5}, {8, 1, 12}};
constexpr Run kRvcJumpRuns[] = {{1, 3, 3}, {4, 1, 11}, {5, 1, 2},  {6, 1, 7},
                                {7, 1, 6}, {8, 2, 9},  {10, 1, 8}, {11, 1, 12}};

std::span<const Run> runs_of(Field field) {
  switch (field) {
    case kRvLow:
      return kRvLowRuns;
    case kRvLowStore:
      return kRvLowStoreRuns;
    case kRvBranch:
      return kRvBranchRuns;
    case kRvJal:
      return kRvJalRuns;
    case kRvcBranch:
      return kRvcBranchRuns;
    case kRvcJump:
      return kRvcJumpRuns;
    default:
      return {};
  }
}

uint64_t with_runs(uint64_t word, uint64_t value, std::span<const Run> runs) {
  for (const Run& run : runs) {
    const uint64_t mask = (uint64_t{1} << run.count) - 1;
    word = (word & ~(mask << run.to)) | (value >> run.from & mask) << run.to;
  }
  return word;
}

}  // namespace

const RelocationRecipe* recipe_of(uint16_t machine, uint32_t type) {
  const auto recipes = recipes_for(machine);
  const auto at = std::ranges::find(recipes, type, &RelocationRecipe::type);
  return at == recipes.end() ? nullptr : &*at;
}

uint32_t size_of(Field field) {
  switch (field) {
    case kByte:
      return 1;
    case kHalf:
    case kPpcLow:
    case kPpcHigh:
    case kPpcHighRound:
    case kRvcBranch:
    case kRvcJump:
      return 2;
    case kLong:
    case kRvCall:
      return 8;
    default:
      return 4;
  }
}

int64_t addend_in(Field field, uint8_t shift, std::span<const std::byte> at, Order order) {
  const uint32_t size = size_of(field);
  if (field == kThumb24) return thumb_branch(get_pair(at, order));
  if (field == kThumbMov || field == kThumbMovTop) return sign_extend(thumb_mov(get_pair(at, order)), 16);
  const uint64_t word = get_number(at, size, order);
  if (const auto bits = bits_of(field, shift))
    return sign_extend(word >> bits->from & ((uint64_t{1} << bits->count) - 1), bits->count) *
           (int64_t{1} << bits->right);
  if (field == kMipsHigh) return static_cast<int64_t>(word & 0xffff);
  if (field == kArmMov || field == kArmMovTop) return sign_extend(arm_mov(static_cast<uint32_t>(word)), 16);
  return sign_extend(word, 8 * size);
}

void put(Field field, uint8_t shift, uint64_t value, std::span<std::byte> at, Order order) {
  const uint32_t size = size_of(field);
  if (field == kThumb24) return put_pair(with_thumb_branch(get_pair(at, order), value), at, order);
  if (field == kThumbMov || field == kThumbMovTop) {
    const auto half = static_cast<uint32_t>(field == kThumbMov ? value : value >> 16) & 0xffff;
    return put_pair(with_thumb_mov(get_pair(at, order), half), at, order);
  }
  if (field == kRvCall) {
    put(kRvHigh, 0, value, at, order);
    return put(kRvLow, 0, value, at.subspan(4), order);
  }
  uint64_t word = get_number(at, size, order);
  if (const auto bits = bits_of(field, shift)) {
    const uint64_t mask = ((uint64_t{1} << bits->count) - 1) << bits->from;
    word = (word & ~mask) | ((value >> bits->right) << bits->from & mask);
  } else if (const auto runs = runs_of(field); !runs.empty()) {
    word = with_runs(word, value, runs);
  } else if (field == kRvHigh) {
    word = (word & 0xfff) | ((value + 0x800) & 0xfffff000);
  } else if (field == kMipsHigh) {
    word = (word & ~uint64_t{0xffff}) | (rounded(value) & 0xffff);
  } else if (field == kMipsHigher) {
    word = (word & ~uint64_t{0xffff}) | ((value + 0x80008000) >> 32 & 0xffff);
  } else if (field == kMipsHighest) {
    word = (word & ~uint64_t{0xffff}) | ((value + 0x800080008000) >> 48 & 0xffff);
  } else if (field == kArmMov || field == kArmMovTop) {
    const auto half = static_cast<uint32_t>(field == kArmMov ? value : value >> 16) & 0xffff;
    word = with_arm_mov(static_cast<uint32_t>(word), half);
  } else if (field == kA64Adr) {
    const uint64_t imm = value >> shift;
    word = (word & ~uint64_t{0x60ffffe0}) | (imm & 3) << 29 | (imm >> 2 & 0x7ffff) << 5;
  } else if (field == kA64Imm12) {
    word = (word & ~uint64_t{0x3ffc00}) | ((value & 0xfff) >> shift) << 10;
  } else if (field == kPpcHigh) {
    word = value >> 16;
  } else if (field == kPpcHighRound) {
    word = rounded(value);
  } else {
    word = value;
  }
  put_number(word, at, size, order);
}

}  // namespace assay::code
