// Option ROMs of the PC: code that a BIOS runs for a card. A leaf: typed and measured.
//
//   0   55 aa  2 length in units of 512 bytes  3 entry point
//   24  where the PCI data structure is, 0: an ISA card's  26 where the Plug and Play header is, 0: none
//       "PCIR": 4 vendor  6 device
//       "$PnP": 4 version  5 its length in units of 16 bytes  9 makes its bytes add up to 0
//
// All bytes add up to 0. A sum of eight bits holds by chance in one of 256: only with one of the two structures does
// the ROM count as verified. Source: PCI Firmware Specification 3.3, 5.1; Plug and Play BIOS
// Specification 1.0A, 3.1, 3.2.
#include "core/hash.h"
#include "unpack/vendor.h"

namespace assay::unpack::optionrom {
namespace {

constexpr Magic kMagics[] = {{"\x55\xaa"}};
constexpr uint64_t kUnit = 512, kHeader = 28, kPnpUnit = 16;

bool has_sum_of_zero(Bytes bytes) { return checksum_holds(byte_sum(bytes) & 0xff, 0u); }

bool is_pnp(Bytes rom, uint64_t at) {
  if (at < kHeader || !rom.starts_with("$PnP", at) || rom.size() - at < 2 * kPnpUnit) return false;
  const Bytes header = rom.head(rom[at + 5] * kPnpUnit, at);
  return header.size() >= 2 * kPnpUnit && has_sum_of_zero(header);
}

Result<Measured> measure(Bytes from) {
  const Bytes h = TRY(from.slice(0, kHeader, "header"));
  const uint64_t length = h[2] * kUnit;
  if (length == 0) return fail(Fault::kForeign, "length", h.base() + 2);
  const Bytes rom = TRY(from.slice(0, length, "ROM"));
  const uint16_t pci = *h.le<uint16_t>(24, ""), pnp = *h.le<uint16_t>(26, "");
  const bool has_pci = pci >= kHeader && rom.starts_with("PCIR", pci);
  if (pci >= kHeader && pci % 4 == 0 && pci < length && !has_pci)
    return fail(Fault::kForeign, "no PCI data structure", h.base() + 24);
  if (!has_sum_of_zero(rom)) return fail(Fault::kMalformed, "its bytes do not add up to 0", h.base());
  return Measured{length, has_pci || is_pnp(rom, pnp)};
}

}  // namespace

extern const Format kOptionRom;
const Format kOptionRom = {.id = "option-rom",
                           .title = "Option ROM of the PC",
                           .version = 2,
                           .magics = kMagics,
                           .measure = measure,
                           .carve = false,
                           .reads =
                               "ISA and PCI ROMs at the start of a content; the sum of all bytes; verified only "
                               "with a PCI data structure or a Plug and Play header whose own sum holds",
                           .limits = "typed, not opened; further images of one ROM; EFI images, which have no sum",
                           .source = "PCI Firmware Specification 3.3, 5.1; Plug and Play BIOS Specification 1.0A, 3",
                           .checked = "real image: SeaBIOS' video BIOSes (Debian), by hand; own builder in the tests"};

}  // namespace assay::unpack::optionrom
