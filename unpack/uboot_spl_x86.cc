// U-Boot's first stage for x86 (SPL) as it stands in a ROM: it runs where it is, so it has no relocations. Two of its
// own words pin it: start.S loads the interrupt table from an address close behind the first instruction, which says
// where the image is linked; and the code holds the address of its end, where its device tree stands. Source: U-Boot
// arch/x86/cpu/start.S (lidt), lib/fdtdec.c (fdt_find_separate), arch/x86/cpu/u-boot-spl.lds.
#include "core/find.h"
#include "unpack/fdt.h"
#include "unpack/uboot_image.h"

#include <algorithm>

namespace assay::unpack {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kLoadTable = "\x0f\x01\x1d";  // lidt [address]
constexpr uint64_t kStartCode = 128, kSplPage = 4096, kMostSpl = 512 << 10;
constexpr unsigned kMostTrees = 16;

}  // namespace

Result<UBootImage> read_uboot_spl_x86(Bytes from) {
  const size_t load = find_text(from.head(kStartCode).text(), kLoadTable);
  if (load == std::string_view::npos) return fail(Fault::kForeign, "no interrupt table is loaded", from.base());
  const uint32_t table = TRY(from.le<uint32_t>(load + kLoadTable.size(), "address of the interrupt table"));
  const uint64_t base = table / kSplPage * kSplPage;
  const Bytes image = from.head(kMostSpl);
  size_t tree = 0;
  for (unsigned n = 0; n < kMostTrees; ++n) {
    const size_t next = find_text(image.text().substr(tree), "\xd0\x0d\xfe\xed"sv);
    if (next == std::string_view::npos) break;
    tree += next;
    const uint64_t address = base + tree;
    std::string word;
    for (int i = 0; i < 4; ++i) word.push_back(static_cast<char>(address >> (8 * i)));
    const size_t pin = find_text(image.text().substr(0, tree), word);
    if (address >> 32 == 0 && pin != std::string_view::npos && read_fdt(from.head(from.size(), tree)))
      return UBootImage{
          .arch = "x86", .base = base, .end = tree, .table = pin, .pinned_by = "the address of its device tree"};
    tree += 4;
  }
  return fail(Fault::kForeign, "no device tree whose address the code holds", from.base());
}

}  // namespace assay::unpack
