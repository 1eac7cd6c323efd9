// How far U-Boot reaches where it stands in flash without a header: from 2013 on it carries the table with which it
// moves itself in memory, and every entry of that table must fit the bytes it speaks of.
#pragma once
#include "core/bytes.h"

namespace assay::unpack {

struct UBootImage {
  std::string_view arch;
  Order order = Order::kLittle;
  uint64_t base = 0;                // address of the first byte, as linked
  uint64_t end = 0;                 // of what the tables pin; a device tree may follow
  uint64_t table = 0;               // where the relocations stand
  uint64_t relocations = 0;         // each of them fits
  uint64_t foreign = 0;             // of a type that U-Boot would not apply; the first ends a packed table
  std::string_view pinned_by = {};  // what says how long the image is
};

constexpr uint64_t kMostUBoot = 4 << 20;
constexpr uint64_t kMostMemory = 16 << 20;  // beyond an image's base: what its tables speak of
constexpr uint64_t kLeastRelocations = 256;
// Relocations that are looked at in one image, over all places where a table of them may begin. Hostile bytes make each
// place look like one; a real image needs a small part of this.
constexpr uint64_t kMostUBootWork = kMostUBoot / 4;

Result<UBootImage> read_uboot_elf_tables(Bytes from);  // uboot_elf_tables.cc: ARM, AArch64, x86, x86-64, RISC-V
Result<UBootImage> read_uboot_mips_table(Bytes from);  // uboot_mips_table.cc
Result<UBootImage> read_uboot_ppc_tables(Bytes from);  // uboot_ppc_tables.cc
Result<UBootImage> read_uboot_spl_x86(Bytes from);     // uboot_spl_x86.cc: no relocations

}  // namespace assay::unpack
