// How long an ELF file is: it ends where the last of its header, tables, segments and sections ends. Nothing in the
// format stores a length or a checksum, so agreement between many fields is what confirms it.
#include "elf/elf.h"

#include <algorithm>

namespace assay::elf {
namespace {

struct End {
  uint64_t at = 0;
  bool overflow = false;
  void cover(uint64_t offset, uint64_t length) {
    if (length == 0) return;
    if (offset + length < offset) overflow = true;
    at = std::max(at, offset + length);
  }
};

bool known_type(uint16_t type) { return type >= kRelocatable && type <= kCore; }

// Sizes that the class fixes, names that can be read, at least one load segment or section with content.
bool fields_agree(const File& file) {
  const Header& h = file.header;
  const bool wide = h.bits == 64;
  if (h.header_size != (wide ? 64 : 52)) return false;
  if (h.segment_count && h.segment_size != (wide ? 56 : 32)) return false;
  if (h.section_count && h.section_size != (wide ? 64 : 40)) return false;
  if (!file.problems.empty() || file.segments.size() != h.segment_count) return false;
  bool content = false;
  for (const Segment& s : file.segments) {
    if (s.type == kLoad && s.file_size > s.memory_size) return false;
    content |= s.type == kLoad && s.file_size > 0;
  }
  if (file.sections.empty()) return content;
  if (h.name_section >= file.sections.size()) return false;
  const Section& names = file.sections[h.name_section];
  if (h.name_section != 0 && (names.type != kStringTable || names.size == 0)) return false;
  for (const Section& s : file.sections) content |= s.type != 0 && s.type != kNoBits && s.size > 0;
  return content && file.sections[0].type == 0;
}

}  // namespace

Result<Extent> measure(Bytes from) {
  const File file = TRY(read(from));
  const Header& h = file.header;
  if (!known_type(h.type)) return fail(Fault::kUnsupported, "type " + std::to_string(h.type), from.base() + 16);
  if (!file.problems.empty()) return std::unexpected(file.problems.front());
  End end;
  end.cover(0, h.header_size);
  if (h.segment_count) end.cover(h.segment_offset, uint64_t{h.segment_count} * h.segment_size);
  if (h.section_count && h.section_offset) end.cover(h.section_offset, uint64_t{h.section_count} * h.section_size);
  for (const Segment& s : file.segments)
    if (s.type != 0) end.cover(s.offset, s.file_size);
  for (const Section& s : file.sections)
    if (s.type != kNoBits && s.type != 0) end.cover(s.offset, s.size);
  if (end.overflow || end.at > from.size())
    return fail(Fault::kTruncated, "segments and sections end at " + std::to_string(end.at) + ", past the end",
                from.base());
  if (file.segments.empty() && file.sections.empty())
    return fail(Fault::kMalformed, "neither segments nor sections", from.base());
  return Extent{end.at, fields_agree(file)};
}

std::string machine_name(const Header& header) {
  struct Name {
    uint16_t number;
    std::string_view narrow, wide;
  };
  static constexpr Name kNames[] = {
      {2, "sparc", "sparc"},
      {3, "x86", "x86"},
      {4, "m68k", "m68k"},
      {8, "mips", "mips64"},
      {10, "mips", "mips64"},
      {15, "parisc", "parisc"},
      {18, "sparc", "sparc"},
      {20, "ppc", "ppc"},
      {21, "ppc64", "ppc64"},
      {22, "s390", "s390x"},
      {40, "arm", "arm"},
      {42, "sh", "sh"},
      {43, "sparc64", "sparc64"},
      {50, "ia64", "ia64"},
      {62, "x32", "x86-64"},
      {75, "vax", "vax"},
      {83, "avr", "avr"},
      {93, "arc", "arc"},
      {94, "xtensa", "xtensa"},
      {105, "msp430", "msp430"},
      {106, "blackfin", "blackfin"},
      {113, "nios2", "nios2"},
      {92, "openrisc", "openrisc"},
      {164, "hexagon", "hexagon"},
      {183, "aarch64", "aarch64"},
      {188, "tilepro", "tilepro"},
      {189, "microblaze", "microblaze"},
      {191, "tilegx", "tilegx"},
      {195, "arcv2", "arcv2"},
      {243, "riscv", "riscv"},
      {247, "bpf", "bpf"},
      {252, "csky", "csky"},
      {258, "loongarch", "loongarch"},
      {0x9026, "alpha", "alpha"},
  };
  for (const Name& name : kNames)
    if (name.number == header.machine) return std::string(header.bits == 64 ? name.wide : name.narrow);
  return "machine " + std::to_string(header.machine);
}

std::string_view type_name(uint16_t type) {
  constexpr std::string_view kTypes[] = {"other", "relocatable", "executable", "shared", "core"};
  return kTypes[known_type(type) ? type : 0];
}

}  // namespace assay::elf
