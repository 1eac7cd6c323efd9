// The code of U-Boot for MIPS as it stands in flash. It has no header; its own start-up code carries the numbers with
// which it relocates itself, and they pin its extent:
//
//   until about 2013:  jr $t0; nop; .word uboot_end_data, uboot_end, num_got_entries; lw; …
//   from about 2013:   jr $t0; nop; .word rel_dyn_end, rel_dyn_start, image_copy_end, global offset table,
//                      num_got_entries; lw; …
//
// What must agree before it is claimed: the jump, the order of the addresses, one base address, a multiple of 64 KiB,
// that makes them offsets inside the file; a global offset table whose entries (the first two apart, which the linker
// sets) are addresses inside the image, mostly in its stored part; in the newer layout a relocation table of which
// each entry is R_MIPS_REL32 of a word in the stored image, or filling. The image ends at uboot_end_data (rel_dyn_end).
// Source: U-Boot, arch/mips/cpu/start.S (before 2014: cpu/mips/start.S), System V ABI for MIPS.
#include "core/text.h"
#include "unpack/describe.h"

#include <algorithm>

namespace assay::unpack::ubootmips {
namespace {

constexpr uint64_t kSearched = 64 << 10;  // start-up code: branch tables and board setup precede the words
constexpr uint64_t kMostSize = 2 << 20;
constexpr uint32_t kLeastGot = 8, kMostGot = 16384;

struct Boot {
  Order order = Order::kLittle;
  uint64_t base = 0;   // address of the first byte
  uint64_t size = 0;   // stored
  uint64_t words = 0;  // where the numbers stand
  uint64_t got = 0, got_entries = 0;
  uint64_t relocations = 0;
};

struct Reader {
  Bytes b;
  Order order;
  uint32_t word(uint64_t at) const { return b.get<uint32_t>(at, order, "word").value_or(0); }
};

bool is_branch(uint32_t word) { return (word & 0xffff0000) == 0x10000000 && (word & 0xffff) < 0x8000; }
bool is_jump(uint32_t word) { return (word & 0xfc1fffff) == 8; }  // jr
// lw $t?, -4($t0): the first instruction of in_ram reads the last number.
bool reads_back(uint32_t word) { return (word >> 26) == 0x23 && (word & 0xffff) == 0xfffc; }

// Addresses of the image: the stored part ends at `stored_end`, memory behind it at most 16 MiB on.
bool got_agrees(const Reader& r, const Boot& boot, uint64_t stored_end) {
  if (boot.got % 4 || boot.got + 4 * boot.got_entries > stored_end) return false;
  uint64_t stored = 0;
  for (uint64_t i = 2; i < boot.got_entries; ++i) {
    const uint64_t value = r.word(boot.got + 4 * i);
    if (value == 0) continue;  // filling behind the last entry
    if (value < boot.base || value >= boot.base + (16 << 20)) return false;
    stored += value <= boot.base + stored_end;
  }
  return stored >= kLeastGot && stored * 4 >= boot.got_entries;
}

bool relocations_agree(const Reader& r, Boot& boot, uint64_t from, uint64_t to) {
  uint64_t found = 0;
  for (uint64_t at = from; at + 8 <= to; at += 8) {
    const uint64_t place = r.word(at), kind = r.word(at + 4);
    const bool filling = (place == 0 && kind == 0) || (place == 0xffffffff && kind == 0xffffffff);
    if (filling) continue;
    if (kind != 3 || place < boot.base || place >= boot.base + from) return false;
    ++found;
  }
  boot.relocations = found;
  return found >= kLeastGot;
}

bool aligned_base(uint64_t address, unsigned bits, uint64_t size, uint64_t& base) {
  base = address >> bits << bits;
  return address - base <= size && address > base;
}

std::optional<Boot> old_layout(const Reader& r, uint64_t at) {
  const uint64_t end_data = r.word(at + 8), end = r.word(at + 12), entries = r.word(at + 16);
  if (end_data < 0x80000000 || end < end_data || end - end_data > (16 << 20)) return std::nullopt;
  if (entries < kLeastGot || entries > kMostGot || !reads_back(r.word(at + 20))) return std::nullopt;
  Boot boot{.order = r.order, .words = at + 8, .got_entries = entries};
  for (unsigned bits = 16; bits <= 21; ++bits) {
    if (!aligned_base(end_data, bits, r.b.size(), boot.base)) continue;
    boot.size = end_data - boot.base;
    // bal +2; nop; .word global offset table: reads its own place
    for (uint64_t i = 0; i + 12 <= std::min<uint64_t>(at, kSearched); i += 4) {
      if (r.word(i) != 0x04110002) continue;
      const uint64_t got = r.word(i + 8);
      if (got < boot.base || got >= end_data) continue;
      boot.got = got - boot.base;
      if (got_agrees(r, boot, boot.size)) return boot;
    }
  }
  return std::nullopt;
}

std::optional<Boot> new_layout(const Reader& r, uint64_t at) {
  const uint64_t relocations_end = r.word(at + 8), relocations = r.word(at + 12), copy_end = r.word(at + 16);
  const uint64_t got = r.word(at + 20), entries = r.word(at + 24);
  if (got < 0x80000000 || copy_end < got || relocations < got || relocations_end <= relocations) return std::nullopt;
  if (entries < kLeastGot || entries > kMostGot || !reads_back(r.word(at + 28))) return std::nullopt;
  Boot boot{.order = r.order, .words = at + 8, .got_entries = entries};
  for (unsigned bits = 16; bits <= 21; ++bits) {
    if (!aligned_base(relocations_end, bits, r.b.size(), boot.base) || got < boot.base) continue;
    boot.size = relocations_end - boot.base;
    boot.got = got - boot.base;
    const uint64_t table = relocations - boot.base;
    if (got_agrees(r, boot, table) && relocations_agree(r, boot, table, boot.size)) return boot;
  }
  return std::nullopt;
}

Result<Boot> read_boot(Bytes from) {
  const Bytes b = from.head(kMostSize);
  for (const Order order : {Order::kLittle, Order::kBig}) {
    const Reader r{b, order};
    if (b.size() < 4096 || (!is_branch(r.word(0)) && r.word(0) != 0x04110002)) continue;
    unsigned tried = 0;
    for (uint64_t at = 0; at + 32 <= std::min<uint64_t>(b.size(), kSearched) && tried < 64; at += 4) {
      if (!is_jump(r.word(at)) || r.word(at + 4) != 0 || r.word(at + 8) < 0x80000000) continue;
      ++tried;
      if (const auto boot = old_layout(r, at)) return *boot;
      if (const auto boot = new_layout(r, at)) return *boot;
    }
  }
  return fail(Fault::kForeign, "no start-up code whose addresses agree", from.base());
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_boot(from)).size, true}; }

void note_banner(Bytes whole, Sink& into) {
  const std::string_view text = whole.text();
  for (size_t at = text.find("U-Boot "); at != text.npos; at = text.find("U-Boot ", at + 1)) {
    if (at + 7 >= text.size() || text[at + 7] < '0' || text[at + 7] > '9') continue;
    const size_t end = std::min(text.find_first_of(std::string_view("\0\n\r", 3), at), std::min(text.size(), at + 100));
    return into.note("banner", std::string(text.substr(at, end - at)), at);
  }
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Boot boot = TRY(read_boot(whole));
  into.range(Range::kContent, 0, boot.size);
  note_banner(whole, into);
  into.note("arch", boot.order == Order::kLittle ? "mips, little endian" : "mips, big endian", 0);
  into.note("base", hex_number(boot.base), boot.words);
  into.note("global offset table", hex_number(boot.got) + ", " + std::to_string(boot.got_entries) + " entries",
            boot.got);
  if (boot.relocations) into.note("relocations", std::to_string(boot.relocations), boot.words);
  return {};
}

// b reset; nop at the start, or bal +2 of position independent builds. In little and big endian.
constexpr Magic kMagics[] = {{std::string_view("\xff\0\0\x10\0\0\0\0", 8)},
                             {std::string_view("\x10\0\0\xff\0\0\0\0", 8)},
                             {std::string_view("\2\0\x11\4\0\0\0\0", 8)},
                             {std::string_view("\4\x11\0\2\0\0\0\0", 8)}};

}  // namespace

extern const Format kUBootMips;
const Format kUBootMips = {.id = "uboot-mips",
                           .title = "U-Boot for MIPS, as stored in flash",
                           .version = 1,
                           .magics = kMagics,
                           .measure = measure,
                           .unpack = unpack,
                           .readable = true,
                           .limits = "builds that lack a global offset table; start-up code behind 64 KiB",
                           .source = "U-Boot arch/mips/cpu/start.S",
                           .checked = "real images: shared/firmware"};

}  // namespace assay::unpack::ubootmips
