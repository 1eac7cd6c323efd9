// The instruction sets that machine code is read in, and what of a file's header chooses among them.
#pragma once
#include "core/bytes.h"

#include <string_view>

namespace assay::code {

// One name per set of encodings and byte order of its instructions. Thumb and microMIPS are modes of a program whose
// other functions are ARM or MIPS32; each function has its own.
enum class Processor : uint8_t {
  kUnknown,
  kMips32Be,
  kMips32Le,
  kMips64Be,
  kMips64Le,
  kMicroMipsBe,
  kMicroMipsLe,
  kArm,  // instructions little-endian (also BE8, whose data alone is big-endian)
  kThumb,
  kArmBe,  // BE32: instructions big-endian too
  kThumbBe,
  kAArch64,
  kX86,
  kX86_64,
  kPpc32,
  kPpc64Be,
  kPpc64Le,
  kRiscv32,
  kRiscv64,
};
constexpr size_t kProcessors = 19;

// Encodings that share a processor's name but exclude one another.
enum class Dialect : uint8_t {
  kUsual,
  kMipsR6,  // release 6 gave old encodings new meanings
  kOcteon,  // Cavium's bit branches stand where others have coprocessor 2
};

enum class Family : uint8_t { kNone, kMips, kArm, kAArch64, kX86, kPpc, kRiscv };

Family family_of(Processor processor);
std::string_view name_of(Processor processor);     // as CodeUnit::processor has it: mips32-be, arm, x86-64, …
Processor processor_named(std::string_view name);  // kUnknown for no such name
bool is_64_bit(Processor processor);
inline bool is_thumb(Processor processor) { return processor == Processor::kThumb || processor == Processor::kThumbBe; }
Order instruction_order(Processor processor);
uint32_t instruction_alignment(Processor processor);  // of every instruction's address: 1, 2 or 4
// The other mode that calls may switch to: ARM and Thumb, MIPS32 and microMIPS; kUnknown where there is none.
Processor other_mode(Processor processor);

}  // namespace assay::code
