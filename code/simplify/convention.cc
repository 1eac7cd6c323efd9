// What the ABIs of each CPU say that the simplifier may rely on.
// Sources: MIPS psABI chapter 3 (hi, lo and the condition flags are not preserved); AAPCS64 6.1.1 and AAPCS 6.1 (the
// flags are undefined on entry to and return from a public interface), with the exception that simplify.h names; System
// V i386 and x86-64 psABI, "Registers" (status flags are not preserved); RISC-V psABI, "Integer Register Convention".
// All of them: the stack pointer is given back,
// and who is called writes to no more of its caller's frame than it was handed.
#include "code/simplify/simplify.h"

#include <algorithm>
#include <iterator>

namespace assay::code::ir {

namespace {

RegisterSet flags(const RegisterFile& file) {
  RegisterSet set;
  for (unsigned r = 0; r < file.registers.size(); ++r)
    if (file.registers[r].bits == 1 && file.registers[r].name != "reserved") set.add(r);
  return set;
}

void lose(Convention& c, const RegisterFile& file, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names)
    if (const RegisterId r = file.find(name); r != kNoRegister) c.lost_at_call.add(r), c.lost_at_return.add(r);
}

}  // namespace

Convention convention_of(Processor processor, const RegisterFile& file) {
  Convention c;
  c.calls_keep_frame = true;
  const auto first_of = [&](std::initializer_list<std::string_view> names) {
    for (std::string_view name : names)
      if (const RegisterId r = file.find(name); r != kNoRegister) return r;
    return kNoRegister;
  };
  c.stack = first_of({"sp", "rsp", "esp", "r1"});
  switch (family_of(processor)) {
    case Family::kMips:
      c.frame = first_of({"fp"});
      c.lost_at_call = c.lost_at_return = flags(file);
      lose(c, file, {"hi", "lo"});
      break;
    case Family::kArm:
      c.frame = first_of({instruction_alignment(processor) == 2 ? "r7" : "r11"});
      c.lost_at_call = flags(file);
      c.mode_bit = 1;
      break;
    case Family::kAArch64:
      c.frame = first_of({"x29"});
      c.lost_at_call = c.lost_at_return = flags(file);
      break;
    case Family::kX86:
      c.frame = first_of({"rbp", "ebp"});
      c.lost_at_call = c.lost_at_return = flags(file);
      if (const RegisterId d = first_of({"df", "d"}); d != kNoRegister)
        c.lost_at_call.remove(d), c.lost_at_return.remove(d);
      c.return_pops = is_64_bit(processor) ? 8 : 4;
      c.arguments_on_stack = !is_64_bit(processor);
      break;
    case Family::kRiscv:
      c.frame = first_of({"s0"});
      break;
    default:
      break;  // of registers nothing is assumed: PowerPC's CR2 to CR4 are preserved, the others would be lost
  }
  return c;
}

}  // namespace assay::code::ir
