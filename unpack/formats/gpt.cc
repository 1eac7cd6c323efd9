// GUID partition table, as UEFI disks and eMMC of phones and routers have it. Little-endian.
//
//   1 block in  "EFI PART"  8 revision  12 header's size  16 crc32 of the header (itself as zero)  24 this header's
//               block  32 the other header's block  40, 48 first and last usable block  56 GUID of the disk
//               72 block of the entries  80 entries  84 size of one  88 crc32 of the entries
//   entry       0 GUID of the type  16 GUID  32 first block  40 last block  48 attributes  56 name (UTF-16, 36)
//
// A second header, with a copy of the entries before it, stands in the last block. Blocks are 512 or 4096 bytes.
// Source: UEFI Specification 2.10, chapter 5.
#include "core/hash.h"
#include "unpack/describe.h"

#include <algorithm>
#include <set>

namespace assay::unpack::gpt {
namespace {

constexpr Magic kMagics[] = {{"EFI PART", 512}, {"EFI PART", 4096}};
constexpr uint32_t kMostEntries = 4096;

struct Header {
  uint64_t at = 0, other = 0, entries_at = 0;
  uint32_t block = 0, size = 0, entries = 0, entry_size = 0, entries_crc = 0;
  bool holds = false;
  uint64_t entries_length() const { return uint64_t{entries} * entry_size; }
};

struct Partition {
  std::string name;
  uint64_t at = 0, length = 0, entry = 0;
};

bool crc_holds(Bytes header, uint32_t stored) {
  static constexpr std::byte kZeros[4] = {};
  uint32_t crc = crc32(header.head(16));
  crc = crc32(Bytes(std::span<const std::byte>(kZeros)), crc);
  return checksum_holds(crc32(header.head(header.size(), 20), crc), stored);
}

Result<Header> read_header(Bytes disk, uint32_t block, uint64_t at) {
  Header h;
  h.block = block;
  h.at = at;
  const Bytes b = TRY(disk.slice(at, 92, "partition table header"));
  if (!b.starts_with("EFI PART")) return fail(Fault::kMalformed, "no partition table header", b.base());
  h.size = *b.le<uint32_t>(12, "");
  if (h.size < 92 || h.size > block)
    return fail(Fault::kMalformed, "header of " + std::to_string(h.size) + " bytes", b.base() + 12);
  h.holds = crc_holds(TRY(disk.slice(at, h.size, "partition table header")), *b.le<uint32_t>(16, ""));
  const uint64_t other = *b.le<uint64_t>(32, ""), entries = *b.le<uint64_t>(72, "");
  if (other > (uint64_t{1} << 50) || entries > (uint64_t{1} << 50))
    return fail(Fault::kMalformed, "a block number is beyond any disk", b.base() + 32);
  h.other = other * block;
  h.entries_at = entries * block;
  h.entries = *b.le<uint32_t>(80, "");
  h.entry_size = *b.le<uint32_t>(84, "");
  h.entries_crc = *b.le<uint32_t>(88, "");
  if (h.entry_size < 128 || h.entry_size > 4096 || h.entries > kMostEntries)
    return fail(Fault::kMalformed, std::to_string(h.entries) + " entries of " + std::to_string(h.entry_size) + " bytes",
                b.base() + 80);
  return h;
}

Result<Header> first_header(Bytes disk) {
  const uint32_t block = disk.starts_with("EFI PART", 512) ? 512 : 4096;
  Header h = TRY(read_header(disk, block, block));
  if (!h.holds) return fail(Fault::kMalformed, "crc32 of the header does not match", disk.base() + h.at + 16);
  return h;
}

// Of UTF-16: what is not ASCII is kept as \uXXXX, so that names stay distinct.
std::string name_of(Bytes text) {
  std::string out;
  for (uint64_t i = 0; i + 2 <= text.size(); i += 2) {
    const uint16_t c = *text.le<uint16_t>(i, "");
    if (c == 0) break;
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
    out += c >= 0x20 && c < 0x7f && c != '/' ? std::string(1, static_cast<char>(c)) : escaped;
  }
  return out;
}

Result<std::vector<Partition>> read_entries(Bytes disk, const Header& h) {
  const Bytes table = TRY(disk.slice(h.entries_at, h.entries_length(), "partition entries"));
  std::vector<Partition> out;
  for (uint32_t i = 0; i < h.entries; ++i) {
    const Bytes e = table.head(h.entry_size, uint64_t{i} * h.entry_size);
    if (is_run(e.head(16)) && e[0] == 0) continue;
    const uint64_t first = *e.le<uint64_t>(32, ""), last = *e.le<uint64_t>(40, "");
    if (last < first || last > (uint64_t{1} << 50))
      return fail(Fault::kMalformed, "partition " + std::to_string(i) + " ends before it begins", e.base() + 32);
    out.push_back({name_of(e.head(72, 56)), first * h.block, (last - first + 1) * h.block, e.base()});
  }
  std::ranges::sort(out, {}, &Partition::at);
  return out;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(first_header(from));
  const auto parts = TRY(read_entries(from, h));
  if (!checksum_holds(crc32(from.head(h.entries_length(), h.entries_at)), h.entries_crc))
    return fail(Fault::kMalformed, "crc32 of the entries does not match", from.base() + h.at + 88);
  uint64_t end = std::max(h.at + h.block, h.entries_at + h.entries_length());
  for (const Partition& p : parts)
    if (p.at < from.size()) end = std::max(end, std::min(p.at + p.length, from.size()));
  const auto backup = read_header(from, h.block, h.other);
  if (backup && backup->holds) end = std::max(end, h.other + h.block);
  return Measured{std::min(end, from.size()), true};
}

void state(const Header& h, Bytes disk, std::string_view which, Sink& into) {
  into.range(Range::kHeader, h.at, h.block);
  into.range(Range::kHeader, h.entries_at, h.entries_length());
  into.integrity(checksum(std::string(which) + " header crc", "crc32", h.holds, h.at + 16));
  const Bytes entries = disk.head(h.entries_length(), h.entries_at);
  const bool holds = entries.size() == h.entries_length() && checksum_holds(crc32(entries), h.entries_crc);
  into.integrity(checksum(std::string(which) + " entries crc", "crc32", holds, h.at + 88));
}

void state_backup(const Header& first, Bytes whole, Sink& into) {
  const auto backup = read_header(whole, first.block, first.other);
  if (backup) return state(*backup, whole, "backup", into);
  into.problem({backup.error().fault, "backup header: " + backup.error().what, backup.error().offset});
}

Result<void> give(const Partition& p, const std::string& name, Bytes whole, Sink& into) {
  if (p.at >= whole.size() || p.length > whole.size() - p.at)
    into.problem({Fault::kTruncated, "partition " + name + " runs past the end", p.entry});
  const Bytes bytes = whole.head(p.length, p.at);
  if (bytes.empty()) return {};
  into.note("partition", name + " " + hex_number(p.at) + "+" + hex_number(p.length), p.entry);
  return between(whole, p.at, p.at + bytes.size(), name, into);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(first_header(whole));
  into.range(Range::kHeader, 0, h.block);
  state(h, whole, "first", into);
  state_backup(h, whole, into);
  std::set<std::string> names;
  size_t number = 0;
  for (const Partition& p : TRY(read_entries(whole, h))) {
    ++number;
    std::string name = p.name.empty() ? "part" + std::to_string(number) : p.name;
    if (!names.insert(name).second) name += "-" + std::to_string(number);
    TRY_VOID(give(p, name, whole, into));
  }
  return {};
}

}  // namespace

extern const Format kGpt;
const Format kGpt = {.id = "gpt",
                     .title = "GUID partition table",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "blocks of 512 and 4096 bytes; first and backup table",
                     .limits = "a disk whose first table is damaged is not read by its backup",
                     .source = "UEFI Specification 2.10, chapter 5",
                     .checked = "foreign tool: sfdisk"};

}  // namespace assay::unpack::gpt
