// Opcodes and registers of each processor out of LLVM's tables.
// Sources: llvm/MC/*.h of LLVM 19; what each instruction set calls its processors and features, llvm-mc -mattr=help.
#include "code/mc.h"

#include <algorithm>
#include <mutex>

// What llvm/Support/TargetSelect.h declares for the targets of one's own build.
#define ASSAY_TARGET(name)                            \
  extern "C" void LLVMInitialize##name##TargetInfo(); \
  extern "C" void LLVMInitialize##name##TargetMC();   \
  extern "C" void LLVMInitialize##name##Disassembler();
ASSAY_TARGET(Mips)
ASSAY_TARGET(ARM)
ASSAY_TARGET(AArch64)
ASSAY_TARGET(X86)
ASSAY_TARGET(PowerPC)
ASSAY_TARGET(RISCV)
#undef ASSAY_TARGET

namespace assay::code {
namespace {

struct Setup {
  const char *triple, *cpu, *features;
  // Instructions that exclude some of the above: tried where the first fails. nullptr: none.
  const char *second_cpu = nullptr, *second_features = nullptr;
};

constexpr const char* kMipsFeatures = "+dspr2,+mt,+msa,+virt";
constexpr const char* kArmFeatures = "+neon,+vfp4,+fp16,+hwdiv,+hwdiv-arm,+mp,+virtualization,+trustzone,+dsp";
constexpr const char* kArmBigFeatures =
    "+neon,+vfp4,+fp16,+hwdiv,+hwdiv-arm,+mp,+virtualization,+trustzone,+dsp,+big-endian-instructions";
constexpr const char* kArm8 = "+v8.2a,+fullfp16,+crypto,+crc,+dotprod,+neon";
constexpr const char* kArm8Big = "+v8.2a,+fullfp16,+crypto,+crc,+dotprod,+neon,+big-endian-instructions";
constexpr const char* kRiscvFeatures = "+m,+a,+f,+d,+c,+zicsr,+zifencei,+zba,+zbb,+zbc,+zbs,+zfh,+v";

// In the order of Processor.
constexpr Setup kSetups[kProcessors] = {
    {},
    {"mips-linux-gnu", "mips32r5", kMipsFeatures},
    {"mipsel-linux-gnu", "mips32r5", kMipsFeatures},
    {"mips64-linux-gnuabi64", "mips64r5", kMipsFeatures},
    {"mips64el-linux-gnuabi64", "mips64r5", kMipsFeatures},
    {"mips-linux-gnu", "mips32r5", "+micromips,+dspr2"},
    {"mipsel-linux-gnu", "mips32r5", "+micromips,+dspr2"},
    {"armv7-linux-gnueabihf", "", kArmFeatures, "", kArm8},
    {"thumbv7-linux-gnueabihf", "", kArmFeatures, "", kArm8},
    {"armebv7-linux-gnueabihf", "", kArmBigFeatures, "", kArm8Big},
    {"thumbebv7-linux-gnueabihf", "", kArmBigFeatures, "", kArm8Big},
    {"aarch64-linux-gnu", "", "+all"},
    {"i686-linux-gnu", "", ""},
    {"x86_64-linux-gnu", "", ""},
    {"powerpc-linux-gnu", "pwr9", "", "e500", "+spe"},
    {"powerpc64-linux-gnu", "pwr10", ""},
    {"powerpc64le-linux-gnu", "pwr10", ""},
    {"riscv32-linux-gnu", "", "+m,+a,+f,+d,+c,+zicsr,+zifencei,+zba,+zbb,+zbc,+zbs,+zfh"},
    {"riscv64-linux-gnu", "", kRiscvFeatures},
};

Setup setup_of(Processor processor, Dialect dialect) {
  Setup setup = kSetups[static_cast<size_t>(processor)];
  const bool wide = is_64_bit(processor);
  if (dialect == Dialect::kMipsR6) {
    const bool micro = processor == Processor::kMicroMipsBe || processor == Processor::kMicroMipsLe;
    setup.cpu = wide ? "mips64r6" : "mips32r6";
    setup.features = micro ? "+micromips,+dspr2" : "+dspr2,+msa,+crc,+ginv,+virt";
  }
  if (dialect == Dialect::kOcteon) {
    setup.cpu = wide ? "octeon+" : setup.cpu;
    setup.features = wide ? "+dspr2" : setup.features;
  }
  return setup;
}

const llvm::Target& target_of(Family family, const char* triple) {
#define ASSAY_START(name)                   \
  {                                         \
    static std::once_flag once;             \
    std::call_once(once, [] {               \
      LLVMInitialize##name##TargetInfo();   \
      LLVMInitialize##name##TargetMC();     \
      LLVMInitialize##name##Disassembler(); \
    });                                     \
  }                                         \
  break
  switch (family) {
    case Family::kMips:
      ASSAY_START(Mips);
    case Family::kArm:
      ASSAY_START(ARM);
    case Family::kAArch64:
      ASSAY_START(AArch64);
    case Family::kX86:
      ASSAY_START(X86);
    case Family::kPpc:
      ASSAY_START(PowerPC);
    case Family::kRiscv:
      ASSAY_START(RISCV);
    case Family::kNone:
      break;
  }
#undef ASSAY_START
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  ASSAY_CHECK(target != nullptr);
  return *target;
}

}  // namespace

InstructionSet::Tables::Tables(Processor of, Dialect dialect) : processor(of) {
  ASSAY_CHECK(of != Processor::kUnknown);
  const Setup setup = setup_of(of, dialect);
  triple = llvm::Triple(setup.triple);
  target = &target_of(family_of(of), setup.triple);
  registers.reset(target->createMCRegInfo(setup.triple));
  assembly.reset(target->createMCAsmInfo(*registers, setup.triple, llvm::MCTargetOptions()));
  opcodes.reset(target->createMCInstrInfo());
  subtarget.reset(target->createMCSubtargetInfo(setup.triple, setup.cpu, setup.features));
  if (setup.second_cpu)
    second_subtarget.reset(target->createMCSubtargetInfo(setup.triple, setup.second_cpu, setup.second_features));
  flows.reserve(opcodes->getNumOpcodes());
  for (uint32_t i = 0; i < opcodes->getNumOpcodes(); ++i) {
    flows.push_back(flow_of(of, shape(i)));
    opcode_names.emplace_back(opcodes->getName(i), i);
  }
  std::ranges::sort(opcode_names);
  name_registers();
}

OpcodeShape InstructionSet::Tables::shape(uint32_t opcode) const {
  const llvm::MCInstrDesc& d = opcodes->get(opcode);
  OpcodeShape s;
  s.name = opcodes->getName(opcode);
  if (d.isPseudo() && !s.name.starts_with("LDM") && !s.name.starts_with("INT3")) s.name = "";
  s.branch = d.isBranch();
  s.call = d.isCall();
  s.returns = d.isReturn();
  s.indirect = d.isIndirectBranch();
  s.barrier = d.isBarrier();
  s.trap = d.isTrap();
  s.delay_slot = d.hasDelaySlot();
  s.defines = d.getNumDefs() > 0;
  s.operands = d.getNumOperands();
  for (uint32_t i = 0; i < s.operands; ++i) {
    const llvm::MCOperandInfo& o = d.operands()[i];
    if (s.relative < 0 && o.OperandType == llvm::MCOI::OPERAND_PCREL) s.relative = static_cast<int>(i);
    if (s.predicate < 0 && o.isPredicate()) s.predicate = static_cast<int>(i);
  }
  return s;
}

void InstructionSet::Tables::name_registers() {
  for (uint32_t i = 1; i < registers->getNumRegs(); ++i) register_names.emplace_back(registers->getName(i), i);
  std::ranges::sort(register_names);
  const auto number = [&](std::string_view name) -> uint32_t {
    const auto at = std::ranges::lower_bound(register_names, std::pair(name, uint32_t{0}));
    return at != register_names.end() && at->first == name ? at->second : 0;
  };
  FlowRegisters& r = flow_registers;
  switch (family_of(processor)) {
    case Family::kMips:
      r = {number("ZERO"), number("ZERO_64"), number("RA"), number("RA_64")};
      break;
    case Family::kArm:
      r = {.link = number("LR"), .pc = number("PC"), .sp = number("SP")};
      break;
    case Family::kRiscv:
      r = {.zero = number("X0"), .link = number("X1"), .alternate_link = number("X5")};
      break;
    default:
      break;
  }
}

InstructionSet::InstructionSet(Processor processor, Dialect dialect)
    : tables_(std::make_unique<Tables>(processor, dialect)) {}
InstructionSet::~InstructionSet() = default;

const InstructionSet& InstructionSet::of(Processor processor, Dialect dialect) {
  static std::once_flag once[kProcessors][3];
  static std::unique_ptr<const InstructionSet> sets[kProcessors][3];
  const auto p = static_cast<size_t>(processor), d = static_cast<size_t>(dialect);
  std::call_once(once[p][d], [&] { sets[p][d].reset(new InstructionSet(processor, dialect)); });
  return *sets[p][d];
}

namespace {

std::optional<uint32_t> named(const std::vector<std::pair<std::string_view, uint32_t>>& names, std::string_view name) {
  const auto at = std::ranges::lower_bound(names, std::pair(name, uint32_t{0}));
  if (at == names.end() || at->first != name) return std::nullopt;
  return at->second;
}

}  // namespace

Processor InstructionSet::processor() const { return tables_->processor; }
uint32_t InstructionSet::opcode_count() const { return tables_->opcodes->getNumOpcodes(); }
std::string_view InstructionSet::opcode_name(uint32_t opcode) const { return tables_->opcodes->getName(opcode); }
std::optional<uint32_t> InstructionSet::opcode_named(std::string_view name) const {
  return named(tables_->opcode_names, name);
}
uint32_t InstructionSet::register_count() const { return tables_->registers->getNumRegs(); }
std::string_view InstructionSet::register_name(uint32_t number) const {
  return number == 0 ? std::string_view("none") : tables_->registers->getName(number);
}
uint32_t InstructionSet::register_named(std::string_view name) const {
  return named(tables_->register_names, name).value_or(0);
}
uint16_t InstructionSet::register_encoding(uint32_t number) const {
  return tables_->registers->getEncodingValue(number);
}
bool InstructionSet::overlap(uint32_t one, uint32_t other) const {
  return one != 0 && other != 0 && tables_->registers->regsOverlap(one, other);
}
bool InstructionSet::may_load(uint32_t opcode) const { return tables_->opcodes->get(opcode).mayLoad(); }
bool InstructionSet::may_store(uint32_t opcode) const { return tables_->opcodes->get(opcode).mayStore(); }

namespace {

// Whether operand `i` is written: the leading definitions, ARM's flag output, and lists of loaded registers.
bool is_written(const llvm::MCInstrDesc& d, std::string_view name, size_t i) {
  if (i < d.getNumDefs()) return true;
  if (i < d.getNumOperands() && d.operands()[i].isOptionalDef()) return true;
  // The list of a multiple load begins with the last stated operand; LLVM does not flag it on ARM.
  const bool list = d.isVariadic() && i + 1 >= d.getNumOperands();
  return list && (d.variadicOpsAreDefs() || (d.mayLoad() && !d.mayStore()) || name == "tPOP" || name == "tLDMIA");
}

}  // namespace

InstructionSet::Layout InstructionSet::layout(uint32_t opcode) const {
  const llvm::MCInstrDesc& d = tables_->opcodes->get(opcode);
  const std::string_view name = opcode_name(opcode);
  Layout out;
  out.written = static_cast<uint8_t>(d.getNumDefs());
  const uint32_t count = d.getNumOperands();
  if (d.isVariadic() && count > 0 && is_written(d, name, count - 1)) out.list = static_cast<int8_t>(count - 1);
  for (uint32_t i = 0; i < count; ++i)
    if (d.operands()[i].isOptionalDef()) out.optional = static_cast<int8_t>(i);
  for (uint32_t i = 0; i + 5 <= d.getNumOperands() && out.memory < 0; ++i)
    if (d.operands()[i].OperandType == llvm::MCOI::OPERAND_MEMORY) out.memory = static_cast<int8_t>(i);
  return out;
}

void InstructionSet::writes(const Insn& insn, std::vector<uint16_t>& out) const {
  const llvm::MCInstrDesc& d = tables_->opcodes->get(insn.opcode);
  const std::string_view name = opcode_name(insn.opcode);
  for (size_t i = 0; i < insn.operand_count; ++i)
    if (insn.reg(i) != 0 && is_written(d, name, i)) out.push_back(static_cast<uint16_t>(insn.reg(i)));
  for (const llvm::MCPhysReg r : d.implicit_defs()) out.push_back(r);
}

void InstructionSet::reads(const Insn& insn, std::vector<uint16_t>& out) const {
  const llvm::MCInstrDesc& d = tables_->opcodes->get(insn.opcode);
  const std::string_view name = opcode_name(insn.opcode);
  for (size_t i = 0; i < insn.operand_count; ++i)
    if (insn.reg(i) != 0 && !is_written(d, name, i)) out.push_back(static_cast<uint16_t>(insn.reg(i)));
  for (const llvm::MCPhysReg r : d.implicit_uses()) out.push_back(r);
}

std::string InstructionSet::text(const Insn& insn) const {
  const Tables& t = *tables_;
  llvm::MCInst inst;
  inst.setOpcode(insn.opcode);
  inst.setFlags(insn.prefixes);
  for (size_t i = 0; i < insn.operand_count; ++i) {
    const Operand& o = insn.operand(i);
    inst.addOperand(o.kind == Operand::kRegister ? llvm::MCOperand::createReg(static_cast<unsigned>(o.value))
                                                 : llvm::MCOperand::createImm(o.value));
  }
  const unsigned syntax = family_of(t.processor) == Family::kX86 ? 1 : t.assembly->getAssemblerDialect();
  const std::unique_ptr<llvm::MCInstPrinter> printer(
      t.target->createMCInstPrinter(t.triple, syntax, *t.assembly, *t.opcodes, *t.registers));
  printer->setPrintBranchImmAsAddress(true);
  printer->setPrintImmHex(true);
  std::string raw, out;
  llvm::raw_string_ostream stream(raw);
  const uint64_t relative_to = syntax == 1 && family_of(t.processor) == Family::kX86 ? insn.end() : insn.address;
  printer->printInst(&inst, relative_to, "", *t.subtarget, stream);
  for (const char c : stream.str()) {
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (!space || (!out.empty() && out.back() != ' ')) out += space ? ' ' : c;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace assay::code
