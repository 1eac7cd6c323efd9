#include "lift/emulator_registers.h"

#include <fmt/format.h>

#include <tuple>

namespace assay::code::lift {

namespace {

struct Names {
  const ir::RegisterFile& file;
  Setup& out;

  void add(std::string_view name, int number, uint8_t low = 0) {
    const RegisterId id = file.find(name);
    ASSAY_CHECK(id != ir::kNoRegister);
    out.registers.push_back({id, number, low, file.registers[id].bits});
  }
};

void mips(Names n, bool big, bool wide) {
  n.out.arch = UC_ARCH_MIPS;
  n.out.mode = (wide ? UC_MODE_MIPS64 : UC_MODE_MIPS32) | (big ? UC_MODE_BIG_ENDIAN : UC_MODE_LITTLE_ENDIAN);
  // Version 2.0.1 counts the models of MIPS64 from that of MIPS32 on: the same CPU, with wide registers. qemu's
  // mips-defs.h: CPU_MIPS32R2, ASE_MIPS16, ASE_DSP and ASE_DSPR2; with ISA_MIPS3 to 5, ISA_MIPS64 and ISA_MIPS64R2.
  n.out.model = UC_CPU_MIPS32_74KF;
  if (wide)
    n.out.granted = {.instead_of = 0x19'0000'0063,
                     .instructions = 0x19'0000'01ff,
                     .status = UC_MIPS_REG_CP0_STATUS,
                     .counter = UC_MIPS_REG_PC};
  n.out.highest = 0x7fff'ffff;  // above it lies the kernel's part; MIPS64's 64-bit addresses are off (Status.UX)
  for (int i = 1; i < 32; ++i)
    n.out.registers.push_back({static_cast<RegisterId>(i), UC_MIPS_REG_0 + i, 0, n.file.registers[1].bits});
  n.add("hi", UC_MIPS_REG_HI);
  n.add("lo", UC_MIPS_REG_LO);
  // ctc1 $t0, $31: the condition flags are bits 23 and 25 to 31 of the floating-point status. Then lui $t9, 0x40 and
  // ll $t9, 0($t9): a reservation of an address that no test's pointer holds, so that no sc of its own succeeds.
  for (uint32_t word : {0x44c8f800U, 0x3c190040U, 0xc3390000U})
    for (unsigned i = 0; i < 4; ++i) n.out.before.code.push_back(static_cast<uint8_t>(word >> 8 * (big ? 3 - i : i)));
  for (int i = 0; i < 8; ++i)
    n.out.before.registers.push_back(
        {n.file.find(fmt::format("fcc{}", i)), UC_MIPS_REG_T0, static_cast<uint8_t>(i == 0 ? 23 : 24 + i), 1});
}

void aarch64(Names n) {
  n.out.arch = UC_ARCH_ARM64;
  n.out.mode = UC_MODE_ARM;
  n.out.model = UC_CPU_ARM64_MAX;  // has the atomics of ARMv8.1
  // movz x9, #0x40, lsl #16; ldxr x9, [x9]: the reservation that the tests take for none. A new emulator has one of
  // address 0, after clrex it has one of address -1.
  n.out.before.code = {0x09, 0x08, 0xa0, 0xd2, 0x29, 0x7d, 0x5f, 0xc8};
  for (int i = 0; i < 29; ++i) n.add(fmt::format("x{}", i), UC_ARM64_REG_X0 + i);
  n.add("x29", UC_ARM64_REG_X29);
  n.add("x30", UC_ARM64_REG_X30);
  n.add("sp", UC_ARM64_REG_SP);
  for (const auto& [name, bit] : {std::pair{"n", 31}, {"z", 30}, {"c", 29}, {"v", 28}})
    n.add(name, UC_ARM64_REG_NZCV, static_cast<uint8_t>(bit));
}

void arm(Names n, bool big, bool thumb) {
  n.out.arch = UC_ARCH_ARM;
  n.out.mode = (thumb ? UC_MODE_THUMB : UC_MODE_ARM) | (big ? UC_MODE_BIG_ENDIAN : UC_MODE_LITTLE_ENDIAN);
  n.out.model = UC_CPU_ARM_MAX;
  n.out.mode_bit = thumb ? 1 : 0;
  n.out.mode_register = UC_ARM_REG_CPSR;
  n.out.alignment = thumb ? 2 : 4;
  // mov r9, #0x400000; ldrex r9, [r9], as for AArch64.
  n.out.before.code = thumb ? std::vector<uint8_t>{0x4f, 0xf4, 0x80, 0x09, 0x59, 0xe8, 0x00, 0x9f}
                            : std::vector<uint8_t>{0x01, 0x95, 0xa0, 0xe3, 0x9f, 0x9f, 0x99, 0xe1};
  for (int i = 0; i < 13; ++i) n.add(fmt::format("r{}", i), UC_ARM_REG_R0 + i);
  n.add("sp", UC_ARM_REG_SP);
  n.add("lr", UC_ARM_REG_LR);
  for (const auto& [name, bit] : {std::pair{"n", 31}, {"z", 30}, {"c", 29}, {"v", 28}})
    n.add(name, UC_ARM_REG_CPSR, static_cast<uint8_t>(bit));
}

// r3 as XER, which the emulator gives nobody whole: mtxer r3 before, mfxer r3 after. And lis r9, 0x40; lwarx r9, 0, r9,
// as for MIPS.
void ppc(Names n) {
  n.out.arch = UC_ARCH_PPC;
  n.out.mode = UC_MODE_PPC32 | UC_MODE_BIG_ENDIAN;
  n.out.before.code = {0x7c, 0x61, 0x03, 0xa6, 0x3d, 0x20, 0x00, 0x40, 0x7d, 0x20, 0x48, 0x28};
  n.out.after.code = {0x7c, 0x61, 0x02, 0xa6};
  for (const auto& [name, low, bits] :
       {std::tuple{"so", 31, 1}, {"ov", 30, 1}, {"ca", 29, 1}, {"string_count", 0, 7}}) {
    const Shared part{n.file.find(name), UC_PPC_REG_3, static_cast<uint8_t>(low), static_cast<uint8_t>(bits)};
    n.out.before.registers.push_back(part);
    n.out.after.registers.push_back(part);
  }
  for (int i = 0; i < 32; ++i) n.add(fmt::format("r{}", i), UC_PPC_REG_0 + i);
  n.add("lr", UC_PPC_REG_LR);
  n.add("ctr", UC_PPC_REG_CTR);
  for (int i = 0; i < 8; ++i)
    for (const auto& [flag, bit] : {std::pair{"lt", 3}, {"gt", 2}, {"eq", 1}, {"so", 0}})
      n.add(fmt::format("cr{}{}", i, flag), UC_PPC_REG_CR0 + i, static_cast<uint8_t>(bit));
}

// In 32-bit mode segment bases lie in descriptors: there a test's are 0.
void x86(Names n, bool wide) {
  n.out.arch = UC_ARCH_X86;
  n.out.mode = wide ? UC_MODE_64 : UC_MODE_32;
  n.out.model = UC_CPU_X86_HASWELL;  // has lzcnt and tzcnt
  n.out.alignment = 1;
  n.out.padding = 0xcc;                        // int3
  if (wide) n.out.highest = 0x7fff'ffff'ffff;  // above it addresses are not canonical, or the kernel's
  constexpr int kWide[] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
                           UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI};
  constexpr int kNarrow[] = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX,
                             UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI};
  constexpr const char* kNames[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
  for (size_t i = 0; i < 8; ++i) n.add((wide ? "r" : "e") + std::string(kNames[i]), wide ? kWide[i] : kNarrow[i]);
  for (int i = 8; wide && i < 16; ++i) n.add(fmt::format("r{}", i), UC_X86_REG_R8 + i - 8);
  if (wide) n.add("fs_base", UC_X86_REG_FS_BASE);
  if (wide) n.add("gs_base", UC_X86_REG_GS_BASE);
  for (const auto& [flag, bit] :
       {std::pair{"cf", 0}, {"pf", 2}, {"af", 4}, {"zf", 6}, {"sf", 7}, {"df", 10}, {"of", 11}})
    n.add(flag, UC_X86_REG_EFLAGS, static_cast<uint8_t>(bit));
}

void riscv(Names n, bool wide) {
  n.out.arch = UC_ARCH_RISCV;
  n.out.mode = wide ? UC_MODE_RISCV64 : UC_MODE_RISCV32;
  n.out.alignment = 2;
  // lui t0, 0x400; lr.w t0, (t0), as for MIPS.
  n.out.before.code = {0xb7, 0x02, 0x40, 0x00, 0xaf, 0xa2, 0x02, 0x10};
  for (int i = 1; i < 32; ++i)
    n.out.registers.push_back({static_cast<RegisterId>(i), UC_RISCV_REG_X0 + i, 0, n.file.registers[1].bits});
}

}  // namespace

Setup setup_of(Processor processor, const Isa& isa) {
  Setup setup;
  const Names names{isa.file, setup};
  switch (family_of(processor)) {
    case Family::kMips:
      mips(names, instruction_order(processor) == Order::kBig, is_64_bit(processor));
      break;
    case Family::kArm:
      arm(names, instruction_order(processor) == Order::kBig, instruction_alignment(processor) == 2);
      break;
    case Family::kAArch64:
      aarch64(names);
      break;
    case Family::kPpc:
      ppc(names);
      break;
    case Family::kX86:
      x86(names, is_64_bit(processor));
      break;
    case Family::kRiscv:
      riscv(names, is_64_bit(processor));
      break;
    default:
      ASSAY_CHECK(false);
  }
  return setup;
}

}  // namespace assay::code::lift
