#include "code/raw.h"

namespace assay::code {
namespace {

// Any aligned word that points into the bytes may be a pointer at a function.
void collect_pointers(Program& program) {
  const Area& area = program.data[0];
  for (uint64_t at = 0; at + program.pointer <= area.bytes.size(); at += program.pointer)
    if (const auto value = program.word(area.address + at, program.pointer); value && program.code_at(*value))
      program.pointers.push_back(*value);
  settle_pointers(program);
}

}  // namespace

Result<Program> raw_program(Bytes bytes, Processor processor, uint64_t base) {
  Program program;
  program.processor = processor;
  program.is_raw = true;
  program.order = instruction_order(processor);
  program.pointer = is_64_bit(processor) ? 8 : 4;
  const uint64_t last = program.pointer == 4 ? 0xffffffff : ~uint64_t{0} - 1;
  if (base > last || bytes.size() > last - base + 1)
    return fail(Fault::kMalformed, "the bytes reach past the last address from this base", bytes.base());
  const Area all{.address = base, .bytes = bytes, .executable = true};
  program.data = program.code = {all};
  program.constants = {{base, base + bytes.size()}};
  program.seeds.push_back({.address = base, .processor = processor, .found = Found::kEntry, .sure = Sure::kMedium});
  collect_pointers(program);
  return program;
}

}  // namespace assay::code
