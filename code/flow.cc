// How each instruction set's opcodes move control. Names are LLVM 19's; meanings are those of the manuals: MIPS32
// Architecture vol. II, ARM DDI 0406, ARM DDI 0487, Intel SDM vol. 2, Power ISA 2.07 book I, RISC-V unprivileged ISA.
#include "code/flow.h"

#include "code/opcode_name.h"

namespace assay::code {
namespace {

// What LLVM's flags say; each instruction set corrects it.
OpcodeFlow by_flags(const OpcodeShape& s) {
  OpcodeFlow f;
  f.target = static_cast<int8_t>(s.relative);
  f.delay_slot = s.delay_slot;
  if (s.trap)
    f.flow = Flow::kTrap;
  else if (s.returns)
    f.flow = Flow::kReturn;
  else if (s.call)
    f.flow = s.relative >= 0 ? Flow::kCall : Flow::kIndirectCall;
  else if (s.branch)
    f.flow = s.relative >= 0 ? Flow::kJump : s.indirect ? Flow::kIndirectJump : Flow::kNone;
  f.conditional = s.branch && !s.barrier && !s.call && !s.indirect;
  return f;
}

OpcodeFlow mips(const OpcodeShape& s) {
  OpcodeFlow f = by_flags(s);
  const std::string_view n = s.name;
  const bool micro = n.ends_with("_MM") || n.ends_with("_MMR6") || n.ends_with("_MMR3");
  f.base = micro ? Base::kEnd : Base::kAddress;
  if (n.starts_with("JIALC")) {
    f.flow = Flow::kIndirectCall;
  } else if (n.starts_with("JIC")) {
    f.flow = Flow::kIndirectJump;
  } else if (n.starts_with("JALR")) {
    f.flow = Flow::kIndirectCall;
    f.special = s.operands == 2 ? Special::kMipsLinkRegister : Special::kNo;
  } else if (n.starts_with("JRADDIUSP") || n.starts_with("JRCADDIUSP") ||
             one_of(n, {"ERET", "DERET", "ERETNC", "ERET_MM", "DERET_MM"})) {
    f.flow = Flow::kReturn;
  } else if (n.starts_with("JR")) {
    f.flow = Flow::kIndirectJump;
    f.special = Special::kMipsJumpRegister;
  } else if (n.starts_with("JAL") || n == "J" || n == "J_MM") {
    f.flow = n.starts_with("JA") ? Flow::kCall : Flow::kJump;
    f.conditional = false;
    f.target = 0;
    f.base = micro && !n.starts_with("JALX") ? Base::kMicroRegion : Base::kMipsRegion;
    f.other_mode = n.starts_with("JALX");
  } else if (n.starts_with("BGEZAL") || n.starts_with("BLTZAL") || n.ends_with("ZALC") || n.ends_with("ZALC_MMR6")) {
    f.flow = Flow::kCall;
    f.conditional = true;
    if (n.starts_with("BGEZAL")) f.special = Special::kMipsLinkZero;
  } else if (n == "NAL") {
    f = OpcodeFlow{.delay_slot = true};
  } else if (one_of(n, {"BEQ", "BEQ64", "BEQ_MM", "BEQL"})) {
    f.special = Special::kMipsSameRegisters;
  } else if (n.starts_with("SYSCALL")) {
    f.flow = Flow::kSystemCall;
  } else if (n.starts_with("BREAK") || n.starts_with("SDBBP")) {
    f.flow = Flow::kTrap;
  }
  f.likely = f.delay_slot &&
             (one_of(n, {"BEQL", "BNEL", "BLEZL", "BGTZL", "BLTZL", "BGEZL", "BC1FL", "BC1TL", "BGEZALL", "BLTZALL"}));
  return f;
}

OpcodeFlow arm(const OpcodeShape& s, bool thumb) {
  OpcodeFlow f = by_flags(s);
  const std::string_view n = s.name;
  f.predicate = static_cast<int8_t>(s.predicate);
  f.base = thumb ? Base::kThumb : Base::kArm;
  if (n == "Bcc" || n == "t2B" || n == "tB") f.conditional = false;  // by its predicate
  if (n == "tBcc" || n == "t2Bcc") f.conditional = false;
  if (n == "BLXi" || n == "tBLXi") {
    f.other_mode = true;
    if (n == "tBLXi") f.base = Base::kThumbAligned;
  } else if (one_of(n, {"SVC", "tSVC"})) {
    f.flow = Flow::kSystemCall;
  } else if (one_of(n, {"HVC", "t2HVC", "SMC", "t2SMC"})) {
    f.flow = Flow::kNone;
  } else if (one_of(n, {"UDF", "tUDF", "t2UDF", "TRAP", "tTRAP", "TRAPNaCl", "BKPT", "tBKPT"})) {
    f.flow = Flow::kTrap;
  } else if (n.starts_with("RFE")) {
    f.flow = Flow::kReturn;
  } else if (n.starts_with("BX") || n.starts_with("tBX") || n.starts_with("t2BXJ")) {
    if (f.flow == Flow::kIndirectJump) f.special = Special::kArmBranchRegister, f.conditional = false;
  } else if (n.starts_with("LDM") || n.starts_with("t2LDM") || n == "tPOP") {
    f.special = Special::kArmMultiple;
  } else if (f.flow == Flow::kNone && s.defines && !n.starts_with("V") && !n.starts_with("MVE")) {
    f.special = Special::kArmWrites;
  }
  return f;
}

OpcodeFlow aarch64(const OpcodeShape& s) {
  OpcodeFlow f = by_flags(s);
  f.shift = 2;
  if (s.name == "Bcc") f.special = Special::kAArchCondition;
  if (s.name == "SVC") f.flow = Flow::kSystemCall;
  if (s.name.starts_with("RETA") && f.target >= 0) f.target = -1;
  return f;
}

OpcodeFlow x86(const OpcodeShape& s) {
  OpcodeFlow f = by_flags(s);
  const std::string_view n = s.name;
  f.base = Base::kEnd;
  if (n == "INT")
    f.special = Special::kX86Interrupt;
  else if (one_of(n, {"SYSCALL", "SYSENTER"}))
    f.flow = Flow::kSystemCall;
  else if (one_of(n, {"INT3", "HLT", "TRAP", "UD2B"}))
    f.flow = Flow::kTrap;
  else if (n.starts_with("XBEGIN"))
    f.conditional = true;
  return f;
}

OpcodeFlow ppc(const OpcodeShape& s) {
  OpcodeFlow f = by_flags(s);
  const std::string_view n = s.name;
  f.shift = 2;
  const bool generic = n.starts_with("gBC"), to_link = n.find("LR") != n.npos, to_count = n.find("CTR") != n.npos;
  if (!generic && f.flow == Flow::kNone) {
    if (n == "SC") f.flow = Flow::kSystemCall;
    if (one_of(n, {"TW", "TWI", "TD", "TDI"})) f.special = Special::kPpcTrap;
    if (one_of(n, {"RFI", "RFID", "RFCI", "RFDI", "RFMCI"})) f.flow = Flow::kReturn;
    if (!n.starts_with("B")) return f;
  }
  if (!generic && !s.branch && !s.call && !s.returns) return f;
  // The name tells: …L links, LR and CTR are where to, A is absolute; what remains has a target as its last operand.
  std::string_view stem = n;
  while (!stem.empty() && (stem.back() == '8' || stem.back() == 'm' || stem.back() == 'p' || stem.back() == 'n'))
    stem.remove_suffix(1);
  if (stem.ends_with("at")) stem.remove_suffix(2);
  const bool links =
      s.call || (generic && (stem.ends_with("LRL") || stem.ends_with("CTRL") || stem == "gBCL" || stem == "gBCLA"));
  if (to_link || to_count) {
    f.target = -1;
    f.flow = links ? Flow::kIndirectCall : to_link ? Flow::kReturn : Flow::kIndirectJump;
  } else {
    f.target = static_cast<int8_t>(s.operands) - 1;
    f.flow = links ? Flow::kCall : Flow::kJump;
    if (stem.ends_with("A")) f.base = Base::kAbsolute;
  }
  f.conditional = !one_of(n, {"B", "BA", "BL", "BL8", "BLA", "BLA8", "BLR", "BLR8", "BLRL", "BCTR", "BCTR8", "BCTRL",
                              "BCTRL8", "BCLalways"});
  if (generic) f.special = Special::kPpcBranch;
  return f;
}

OpcodeFlow riscv(const OpcodeShape& s) {
  OpcodeFlow f = by_flags(s);
  const std::string_view n = s.name;
  if (n == "JAL") {
    f.flow = Flow::kCall;
    f.target = 1;
    f.special = Special::kRiscvJal;
  } else if (n == "JALR") {
    f.flow = Flow::kIndirectCall;
    f.special = Special::kRiscvJalr;
  } else if (n == "C_JR") {
    f.flow = Flow::kIndirectJump;
    f.special = Special::kRiscvJumpRegister;
  } else if (n == "C_JALR") {
    f.flow = Flow::kIndirectCall;
  } else if (n == "ECALL") {
    f.flow = Flow::kSystemCall;
  } else if (one_of(n, {"EBREAK", "C_EBREAK", "UNIMP", "C_UNIMP"})) {
    f.flow = Flow::kTrap;
  }
  return f;
}

uint64_t narrow(Processor processor, uint64_t address) { return is_64_bit(processor) ? address : address & 0xffffffff; }

uint64_t target_of(const OpcodeFlow& f, Processor processor, const Insn& insn) {
  const auto offset = static_cast<uint64_t>(insn.imm(f.target)) << f.shift;
  switch (f.base) {
    case Base::kAddress:
      return narrow(processor, insn.address + offset);
    case Base::kEnd:
      return narrow(processor, insn.end() + offset);
    case Base::kArm:
      return narrow(processor, insn.address + 8 + offset);
    case Base::kThumb:
      return narrow(processor, insn.address + 4 + offset);
    case Base::kThumbAligned:
      return narrow(processor, ((insn.address + 4) & ~uint64_t{3}) + offset);
    case Base::kAbsolute:
      return narrow(processor, offset);
    case Base::kMipsRegion:
      return narrow(processor, ((insn.address + 4) & ~uint64_t{0xfffffff}) | offset);
    case Base::kMicroRegion:
      return narrow(processor, ((insn.address + 4) & ~uint64_t{0x7ffffff}) | offset);
  }
  return kNowhere;
}

// mov pc, lr and ldr pc, [sp], #4 return; other writes to pc are jumps, add pc, lr, r3 among them.
void settle_arm_write(const FlowRegisters& r, Insn& insn) {
  if (!insn.operand(0).is_register(r.pc)) return;
  const bool adds = insn.reg(2) != 0;
  const bool from_link = insn.operand(1).is_register(r.link) && !adds;
  bool pops = false;
  for (size_t i = 1; i < insn.operand_count; ++i) pops |= insn.operand(i).is_register(r.sp);
  insn.flow = from_link || pops ? Flow::kReturn : Flow::kIndirectJump;
}

// The list of registers comes last; it may hold pc.
void settle_arm_multiple(const FlowRegisters& r, Insn& insn) {
  for (size_t i = insn.operand_count; i-- > 1;)
    if (insn.operand(i).is_register(r.pc)) insn.flow = Flow::kReturn;
}

void settle_ppc_branch(Insn& insn) {
  const auto bo = insn.imm(0);
  insn.conditional = (bo & 20) != 20;  // Power ISA: 1z1zz branches always
}

void settle_riscv(const FlowRegisters& r, Special special, Insn& insn) {
  const auto links = [&](size_t i) {
    return insn.operand(i).is_register(r.link) || insn.operand(i).is_register(r.alternate_link);
  };
  if (special == Special::kRiscvJumpRegister) {
    if (links(0)) insn.flow = Flow::kReturn;
  } else if (insn.operand(0).is_register(r.zero)) {
    if (special == Special::kRiscvJal)
      insn.flow = Flow::kJump;
    else
      insn.flow = links(1) ? Flow::kReturn : Flow::kIndirectJump;
  }
}

void settle_special(Special special, const FlowRegisters& r, Insn& insn) {
  const auto zero = [&](size_t i) {
    return insn.operand(i).is_register(r.zero) || insn.operand(i).is_register(r.zero_wide);
  };
  const auto link = [&](size_t i) {
    return insn.operand(i).is_register(r.link) || insn.operand(i).is_register(r.link_wide);
  };
  switch (special) {
    case Special::kNo:
      return;
    case Special::kMipsSameRegisters:
      insn.conditional = insn.reg(0) != insn.reg(1);
      return;
    case Special::kMipsLinkZero:
      insn.conditional = !zero(0);
      return;
    case Special::kMipsJumpRegister:
      if (link(0)) insn.flow = Flow::kReturn;
      return;
    case Special::kMipsLinkRegister:
      if (zero(0)) insn.flow = link(1) ? Flow::kReturn : Flow::kIndirectJump;
      return;
    case Special::kArmWrites:
      return settle_arm_write(r, insn);
    case Special::kArmMultiple:
      return settle_arm_multiple(r, insn);
    case Special::kArmBranchRegister:
      if (link(0)) insn.flow = Flow::kReturn;
      return;
    case Special::kAArchCondition:
      insn.conditional = insn.imm(0) < kAlways;
      return;
    case Special::kX86Interrupt:
      insn.flow = insn.imm(0) == 0x80 ? Flow::kSystemCall : insn.imm(0) == 0x29 ? Flow::kTrap : Flow::kNone;
      return;
    case Special::kPpcTrap:
      if (insn.imm(0) == 31) insn.flow = Flow::kTrap;
      return;
    case Special::kPpcBranch:
      return settle_ppc_branch(insn);
    case Special::kRiscvJal:
    case Special::kRiscvJalr:
    case Special::kRiscvJumpRegister:
      return settle_riscv(r, special, insn);
  }
}

}  // namespace

OpcodeFlow flow_of(Processor processor, const OpcodeShape& shape) {
  switch (family_of(processor)) {
    case Family::kMips:
      return mips(shape);
    case Family::kArm:
      return arm(shape, is_thumb(processor));
    case Family::kAArch64:
      return aarch64(shape);
    case Family::kX86:
      return x86(shape);
    case Family::kPpc:
      return ppc(shape);
    case Family::kRiscv:
      return riscv(shape);
    case Family::kNone:
      break;
  }
  return {};
}

void settle(const OpcodeFlow& f, const FlowRegisters& registers, Processor processor, Insn& insn) {
  insn.flow = f.flow;
  insn.conditional = f.conditional;
  insn.delay_slot = f.delay_slot;
  insn.likely = f.likely;
  insn.other_mode = f.other_mode;
  if (f.target >= 0) insn.target = target_of(f, processor, insn);
  if (f.special != Special::kNo) settle_special(f.special, registers, insn);
  if (f.predicate >= 0 && f.predicate < insn.operand_count) {
    insn.condition = static_cast<uint8_t>(insn.imm(f.predicate));
    if (insn.condition != kAlways) insn.conditional = true;
  }
  // A call of what follows only asks where it is: bl .+4, bal .+8, call .+5. In another instruction set it is a call.
  if (insn.flow == Flow::kCall && !insn.other_mode && insn.target == insn.end() + (insn.delay_slot ? 4 : 0)) {
    insn.flow = Flow::kNone;
    insn.conditional = false;
    insn.links = true;
  }
}

}  // namespace assay::code
