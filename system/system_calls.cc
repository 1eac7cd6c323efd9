// System calls of programs that carry their C library in themselves: the number is loaded into a register and a trap
// instruction follows within a few instructions. A byte pattern, no data flow: a number computed or handed over in a
// variable (syscall(2) of libc, socketcall's second number) is not seen.
// Source of numbers: Linux arch/*/…/syscall*.tbl and include/uapi/asm-generic/unistd.h.
#include "system/elf_traits.h"

#include <algorithm>
#include <optional>

namespace assay::system {
namespace {

struct Call {
  std::string_view name;
  int mips, arm, generic, x86, x86_64, ppc;  // -1: the table has no such call. generic: AArch64, RISC-V
};
constexpr Call kCalls[] = {
    {"accept", 168, 285, 202, -1, 43, 330},
    {"accept4", 334, 366, 242, 364, 288, 344},
    {"bind", 169, 282, 200, 361, 49, 327},
    {"connect", 170, 283, 203, 362, 42, 328},
    {"dup2", 63, 63, -1, 63, 33, 63},
    {"dup3", 327, 358, 24, 330, 292, 316},
    {"execve", 11, 11, 221, 11, 59, 11},
    {"execveat", 356, 387, 281, 358, 322, 362},
    {"finit_module", 348, 379, 273, 350, 313, 353},
    {"init_module", 128, 128, 105, 128, 175, 128},
    {"listen", 174, 284, 201, 363, 50, 329},
    {"mount", 21, 21, 40, 21, 165, 21},
    {"open", 5, 5, -1, 5, 2, 5},
    {"openat", 288, 322, 56, 295, 257, 286},
    {"ptrace", 26, 26, 117, 26, 101, 26},
    {"reboot", 88, 88, 142, 88, 169, 88},
    {"recvfrom", 176, 292, 207, 371, 45, 337},
    {"recvmsg", 177, 297, 212, 372, 47, 342},
    {"setuid", 23, 213, 146, 213, 105, 23},
    {"setresuid", 185, 208, 147, 208, 117, 164},
    {"socket", 183, 281, 198, 359, 41, 326},
    {"write", 4, 4, 64, 4, 1, 4},
};
// MIPS n64 numbers follow x86-64's early order plus 5000, with exceptions: its own column.
constexpr struct {
  std::string_view name;
  int number;
} kMips64[] = {{"open", 2},           {"write", 1},         {"dup2", 32},    {"socket", 40},     {"connect", 41},
               {"accept", 42},        {"recvfrom", 44},     {"recvmsg", 46}, {"bind", 48},       {"listen", 49},
               {"execve", 57},        {"ptrace", 99},       {"setuid", 103}, {"setresuid", 115}, {"mount", 160},
               {"reboot", 164},       {"init_module", 168}, {"openat", 247}, {"dup3", 286},      {"accept4", 293},
               {"finit_module", 307}, {"execveat", 316}};

constexpr int kWindow = 8;  // instructions looked back from the trap

// The number that instruction `word` puts into the system call register, if it does.
using Load = std::optional<uint32_t> (*)(uint32_t word);

std::optional<uint32_t> load_mips(uint32_t w) {  // li v0,n: addiu or ori from zero
  if ((w >> 16) == 0x2402 || (w >> 16) == 0x3402) return w & 0xffff;
  return std::nullopt;
}
std::optional<uint32_t> load_arm(uint32_t w) {
  if ((w & 0xfffff000) == 0xe3a07000) return std::rotr(w & 0xff, static_cast<int>((w >> 8 & 15) * 2));  // mov r7,#n
  if ((w & 0xfff0f000) == 0xe3007000) return (w & 0xfff) | (w >> 4 & 0xf000);                           // movw r7,#n
  return std::nullopt;
}
std::optional<uint32_t> load_aarch64(uint32_t w) {  // mov w8,#n and mov x8,#n
  if ((w & 0x7fe0001f) == 0x52800008) return w >> 5 & 0xffff;
  return std::nullopt;
}
std::optional<uint32_t> load_ppc(uint32_t w) {  // li r0,n
  if ((w >> 16) == 0x3800) return w & 0xffff;
  return std::nullopt;
}
std::optional<uint32_t> load_riscv(uint32_t w) {  // li a7,n
  if ((w & 0xfffff) == 0x00893) return w >> 20;
  return std::nullopt;
}

struct Pattern {
  uint32_t trap, mask;
  Load load;
};

std::optional<Pattern> pattern_of(const elf::File& file) {
  switch (file.header.machine) {
    case 8:
      return Pattern{0x0000000c, 0xfc00003f, load_mips};
    case 20:
    case 21:
      return Pattern{0x44000002, 0xffffffff, load_ppc};
    case 40:
      return Pattern{0xef000000, 0xffffffff, load_arm};
    case 183:
      return Pattern{0xd4000001, 0xffffffff, load_aarch64};
    case 243:
      return Pattern{0x00000073, 0xffffffff, load_riscv};
    default:
      return std::nullopt;
  }
}

std::string_view name_of_call(const elf::File& file, uint32_t number) {
  const uint16_t machine = file.header.machine;
  if (machine == 8 && number >= 5000) {
    for (const auto& call : kMips64)
      if (call.number == static_cast<int>(number) - 5000) return call.name;
    return {};
  }
  if (machine == 8 && number < 4000) return {};
  const int wanted = static_cast<int>(machine == 8 ? number - 4000 : number);
  for (const Call& c : kCalls) {
    const int value = machine == 8                     ? c.mips
                      : machine == 40                  ? c.arm
                      : machine == 3                   ? c.x86
                      : machine == 62                  ? c.x86_64
                      : machine == 20 || machine == 21 ? c.ppc
                                                       : c.generic;
    if (value == wanted) return c.name;
  }
  return {};
}

using Names = std::vector<std::string_view>;

void keep(Names& names, std::string_view name) {
  if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
}

void scan_words(const elf::File& file, Bytes code, const Pattern& pattern, Names& names) {
  const auto word = [&](uint64_t at) { return code.get<uint32_t>(at, file.header.order, "code").value_or(0); };
  // Instructions of ARM and AArch64 are little-endian even in big-endian (BE8) files; those are not told apart here.
  for (uint64_t at = 0; at + 4 <= code.size(); at += 4) {
    if ((word(at) & pattern.mask) != pattern.trap) continue;
    for (uint64_t back = 4; back <= 4 * kWindow && back <= at; back += 4) {
      const uint32_t w = word(at - back);
      std::optional<uint32_t> number = pattern.load(w);
      if (!number && file.header.machine == 40 && (w & 0xfffff000) == 0xe59f7000)  // ldr r7,[pc,#n]: a literal
        number = word(at - back + 8 + (w & 0xfff));
      if (!number) continue;
      keep(names, name_of_call(file, *number));
      break;
    }
  }
}

void scan_thumb(const elf::File& file, Bytes code, Names& names) {
  for (uint64_t at = 2; at + 2 <= code.size(); at += 2)
    if (code[at] == 0x00 && code[at + 1] == 0xdf)  // svc 0
      for (uint64_t back = 2; back <= 2 * kWindow && back <= at; back += 2)
        if (code[at - back + 1] == 0x27) {  // movs r7,#n
          keep(names, name_of_call(file, code[at - back]));
          break;
        }
}

// mov eax,n within 32 bytes before `syscall` or `int 0x80`.
void scan_x86(const elf::File& file, Bytes code, Names& names) {
  const uint8_t first = file.header.machine == 62 ? 0x0f : 0xcd, second = file.header.machine == 62 ? 0x05 : 0x80;
  for (uint64_t at = 5; at + 2 <= code.size(); ++at) {
    if (code[at] != first || code[at + 1] != second) continue;
    for (uint64_t back = 5; back <= 32 && back <= at; ++back) {
      if (code[at - back] != 0xb8) continue;
      const uint32_t number = code.le<uint32_t>(at - back + 1, "number").value_or(~0u);
      if (number > 1000) continue;
      keep(names, name_of_call(file, number));
      break;
    }
  }
}

}  // namespace

std::vector<std::string_view> system_calls(const elf::File& file) {
  Names names;
  uint64_t left = file.bytes.size();  // overlapping segments are not walked more than once over
  for (const elf::Segment& segment : file.segments) {
    if (segment.type != elf::kLoad || !(segment.flags & elf::kExecute)) continue;
    const Bytes code = file.bytes.head(std::min(segment.file_size, left), segment.offset);
    left -= code.size();
    if (file.header.machine == 3 || file.header.machine == 62) scan_x86(file, code, names);
    if (file.header.machine == 40) scan_thumb(file, code, names);
    if (const auto pattern = pattern_of(file)) scan_words(file, code, *pattern, names);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace assay::system
