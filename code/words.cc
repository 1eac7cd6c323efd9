// How long an instruction is, where that shows in its first bytes: fixed widths; ARM DDI 0406C A6.1 (Thumb), RISC-V
// unprivileged ISA 1.5; Intel SDM vol. 2 chapter 2 and appendix A (x86). Whoever remembers compares with what the
// decoder found.
#include "code/words.h"

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

// What follows an x86 opcode. Opcodes that end in an address or a distance of four bytes recur too seldom to be kept.
struct Tail {
  bool known = false, modrm = false;
  uint8_t bytes = 0;     // of immediates
  bool operand = false;  // and one of the operand's size
  bool if_test = false;  // the immediates are there for the first two of the group alone
};
constexpr Tail kNone{true}, kModrm{true, true}, kByte{true, false, 1}, kWhole{true, false, 0, true};

constexpr Tail one_byte_tail(uint32_t op, bool wide) {
  if (op < 0x40) return (op & 7) < 4 ? kModrm : (op & 7) == 4 ? kByte : (op & 7) == 5 ? kWhole : Tail{};
  if (op < 0x60) return kNone;
  if (op == 0x63 || (op >= 0x84 && op <= 0x8f) || (op >= 0xd0 && op <= 0xd3) || (op >= 0xd8 && op <= 0xdf))
    return kModrm;
  if (op == 0xfe || op == 0xff) return kModrm;
  if (op == 0x69 || op == 0x81 || op == 0xc7) return {true, true, 0, true};
  if (op == 0x6b || op == 0x80 || op == 0x83 || op == 0xc0 || op == 0xc1 || op == 0xc6) return {true, true, 1};
  if (op == 0xf6) return {true, true, 1, false, true};
  if (op == 0xf7) return {true, true, 0, true, true};
  if (op == 0x68 || op == 0xa9 || (op >= 0xb8 && op <= 0xbf && !wide)) return kWhole;
  if (op == 0x6a || (op >= 0x70 && op <= 0x7f) || op == 0xa8 || (op >= 0xb0 && op <= 0xb7) || op == 0xeb) return kByte;
  if ((op >= 0x90 && op <= 0x99) || (op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf)) return kNone;
  if (op == 0xc3 || op == 0xc9 || op == 0xcc || op == 0xf4) return kNone;
  return {};
}

constexpr Tail two_byte_tail(uint32_t op) {
  if ((op >= 0x10 && op <= 0x17) || (op >= 0x1e && op <= 0x1f) || (op >= 0x28 && op <= 0x2f)) return kModrm;
  if ((op >= 0x40 && op <= 0x6f) || (op >= 0x74 && op <= 0x76) || (op >= 0x7e && op <= 0x7f)) return kModrm;
  if ((op >= 0x90 && op <= 0x9f) || op == 0xa3 || op == 0xab || op == 0xaf) return kModrm;
  if ((op >= 0xb0 && op <= 0xb7) || (op >= 0xbb && op <= 0xc1) || (op >= 0xd0 && op <= 0xfe)) return kModrm;
  if ((op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xba || (op >= 0xc4 && op <= 0xc6))
    return {true, true, 1};
  if (op == 0x05 || op == 0x0b || (op >= 0xc8 && op <= 0xcf)) return kNone;
  return {};
}

// Bytes of ModRM, SIB and displacement at `at`; 0: not known.
size_t address_size(std::span<const std::byte> code, size_t at, bool long_mode) {
  if (at >= code.size()) return 0;
  const auto modrm = std::to_integer<uint32_t>(code[at]);
  const uint32_t mod = modrm >> 6, rm = modrm & 7;
  if (mod == 3) return 1;
  if (mod == 0 && rm == 5) return long_mode ? 0 : 5;
  size_t size = 1 + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
  if (rm != 4) return size;
  if (at + 1 >= code.size()) return 0;
  const bool no_base = mod == 0 && (std::to_integer<uint32_t>(code[at + 1]) & 7) == 5;
  return size + 1 + (no_base ? 4 : 0);
}

uint32_t byte_at(std::span<const std::byte> code, size_t i) {
  return i < code.size() ? std::to_integer<uint32_t>(code[i]) : 0x100;
}

struct Prefixes {
  size_t size = 0;
  bool half = false, wide = false;
};
Prefixes prefixes_of(std::span<const std::byte> code, bool long_mode) {
  Prefixes p;
  for (; p.size < 4; ++p.size) {
    const uint32_t b = byte_at(code, p.size);
    p.half |= b == 0x66;
    if (b != 0x66 && b != 0xf2 && b != 0xf3) break;
  }
  if (long_mode && (byte_at(code, p.size) & 0xf0) == 0x40) p.wide = byte_at(code, p.size++) & 8;
  return p;
}

// 0: not known, or nothing that recurs.
size_t x86_size(std::span<const std::byte> code, bool long_mode) {
  const auto byte = [&](size_t i) { return byte_at(code, i); };
  const auto [prefixes, half, wide] = prefixes_of(code, long_mode);
  size_t at = prefixes;
  if (byte(at) > 0xff) return 0;
  const Tail tail = byte(at) == 0x0f ? two_byte_tail(byte(at + 1)) : one_byte_tail(byte(at), wide);
  if (!tail.known) return 0;
  at += byte(at) == 0x0f ? 2 : 1;
  const bool has_immediate = !tail.if_test || (byte(at) >> 3 & 7) < 2;
  if (tail.modrm) {
    const size_t size = address_size(code, at, long_mode);
    if (size == 0) return 0;
    at += size;
  }
  return !has_immediate ? at : at + tail.bytes + (tail.operand ? (half ? 2 : 4) : 0);
}

// Bytes before the distance that an instruction ends in: calls, jumps, and in 64-bit mode what counts from the program
// counter. 0: it is none of them.
size_t x86_before_distance(std::span<const std::byte> code, bool long_mode) {
  const uint32_t first = byte_at(code, 0);
  if (first == 0xe8 || first == 0xe9) return 1;
  if (first == 0x0f && (byte_at(code, 1) & 0xf0) == 0x80) return 2;
  if (!long_mode) return 0;
  const size_t at = prefixes_of(code, true).size;
  const bool two = byte_at(code, at) == 0x0f;
  const uint32_t opcode = byte_at(code, at + two), modrm = byte_at(code, at + two + 1);
  if (opcode > 0xff || (modrm & 0x1c7) != 5) return 0;
  const Tail tail = two ? two_byte_tail(opcode) : one_byte_tail(opcode, false);
  return tail.modrm && tail.bytes == 0 && !tail.operand ? at + two + 2 : 0;
}

}  // namespace

Distance distance_at(Processor processor, std::span<const std::byte> code) {
  const size_t before = x86_before_distance(code, processor == Processor::kX86_64);
  if (before == 0 || before + 4 > kSizeShift / 8) return {};
  const Word word = word_of(code, before + 4), mask = Word{0xffffffff} << 8 * before;
  return word == kNoWord ? Distance{} : Distance{word, mask};
}

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
      const size_t size = x86_size(code, processor == Processor::kX86_64);
      return size == 0 || size > kSizeShift / 8 ? kNoWord : word_of(code, size);
    }
    default:
      return word_of(code, 4);
  }
}

}  // namespace assay::code
