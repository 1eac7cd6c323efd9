// One instruction after the other through LLVM's disassemblers. Bytes that were met before are not decoded again: what
// they are does not depend on where they lie, only what `settle` makes of them does.
#include "code/mc.h"
#include "code/words.h"

#include <algorithm>
#include <bit>

namespace assay::code {
namespace {

uint32_t skip_size(Processor processor) { return instruction_alignment(processor); }

// An instruction as it is remembered; those with more or longer operands are not.
struct Template {
  static constexpr uint8_t kUnsigned = 3;  // beside Operand::Kind: an immediate of 32 bits without a sign
  Word own = kNoWord;
  std::array<uint32_t, 7> values;
  uint16_t kinds = 0;  // two bits an operand
  uint16_t opcode = 0, prefixes = 0;
  uint8_t size = 0, operand_count = 0;
  bool unpredictable = false;
  Word& word() { return own; }
};
static_assert(sizeof(Template) == 48 && Operand::kOther < Template::kUnsigned);

}  // namespace

struct Decoder::State {
  const InstructionSet::Tables& tables;
  llvm::MCContext context;
  std::unique_ptr<llvm::MCDisassembler> first, second;
  llvm::MCInst inst;
  Words<Template> known;
  uint32_t block_opcode = 0;  // Thumb's IT
  uint32_t block_left = 0;    // instructions of its block that are still to come

  State(const InstructionSet::Tables& t, uint8_t remembered)
      : tables(t), context(t.triple, t.assembly.get(), t.registers.get(), t.subtarget.get()), known(remembered) {
    start();
  }
  void start() {
    first.reset(tables.target->createMCDisassembler(*tables.subtarget, context));
    if (tables.second_subtarget) second.reset(tables.target->createMCDisassembler(*tables.second_subtarget, context));
    block_left = 0;
  }
  // LLVM keeps the conditions of a block and does not tell: behind the block it is asked to forget, whatever it took
  // for the end. The mask of a block of four has no zero at its end.
  void follow_block(const Insn& insn, bool good) {
    if (good && insn.opcode == block_opcode) {
      const auto mask = static_cast<uint8_t>(insn.imm(1));
      block_left = 4 - std::min<uint32_t>(3, static_cast<uint32_t>(std::countr_zero(mask)));
    } else if (block_left != 0) {
      --block_left;
      if (!good || block_left == 0) start();
    }
  }
};

Decoder::Decoder(Processor processor, Dialect dialect, uint8_t remembered)
    : set_(&InstructionSet::of(processor, dialect)), state_(std::make_unique<State>(set_->tables(), remembered)) {
  if (is_thumb(processor)) state_->block_opcode = set_->opcode_named("t2IT").value_or(0);
}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

void Decoder::restart() {
  if (state_->block_left != 0) state_->start();
}

bool Decoder::in_block() const { return state_->block_left != 0; }

namespace {

void take_operands(const llvm::MCInst& inst, Insn& insn) {
  const size_t count = std::min<size_t>(inst.getNumOperands(), insn.operands.size());
  for (size_t i = 0; i < count; ++i) {
    const llvm::MCOperand& from = inst.getOperand(static_cast<unsigned>(i));
    Operand& to = insn.operands[i];
    if (from.isReg())
      to = {from.getReg(), Operand::kRegister};
    else if (from.isImm())
      to = {from.getImm(), Operand::kImmediate};
    else
      to = {0, Operand::kOther};
  }
  insn.operand_count = static_cast<uint8_t>(count);
}

}  // namespace

namespace {

// LLVM takes these without a word, ARM DDI 0406C has them UNPREDICTABLE: the register forms of ARM's halfword, signed
// and doubleword transfers (A5.2.8) want bits 8 to 11 zero; Thumb's bit fields and saturations (A6.3.3) want bit 10 of
// the first and bit 5 of the second halfword zero.
bool has_stray_bits(Processor processor, std::span<const std::byte> code) {
  const auto at = [&](size_t i) { return std::to_integer<uint32_t>(code[i]); };
  const bool big = instruction_order(processor) == Order::kBig;
  if (processor == Processor::kArm || processor == Processor::kArmBe) {
    const uint32_t word =
        big ? at(0) << 24 | at(1) << 16 | at(2) << 8 | at(3) : at(3) << 24 | at(2) << 16 | at(1) << 8 | at(0);
    return (word & 0x0e400090) == 0x90 && (word & 0x60) != 0 && word >> 28 != 15 && (word & 0xf00) != 0;
  }
  if (!is_thumb(processor)) return false;
  const uint32_t first = big ? at(0) << 8 | at(1) : at(1) << 8 | at(0);
  const uint32_t second = big ? at(2) << 8 | at(3) : at(3) << 8 | at(2);
  return (first & 0xfb00) == 0xf300 && (second & 0x8000) == 0 && ((first & 0x400) != 0 || (second & 0x20) != 0);
}

}  // namespace

bool Decoder::ask(std::span<const std::byte> code, Insn& insn) {
  using Status = llvm::MCDisassembler::DecodeStatus;
  State& s = *state_;
  const llvm::ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t*>(code.data()), code.size());
  uint64_t size = 0;
  // clear() keeps the opcode, and LLVM's AArch64 adds operands by it even where nothing was decoded.
  s.inst.clear();
  s.inst.setOpcode(0);
  s.inst.setFlags(0);
  // LLVM's RISC-V reads the first byte unasked.
  Status status = Status::Fail;
  if (code.size() >= skip_size(s.tables.processor))
    status = s.first->getInstruction(s.inst, size, bytes, insn.address, llvm::nulls());
  if (status == Status::Fail && s.second && !code.empty()) {
    s.inst.clear();
    s.inst.setOpcode(0);
    status = s.second->getInstruction(s.inst, size, bytes, insn.address, llvm::nulls());
  }
  insn.unpredictable = status == Status::SoftFail;
  if (status == Status::Fail) {
    insn.size = static_cast<uint8_t>(std::min<uint64_t>(code.size(), skip_size(s.tables.processor)));
    insn.operand_count = 0;
    insn.flow = Flow::kTrap;
    return false;
  }
  insn.opcode = static_cast<uint16_t>(s.inst.getOpcode());
  insn.size = static_cast<uint8_t>(size);
  insn.prefixes = static_cast<uint16_t>(s.inst.getFlags());
  take_operands(s.inst, insn);
  if (size == 4) insn.unpredictable |= has_stray_bits(s.tables.processor, code);
  return true;
}

namespace {

void place(Insn& insn, uint64_t address) {
  insn.address = address;
  insn.target = kNowhere;
  insn.condition = kAlways;
  insn.links = false;
}

bool may_be_remembered(const Insn& insn) {
  if (insn.operand_count > std::tuple_size_v<decltype(Template::values)>) return false;
  for (size_t i = 0; i < insn.operand_count; ++i)
    if (const int64_t v = insn.operand(i).value; v < INT32_MIN || v > UINT32_MAX) return false;
  return true;
}

void remember(const Insn& insn, Template& out) {
  out.kinds = 0;
  for (size_t i = 0; i < insn.operand_count; ++i) {
    const Operand& o = insn.operand(i);
    const bool is_unsigned = o.kind == Operand::kImmediate && o.value > INT32_MAX;
    out.values[i] = static_cast<uint32_t>(o.value);
    out.kinds |= static_cast<uint16_t>((is_unsigned ? Template::kUnsigned : uint8_t{o.kind}) << 2 * i);
  }
  out.opcode = insn.opcode, out.prefixes = insn.prefixes;
  out.size = insn.size, out.operand_count = insn.operand_count;
  out.unpredictable = insn.unpredictable;
}

void recall(const Template& known, Insn& insn) {
  for (size_t i = 0; i < known.operand_count; ++i) {
    const auto kind = static_cast<uint8_t>(known.kinds >> 2 * i & 3);
    const uint32_t v = known.values[i];
    insn.operands[i] = kind == Template::kUnsigned ? Operand{v, Operand::kImmediate}
                                                   : Operand{static_cast<int32_t>(v), static_cast<Operand::Kind>(kind)};
  }
  insn.opcode = known.opcode, insn.prefixes = known.prefixes;
  insn.size = known.size, insn.operand_count = known.operand_count;
  insn.unpredictable = known.unpredictable;
}

}  // namespace

void Decoder::move(Insn& insn, uint64_t address) const {
  place(insn, address);
  const InstructionSet::Tables& t = state_->tables;
  settle(t.flows[insn.opcode], t.flow_registers, t.processor, insn);
}

bool Decoder::decode_anew(std::span<const std::byte> code, uint64_t address, Insn& insn) {
  State& s = *state_;
  place(insn, address);
  const bool good = ask(code, insn);
  if (s.block_opcode != 0) s.follow_block(insn, good);
  if (good) settle(s.tables.flows[insn.opcode], s.tables.flow_registers, s.tables.processor, insn);
  return good;
}

bool Decoder::decode(std::span<const std::byte> code, uint64_t address, Insn& insn) {
  State& s = *state_;
  const Word word = s.block_left == 0 ? word_at(s.tables.processor, code) : kNoWord;
  if (const Template* known = word == kNoWord ? nullptr : s.known.find(word)) {
    recall(*known, insn);
    move(insn, address);
    return true;
  }
  if (!decode_anew(code, address, insn)) return false;
  if (word != kNoWord && size_of(word) == insn.size && insn.opcode != s.block_opcode && may_be_remembered(insn))
    remember(insn, s.known.put(word));
  return true;
}

}  // namespace assay::code
