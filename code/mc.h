// Inside of decode.h: LLVM's MC layer, for the two files that speak to it.
#pragma once
#include "code/decode.h"
#include "code/flow.h"

#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>

namespace assay::code {

struct InstructionSet::Tables {
  Processor processor;
  llvm::Triple triple;
  const llvm::Target* target = nullptr;
  std::unique_ptr<const llvm::MCRegisterInfo> registers;
  std::unique_ptr<const llvm::MCAsmInfo> assembly;
  std::unique_ptr<const llvm::MCInstrInfo> opcodes;
  std::unique_ptr<const llvm::MCSubtargetInfo> subtarget, second_subtarget;
  std::vector<OpcodeFlow> flows;
  std::vector<std::pair<std::string_view, uint32_t>> opcode_names, register_names;  // sorted
  FlowRegisters flow_registers;

  Tables(Processor of, Dialect dialect);

 private:
  OpcodeShape shape(uint32_t opcode) const;
  void name_registers();
};

}  // namespace assay::code
