// A descriptor is eight words (the PDR of MIPS's and SGI's debugging format, <sym.h>): address, mask of saved registers
// and where they are, the same of floating point, size of the frame, the register it counts from, and the one that
// holds where to return to. Those in the file count from nowhere: the address is the program's.
#include "code/procedures.h"

namespace assay::code {

void seed_procedures(const elf::File& file, Program& program) {
  constexpr uint64_t kSize = 32, kFrameRegister = 24, kReturnRegister = 28;
  constexpr uint32_t kStack = 29, kFrame = 30, kReturn = 31;
  const elf::Section* section = file.section(".pdr");
  if (!section || section->type == elf::kNoBits || family_of(program.processor) != Family::kMips) return;
  const Bytes all = file.bytes.head(section->size, section->offset);
  for (uint64_t at = 0; at + kSize <= all.size(); at += kSize) {
    const auto word = [&](uint64_t offset) {
      return all.get<uint32_t>(at + offset, program.order, "procedure").value_or(0);
    };
    const uint32_t frame = word(kFrameRegister);
    if ((frame != kStack && frame != kFrame) || word(kReturnRegister) != kReturn) continue;
    // Not loaded, and so not held against anything when the program runs: less than certain.
    if (const uint32_t start = word(0); start != 0) seed(program, start, Found::kUnwind, Sure::kHigh);
  }
}

}  // namespace assay::code
