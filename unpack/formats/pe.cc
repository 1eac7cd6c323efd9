// PE images and their terse form TE: typed leaves.
//
//   PE: 0 "MZ"  60 where "PE\0\0" stands
//       behind it machine (2), sections (2), …, size of the optional header (2), flags (2); the optional header
//       sections of 40 bytes: name (8), …, size of the raw data (4) at 16, its place (4) at 20
//   TE: 0 "VZ", machine (2), sections (1), subsystem (1), bytes stripped (2), entry, base of code (4, 4)
//       image base (8), two directories (16); sections as above, whose places count the stripped bytes too
//
// Source: Microsoft, PE Format; UEFI PI specification 1.7, volume 1, 15 (TE Image).
#include "unpack/format.h"

#include <algorithm>

namespace assay::unpack::pe {
namespace {

constexpr Magic kPeMagics[] = {{"MZ"}};
constexpr Magic kTeMagics[] = {{"VZ"}};
constexpr uint64_t kSection = 40;

// The end of the last section's data; `shift`: what its stated place is too large by.
Result<uint64_t> end_of_sections(Bytes b, uint64_t table, uint64_t count, uint64_t shift) {
  uint64_t end = table + kSection * count;
  TRY(b.slice(table, kSection * count, "section table"));
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t size = TRY(b.le<uint32_t>(table + kSection * i + 16, "size of a section")),
                   place = TRY(b.le<uint32_t>(table + kSection * i + 20, "place of a section"));
    if (size == 0) continue;
    if (place < shift) return fail(Fault::kMalformed, "place of a section", b.base() + table + kSection * i + 20);
    TRY(b.slice(place - shift, size, "section"));
    end = std::max(end, place - shift + size);
  }
  return end;
}

Result<Measured> measure_pe(Bytes from) {
  const uint64_t header = TRY(from.le<uint32_t>(60, "PE header"));
  if (!from.starts_with(std::string_view("PE\0\0", 4), header))
    return fail(Fault::kForeign, "no PE header", from.base() + 60);
  const auto sections = TRY(from.le<uint16_t>(header + 6, "sections")),
             optional = TRY(from.le<uint16_t>(header + 20, "optional header"));
  const auto kind = TRY(from.le<uint16_t>(header + 24, "optional header"));
  if (sections == 0 || sections > 96 || (kind != 0x10b && kind != 0x20b))
    return fail(Fault::kMalformed, "sections", from.base() + header + 6);
  uint64_t end = TRY(end_of_sections(from, header + 24 + optional, sections, 0));
  // The fifth directory holds certificates; its place is one in the file. They stand behind the sections.
  const uint64_t certificates = header + 24 + (kind == 0x20b ? 112 : 96) + 4 * 8;
  if (certificates + 8 <= header + 24 + optional) {
    const uint64_t place = TRY(from.le<uint32_t>(certificates, "certificates")),
                   size = TRY(from.le<uint32_t>(certificates + 4, "certificates"));
    if (place >= end && size > 0 && from.slice(place, size, "certificates")) end = place + size;
  }
  return Measured{end, true};
}

Result<Measured> measure_te(Bytes from) {
  if (!from.starts_with("VZ")) return fail(Fault::kForeign, "magic", from.base());
  const auto machine = TRY(from.le<uint16_t>(2, "machine"));
  constexpr uint16_t kMachines[] = {0x14c, 0x8664, 0x1c2, 0x1c4, 0xaa64, 0xebc, 0x200, 0x5032, 0x5064, 0x6264};
  if (std::ranges::find(kMachines, machine) == std::end(kMachines))
    return fail(Fault::kForeign, "machine", from.base() + 2);
  const auto sections = TRY(from.le<uint8_t>(4, "sections"));
  const uint64_t stripped = TRY(from.le<uint16_t>(6, "stripped size"));
  if (sections == 0 || stripped < kSection) return fail(Fault::kForeign, "sections", from.base() + 4);
  return Measured{TRY(end_of_sections(from, 40, sections, stripped - 40)), true};
}

}  // namespace

extern const Format kPe;
const Format kPe = {.id = "pe",
                    .title = "PE image",
                    .magics = kPeMagics,
                    .measure = measure_pe,
                    .limits = "typed, not opened; resources and overlays behind the last section are not part of it",
                    .source = "Microsoft PE Format",
                    .checked = "real image: OVMF's modules, a self-extractor among the samples"};

extern const Format kTe;
const Format kTe = {.id = "te",
                    .title = "TE image (terse PE of UEFI)",
                    .magics = kTeMagics,
                    .measure = measure_te,
                    .carve = false,
                    .limits = "typed, not opened",
                    .source = "UEFI PI specification 1.7 volume 1",
                    .checked = "own builder only"};

}  // namespace assay::unpack::pe
