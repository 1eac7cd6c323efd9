#include "code/pseudo/abi.h"

#include "core/text.h"

#include <algorithm>

namespace assay::code::pseudo {

namespace {

struct Names {
  Family family;
  bool wide;
  std::string_view arguments, result, second, saved;  // second: the rest of a result that needs two registers
};
constexpr Names kNames[] = {
    {Family::kMips, false, "a0 a1 a2 a3", "v0", "v1", "s0 s1 s2 s3 s4 s5 s6 s7 fp gp"},
    {Family::kMips, true, "a0 a1 a2 a3 a4 a5 a6 a7", "v0", "v1", "s0 s1 s2 s3 s4 s5 s6 s7 fp gp"},
    {Family::kArm, false, "r0 r1 r2 r3", "r0", "r1", "r4 r5 r6 r7 r8 r9 r10 r11"},
    {Family::kAArch64, true, "x0 x1 x2 x3 x4 x5 x6 x7", "x0", "x1", "x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29"},
    {Family::kX86, false, "", "eax", "edx", "ebx esi edi ebp"},
    {Family::kX86, true, "rdi rsi rdx rcx r8 r9", "rax", "rdx", "rbx rbp r12 r13 r14 r15"},
    {Family::kPpc, false, "r3 r4 r5 r6 r7 r8 r9 r10", "r3", "r4",
     "r14 r15 r16 r17 r18 r19 r20 r21 r22 r23 r24 r25 r26 r27 r28 r29 r30 r31"},
    {Family::kRiscv, false, "a0 a1 a2 a3 a4 a5 a6 a7", "a0", "a1", "s0 s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 gp tp"},
    {Family::kRiscv, true, "a0 a1 a2 a3 a4 a5 a6 a7", "a0", "a1", "s0 s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 gp tp"},
};

}  // namespace

bool Abi::is_argument(ir::RegisterId r) const { return std::ranges::find(arguments, r) != arguments.end(); }

Abi abi_of(Processor processor, const ir::RegisterFile& file) {
  Abi abi;
  abi.convention = ir::convention_of(processor, file);
  abi.stack = abi.convention.stack;
  abi.frame = abi.convention.frame;
  if (family_of(processor) == Family::kRiscv) abi.global = file.find("gp");
  ir::RegisterId second = ir::kNoRegister;
  for (const Names& n : kNames) {
    if (n.family != family_of(processor) || n.wide != is_64_bit(processor)) continue;
    for (const std::string_view name : split(n.arguments, ' '))
      if (const auto r = file.find(name); r != ir::kNoRegister) abi.arguments.push_back(r);
    abi.result = file.find(n.result);
    second = file.find(n.second);
    for (const std::string_view name : split(n.saved, ' '))
      if (const auto r = file.find(name); r != ir::kNoRegister) abi.saved.add(r);
  }
  if (abi.result == ir::kNoRegister) return abi;
  for (unsigned r = 0; r < file.registers.size(); ++r) {
    if (abi.saved.has(r) || r == abi.stack) continue;
    if (!abi.is_argument(static_cast<ir::RegisterId>(r))) abi.convention.lost_at_call.add(r);
    if (r != abi.result && r != second) abi.convention.lost_at_return.add(r);
  }
  return abi;
}

}  // namespace assay::code::pseudo
