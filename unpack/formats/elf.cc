// ELF: programs, libraries, kernel modules. A leaf: its contents are the analyses' matter (system/elf_facts.cc).
//
// The file ends where the last of header, tables, segments and sections ends; see elf/elf.h for the layout. It carries
// no checksum: it counts as verified when sizes, counts, string table and ranges agree with each other.
// Bytes behind that end (a module's signature) are left to the rest of the container.
// Source: System V ABI, chapters 4 and 5.
#include "elf/elf.h"
#include "unpack/format.h"

namespace assay::unpack::elf_file {
namespace {

constexpr Magic kMagics[] = {
    {"\x7f"
     "ELF"}};

Result<Measured> measure(Bytes from) {
  const elf::Extent extent = TRY(elf::measure(from));
  return Measured{extent.length, extent.consistent};
}

}  // namespace

extern const Format kElf;
const Format kElf = {.id = "elf",
                     .title = "ELF program, library or object",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .reads = "32 and 64 bits, both byte orders, with or without section headers",
                     .limits = "Data appended behind the last section, such as a module signature, is not part of it.",
                     .source = "System V ABI, chapters 4 and 5",
                     .checked = "real images: programs of the distribution"};

}  // namespace assay::unpack::elf_file
