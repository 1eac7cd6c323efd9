// Option ROMs of the PC: code that a BIOS runs for a card. A leaf: typed and measured.
//
//   0  55 aa  2 length in units of 512 bytes  3 entry point  24 where the PCI data structure is, 0: an ISA card's
//   "PCIR": 4 vendor  6 device
//
// All bytes add up to 0. Source: PCI Firmware Specification 3.3, 5.1; Plug and Play BIOS Specification 1.0A, 3.1.
#include "core/hash.h"
#include "unpack/vendor.h"

namespace assay::unpack {
namespace {

constexpr Magic kMagics[] = {{"\x55\xaa"}};
constexpr uint64_t kUnit = 512, kHeader = 26;

Result<Measured> measure(Bytes from) {
  const Bytes h = TRY(from.slice(0, kHeader, "header"));
  const uint64_t length = h[2] * kUnit;
  if (length == 0) return fail(Fault::kForeign, "length", h.base() + 2);
  const Bytes rom = TRY(from.slice(0, length, "ROM"));
  const uint16_t pci = *h.le<uint16_t>(24, "");
  if (pci >= kHeader && pci % 4 == 0 && pci < length && !rom.starts_with("PCIR", pci))
    return fail(Fault::kForeign, "no PCI data structure", h.base() + 24);
  if (!checksum_holds(byte_sum(rom) & 0xff, 0u))
    return fail(Fault::kMalformed, "its bytes do not add up to 0", h.base());
  return Measured{length, true};
}

}  // namespace

extern const Format kOptionRom;
const Format kOptionRom = {.id = "option-rom",
                           .title = "Option ROM of the PC",
                           .version = 1,
                           .magics = kMagics,
                           .measure = measure,
                           .carve = false,
                           .reads = "ISA and PCI ROMs at the start of a content; the sum of all bytes",
                           .limits = "typed, not opened; further images of one ROM",
                           .source = "PCI Firmware Specification 3.3, 5.1",
                           .checked = "real image: SeaBIOS' video BIOSes (Debian), by hand; own builder in the tests"};

}  // namespace assay::unpack
