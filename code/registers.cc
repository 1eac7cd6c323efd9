// Slots of registers, which are told apart by name, and the calling conventions: those of the System V ABIs of each
// processor (MIPS o32 and n64, AAPCS, AAPCS64, i386, AMD64, PowerPC SVR4, RISC-V psABI). What a call of Linux's kernel
// leaves changed: syscall(2), and the clobbers that its headers and libraries of C state (MIPS, PowerPC).
#include "code/translate.h"

#include <algorithm>

namespace assay::code {
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
    slots_used_ = std::max<Slot>(slots_used_, slot + 1);
    const uint32_t canonical = set_.register_named(name);
    for (uint32_t r = 1; canonical != 0 && r < slots_.size(); ++r) {
      if (!set_.overlap(r, canonical)) continue;
      if (slots_[r] == kNoSlot) slots_[r] = slot;
      masks_[r] |= slot_bit(slot);
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
      call_clobbers_ = slot_bit(0) | slot_bit(1) | slot_bit(2) | slot_bit(6) | slot_bit(7) | slot_bits(8, 11);
      system_call_clobbers_ = slot_bit(0) | slot_bit(1) | slot_bit(11);
      return;
    case Processor::kX86:
      stack_pointer_ = 4, system_call_number_ = 0;
      call_clobbers_ = slot_bits(0, 2), system_call_clobbers_ = slot_bit(0);
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
      call_clobbers_ = slot_bits(1, 15) | slot_bit(24) | slot_bit(25) | slot_bit(31);
      system_call_clobbers_ = slot_bits(1, 3) | slot_bits(7, 15) | slot_bit(24) | slot_bit(25);
      break;
    case Family::kArm:
      stack_pointer_ = 13, system_call_number_ = 7;
      list({0, 1, 2, 3});
      call_clobbers_ = slot_bits(0, 3) | slot_bit(12) | slot_bit(14), system_call_clobbers_ = slot_bit(0);
      break;
    case Family::kAArch64:
      stack_pointer_ = 31, system_call_number_ = 8;
      list({0, 1, 2, 3, 4, 5, 6, 7});
      call_clobbers_ = slot_bits(0, 18) | slot_bit(30), system_call_clobbers_ = slot_bit(0);
      break;
    case Family::kPpc:
      stack_pointer_ = 1, system_call_number_ = 0;
      list({3, 4, 5, 6, 7, 8, 9, 10});
      call_clobbers_ = slot_bit(0) | slot_bits(3, 12) | slot_bit(kCount) | slot_bit(kLink);
      system_call_clobbers_ = slot_bit(0) | slot_bits(3, 12) | slot_bit(kCount);
      break;
    case Family::kRiscv:
      stack_pointer_ = 2, global_pointer_ = 3, system_call_number_ = 17;
      list({10, 11, 12, 13, 14, 15, 16, 17});
      call_clobbers_ = slot_bit(1) | slot_bits(5, 7) | slot_bits(10, 17) | slot_bits(28, 31);
      system_call_clobbers_ = slot_bit(10);
      break;
    default:
      break;
  }
}

}  // namespace assay::code
