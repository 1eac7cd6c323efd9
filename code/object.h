// Object files and kernel modules (ELF type REL): linked here, in memory, as the kernel or a linker would, so that the
// rest of the room reads a program like any other.
//
// Such a file has no addresses. Its sections that are loaded get them here: one behind the other in the order of the
// section table, from kObjectBase on, each at a multiple of 64. Behind them lie a place for each symbol that the file
// lacks (16 bytes apart, without bytes) and a table of offsets for code that wants one.
#pragma once
#include "code/program.h"

namespace assay::code {

// Far from the small numbers that code holds, within reach of a 32-bit jump and of MIPS's jal.
constexpr uint64_t kObjectBase = 0x50000000;

// `program` has its processor, order and pointer size.
Result<Program> load_object(const elf::File& file, Program program);

}  // namespace assay::code
