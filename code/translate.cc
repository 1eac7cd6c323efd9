// What each opcode's operands become. Registers are told apart by name; calling conventions are those of the System V
// ABIs of each processor (MIPS o32 and n64, AAPCS, AAPCS64, i386, AMD64, PowerPC SVR4, RISC-V psABI).
#include "code/translate.h"

#include "code/recipe.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <mutex>

namespace assay::code {

enum class Translator::Jump : uint8_t {
  kNo,
  kByFlagsX86,       // the condition is operand 1
  kByFlags,          // AArch64: operand 0
  kPredicate,        // ARM
  kRegisters,        // operands 0 and 1
  kRegisterAndZero,  // operand 0
  kPpc,
};

namespace {

constexpr uint64_t kFlagsBit = uint64_t{1} << 60;
constexpr uint8_t kAlways = 14;

uint64_t bit(Slot slot) { return slot < kSlots ? uint64_t{1} << slot : 0; }

uint64_t span_of(Slot from, Slot to) {
  uint64_t mask = 0;
  for (Slot s = from; s <= to; ++s) mask |= bit(s);
  return mask;
}

Relation arm_relation(uint64_t condition) {
  using enum Relation;
  constexpr Relation kRelations[] = {kEqual,    kNotEqual,  kAboveEqual, kBelow,      kUnstated,     kUnstated,
                                     kUnstated, kUnstated,  kAbove,      kBelowEqual, kGreaterEqual, kLess,
                                     kGreater,  kLessEqual, kUnstated,   kUnstated};
  return kRelations[condition & 15];
}

Relation x86_relation(uint64_t condition) {
  using enum Relation;
  constexpr Relation kRelations[] = {kUnstated,   kUnstated,     kBelow,     kAboveEqual, kEqual,    kNotEqual,
                                     kBelowEqual, kAbove,        kLess,      kUnstated,   kUnstated, kUnstated,
                                     kLess,       kGreaterEqual, kLessEqual, kGreater};
  return condition == 8 ? kLess : condition == 9 ? kGreaterEqual : kRelations[condition & 15];
}

std::span<const Recipe> recipes_of(Family family) {
  switch (family) {
    case Family::kMips:
      return mips_recipes();
    case Family::kArm:
      return arm_recipes();
    case Family::kAArch64:
      return aarch64_recipes();
    case Family::kX86:
      return x86_recipes();
    case Family::kPpc:
      return ppc_recipes();
    case Family::kRiscv:
      return riscv_recipes();
    case Family::kNone:
      break;
  }
  return {};
}

int64_t arm_immediate(int64_t encoded) {
  const auto value = static_cast<uint32_t>(encoded & 0xff);
  return std::rotr(value, static_cast<int>(encoded >> 8 & 15) * 2);
}

int64_t sign_extend(int64_t value, int bits) {
  const auto shift = 64 - bits;
  return static_cast<int64_t>(static_cast<uint64_t>(value) << shift) >> shift;
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Relation opposite(Relation relation) {
  using enum Relation;
  constexpr Relation kOpposites[] = {kUnstated, kNotEqual,     kEqual,   kAboveEqual, kAbove, kBelowEqual,
                                     kBelow,    kGreaterEqual, kGreater, kLessEqual,  kLess};
  return kOpposites[static_cast<size_t>(relation)];
}

Relation mirrored(Relation relation) {
  using enum Relation;
  constexpr Relation kMirrored[] = {kUnstated,   kEqual,   kNotEqual,     kAbove, kAboveEqual, kBelow,
                                    kBelowEqual, kGreater, kGreaterEqual, kLess,  kLessEqual};
  return kMirrored[static_cast<size_t>(relation)];
}

const Translator& Translator::of(Processor processor, Dialect dialect) {
  static std::once_flag once[kProcessors][3];
  static std::unique_ptr<const Translator> all[kProcessors][3];
  const auto p = static_cast<size_t>(processor), d = static_cast<size_t>(dialect);
  std::call_once(once[p][d], [&] { all[p][d].reset(new Translator(processor, dialect)); });
  return *all[p][d];
}

std::vector<std::string_view> Translator::unknown_recipes(Processor processor) {
  const InstructionSet& set = InstructionSet::of(processor);
  std::vector<std::string_view> out;
  for (const Recipe& r : recipes_of(family_of(processor)))
    if (!set.opcode_named(r.name)) out.push_back(r.name);
  return out;
}

Translator::Translator(Processor processor, Dialect dialect)
    : processor_(processor), family_(family_of(processor)), set_(InstructionSet::of(processor, dialect)) {
  thumb_ = processor == Processor::kThumb || processor == Processor::kThumbBe;
  name_slots();
  set_calls();
  rows_.resize(set_.opcode_count());
  std::vector<uint16_t> written;
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    Insn bare;
    bare.opcode = static_cast<uint16_t>(i);
    written.clear();
    set_.writes(bare, written);
    for (const uint16_t r : written) row.writes |= masks_[r];
    row.layout = set_.layout(i);
    if (family_ != Family::kX86) row.layout.memory = -1;
    // An address that is only computed is no memory to LLVM.
    if (family_ == Family::kX86 && set_.opcode_name(i).starts_with("LEA") && !set_.opcode_name(i).starts_with("LEAVE"))
      row.layout.memory = 1;
    set_jump(set_.opcode_name(i), row);
  }
  for (const Recipe& r : recipes_of(family_))
    if (const auto opcode = set_.opcode_named(r.name)) rows_[*opcode].recipe = &r;
}

namespace {

// Slot by slot, the register that has it.
std::vector<std::pair<Slot, std::string>> registers_of(Family family) {
  std::vector<std::pair<Slot, std::string>> out;
  const auto numbered = [&](std::string_view letter, Slot from, Slot to) {
    for (Slot i = from; i <= to; ++i) out.emplace_back(i, std::string(letter) + std::to_string(i));
  };
  const auto named = [&](std::initializer_list<std::string_view> names, Slot from) {
    for (const std::string_view n : names) out.emplace_back(from++, std::string(n));
  };
  switch (family) {
    case Family::kMips:
      named({"ZERO", "AT", "V0", "V1", "A0", "A1", "A2", "A3", "T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7",
             "S0",   "S1", "S2", "S3", "S4", "S5", "S6", "S7", "T8", "T9", "K0", "K1", "GP", "SP", "FP", "RA"},
            0);
      break;
    case Family::kArm:
      numbered("R", 0, 12);
      named({"SP", "LR", "PC"}, 13);
      break;
    case Family::kAArch64:
      numbered("X", 0, 28);
      named({"FP", "LR", "SP"}, 29);
      break;
    case Family::kX86:
      named({"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI"}, 0);
      numbered("R", 8, 15);
      break;
    case Family::kPpc:
      numbered("R", 0, 31);
      numbered("X", 0, 31);
      named({"CTR", "LR"}, kCount);
      named({"CTR8", "LR8"}, kCount);
      break;
    case Family::kRiscv:
      numbered("X", 0, 31);
      break;
    case Family::kNone:
      break;
  }
  return out;
}

}  // namespace

void Translator::name_slots() {
  slots_.assign(set_.register_count(), kNoSlot);
  masks_.assign(set_.register_count(), 0);
  fields_.assign(set_.register_count(), 0);
  for (const auto& [slot, name] : registers_of(family_)) {
    const uint32_t canonical = set_.register_named(name);
    for (uint32_t r = 1; canonical != 0 && r < slots_.size(); ++r) {
      if (!set_.overlap(r, canonical)) continue;
      if (slots_[r] == kNoSlot) slots_[r] = slot;
      masks_[r] |= bit(slot);
    }
  }
  const auto give = [&](std::string_view name, Slot slot) {
    if (const uint32_t r = set_.register_named(name)) slots_[r] = slot, masks_[r] = 0;
  };
  for (const std::string_view zero : {"ZERO", "ZERO_64", "WZR", "XZR", "ZERO8"}) give(zero, kZeroSlot);
  if (family_ == Family::kRiscv) give("X0", kZeroSlot);
  if (family_ == Family::kX86)
    for (const std::string_view name : {"AH", "BH", "CH", "DH"}) second_bytes_.push_back(set_.register_named(name));
  for (const std::string_view pc : {"RIP", "EIP"}) give(pc, kProgramCounter);
  for (const std::string_view flags : {"EFLAGS", "CPSR", "NZCV", "CR0"})
    if (const uint32_t r = set_.register_named(flags)) masks_[r] |= kFlagsBit;
  if (family_ != Family::kPpc) return;
  for (uint32_t r = 1; r < fields_.size(); ++r) {
    const std::string_view name = set_.register_name(r);
    if (name.size() >= 3 && name.starts_with("CR") && name[2] >= '0' && name[2] <= '7')
      fields_[r] = static_cast<uint32_t>(name[2] - '0');
  }
}

void Translator::set_calls() {
  const auto list = [&](std::initializer_list<int> slots) {
    for (const int s : slots) arguments_.push_back(static_cast<Slot>(s));
  };
  switch (processor_) {
    case Processor::kX86_64:
      stack_pointer_ = 4, system_call_number_ = 0;
      list({7, 6, 2, 1, 8, 9});
      call_clobbers_ = bit(0) | bit(1) | bit(2) | bit(6) | bit(7) | span_of(8, 11);
      return;
    case Processor::kX86:
      stack_pointer_ = 4, system_call_number_ = 0;
      call_clobbers_ = span_of(0, 2);
      return;
    default:
      break;
  }
  switch (family_) {
    case Family::kMips:
      stack_pointer_ = 29, global_pointer_ = 28, system_call_number_ = 2;
      if (is_64_bit(processor_))
        list({4, 5, 6, 7, 8, 9, 10, 11});
      else
        list({4, 5, 6, 7});
      call_clobbers_ = span_of(1, 15) | bit(24) | bit(25) | bit(31);
      break;
    case Family::kArm:
      stack_pointer_ = 13, system_call_number_ = 7;
      list({0, 1, 2, 3});
      call_clobbers_ = span_of(0, 3) | bit(12) | bit(14);
      break;
    case Family::kAArch64:
      stack_pointer_ = 31, system_call_number_ = 8;
      list({0, 1, 2, 3, 4, 5, 6, 7});
      call_clobbers_ = span_of(0, 18) | bit(30);
      break;
    case Family::kPpc:
      stack_pointer_ = 1, system_call_number_ = 0;
      list({3, 4, 5, 6, 7, 8, 9, 10});
      call_clobbers_ = bit(0) | span_of(3, 12) | bit(kCount) | bit(kLink);
      break;
    case Family::kRiscv:
      stack_pointer_ = 2, global_pointer_ = 3, system_call_number_ = 17;
      list({10, 11, 12, 13, 14, 15, 16, 17});
      call_clobbers_ = bit(1) | span_of(5, 7) | span_of(10, 17) | span_of(28, 31);
      break;
    default:
      break;
  }
}

void Translator::set_jump(std::string_view n, Row& row) const {
  using enum Relation;
  const auto compare = [&](Jump jump, Relation relation) { row.jump = jump, row.relation = relation; };
  switch (family_) {
    case Family::kX86:
      if (n.starts_with("JCC_")) row.jump = Jump::kByFlagsX86;
      if (n.starts_with("JMP") || n.starts_with("CALL")) row.through = 0;
      row.padding = n.starts_with("NOOP") || n == "INT3";
      break;
    case Family::kArm:
      row.jump = n == "tCBZ" || n == "tCBNZ" ? Jump::kRegisterAndZero : Jump::kPredicate;
      row.relation = n == "tCBZ" ? kEqual : kNotEqual;
      row.through = n == "tBLXr" ? 2 : 0;
      break;
    case Family::kAArch64:
      if (n == "Bcc") row.jump = Jump::kByFlags;
      if (n.starts_with("CBZ")) compare(Jump::kRegisterAndZero, kEqual);
      if (n.starts_with("CBNZ")) compare(Jump::kRegisterAndZero, kNotEqual);
      row.through = 0;
      break;
    case Family::kMips:
      if (one_of(n, {"BEQ", "BEQ64", "BEQL"})) compare(Jump::kRegisters, kEqual);
      if (one_of(n, {"BNE", "BNE64", "BNEL"})) compare(Jump::kRegisters, kNotEqual);
      if (one_of(n, {"BLEZ", "BLEZ64", "BLEZL"})) compare(Jump::kRegisterAndZero, kLessEqual);
      if (one_of(n, {"BGTZ", "BGTZ64", "BGTZL"})) compare(Jump::kRegisterAndZero, kGreater);
      if (one_of(n, {"BLTZ", "BLTZ64", "BLTZL"})) compare(Jump::kRegisterAndZero, kLess);
      if (one_of(n, {"BGEZ", "BGEZ64", "BGEZL"})) compare(Jump::kRegisterAndZero, kGreaterEqual);
      row.through = n.starts_with("JALR") && row.layout.written == 1 ? 1 : 0;
      break;
    case Family::kPpc:
      if (n == "gBC" || n == "gBCL") row.jump = Jump::kPpc;
      row.padding = n == "NOP";
      break;
    case Family::kRiscv:
      if (n == "BEQ") compare(Jump::kRegisters, kEqual);
      if (n == "BNE") compare(Jump::kRegisters, kNotEqual);
      if (n == "BLT") compare(Jump::kRegisters, kLess);
      if (n == "BGE") compare(Jump::kRegisters, kGreaterEqual);
      if (n == "BLTU") compare(Jump::kRegisters, kBelow);
      if (n == "BGEU") compare(Jump::kRegisters, kAboveEqual);
      if (n == "C_BEQZ") compare(Jump::kRegisterAndZero, kEqual);
      if (n == "C_BNEZ") compare(Jump::kRegisterAndZero, kNotEqual);
      row.through = n == "JALR" ? 1 : 0;
      row.padding = n == "C_NOP" || n == "NOP";
      break;
    case Family::kNone:
      break;
  }
}

// AH, BH, CH, DH: no value of ours is what they hold.
bool Translator::reads_second_byte(const Recipe& r, const Insn& insn) const {
  const auto second = [&](int operand) {
    return operand >= 0 &&
           std::ranges::find(second_bytes_, insn.reg(static_cast<size_t>(operand))) != second_bytes_.end();
  };
  return second(r.a) || second(r.b);
}

Slot Translator::slot(const Insn& insn, int operand) const {
  if (operand < 0) return kNoSlot;
  const uint32_t r = insn.reg(static_cast<size_t>(operand));
  if (r == 0 || r >= slots_.size()) return kNoSlot;
  return family_ == Family::kArm && slots_[r] == 15 ? kProgramCounter : slots_[r];
}

Slot Translator::written_slot(const Insn& insn, int operand) const {
  if (operand < 0) return kNoSlot;
  const uint32_t r = insn.reg(static_cast<size_t>(operand));
  return r == 0 || r >= slots_.size() ? kNoSlot : slots_[r];
}

// Twists of operands that are immediates alone.
void Translator::twist(const Recipe& r, const Insn& insn, Op& op) const {
  const auto i = static_cast<uint8_t>(r.imm);
  const int64_t value = insn.imm(i), next = insn.imm(i + 1u);
  const auto here = static_cast<int64_t>(insn.address);
  const auto arm_pc = static_cast<int64_t>((insn.address + (thumb_ ? 4 : 8)) & ~uint64_t{3});
  switch (r.twist) {
    case Twist::kNegative:
      op.imm = -value;
      break;
    case Twist::kTimes2:
      op.imm = value * 2;
      break;
    case Twist::kTimes4:
      op.imm = value * 4;
      break;
    case Twist::kTimes8:
      op.imm = value * 8;
      break;
    case Twist::kTimes16:
      op.imm = value * 16;
      break;
    case Twist::kHigh16:
      op.imm = sign_extend((value & 0xffff) << 16, 32);
      break;
    case Twist::kHigh20:
      op.imm = sign_extend((value & 0xfffff) << 12, 32);
      break;
    case Twist::kSigned16:
      op.imm = sign_extend(value, 16);
      break;
    case Twist::kFromPc:
      op.imm = here + value, op.based = true;
      break;
    case Twist::kPagesFromPc:
      op.imm = (here & ~int64_t{0xfff}) + value * 4096, op.based = true;
      break;
    case Twist::kHigh20FromPc:
      op.imm = here + sign_extend((value & 0xfffff) << 12, 32), op.based = true;
      break;
    case Twist::kWordsFromPc:
      op.imm = here + value * 4, op.based = true;
      break;
    case Twist::kArm:
      op.imm = arm_immediate(value);
      break;
    case Twist::kArmNegative:
      op.imm = -arm_immediate(value);
      break;
    case Twist::kArmNegate:
      op.imm = thumb_ ? ~value : ~arm_immediate(value);
      break;
    case Twist::kArmFromPc:
      op.imm = arm_pc + (r.name == "ADR" ? sign_extend(arm_immediate(value), 32) : value), op.based = true;
      break;
    case Twist::kTimes4FromPc:
      op.imm = arm_pc + value * 4, op.based = true;
      break;
    case Twist::kShifted12:
      op.imm = value << (next & 63);
      break;
    case Twist::kMoveWide:
      op.imm = value << (next & 63);
      break;
    case Twist::kMoveNot:
      op.imm = ~(value << (next & 63));
      break;
    case Twist::kPlus32:
      op.imm = value + 32;
      break;
    case Twist::kInsert16:
      op.imm = value, op.shift = 16;
      break;
    case Twist::kInsertShift:
      op.imm = value, op.shift = static_cast<uint8_t>(next & 63);
      break;
    default:
      op.imm = value;
  }
}

// Twists that say how a register operand is shifted or cut.
void Translator::twist_register(const Recipe& r, const Insn& insn, Op& op) const {
  const auto i = static_cast<uint8_t>(r.imm);
  const int64_t value = insn.imm(i), next = insn.imm(i + 1u), third = insn.imm(i + 2u);
  const auto lose = [&] { op.what = op.has_memory ? Do::kTouch : Do::kNothing; };
  op.imm = 0;
  switch (r.twist) {
    case Twist::kArmShift:  // 0 none, 1 asr, 2 lsl, 3 lsr
      if ((value & 7) == 3 && op.what == Do::kShiftLeft)
        op.what = Do::kShiftRight, op.imm = value >> 3;
      else if ((value & 7) != 2 && (value & 7) != 0)
        lose();
      else if (op.what == Do::kShiftLeft)
        op.imm = value >> 3;
      else
        op.shift = static_cast<uint8_t>(value >> 3 & 31);
      break;
    case Twist::kThumbShift:
      op.shift = static_cast<uint8_t>(value & 31);
      break;
    case Twist::kArmOffset: {
      const int64_t amount = value & 0xfff, subtract = value & 0x1000, kind = value >> 13 & 7;
      if (op.b == kNoSlot)
        op.imm = subtract ? -amount : amount;
      else if (subtract || (kind != 2 && amount != 0))
        op.index = kNoSlot, op.base = kNoSlot, lose();
      else
        op.shift = static_cast<uint8_t>(amount & 31);
      break;
    }
    case Twist::kArmOffset3:
      if (op.b == kNoSlot)
        op.imm = value & 0x100 ? -(value & 0xff) : value & 0xff;
      else if (value & 0x100)
        lose(), op.b = kNoSlot, op.a = kNoSlot;
      break;
    case Twist::kA64Shift:  // bits 6 and 7: lsl 0
      if (value >> 6 != 0) lose();
      op.shift = static_cast<uint8_t>(value & 63);
      break;
    case Twist::kA64Extend:
      op.shift = static_cast<uint8_t>(value & 7);
      op.extend = static_cast<int8_t>((8 << (value >> 3 & 3)) * (value >> 5 & 1 ? -1 : 1));
      if ((value >> 3 & 3) == 3) op.extend = 0;
      break;
    case Twist::kA64Index:
      op.shift = next ? static_cast<uint8_t>(std::countr_zero(static_cast<unsigned>(r.width))) : 0;
      break;
    case Twist::kA64Mask: {
      const int64_t rotation = value >> 6 & 63, ones = (value & 63) + 1;
      const bool element_64 = value >> 12 & 1;
      if (rotation != 0 || (!element_64 && (value & 63) >= 31)) return lose();
      op.imm = ones >= 63 ? -1 : (int64_t{1} << ones) - 1;
      break;
    }
    case Twist::kA64Field: {
      const int64_t bits = r.width * 8, rotate = value, last = next;
      if (last >= rotate) {  // a field at `rotate`
        op.shift = static_cast<uint8_t>(rotate), op.width = static_cast<uint8_t>(last - rotate + 1);
      } else {  // shifted left by bits - rotate
        op.scale = static_cast<uint8_t>(bits - rotate), op.width = static_cast<uint8_t>(last + 1);
      }
      if (r.half || bits == 32) op.half = true;
      break;
    }
    case Twist::kPositionWidth:
      op.shift = static_cast<uint8_t>(value & 63), op.width = static_cast<uint8_t>(next & 63);
      break;
    case Twist::kFieldLess1:
      op.shift = static_cast<uint8_t>(value & 63), op.width = static_cast<uint8_t>((next & 31) + 1);
      break;
    case Twist::kRotateMask: {
      const int64_t shift = value & 31, first = next & 31, last = third & 31;
      if (last == 31 - shift && first <= last) {
        op.scale = static_cast<uint8_t>(shift), op.width = static_cast<uint8_t>(last - first + 1);
      } else if (last == 31 && shift != 0 && first >= 32 - shift) {
        op.shift = static_cast<uint8_t>(32 - shift), op.width = static_cast<uint8_t>(32 - first);
      } else if (last == 31 && shift == 0) {
        op.width = static_cast<uint8_t>(32 - first);
      } else {
        lose();
      }
      break;
    }
    default:
      break;
  }
}

namespace {

bool is_register_twist(Twist t) {
  switch (t) {
    case Twist::kArmShift:
    case Twist::kThumbShift:
    case Twist::kArmOffset:
    case Twist::kArmOffset3:
    case Twist::kA64Shift:
    case Twist::kA64Extend:
    case Twist::kA64Index:
    case Twist::kA64Mask:
    case Twist::kA64Field:
    case Twist::kPositionWidth:
    case Twist::kFieldLess1:
    case Twist::kRotateMask:
      return true;
    default:
      return false;
  }
}

bool uses_memory(Do what) {
  return what == Do::kLoad || what == Do::kStore || what == Do::kTouch || what == Do::kTableBranch;
}

}  // namespace

void Translator::apply(const Recipe& r, const Insn& insn, Op& op) const {
  if (family_ == Family::kX86 && (r.what == Do::kNarrow || r.what == Do::kCompare || r.what == Do::kCompareMemory) &&
      reads_second_byte(r, insn))
    return;
  op.what = r.what;
  op.width = r.width;
  op.is_signed = r.is_signed;
  op.half = r.half;
  op.a = slot(insn, r.a);
  op.b = slot(insn, r.b);
  const bool stores = r.what == Do::kStore || r.what == Do::kPush;
  if (stores)
    op.c = slot(insn, r.dst);
  else
    op.dst = written_slot(insn, r.dst);
  if (r.imm >= 0 && is_register_twist(r.twist))
    twist_register(r, insn, op);
  else if (r.imm >= 0)
    twist(r, insn, op);
  if (r.what == Do::kAdd && r.width != 0 && family_ == Family::kRiscv)
    op.shift = static_cast<uint8_t>(std::countr_zero(static_cast<unsigned>(r.width)));
  op.sets_flags = r.sets_flags;
  op.moves = (r.what == Do::kAdd && r.imm < 0 && r.b < 0) || r.what == Do::kOr;
  if (r.what == Do::kOr && r.imm >= 0 && r.b < 0) op.moves = false;
  if (family_ == Family::kX86) return;
  if (uses_memory(op.what)) {
    op.has_memory = true;
    op.base = op.a, op.index = op.b, op.scale = op.shift;
    op.displacement = std::exchange(op.imm, 0);
    op.a = op.b = kNoSlot, op.shift = 0;
  }
  if (r.what == Do::kShiftLeft || r.what == Do::kShiftRight) op.shift = static_cast<uint8_t>(op.imm & 63);
}

void Translator::memory(const Row& row, const Insn& insn, Op& op) const {
  const auto at = static_cast<uint8_t>(row.layout.memory);
  if (row.layout.memory < 0 || at + 5 > insn.operand_count) return;
  const std::string_view name = set_.opcode_name(insn.opcode);
  if (row.padding || name.starts_with("NOOP")) return;
  // fs and gs lead elsewhere.
  const std::string_view segment = set_.register_name(insn.reg(at + 4u));
  if (segment == "FS" || segment == "GS") {
    if (op.what == Do::kLoad || op.what == Do::kStore || op.what == Do::kCompareMemory) op.what = Do::kTouch;
    return;
  }
  op.has_memory = true;
  op.base = slot(insn, static_cast<int>(at));
  op.index = slot(insn, static_cast<int>(at) + 2);
  op.scale = static_cast<uint8_t>(std::countr_zero(static_cast<unsigned>(insn.imm(at + 1u) & 15)) & 3);
  op.displacement = insn.imm(at + 3u);
  if (op.base == kProgramCounter) {
    op.displacement += static_cast<int64_t>(insn.end());
    op.base = kNoSlot, op.based = true;
  }
  if (op.what == Do::kNothing) op.what = Do::kTouch;
  op.through_memory = op.flow == Flow::kIndirectJump || op.flow == Flow::kIndirectCall;
}

void Translator::ppc_branch(const Insn& insn, Op& op) const {
  const auto bo = static_cast<uint32_t>(insn.imm(0));
  if ((bo & 16) != 0 || (bo & 4) == 0) return;  // not of a condition alone
  const std::string_view name = set_.register_name(insn.reg(1));
  op.flags = static_cast<uint8_t>(fields_[insn.reg(1)]);
  const Relation relation = name.ends_with("LT")   ? Relation::kLess
                            : name.ends_with("GT") ? Relation::kGreater
                            : name.ends_with("EQ") ? Relation::kEqual
                                                   : Relation::kUnstated;
  op.relation = (bo & 8) != 0 ? relation : opposite(relation);
}

void Translator::branch(const Row& row, const Insn& insn, Op& op) const {
  switch (row.jump) {
    case Jump::kNo:
      break;
    case Jump::kByFlagsX86:
      op.relation = x86_relation(static_cast<uint64_t>(insn.imm(1)));
      break;
    case Jump::kByFlags:
      op.relation = arm_relation(static_cast<uint64_t>(insn.imm(0)));
      break;
    case Jump::kPredicate:
      if (insn.condition != kAlways) op.relation = arm_relation(insn.condition), op.conditional = true;
      break;
    case Jump::kRegisters:
      op.compares = true, op.relation = row.relation;
      op.a = slot(insn, 0), op.b = slot(insn, 1);
      break;
    case Jump::kRegisterAndZero:
      op.compares = true, op.relation = row.relation;
      op.a = slot(insn, 0), op.b = kZeroSlot;
      break;
    case Jump::kPpc:
      ppc_branch(insn, op);
      break;
  }
  if (op.flow != Flow::kIndirectJump && op.flow != Flow::kIndirectCall) return;
  if (family_ == Family::kPpc)
    op.through = set_.opcode_name(insn.opcode).find("CTR") != std::string_view::npos ? kCount : kLink;
  else if (op.dst == 15 && family_ == Family::kArm)
    op.through = 15;
  else if (op.what == Do::kTableBranch)
    op.through = 15;
  else if (!op.through_memory)
    op.through = slot(insn, row.through);
  if (family_ == Family::kRiscv && row.through == 1) op.displacement = insn.imm(2);
}

// Opcodes that need a word of their own.
void Translator::small(const Insn& insn, std::string_view n, Op& op) const {
  const auto same = [&](size_t i, size_t j) { return insn.reg(i) != 0 && insn.reg(i) == insn.reg(j); };
  switch (family_) {
    case Family::kX86: {
      if (n.starts_with("LEA") && op.dst == op.base && op.index == kNoSlot && op.displacement == 0) op.padding = true;
      if (n.starts_with("MOV32rr") && processor_ == Processor::kX86 && same(0, 1)) op.padding = true;
      const bool on_a =
          n.ends_with("i32") || n.ends_with("8i8") || n.ends_with("16i16");  // the accumulator is not listed
      if (on_a && insn.operand_count == 1) {
        const bool add = n.starts_with("ADD"), subtract = n.starts_with("SUB"), compare = n.starts_with("CMP"),
                   mask = n.starts_with("AND");
        op.a = 0, op.imm = insn.imm(0);
        op.half = n.find("32") != n.npos && n.find("64") == n.npos;
        if (n.find("8i8") != n.npos) op.width = 1;
        if (n.find("16i16") != n.npos) op.width = 2;
        if (compare) op.what = Do::kCompare;
        const bool whole = n.ends_with("i32");  // less than 32 bits leave the rest as it was
        if (whole && (add || subtract || mask))
          op.dst = 0, op.what = add ? Do::kAdd : subtract ? Do::kSubtract : Do::kAnd;
      }
      if (n.starts_with("TEST") && op.what == Do::kCompare) {
        if (op.a == op.b && op.a != kNoSlot)
          op.b = kNoSlot, op.imm = 0;
        else
          op.what = Do::kNothing;
      }
      if ((n == "CDQE" || n == "CDQ") && n == "CDQE")
        op.what = Do::kNarrow, op.dst = op.a = 0, op.width = 4, op.is_signed = true;
      if (op.links)
        op.what = Do::kPush, op.imm = static_cast<int64_t>(insn.end()), op.based = true,
        op.width = is_64_bit(processor_) ? 8 : 4;
      break;
    }
    case Family::kMips:
      op.padding = n == "SLL" && op.dst == kZeroSlot;
      if (op.links) op.what = Do::kLinkNext, op.dst = 31, op.imm = static_cast<int64_t>(insn.end() + 4);
      break;
    case Family::kArm:
      op.padding = ((n == "HINT" || n == "tHINT" || n == "t2HINT") && insn.imm(0) == 0) ||
                   ((n == "MOVr" || n == "tMOVr") && same(0, 1));
      if (n == "t2TBH") op.scale = 1;
      if (op.links) op.what = Do::kLinkNext, op.dst = 14, op.imm = static_cast<int64_t>(insn.end());
      break;
    case Family::kAArch64:
      op.padding = n == "HINT" && insn.imm(0) == 0;
      if (op.links) op.what = Do::kLinkNext, op.dst = 30, op.imm = static_cast<int64_t>(insn.end());
      break;
    case Family::kPpc:
      if (n == "MTCTR" || n == "MTCTR8") op.what = Do::kAdd, op.dst = kCount, op.a = slot(insn, 0);
      if (n == "MFLR" || n == "MFLR8") op.what = Do::kAdd, op.dst = slot(insn, 0), op.a = kLink;
      if (n == "MTLR" || n == "MTLR8") op.what = Do::kAdd, op.dst = kLink, op.a = slot(insn, 0);
      if (n == "ORI" && same(0, 1) && insn.imm(2) == 0) op.padding = true;
      if (op.what == Do::kCompare) op.is_signed = !n.starts_with("CMPL");
      if (op.what == Do::kCompare) op.flags = static_cast<uint8_t>(fields_[insn.reg(0)]);
      if (op.links) op.what = Do::kLinkNext, op.dst = kLink, op.imm = static_cast<int64_t>(insn.end());
      break;
    case Family::kRiscv:
      if (op.links) op.what = Do::kLinkNext, op.dst = slot(insn, 0), op.imm = static_cast<int64_t>(insn.end());
      break;
    case Family::kNone:
      break;
  }
}

void Translator::translate(const Insn& insn, Op& op) const {
  const Row& row = rows_[insn.opcode];
  op = Op{.address = insn.address, .flow = insn.flow, .size = insn.size};
  if (insn.flow == Flow::kJump || insn.flow == Flow::kCall) op.target = insn.target;
  op.conditional = insn.conditional;
  op.delay_slot = insn.delay_slot;
  op.likely = insn.likely;
  op.other_mode = insn.other_mode;
  op.links = insn.links;
  op.padding = row.padding;
  uint64_t writes = row.writes;
  for (size_t i = 0; i < insn.operand_count; ++i) {
    const uint32_t r = insn.reg(i);
    if (r == 0) continue;
    const auto at = static_cast<int>(i);
    const bool listed = row.layout.list >= 0 && at >= row.layout.list;
    if (at < row.layout.written || at == row.layout.optional || listed) writes |= masks_[r];
  }
  op.forgets_flags = (writes & kFlagsBit) != 0;
  op.writes = writes & ~kFlagsBit;
  if (row.recipe) apply(*row.recipe, insn, op);
  if (row.layout.memory >= 0) memory(row, insn, op);
  if (op.has_memory) op.moves = false;
  if (op.sets_flags && family_ == Family::kArm && !op.forgets_flags) op.sets_flags = false;
  small(insn, set_.opcode_name(insn.opcode), op);
  branch(row, insn, op);
  if (family_ == Family::kPpc && op.what == Do::kCompare) op.forgets_flags = false;
}

}  // namespace assay::code
