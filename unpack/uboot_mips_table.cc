// U-Boot for MIPS from 2017 on: relocations packed into numbers of 7 bits a byte, lowest first, the top bit set where
// another byte follows.
//
//   type, distance from the place before in words; … ; 0
//   types: 2 R_MIPS_32, 4 R_MIPS_26, 5 R_MIPS_HI16, 18 R_MIPS_64; places ascend from the image's first byte
//
// Every place must hold what its type says: an address of the image, a jump (j, jal) into it, a lui (or daddiu). The
// room that the linker script reserves for the table is filled with zeros; a device tree may follow. Source: U-Boot
// tools/mips-relocs.c, arch/mips/lib/reloc.c, arch/mips/cpu/start.S, u-boot.lds.
#include "unpack/uboot_image.h"

#include <algorithm>
#include <optional>

namespace assay::unpack {
namespace {

constexpr uint64_t kAlign = 64 << 10;
constexpr uint64_t kSign = 0xffffffff00000000;

struct TableWalk {
  Bytes b;
  Order order;
  uint64_t at = 0;
  uint64_t left = kMostUBootWork;  // relocations, over all tables tried

  std::optional<uint64_t> number() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35 && at < b.size(); shift += 7) {
      const uint8_t byte = b[at++];
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  uint64_t word(uint64_t where) const { return b.get<uint32_t>(where, order, "word").value_or(0); }
};

struct Seen {
  uint64_t count = 0, place = 0, foreign = 0;
  uint64_t lowest = ~uint64_t{0}, highest = 0;            // addresses
  uint64_t lowest_jump = ~uint64_t{0}, highest_jump = 0;  // targets, without the top four bits
  bool wide = false;                                      // 64 bits
  bool pinned() const { return lowest <= highest && lowest_jump <= highest_jump; }
};

// Whether the place holds what a relocation of this type speaks of.
bool fits(const TableWalk& walk, uint64_t type, Seen& seen) {
  uint64_t word = walk.word(seen.place);
  if (type == 4) {
    const uint64_t target = (word & 0x3ffffff) << 2;
    seen.lowest_jump = std::min(seen.lowest_jump, target), seen.highest_jump = std::max(seen.highest_jump, target);
    return word >> 27 == 1;
  }
  if (type == 5) return word >> 26 == 0xf || word >> 26 == 0x19;  // 64 bits: daddiu adds what lui did for 32
  if (type == 2) word |= word >> 31 ? kSign : 0;
  if (type == 18) word = walk.b.get<uint64_t>(seen.place, walk.order, "address").value_or(0), seen.wide = true;
  seen.lowest = std::min(seen.lowest, word), seen.highest = std::max(seen.highest, word);
  return type == 2 || type == 18;
}

std::optional<Seen> walk_table(TableWalk& walk) {
  const uint64_t table = walk.at;
  Seen seen;
  while (const auto type = walk.number()) {
    if (*type == 0) return seen;
    if (walk.left == 0) return std::nullopt;
    --walk.left;
    const auto distance = walk.number();
    if (!distance) return std::nullopt;
    if (*type != 2 && *type != 4 && *type != 5 && *type != 18) {
      seen.foreign = 1;
      return seen;
    }
    seen.place += *distance << 2;
    if (seen.place + 4 > table || !fits(walk, *type, seen)) return std::nullopt;
    ++seen.count;
  }
  return std::nullopt;
}

bool addresses_agree(const Seen& seen, uint64_t table, uint64_t base) {
  const uint64_t segment = base & 0x0fffffff;
  return seen.highest - base < kMostMemory && seen.lowest_jump >= segment && seen.highest_jump < segment + table;
}

}  // namespace

Result<UBootImage> read_uboot_mips_table(Bytes from) {
  const Bytes b = from.head(kMostUBoot);
  for (const Order order : {Order::kLittle, Order::kBig}) {
    const uint64_t first = b.get<uint32_t>(0, order, "branch").value_or(0);
    if (first >> 16 != 0x1000 || (first & 0x8000)) continue;
    TableWalk walk{.b = b, .order = order};
    for (uint64_t table = 4096; table + kLeastRelocations <= b.size() && walk.left; table += 4) {
      if (b[table] != 2 && b[table] != 4 && b[table] != 5 && b[table] != 18) continue;
      walk.at = table;
      const auto seen = walk_table(walk);
      if (!seen || seen->count < kLeastRelocations || !seen->pinned()) continue;
      const uint64_t base = seen->lowest / kAlign * kAlign;
      if (!addresses_agree(*seen, table, base)) continue;
      return UBootImage{.arch = "mips",
                        .order = order,
                        .base = seen->wide ? base : base & 0xffffffff,
                        .end = walk.at,
                        .table = table,
                        .relocations = seen->count,
                        .foreign = seen->foreign,
                        .pinned_by = "the end of its packed relocations"};
    }
  }
  return fail(Fault::kForeign, "no packed table of relocations", b.base());
}

}  // namespace assay::unpack
