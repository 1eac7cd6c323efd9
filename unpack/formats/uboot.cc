// U-Boot from 2013 on, as it stands in flash (u-boot.bin): no header, but tables of relocations that pin its extent and
// prove it entry by entry (unpack/uboot_image.h and the files it names), and often a device tree right behind them.
// Formats uboot-arm and uboot-mips read older builds.
#include "core/find.h"
#include "unpack/describe.h"
#include "unpack/fdt.h"
#include "unpack/remember.h"
#include "unpack/uboot_image.h"

#include <algorithm>

namespace assay::unpack::uboot {
namespace {

using namespace std::string_view_literals;

constexpr Magic kMagics[] = {{"\x1f\x20\x03\xd5\0\0"sv, 4},              // AArch64: nop behind the branch
                             {"\x14\xf0\x9f\xe5\x14\xf0\x9f\xe5"sv, 4},  // ARM: vectors
                             {"\xfa\xfc\x0f\x20\xc0\x0d"sv},             // x86: cli; cld; mov eax, cr0; or eax
                             {"\x48\x89\xe7\xe8"sv},                     // x86-64: mov rdi, rsp; call
                             {"\x73\x25\x40\xf1\x2a\x82"sv},             // RISC-V: csrr a0, mhartid; mv tp, a0
                             {"\x2a\x82\xae\x84"sv},                     // RISC-V, supervisor: mv tp, a0; mv s1, a1
                             {"\x3f\x01\x00\x10\0\0\0\0"sv},             // MIPS: b reset, behind the vectors
                             {"\x10\x00\x01\x3f\0\0\0\0"sv},
                             {"\x38\x20\x02\x00\x7c\x20\x01\x24"sv}};  // PowerPC: li r1, 0x200; mtmsr r1
constexpr uint64_t kMostRoom = 256 << 10;  // zeros that a linker script reserves in front of the device tree

constexpr std::string_view kBanner = "U-Boot 20", kSplBanner = "U-Boot SPL 20";
// Bytes that may be read of one content, over all places where an image may begin: 10 of the largest images.
constexpr uint64_t kMostRead = 10 * kMostUBoot;

size_t banner_at(Bytes b) { return std::min(find_text(b.text(), kBanner), find_text(b.text(), kSplBanner)); }
bool banner_near(Bytes b) { return stands_near(kBanner, b) || stands_near(kSplBanner, b); }

struct Boot {
  UBootImage image;
  uint64_t tree = 0, tree_size = 0;  // 0: none
  uint64_t size() const { return tree_size ? tree + tree_size : image.end; }
};

void find_tree(Bytes from, Boot& boot) {
  uint64_t at = boot.image.end;
  while (at < from.size() && from[at] == 0 && at - boot.image.end < kMostRoom) ++at;
  if (!from.starts_with("\xd0\x0d\xfe\xed", at)) return;
  const auto tree = read_fdt(from.head(from.size(), at));
  if (tree && tree->size <= from.size() - at) boot.tree = at, boot.tree_size = tree->size;
}

// What stands at the magics of AArch64 and x86-64 is common in any code: a second look costs nothing.
bool may_start(Bytes from) {
  if (from.starts_with(kMagics[3].bytes)) return from.starts_with("\x48\x89\xc4\xe8"sv, 8);  // mov rsp, rax; call
  if (from.starts_with(kMagics[1].bytes)) return false;  // ARM: within the vectors, whose first is a branch
  if (!from.starts_with(kMagics[0].bytes, 4)) return true;
  const uint64_t end = from.le<uint64_t>(16, "").value_or(0), bss = from.le<uint64_t>(24, "").value_or(0);
  return from[3] == 0x14 && end > 4096 && end <= kMostUBoot && bss >= end;
}

Result<UBootImage> read_image(Bytes from) {
  if (from[0] == 0x38) return read_uboot_ppc_tables(from);
  const bool mips = from.starts_with("\x3f\x01\x00\x10"sv) || from.starts_with("\x10\x00\x01\x3f"sv);
  auto image = mips ? read_uboot_mips_table(from) : read_uboot_elf_tables(from);
  if (!image && from.starts_with(kMagics[2].bytes)) return read_uboot_spl_x86(from);
  return image;
}

Result<Boot> read_boot(Bytes from) {
  Boot boot{.image = TRY(read_image(from))};
  if (banner_at(from.head(boot.image.end)) == std::string_view::npos)
    return fail(Fault::kForeign, "no U-Boot version", from.base());
  find_tree(from, boot);
  return boot;
}

// Costs next to nothing, however often its magics stand in a content.
Result<void> cheap_tests(Bytes from) {
  if (from.size() < 4096 || !may_start(from)) return fail(Fault::kForeign, "size or first words", from.base());
  if (!banner_near(from.head(kMostUBoot))) return fail(Fault::kForeign, "no U-Boot version", from.base());
  return {};
}

// A place is measured again for each candidate in front of it that it may disprove: that costs nothing more.
Result<Measured> measure(Bytes from) {
  TRY_VOID(cheap_tests(from));
  Error refusal{Fault::kForeign, "refused before", from.base()};
  const uint64_t size = remembered("U-Boot", from, [&]() -> uint64_t {
    auto boot = may_spend("U-Boot", from, std::min(from.size(), kMostUBoot), kMostRead)
                    ? read_boot(from)
                    : fail(Fault::kLimit, "too many false starts; later ones were not tried", from.base());
    if (!boot) refusal = boot.error();
    return boot ? boot->size() : 0;
  });
  if (size == 0) return std::unexpected(std::move(refusal));
  return Measured{size, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  TRY_VOID(cheap_tests(whole));
  const Boot boot = TRY(read_boot(whole));
  const UBootImage& image = boot.image;
  into.range(Range::kContent, 0, image.end);
  const size_t at = banner_at(whole);
  const std::string_view banner = whole.head(100, at).text();
  into.note("banner", std::string(banner.substr(0, banner.find_first_of("\0\n\r"sv))), at);
  into.note("arch", std::string(image.arch) + (image.order == Order::kLittle ? ", little endian" : ", big endian"), 0);
  into.note("base", hex_number(image.base), 0);
  if (image.relocations) into.note("relocations", std::to_string(image.relocations), image.table);
  into.note("extent", "pinned by " + std::string(image.pinned_by), image.table);
  if (image.foreign) into.note("relocations of no known type", std::to_string(image.foreign), image.table);
  if (!boot.tree_size) return {};
  into.range(Range::kPadding, image.end, boot.tree - image.end);
  return into.child("dtb", stored(whole.head(boot.tree_size, boot.tree)));
}

}  // namespace

extern const Format kUBoot;
const Format kUBoot = {
    .id = "uboot",
    .title = "U-Boot that relocates itself, as stored in flash",
    .version = 3,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .readable = true,
    .reads =
        "builds from 2013 on for ARM, AArch64, MIPS (packed relocations, 2017 on), PowerPC 85xx, RISC-V 64, x86 and "
        "x86-64; each relocation is held against the place it speaks of; the device tree behind them; x86's SPL, which "
        "has "
        "none, by the address of its device tree",
    .limits =
        "other CPUs' SPL, which has no relocations; builds with other start-up code; more than 4 MiB; what lies "
        "between the start "
        "and the relocations is pinned by these and by its own words for both ends, not taken apart further",
    .source =
        "U-Boot arch/*/cpu/start.S, arch/arm/lib/relocate.S, tools/mips-relocs.c, arch/powerpc/cpu/mpc85xx/u-boot.lds",
    .checked = "real image: u-boot-qemu (Debian) for nine boards; own builder for damage"};

}  // namespace assay::unpack::uboot
