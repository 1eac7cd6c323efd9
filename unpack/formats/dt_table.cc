// Tables of device trees: Android's partition "dtbo" (and "dtb", and the ACPI variant), and Qualcomm's older dt.img.
//
//   dt-table, big-endian: 0 0xd7b7ab1e, or "ACPI"  4 total size  8 header's size  12 entry's size  16 entries
//     20 offset of the entries  24 page size  28 version: 0, 1
//     entry (32): 0 size  4 offset  8 id  12 revision  then 4 custom numbers; version 1: flags (low 4 bits: 0 stored,
//     1 zlib, 2 gzip) and 3 custom numbers.  Entries may share one tree.
//   qcdt, little-endian: 0 "QCDT"  4 version: 1, 2, 3  8 entries
//     entry: platform, variant, (2, 3: subtype), revision of the chip, (3: four power controllers), offset, size
//
// Source: AOSP system/libufdt, utils/src/dt_table.h; source.android.com, DTB/DTBO partitions; Qualcomm's dtbTool.
#include "unpack/describe.h"
#include "unpack/format.h"

#include <algorithm>
#include <set>
#include <vector>

namespace assay::unpack::dt_table {
namespace {

constexpr Magic kMagics[] = {{"\xd7\xb7\xab\x1e"}, {{"ACPI\0", 5}}};
constexpr Magic kQcdtMagics[] = {{{"QCDT\1\0\0\0", 8}}, {{"QCDT\2\0\0\0", 8}}, {{"QCDT\3\0\0\0", 8}}};
constexpr uint32_t kMostEntries = 4096;

struct Entry {
  Bytes tree;
  uint64_t at = 0;
  std::string fields;
};

struct Table {
  uint64_t header = 0, end = 0;  // header: with the entries
  uint64_t entries_at = 0, entries_size = 0;
  uint32_t version = 0;
  std::vector<Entry> entries;
  bool verified = true;  // every tree that is stored as it is begins as one, and is as long as it says
};

bool is_tree(Bytes b) {
  const auto size = b.be<uint32_t>(4, "");
  return b.starts_with("\xd0\x0d\xfe\xed") && size && *size <= b.size();
}

Result<Table> read_table(Bytes b) {
  Table t;
  const uint64_t total = TRY(b.be<uint32_t>(4, "total size"));
  t.header = TRY(b.be<uint32_t>(8, "header size"));
  const uint32_t size = TRY(b.be<uint32_t>(12, "entry size")), count = TRY(b.be<uint32_t>(16, "entries"));
  t.entries_at = TRY(b.be<uint32_t>(20, "offset of the entries"));
  t.version = TRY(b.be<uint32_t>(28, "version"));
  if (t.version > 1) return fail(Fault::kUnsupported, "version " + std::to_string(t.version), b.base() + 28);
  if (t.header < 32 || size < 32 || count == 0 || count > kMostEntries || t.entries_at < t.header)
    return fail(Fault::kMalformed, std::to_string(count) + " entries of " + std::to_string(size) + " bytes",
                b.base() + 8);
  t.entries_size = uint64_t{count} * size;
  const Bytes whole = TRY(b.slice(0, total, "table"));
  const bool acpi = b.starts_with("ACPI");
  t.end = total;
  for (uint32_t i = 0; i < count; ++i) {
    const Bytes e = TRY(whole.slice(t.entries_at + uint64_t{i} * size, size, "entry"));
    const uint32_t flags = t.version == 1 ? *e.be<uint32_t>(16, "") & 15 : 0;
    Entry entry;
    entry.at = e.base() - b.base();
    entry.tree = TRY(whole.slice(*e.be<uint32_t>(4, ""), *e.be<uint32_t>(0, ""), "tree"));
    entry.fields = "id " + hex_number(*e.be<uint32_t>(8, "")) + ", revision " + hex_number(*e.be<uint32_t>(12, ""));
    for (uint64_t at = 16; at < 32; at += 4) entry.fields += ", " + hex_number(*e.be<uint32_t>(at, ""));
    if (flags == 0 && !acpi) t.verified &= is_tree(entry.tree);
    t.entries.push_back(std::move(entry));
  }
  return t;
}

Result<Table> read_qcdt(Bytes b) {
  Table t;
  t.version = TRY(b.le<uint32_t>(4, "version"));
  const uint32_t count = TRY(b.le<uint32_t>(8, "entries"));
  const uint64_t size = t.version == 1 ? 20 : t.version == 2 ? 24 : 40;
  if (count == 0 || count > kMostEntries)
    return fail(Fault::kMalformed, std::to_string(count) + " entries", b.base() + 8);
  t.header = 12;
  t.entries_at = 12;
  t.entries_size = count * size;
  for (uint32_t i = 0; i < count; ++i) {
    const Bytes e = TRY(b.slice(12 + i * size, size, "entry"));
    Entry entry;
    entry.at = e.base() - b.base();
    entry.tree = TRY(b.slice(*e.le<uint32_t>(size - 8, ""), *e.le<uint32_t>(size - 4, ""), "tree"));
    for (uint64_t at = 0; at < size - 8; at += 4)
      entry.fields += (at ? ", " : "") + hex_number(*e.le<uint32_t>(at, ""));
    t.verified &= is_tree(entry.tree);
    t.end = std::max(t.end, entry.tree.base() - b.base() + entry.tree.size());
    t.entries.push_back(std::move(entry));
  }
  if (t.end < 12 + t.entries_size) return fail(Fault::kMalformed, "trees inside the table", b.base());
  return t;
}

Result<Measured> measured(const Table& t) { return Measured{t.end, t.verified}; }

Result<void> give(Bytes whole, const Table& t, Sink& into) {
  into.range(Range::kHeader, 0, t.header);
  into.range(Range::kHeader, t.entries_at, t.entries_size);
  into.note("version", std::to_string(t.version), 28);
  std::set<std::pair<uint64_t, uint64_t>> given;  // several entries may name one tree
  for (size_t i = 0; i < t.entries.size(); ++i) {
    const Entry& e = t.entries[i];
    const std::string name = "dt" + std::to_string(i);
    const uint64_t at = e.tree.base() - whole.base();
    into.note(name, e.fields + ", at " + hex_number(at), e.at);
    TRY_VOID(into.step(1 + e.tree.size() / 4096));
    if (!e.tree.empty() && given.emplace(at, e.tree.size()).second) TRY_VOID(into.child(name, stored(e.tree)));
  }
  return {};
}

Result<Measured> measure(Bytes from) { return measured(TRY(read_table(from))); }
Result<Measured> measure_qcdt(Bytes from) { return measured(TRY(read_qcdt(from))); }
Result<void> unpack(Bytes whole, Sink& into) { return give(whole, TRY(read_table(whole)), into); }
Result<void> unpack_qcdt(Bytes whole, Sink& into) { return give(whole, TRY(read_qcdt(whole)), into); }

}  // namespace

extern const Format kDtTable;
const Format kDtTable = {.id = "dt-table",
                         .title = "Android table of device trees (dtbo)",
                         .version = 1,
                         .magics = kMagics,
                         .measure = measure,
                         .unpack = unpack,
                         .reads = "versions 0 and 1, trees stored, with zlib or gzip; the ACPI variant",
                         .limits = "it has no checksum; identifiers are stated as numbers",
                         .source = "AOSP system/libufdt utils/src/dt_table.h",
                         .checked = "own builder only; by hand also AOSP's mkdtboimg"};

extern const Format kQcdt;
const Format kQcdt = {.id = "qcdt",
                      .title = "Qualcomm table of device trees",
                      .version = 1,
                      .magics = kQcdtMagics,
                      .measure = measure_qcdt,
                      .unpack = unpack_qcdt,
                      .reads = "versions 1 to 3",
                      .limits = "it has no checksum; identifiers are stated as numbers",
                      .source = "Qualcomm's dtbTool, dtbtool.txt",
                      .checked = "own builder only"};

}  // namespace assay::unpack::dt_table
