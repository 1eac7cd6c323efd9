// U-Boot whose relocations are those of ELF (.rel.dyn, .rela.dyn), without the ELF file around them.
//
//   .rel.dyn   8 bytes: place, type            ARM 23, x86 8
//   .rela.dyn  24 bytes: place, type, address  AArch64 1027, x86-64 8, RISC-V 3 (and 2 with a symbol)
//
// All of one type, RELATIVE, thousands in a row; a symbol table of one entry may part them. What pins the image:
//   AArch64        start.S: after "b reset" the words base, end, .bss start, .bss end, from the base on
//   ARM            relocate.S: four words: image start, image end, table start, table end, from relocate_code on
//   x86            words of the image that the table relocates hold the addresses of the table's start and of its end
//   x86-64, RISC-V the dynamic section: DT_RELA, DT_RELASZ, DT_RELAENT in a row; DT_SYMTAB behind the table with
//                  as many symbols as DT_HASH says
// Source: U-Boot arch/arm/cpu/armv8/start.S, arch/arm/lib/relocate.S, arch/x86/lib/relocate.c, u-boot.lds of each; ELF.
#include "unpack/uboot_image.h"

#include <algorithm>
#include <array>
#include <vector>

namespace assay::unpack {
namespace {

constexpr uint64_t kMostGap = 64, kTablePage = 4096;
constexpr uint64_t kMostSteps = 64;  // pages from the lowest place down to where x86's image may begin
constexpr uint64_t kMostStray = 8;   // relocations of x86's 16-bit start, which is linked elsewhere

struct Kind {
  std::string_view arch;
  std::string_view start;  // the first instruction
  uint64_t start_at;
  uint64_t entry;
  uint64_t type, with_symbol;
};
using namespace std::string_view_literals;
constexpr std::array kKinds = {
    Kind{"aarch64", "\x1f\x20\x03\xd5"sv, 4, 24, 1027, 0},           // b reset; nop
    Kind{"arm", "\x14\xf0\x9f\xe5\x14\xf0\x9f\xe5"sv, 4, 8, 23, 0},  // ldr pc of the vectors
    Kind{"x86", "\xfa\xfc\x0f\x20\xc0\x0d"sv, 0, 8, 8, 0},           // cli; cld; mov eax, cr0; or eax
    Kind{"x86-64", "\x48\x89\xe7\xe8"sv, 0, 24, 8, 0},               // mov rdi, rsp; call
    Kind{"riscv64", "\x73\x25\x40\xf1"sv, 0, 24, 3, 2},              // csrr a0, mhartid
    Kind{"riscv64", "\x2a\x82\xae\x84"sv, 0, 24, 3, 2},              // mv tp, a0; mv s1, a1
};

uint64_t word(Bytes b, uint64_t at) { return b.le<uint32_t>(at, "word").value_or(0); }
uint64_t wide(Bytes b, uint64_t at) { return b.le<uint64_t>(at, "word").value_or(0); }

struct Entry {
  uint64_t at = 0;  // where it stands
  uint64_t place = 0, address = 0;
  bool relative = false, with_symbol = false;
};

Entry entry_at(Bytes b, const Kind& kind, uint64_t at) {
  if (at + kind.entry > b.size()) return {};
  if (kind.entry == 8) return {at, word(b, at), 0, word(b, at + 4) == kind.type, false};
  const uint64_t info = wide(b, at + 8);
  const bool with_symbol = kind.with_symbol && (info & 0xffffffff) == kind.with_symbol && info >> 32 && info >> 45 == 0;
  return {at, wide(b, at), wide(b, at + 16), info == kind.type, with_symbol};
}

struct Table {
  uint64_t at = 0, end = 0;
  std::vector<Entry> entries;
  uint64_t count = 0, relative = 0;
};

bool three_entries(Bytes b, const Kind& kind, uint64_t at) {
  return entry_at(b, kind, at).relative && entry_at(b, kind, at + kind.entry).relative &&
         entry_at(b, kind, at + 2 * kind.entry).relative;
}

// From an entry on, as long as entries follow. One empty symbol may part them; behind it a single one is chance.
Table table_from(Bytes b, const Kind& kind, uint64_t at, bool keep) {
  Table table{.at = at, .end = at};
  for (uint64_t gap = 0; gap <= kMostGap;) {
    const Entry e = entry_at(b, kind, table.end + gap);
    if (gap == 0 ? !e.relative && !e.with_symbol : !three_entries(b, kind, table.end + gap)) {
      gap += kind.entry == 8 ? 4 : 8;
      continue;
    }
    if (keep) table.entries.push_back(e);
    ++table.count;
    table.relative += e.relative;
    table.end += gap + kind.entry;
    gap = 0;
  }
  return table;
}

Table longest_table(Bytes b, const Kind& kind) {
  Table best;
  const uint64_t step = kind.entry == 8 ? 4 : 8;
  for (uint64_t at = kTablePage; at + kind.entry <= b.size();) {
    if (!entry_at(b, kind, at).relative) {
      at += step;
      continue;
    }
    Table table = table_from(b, kind, at, false);
    at = table.end;
    if (table.relative > best.relative) best = std::move(table);
  }
  return best.relative < kLeastRelocations ? best : table_from(b, kind, best.at, true);
}

// Every entry speaks of a place in front of the table, and what it relocates is an address of the image's memory.
bool entries_fit(Bytes b, const Table& table, const Kind& kind, uint64_t base) {
  uint64_t stray = 0, inside = 0, relative = 0;
  for (const Entry& e : table.entries) {
    if (e.place - base >= table.at) {
      if (kind.arch != "x86" || e.place >= 0x10000 || ++stray > kMostStray) return false;
      continue;
    }
    if (!e.relative) continue;
    ++relative;
    const uint64_t address = kind.entry == 8 ? word(b, e.place - base) : e.address;
    inside += address - base < kMostMemory;
    if (kind.entry == 24 && address - base >= kMostMemory) return false;
  }
  return inside * 4 >= relative * 3 && relative >= kLeastRelocations;
}

uint64_t lowest_place(const Table& table) {
  uint64_t lowest = ~uint64_t{0};
  for (const Entry& e : table.entries)
    if (e.place >= 0x10000 || table.entries.front().place < 0x10000) lowest = std::min(lowest, e.place);
  return lowest;
}

// relocate.S: image start, image end, table start, table end, as distances from relocate_code.
bool arm_words_agree(Bytes b, const Table& table) {
  for (uint64_t at = 0; at + 16 <= table.at; at += 4) {
    const auto start = static_cast<uint32_t>(word(b, at)), from = static_cast<uint32_t>(word(b, at + 8));
    const uint32_t code = 0 - start;
    if (code == 0 || code > at || word(b, at + 12) - from > table.end - table.at) continue;
    const uint64_t first = uint64_t{from} + code;
    if (first >= table.at && (first - table.at) % 8 == 0 && word(b, at + 12) + code == table.end &&
        word(b, at + 4) + code <= first)
      return true;
  }
  return false;
}

bool pin_arm(Bytes b, const Table& table, UBootImage& image) {
  image.base = lowest_place(table) / kTablePage * kTablePage;
  image.end = table.end;
  image.pinned_by = "the words of its relocation code";
  return arm_words_agree(b, table);
}

bool pin_aarch64(Bytes b, const Table& table, UBootImage& image) {
  image.base = wide(b, 8);
  image.end = wide(b, 16);
  image.pinned_by = "the words behind its first instruction";
  return image.end == table.end && wide(b, 24) >= table.end && wide(b, 32) >= wide(b, 24);
}

// A symbol table of one entry parts the first relocations, of UEFI's run time, from the rest: the word for the table's
// start may name a later entry.
bool x86_words_agree(Bytes b, const Table& table, uint64_t base) {
  const uint64_t starts = std::min(64 * kTablePage, table.end - table.at);
  bool start = false, end = false;
  for (const Entry& e : table.entries) {
    const uint64_t at = (word(b, e.place - base) - base) & 0xffffffff;  // .rel.dyn: the place itself holds the address
    end = end || at == table.end;
    start = start || (at - table.at < starts && (at - table.at) % 8 == 0);
    if (start && end) return true;
  }
  return false;
}

// The code that relocates names both ends of the table.
bool pin_x86(Bytes b, const Table& table, UBootImage& image) {
  const uint64_t lowest = lowest_place(table);
  image.end = table.end;
  image.pinned_by = "its own words for both ends of the table";
  const uint64_t steps = std::min(kMostSteps, kMostUBootWork / table.entries.size());
  for (uint64_t step = 0; step < steps && step <= lowest / kTablePage; ++step) {
    image.base = (lowest / kTablePage - step) * kTablePage;
    if (x86_words_agree(b, table, image.base)) return true;
  }
  return false;
}

struct Dynamic {
  uint64_t rela = 0, size = 0, symbols = 0, hash = 0, end = 0;
};

// The section in which DT_RELA, DT_RELASZ and DT_RELAENT stand in a row.
Dynamic dynamic_at(Bytes b, uint64_t at) {
  Dynamic d{.rela = wide(b, at + 8), .size = wide(b, at + 24)};
  for (uint64_t back = 16; back <= 16 * 12 && back <= at; back += 16) {
    if (wide(b, at - back) == 6) d.symbols = wide(b, at - back + 8);
    if (wide(b, at - back) == 4) d.hash = wide(b, at - back + 8);
  }
  for (d.end = at; d.end + 16 <= b.size() && d.end < at + 16 * 16 && wide(b, d.end);) d.end += 16;
  d.end += 16;
  return d;
}

// Other words may look like entries in front of the table: it begins where the base becomes a whole page, and holds as
// many entries as the section says.
bool begin_table(Table& table, const Dynamic& d, UBootImage& image) {
  const size_t entries = d.size / 24;
  if (d.size % 24 || entries == 0 || entries > table.entries.size()) return false;
  const size_t surplus = table.entries.size() - entries;
  image.base = d.rela - table.entries[surplus].at;
  if (image.base % kTablePage) return false;
  table.entries.erase(table.entries.begin(), table.entries.begin() + static_cast<ptrdiff_t>(surplus));
  table.at = table.entries.front().at;
  return true;
}

// The symbols that lie behind the table belong to it; they have no length of their own but that of their hash table.
uint64_t symbols_end(Bytes b, const Table& table, const Dynamic& d, uint64_t base) {
  const uint64_t symbols = d.symbols - base, hash = d.hash - base;
  if (symbols < table.end || symbols > table.end + kMostGap || hash >= table.at) return 0;
  return symbols + 24 * word(b, hash + 4);
}

bool pin_dynamic(Bytes b, Table& table, UBootImage& image) {
  image.pinned_by = "its dynamic section";
  for (uint64_t at = 0; at + 48 <= b.size(); at += 8) {
    if (wide(b, at + 32) != 9 || wide(b, at + 40) != 24 || wide(b, at) != 7 || wide(b, at + 16) != 8) continue;
    const Dynamic d = dynamic_at(b, at);
    if (!begin_table(table, d, image)) continue;
    image.end = std::max({table.end, d.end, symbols_end(b, table, d, image.base)});
    return image.end <= b.size();
  }
  return false;
}

bool pin(Bytes b, Table& table, UBootImage& image) {
  if (image.arch == "arm") return pin_arm(b, table, image);
  if (image.arch == "aarch64") return pin_aarch64(b, table, image);
  if (image.arch == "x86") return pin_x86(b, table, image);
  return pin_dynamic(b, table, image);
}

}  // namespace

Result<UBootImage> read_uboot_elf_tables(Bytes from) {
  const Bytes b = from.head(kMostUBoot);
  for (const Kind& kind : kKinds) {
    if (!b.starts_with(kind.start, kind.start_at)) continue;
    Table table = longest_table(b, kind);
    if (table.relative < kLeastRelocations) return fail(Fault::kForeign, "no table of relocations", b.base());
    UBootImage image{.arch = kind.arch};
    if (!pin(b, table, image))
      return fail(Fault::kForeign, "nothing pins the table of relocations", b.base() + table.at);
    if (!entries_fit(b, table, kind, image.base))
      return fail(Fault::kMalformed, "a relocation outside the image", b.base() + table.at);
    image.table = table.at;
    image.relocations = table.entries.size();
    return image;
  }
  return fail(Fault::kForeign, "no first instruction of U-Boot", b.base());
}

}  // namespace assay::unpack
