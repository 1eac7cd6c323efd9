// Which registers carry arguments and results: what pseudo-C needs to write a call. Only the reader's eye relies on it;
// nothing is proved from it.
// Sources: MIPS psABI chapter 3; AAPCS 6.1; AAPCS64 6.1.1; System V i386, x86-64, Power and RISC-V psABI.
#pragma once
#include "code/simplify/simplify.h"

namespace assay::code::pseudo {

struct Abi {
  std::vector<ir::RegisterId> arguments;
  ir::RegisterId global = ir::kNoRegister;  // RISC-V's gp: holds one number while the program runs
  ir::RegisterId result = ir::kNoRegister, stack = ir::kNoRegister, frame = ir::kNoRegister;
  ir::RegisterSet saved;      // whoever is called gives them back as they were
  ir::Convention convention;  // for the simplifier: what nobody reads behind a call or a return is not written
  bool is_argument(ir::RegisterId r) const;
};
Abi abi_of(Processor processor, const ir::RegisterFile& file);

}  // namespace assay::code::pseudo
