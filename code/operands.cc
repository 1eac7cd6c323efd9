// What a recipe and the operands of one instruction give: registers, constants as each encoding twists them, memory.
#include "code/translate.h"

#include "code/bits.h"
#include "code/recipe.h"

#include <algorithm>
#include <bit>

namespace assay::code {
namespace {

int64_t arm_immediate(int64_t encoded) {
  const auto value = static_cast<uint32_t>(encoded & 0xff);
  return std::rotr(value, static_cast<int>(encoded >> 8 & 15) * 2);
}

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
  const auto bits = static_cast<uint64_t>(value);
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
      op.imm = sign_extend(bits << 16, 32);
      break;
    case Twist::kHigh20:
      op.imm = sign_extend(bits << 12, 32);
      break;
    case Twist::kSigned16:
      op.imm = sign_extend(bits, 16);
      break;
    case Twist::kFromPc:
      op.imm = here + value, op.based = true;
      break;
    case Twist::kPagesFromPc:
      op.imm = (here & ~int64_t{0xfff}) + value * 4096, op.based = true;
      break;
    case Twist::kHigh20FromPc:
      op.imm = here + sign_extend(bits << 12, 32), op.based = true;
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
      op.imm = arm_pc + (r.name == "ADR" ? sign_extend(static_cast<uint64_t>(arm_immediate(value)), 32) : value),
      op.based = true;
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
  if (r.what == Do::kShiftLeft || r.what == Do::kShiftRight) op.shift = static_cast<uint8_t>(op.imm & 63);
  if (family_ == Family::kX86) return;
  if (uses_memory(op.what)) {
    op.has_memory = true;
    op.base = op.a, op.index = op.b, op.scale = op.shift;
    op.displacement = std::exchange(op.imm, 0);
    op.a = op.b = kNoSlot, op.shift = 0;
  }
}

void Translator::memory(const Row& row, const Insn& insn, Op& op) const {
  const auto at = static_cast<uint8_t>(row.layout.memory);
  if (row.layout.memory < 0 || at + 5 > insn.operand_count) return;
  if (row.padding || row.name.starts_with("NOOP")) return;
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

}  // namespace assay::code
