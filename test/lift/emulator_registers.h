// Which registers of the emulator hold which of the language's.
#pragma once
#include "code/lift/machine.h"

#include <unicorn/unicorn.h>

#include <vector>

namespace assay::code::lift {

// Bits [low, low + bits) of the emulator's register are the register `id` of the language.
struct Shared {
  RegisterId id = ir::kNoRegister;
  int number = 0;
  uint8_t low = 0, bits = 0;
};

// Registers that the emulator lets nobody set or read from outside: code of the CPU moves them from or to another.
struct Through {
  std::vector<uint8_t> code;
  std::vector<Shared> registers;
};

// What the emulator's package leaves out: none of the CPUs that can be chosen has these instructions, though it
// emulates them. Which ones a CPU has is a word of the context saved; the status register written sets what follows
// from it.
struct Granted {
  uint64_t instead_of = 0, instructions = 0;  // 0: nothing is granted
  int status = 0;
  int counter = 0;  // where only half of the address to start at is written: the register to write it to; 0: nowhere
};

struct Setup {
  uc_arch arch = UC_ARCH_MIPS;
  int mode = 0;
  int model = -1;                   // the emulator's default
  uint64_t alignment = 4;           // a jump to anything else faults, there or at the target
  uint64_t highest = ~uint64_t{0};  // where the emulated program may jump to
  uint8_t padding = 0;              // behind the code: the emulator translates on
  int mode_register = 0;            // ARM: where bit 0 of a target is bit 5 of this register; 0: no
  uint64_t mode_bit = 0;            // of the address at which execution begins: Thumb
  std::vector<Shared> registers;
  Through before, after;
  Granted granted;
};

Setup setup_of(Processor processor, const Isa& isa);

}  // namespace assay::code::lift
