// What an ELF file can do, from the names it imports, its strings and, in static programs, its system calls.
#pragma once
#include "elf/elf.h"
#include "system/marks.h"

#include <string>
#include <string_view>
#include <vector>

namespace assay::system {

// The texts that name a partner of a mechanism.
std::span<const std::string_view> trait_words();

// `names`: imported functions and, of programs without imports, defined ones; sorted. `words`: where trait_words()
// occur in the file. See elf_facts.cc for the traits.
std::vector<std::string> traits_of(const std::vector<std::string_view>& names, const Marks& words);

// Names of the system calls whose number stands in a register load close before the trap instruction, sorted.
// Knows MIPS (o32, n64), ARM and Thumb (EABI), AArch64, x86, x86-64, PowerPC and RISC-V; only calls that a trait needs.
std::vector<std::string_view> system_calls(const elf::File& file);

}  // namespace assay::system
