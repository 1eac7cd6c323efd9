// U-Boot for PowerPC (32 bits, big endian): .got2, words that hold addresses, then .fixup, addresses of words that do.
//
//   0   address of this table itself  4 address of .fixup  8 _start and others, in the order of start.S:
//   20  __init_end, where the stored image ends  24 __bss_end  28 __bss_start
//
// The first word gives the base; all others must be addresses of the image's memory.
// Source: U-Boot arch/powerpc/cpu/mpc85xx/start.S, u-boot.lds; arch/powerpc/lib/reloc.S.
#include "unpack/uboot_image.h"

namespace assay::unpack {
namespace {

constexpr uint64_t kTableAlign = 4096, kMostForeign = 4;

uint64_t be_word(Bytes b, uint64_t at) { return b.be<uint32_t>(at, "word").value_or(0); }

struct PpcTables {
  uint64_t at = 0, fixup = 0, base = 0, end = 0, words = 0, foreign = 0;
};

// Four words are no addresses: the head of .got, an instruction (blrl) and three words for a dynamic linker.
void count_words(Bytes b, PpcTables& t, uint64_t& left) {
  for (uint64_t i = t.at; i < t.fixup && t.foreign <= kMostForeign && left; i += 4, --left)
    be_word(b, i) - t.base < kMostMemory ? ++t.words : ++t.foreign;
}

bool read_tables(Bytes b, uint64_t at, PpcTables& t, uint64_t& left) {
  const uint64_t self = be_word(b, at);
  if (self < at || (self - at) % kTableAlign) return false;
  t = {.at = at, .base = self - at};
  t.fixup = be_word(b, at + 4) - t.base;
  t.end = be_word(b, at + 20) - t.base;
  if (t.fixup <= at + 32 || t.fixup >= b.size() || t.fixup % 4 || t.end < t.fixup || t.end > b.size()) return false;
  for (const uint64_t i : {8, 24, 28})
    if (be_word(b, at + i) - t.base >= kMostMemory) return false;
  if (be_word(b, at + 28) - t.base < t.end || be_word(b, at + 24) < be_word(b, at + 28)) return false;
  count_words(b, t, left);
  return left && t.words >= kLeastRelocations && t.foreign <= kMostForeign;
}

uint64_t count_fixups(Bytes b, const PpcTables& t) {
  uint64_t count = 0;
  for (uint64_t i = t.fixup; i + 4 <= t.end; i += 4, ++count) {
    const uint64_t place = be_word(b, i) - t.base;
    if (place >= t.end || place % 4 || be_word(b, place) - t.base >= kMostMemory) break;
  }
  return count;
}

}  // namespace

Result<UBootImage> read_uboot_ppc_tables(Bytes from) {
  const Bytes b = from.head(kMostUBoot);
  const uint64_t opcode = be_word(b, 0) >> 26;
  if (opcode != 14 && opcode != 15) return fail(Fault::kForeign, "first instruction is no li or lis", b.base());
  PpcTables t;
  uint64_t left = kMostUBootWork;  // words, over all tables tried
  for (uint64_t at = 4096; at + 32 <= b.size() && left; at += 4)
    if (read_tables(b, at, t, left))
      return UBootImage{.arch = "powerpc",
                        .order = Order::kBig,
                        .base = t.base,
                        .end = t.end,
                        .table = t.at,
                        .relocations = t.words + count_fixups(b, t),
                        .foreign = t.foreign,
                        .pinned_by = "its global offset table"};
  return fail(Fault::kForeign, "no global offset table that names itself", b.base());
}

}  // namespace assay::unpack
