// How long an instruction is, where that shows in its first bytes: fixed widths; ARM DDI 0406C A6.1 (Thumb), RISC-V
// unprivileged ISA 1.5; Intel SDM vol. 2 chapter 2 and appendix A (x86). Whoever remembers compares with what the
// decoder found.
#include "code/words.h"

#include <array>
#include <bit>
#include <cstring>

namespace assay::code {
namespace {

Word word_of(std::span<const std::byte> code, size_t size) {
  if (code.size() < size) return kNoWord;
  const auto at = [&](size_t i) { return std::to_integer<Word>(code[i]) << 8 * i; };
  Word word = Word{size} << kSizeShift;
  if (size == 4) return word | at(0) | at(1) | at(2) | at(3);  // one load
  for (size_t i = 0; i < size; ++i) word |= at(i);
  return word;
}

size_t thumb_size(std::byte high) { return std::to_integer<uint32_t>(high) >= 0xe8 ? 4 : 2; }

size_t riscv_size(std::byte first) {
  const auto b = std::to_integer<uint32_t>(first);
  return (b & 3) != 3 ? 2 : (b & 0x1f) != 0x1f ? 4 : 0;
}

// What follows an x86 opcode. Opcodes that end in an address of four bytes recur too seldom to be kept.
struct Tail {
  bool known : 1 = false, modrm : 1 = false;
  bool operand : 1 = false;   // an immediate of the operand's size
  bool if_test : 1 = false;   // the immediates are there for the first two of the group alone
  bool distance : 1 = false;  // a distance of four bytes
  uint8_t bytes : 4 = 0;      // of other immediates
};
constexpr Tail kNone{.known = true}, kModrm{.known = true, .modrm = true}, kByte{.known = true, .bytes = 1},
    kWhole{.known = true, .operand = true}, kModrmByte{.known = true, .modrm = true, .bytes = 1},
    kModrmWhole{.known = true, .modrm = true, .operand = true}, kDistance{.known = true, .distance = true, .bytes = 4};

constexpr Tail one_byte_tail(uint32_t op, bool wide) {
  if (op < 0x40) return (op & 7) < 4 ? kModrm : (op & 7) == 4 ? kByte : (op & 7) == 5 ? kWhole : Tail{};
  if (op < 0x60) return kNone;
  if (op == 0x63 || (op >= 0x84 && op <= 0x8f) || (op >= 0xd0 && op <= 0xd3) || (op >= 0xd8 && op <= 0xdf))
    return kModrm;
  if (op == 0xfe || op == 0xff) return kModrm;
  if (op == 0x69 || op == 0x81 || op == 0xc7) return kModrmWhole;
  if (op == 0x6b || op == 0x80 || op == 0x83 || op == 0xc0 || op == 0xc1 || op == 0xc6) return kModrmByte;
  if (op == 0xf6) return {.known = true, .modrm = true, .if_test = true, .bytes = 1};
  if (op == 0xf7) return {.known = true, .modrm = true, .operand = true, .if_test = true};
  if (op == 0x68 || op == 0xa9 || (op >= 0xb8 && op <= 0xbf && !wide)) return kWhole;
  if (op == 0x6a || (op >= 0x70 && op <= 0x7f) || op == 0xa8 || (op >= 0xb0 && op <= 0xb7) || op == 0xeb) return kByte;
  if ((op >= 0x90 && op <= 0x99) || (op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf)) return kNone;
  if (op == 0xc3 || op == 0xc9 || op == 0xcc || op == 0xf4) return kNone;
  if (op == 0xe8 || op == 0xe9) return kDistance;
  return {};
}

constexpr Tail two_byte_tail(uint32_t op) {
  if ((op >= 0x10 && op <= 0x17) || (op >= 0x1e && op <= 0x1f) || (op >= 0x28 && op <= 0x2f)) return kModrm;
  if ((op >= 0x40 && op <= 0x6f) || (op >= 0x74 && op <= 0x76) || (op >= 0x7e && op <= 0x7f)) return kModrm;
  if ((op >= 0x90 && op <= 0x9f) || op == 0xa3 || op == 0xab || op == 0xaf) return kModrm;
  if ((op >= 0xb0 && op <= 0xb7) || (op >= 0xbb && op <= 0xc1) || (op >= 0xd0 && op <= 0xfe)) return kModrm;
  if ((op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xba || (op >= 0xc4 && op <= 0xc6))
    return kModrmByte;
  if (op == 0x05 || op == 0x0b || (op >= 0xc8 && op <= 0xcf)) return kNone;
  if (op >= 0x80 && op <= 0x8f) return kDistance;
  return {};
}

// One byte, one byte behind a REX prefix with W, two bytes.
using Tails = std::array<std::array<Tail, 256>, 3>;
constexpr Tails kTails = [] {
  Tails out;
  for (uint32_t op = 0; op < 256; ++op)
    out[0][op] = one_byte_tail(op, false), out[1][op] = one_byte_tail(op, true), out[2][op] = two_byte_tail(op);
  return out;
}();

// Bytes of SIB and displacement behind a ModRM byte.
struct Address {
  uint8_t sib, displacement;
};
constexpr Address address_behind(uint32_t modrm, uint32_t sib) {
  const uint32_t mod = modrm >> 6, rm = modrm & 7;
  if (mod == 3) return {0, 0};
  const bool has_sib = rm == 4, no_base = mod == 0 && (has_sib ? sib & 7 : rm) == 5;
  return {has_sib, static_cast<uint8_t>(mod == 1 ? 1 : mod == 2 || no_base ? 4 : 0)};
}

// What is too short is taken to end in zeros and found to be too short. With so many prefixes at most, REX aside, a SIB
// byte is among the first eight.
constexpr size_t kMostPrefixes = 3;
Shape x86_shape(std::span<const std::byte> code, bool long_mode) {
  uint64_t bytes = 0;
  if (code.size() >= sizeof bytes)
    std::memcpy(&bytes, code.data(), sizeof bytes);
  else
    std::memcpy(&bytes, code.data(), code.size());
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(bytes >> 8 * i & 0xff); };
  size_t at = 0;
  bool half = false, wide = false;
  for (; at < kMostPrefixes; ++at) {
    const uint32_t b = byte(at);
    half |= b == 0x66;
    if (b != 0x66 && b != 0xf2 && b != 0xf3) break;
  }
  if (long_mode && (byte(at) & 0xf0) == 0x40) wide = byte(at++) & 8;
  const bool two = byte(at) == 0x0f;
  if (two) ++at;
  const Tail tail = kTails[two ? 2 : wide ? 1 : 0][byte(at++)];
  if (!tail.known) return {};
  size_t immediate = tail.bytes + (tail.operand ? (half ? 2 : 4) : 0), number = immediate, behind = 0;
  bool distance = tail.distance;
  if (tail.modrm) {
    const uint32_t modrm = byte(at);
    if (tail.if_test && (modrm >> 3 & 7) >= 2) immediate = number = 0;
    const Address a = address_behind(modrm, byte(at + 1));
    at += 1 + a.sib + a.displacement;
    if (immediate == 0) number = a.displacement;
    if (long_mode && (modrm & 0xc7) == 5) {
      if (immediate > 1) return {};
      distance = true, number = 4, behind = immediate;
    }
  }
  const size_t size = at + immediate;
  if (size > code.size()) return {};
  const Word head = Word{size} << kSizeShift;
  const auto first = [&](size_t count) { return bytes & ((Word{1} << 8 * count) - 1); };
  if (size > kLongestWord) {
    if (number != 4 || size - 4 > kLongestWord || behind != 0) return {};
    uint32_t last = 0;
    std::memcpy(&last, code.data() + size - 4, sizeof last);
    return {kNoWord, head | first(size - 4), 0xffffffff, last, 32, distance};
  }
  const Word word = head | first(size);
  if (number == 0) return {word};
  const size_t place = 8 * (size - behind - number);
  const Word mask = ((Word{1} << 8 * number) - 1) << place;
  return {word, word & ~mask, mask, (bytes & mask) >> place, static_cast<uint8_t>(8 * number), distance};
}

// Where immediates, displacements and distances stand that only add to what an instruction comes to: not those whose
// bits tell instructions apart, nor rotated ones. MIPS32 Architecture, volume II: of jumps (J) and of instructions with
// an immediate (I).
uint32_t number_of_mips(uint32_t bits) {
  const uint32_t opcode = bits >> 26;
  if (opcode == 2 || opcode == 3) return 0x3ffffff;
  const bool branches = (opcode >= 4 && opcode <= 7) || (opcode >= 20 && opcode <= 23);
  const bool computes = (opcode >= 9 && opcode <= 15) || opcode == 25;
  const bool moves = (opcode >= 32 && opcode <= 43) || opcode == 49 || opcode == 53 || opcode == 55 || opcode == 57 ||
                     opcode == 61 || opcode == 63;
  return branches || computes || moves ? 0xffff : 0;
}

// ARM DDI 0487, C4.1.
struct Group {
  uint32_t mask, value, number;
};
constexpr Group kGroupsOfAArch64[] = {
    {0x7c000000, 0x14000000, 0x03ffffff},  // b, bl
    {0x3b000000, 0x39000000, 0x003ffc00},  // ldr, str: an offset that is not negative
    {0x3a000000, 0x28000000, 0x003f8000},  // ldp, stp
    {0x1f800000, 0x11000000, 0x003ffc00},  // add, sub
    {0x1f000000, 0x10000000, 0x00ffffe0},  // adr, adrp: all but the lowest two
    {0x7e000000, 0x34000000, 0x00ffffe0},  // cbz, cbnz
    {0xff000010, 0x54000000, 0x00ffffe0},  // b.cond
    {0x1f800000, 0x12800000, 0x001fffe0},  // mov of a wide immediate
    {0x7e000000, 0x36000000, 0x0007ffe0},  // tbz, tbnz
    {0x3b200000, 0x38000000, 0x001ff000},  // ldur, stur and those that change their base
    {0x3b000000, 0x18000000, 0x00ffffe0},  // ldr of a literal
};
// By the highest byte, which no two groups share.
constexpr auto kAArch64Groups = [] {
  std::array<uint8_t, 256> out{};
  for (uint32_t high = 0; high < 256; ++high)
    for (uint8_t i = 0; i < std::size(kGroupsOfAArch64); ++i)
      if (((high << 24 ^ kGroupsOfAArch64[i].value) & kGroupsOfAArch64[i].mask & 0xff000000) == 0) out[high] = i;
  return out;
}();
uint32_t number_of_aarch64(uint32_t bits) {
  const Group& g = kGroupsOfAArch64[kAArch64Groups[bits >> 24]];
  return (bits & g.mask) == g.value ? g.number : 0;
}

// ARM DDI 0406C, A5.
uint32_t number_of_arm(uint32_t bits) {
  if (bits >> 28 == 15) return 0;
  switch (bits >> 25 & 7) {
    case 1:                                                 // an immediate
      if ((bits & 0x01b00000) == 0x01000000) return 0xfff;  // movw, movt: but for the highest four
      return (bits & 0x01b00000) != 0x01200000 && (bits & 0xf00) == 0 ? 0xff : 0;
    case 2:  // ldr, str
      return 0xfff;
    case 5:  // b, bl
      return 0x00ffffff;
    case 6:  // vldr, vstr
      return (bits & 0x01200e00) == 0x01000a00 ? 0xff : 0;
    default:
      return 0;
  }
}

// Power ISA 2.07, book I, 1.6: I-, B-, D- and DS-forms.
uint32_t number_of_ppc(uint32_t bits) {
  const uint32_t opcode = bits >> 26;
  if (opcode == 18) return 0x03fffffc;
  if (opcode == 16 || opcode == 58 || opcode == 62) return 0xfffc;
  const bool computes = opcode == 7 || opcode == 8 || (opcode >= 10 && opcode <= 15) || (opcode >= 24 && opcode <= 29);
  return computes || (opcode >= 32 && opcode <= 55) ? 0xffff : 0;
}

// RISC-V unprivileged ISA, 2.2 and 2.3. Of words of four bytes.
uint32_t number_of_riscv(uint32_t bits) {
  const uint32_t function = bits >> 12 & 7;
  switch (bits & 0x7f) {
    case 0x13:  // of x0: hints, which their number tells apart
      if ((bits >> 7 & 31) == 0) return 0;
      [[fallthrough]];
    case 0x1b:
      return (function & 3) == 1 ? 0 : 0xfff00000;  // not shifts
    case 0x03:
    case 0x67:
      return 0xfff00000;  // I
    case 0x07:
      return function >= 1 && function <= 4 ? 0xfff00000 : 0;  // not of vectors
    case 0x17:
    case 0x37:
    case 0x6f:
      return 0xfffff000;  // U and J
    case 0x27:
      return function >= 1 && function <= 4 ? 0xfe000f80 : 0;
    case 0x23:
    case 0x63:
      return 0xfe000f80;  // S and B
    default:
      return 0;
  }
}

// Those that are not one run of bits.
uint32_t scattered_of_riscv(uint32_t bits) {
  const auto part = [&](int from, int count, int to) { return (bits >> from & ((1u << count) - 1)) << to; };
  switch (bits & 0x7f) {
    case 0x6f:
      return part(21, 10, 0) | part(20, 1, 10) | part(12, 8, 11) | part(31, 1, 19);
    case 0x63:
      return part(8, 4, 0) | part(25, 6, 4) | part(7, 1, 10) | part(31, 1, 11);
    default:
      return part(7, 5, 0) | part(25, 7, 5);
  }
}

template <uint32_t (*number_of)(uint32_t)>
Shape shape_of(std::span<const std::byte> code, bool big) {
  const Word word = word_of(code, 4);
  const uint32_t bits = static_cast<uint32_t>(bits_in(word, big)), mask = word == kNoWord ? 0 : number_of(bits);
  if (mask == 0) return {word};
  const int place = std::countr_zero(mask);
  const Word key = word & ~Word{big ? __builtin_bswap32(mask) : mask};
  return {word, key, mask, (bits & mask) >> place, static_cast<uint8_t>(std::bit_width(mask) - place)};
}

Shape riscv_shape(std::span<const std::byte> code) {
  const size_t size = riscv_size(code[0]);
  if (size != 4) return {size == 0 ? kNoWord : word_of(code, size)};
  Shape shape = shape_of<number_of_riscv>(code, false);
  const auto bits = static_cast<uint32_t>(shape.word);
  const uint32_t opcode = bits & 0x7f;
  if (shape.mask == 0xfe000f80 || (shape.mask == 0xfffff000 && opcode == 0x6f))
    shape.number = scattered_of_riscv(bits), shape.width = static_cast<uint8_t>(std::popcount(shape.mask));
  return shape;
}

}  // namespace

Word word_at(Processor processor, std::span<const std::byte> code) {
  if (code.empty()) return kNoWord;
  switch (processor) {
    case Processor::kThumb:
      return code.size() < 2 ? kNoWord : word_of(code, thumb_size(code[1]));
    case Processor::kThumbBe:
      return word_of(code, thumb_size(code[0]));
    case Processor::kRiscv32:
    case Processor::kRiscv64: {
      const size_t size = riscv_size(code[0]);
      return size == 0 ? kNoWord : word_of(code, size);
    }
    case Processor::kUnknown:
    case Processor::kMicroMipsBe:
    case Processor::kMicroMipsLe:
      return kNoWord;
    case Processor::kX86:
    case Processor::kX86_64: {
      const Shape shape = x86_shape(code, processor == Processor::kX86_64);
      return shape.distance ? kNoWord : shape.word;
    }
    default:
      return word_of(code, 4);
  }
}

Shape shape_at(Processor processor, std::span<const std::byte> code) {
  if (code.empty()) return {};
  switch (processor) {
    case Processor::kX86:
    case Processor::kX86_64:
      return x86_shape(code, processor == Processor::kX86_64);
    case Processor::kAArch64:
      return shape_of<number_of_aarch64>(code, false);
    case Processor::kRiscv32:
    case Processor::kRiscv64:
      return riscv_shape(code);
    case Processor::kMips32Be:
    case Processor::kMips64Be:
      return shape_of<number_of_mips>(code, true);
    case Processor::kMips32Le:
    case Processor::kMips64Le:
      return shape_of<number_of_mips>(code, false);
    case Processor::kArm:
    case Processor::kArmBe:
      return shape_of<number_of_arm>(code, processor == Processor::kArmBe);
    case Processor::kPpc32:
    case Processor::kPpc64Be:
      return shape_of<number_of_ppc>(code, true);
    case Processor::kPpc64Le:
      return shape_of<number_of_ppc>(code, false);
    default:
      return {word_at(processor, code)};
  }
}

}  // namespace assay::code
