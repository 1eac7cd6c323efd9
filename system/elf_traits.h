// What an ELF file can do, from the names it imports, its strings and, in static programs, its system calls.
#pragma once
#include "elf/elf.h"

#include <string>
#include <string_view>
#include <vector>

namespace assay::system {

// `names`: imported functions and, of programs without imports, defined ones; sorted. See elf_facts.cc for the words.
std::vector<std::string> traits_of(const elf::File& file, const std::vector<std::string_view>& names);

// Names of the system calls whose number stands in a register load close before the trap instruction, sorted.
// Knows MIPS (o32, n64), ARM and Thumb (EABI), AArch64, x86, x86-64, PowerPC and RISC-V; only calls that a trait needs.
std::vector<std::string_view> system_calls(const elf::File& file);

}  // namespace assay::system
