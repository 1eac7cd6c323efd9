// Master boot record: the partition table of BIOS disks, SD cards and eMMC. Little-endian, blocks of 512 bytes.
//
//   440 disk's signature   446 four entries of 16 bytes   510 55 aa
//   entry   0 status (0, 0x80: active)  1 first block as cylinder, head, sector  4 type  5 last one  8 first block
//           12 blocks
//
// A type of 0x05, 0x0f or 0x85 is an extended partition, a chain of further such records: the first entry of each is a
// logical partition (counted from the record), the second leads to the next one (counted from the extended partition).
// The record that protects a GUID partition table (type 0xee) is left to that table. Nothing in it is a checksum: it is
// believed when its entries are whole, lie apart and begin inside the disk.
// Source: UEFI Specification 2.10, 5.2; Linux block/partitions/msdos.c.
#include "unpack/describe.h"

#include <algorithm>
#include <set>

namespace assay::unpack::mbr {
namespace {

constexpr Magic kMagics[] = {{"\x55\xaa", 510}};
constexpr uint64_t kBlock = 512;
constexpr size_t kMostLogical = 128;

struct Partition {
  std::string name;
  uint64_t at = 0, length = 0, entry = 0;
  uint8_t type = 0;
  bool active = false;
};

bool is_extended(uint8_t type) { return type == 0x05 || type == 0x0f || type == 0x85; }

// Of the entry `index` of the record at `record`; offsets count from `origin`. None: the entry is empty.
Result<std::optional<Partition>> read_entry(Bytes disk, uint64_t record, uint32_t index, uint64_t origin) {
  const Bytes e = TRY(disk.slice(record + 446 + 16 * uint64_t{index}, 16, "partition entry"));
  const uint64_t first = *e.le<uint32_t>(8, ""), count = *e.le<uint32_t>(12, "");
  if (is_run(e) && e[0] == 0) return std::nullopt;
  if (e[0] != 0 && e[0] != 0x80) return fail(Fault::kMalformed, "status " + hex_number(e[0]), e.base());
  if (e[4] == 0 || count == 0) {
    if (first == 0 && count == 0) return std::nullopt;
    return fail(Fault::kMalformed, "an entry without type or size", e.base());
  }
  return Partition{{}, origin + first * kBlock, count * kBlock, e.base(), e[4], e[0] == 0x80};
}

Result<void> read_chain(Bytes disk, uint64_t extended, std::vector<Partition>& out) {
  std::set<uint64_t> seen;
  for (uint64_t record = extended; seen.size() < kMostLogical;) {
    if (!seen.insert(record).second)
      return fail(Fault::kMalformed, "the chain of logical partitions runs in a circle", record);
    if (TRY(disk.le<uint16_t>(record + 510, "signature of an extended record")) != 0xaa55)
      return fail(Fault::kMalformed, "an extended record without 55 aa", record + 510);
    if (auto logical = TRY(read_entry(disk, record, 0, record)); logical && !is_extended(logical->type)) {
      logical->name = "part" + std::to_string(4 + seen.size());
      out.push_back(*logical);
    }
    const auto next = TRY(read_entry(disk, record, 1, extended));
    if (!next || !is_extended(next->type)) return {};
    record = next->at;
  }
  return fail(Fault::kLimit, "more than " + std::to_string(kMostLogical) + " logical partitions", extended);
}

struct Table {
  std::vector<Partition> parts;  // in the order of the disk
  std::vector<uint64_t> extended;
};

Result<Table> read_table(Bytes disk) {
  if (TRY(disk.le<uint16_t>(510, "signature")) != 0xaa55) return fail(Fault::kForeign, "no 55 aa", disk.base() + 510);
  Table table;
  for (uint32_t i = 0; i < 4; ++i) {
    auto part = TRY(read_entry(disk, 0, i, 0));
    if (!part) continue;
    if (part->type == 0xee) return fail(Fault::kForeign, "protects a GUID partition table", disk.base() + 446);
    if (part->at == 0 || part->at >= disk.size())
      return fail(Fault::kMalformed, "partition " + std::to_string(i + 1) + " begins outside the disk", part->entry);
    part->name = "part" + std::to_string(i + 1);
    table.parts.push_back(*part);
    if (is_extended(part->type)) table.extended.push_back(part->at);
  }
  if (table.parts.empty()) return fail(Fault::kForeign, "no partitions", disk.base() + 446);
  std::ranges::stable_sort(table.parts, {}, &Partition::at);
  for (size_t i = 1; i < table.parts.size(); ++i)
    if (table.parts[i].at < table.parts[i - 1].at + table.parts[i - 1].length)
      return fail(Fault::kMalformed, "partitions overlap", table.parts[i].entry);
  std::erase_if(table.parts, [](const Partition& part) { return is_extended(part.type); });
  return table;
}

Result<Measured> measure(Bytes from) {
  TRY(read_table(from));
  return Measured{from.size(), false};
}

Result<void> give(Bytes disk, const Partition& part, Sink& into) {
  into.note("partition",
            part.name + " type " + hex_number(part.type) + " " + hex_number(part.at) + "+" + hex_number(part.length) +
                (part.active ? " active" : ""),
            part.entry);
  if (part.at >= disk.size() || part.length > disk.size() - part.at)
    into.problem({Fault::kTruncated, part.name + " runs past the end", part.entry});
  return between(disk, part.at, part.at + part.length, part.name, into);
}

Result<void> unpack(Bytes whole, Sink& into) {
  Table table = TRY(read_table(whole));
  for (const uint64_t extended : table.extended) {
    const size_t before = table.parts.size();
    if (auto chain = read_chain(whole, extended, table.parts); !chain) into.problem(std::move(chain).error());
    into.range(Range::kHeader, extended, kBlock);
    for (size_t i = before; i < table.parts.size(); ++i)
      into.range(Range::kHeader, table.parts[i].entry / kBlock * kBlock, kBlock);
  }
  if (const uint32_t signature = TRY(whole.le<uint32_t>(440, "disk's signature")))
    into.note("disk signature", hex_number(signature), 440);
  into.range(Range::kHeader, 440, 72);
  std::ranges::stable_sort(table.parts, {}, &Partition::at);
  uint64_t done = kBlock;
  for (const Partition& part : table.parts) {
    TRY_VOID(into.step());
    if (part.at < done) {
      into.problem({Fault::kMalformed, part.name + " overlaps what lies before it", part.entry});
      continue;
    }
    // What boot loaders keep before the first partition is worth a look of its own; records between are not.
    if (done == kBlock && table.extended.empty()) TRY_VOID(between(whole, done, part.at, "before-part", into));
    TRY_VOID(give(whole, part, into));
    done = part.at + part.length;
  }
  return {};
}

}  // namespace

extern const Format kMbr;
const Format kMbr = {.id = "mbr",
                     .title = "Master boot record partition table",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .carve = false,
                     .reads = "primary, extended and logical partitions; partitions cut off at the end",
                     .limits = "blocks of 512 bytes; only at the start of a part; BSD disk labels inside partitions",
                     .source = "UEFI Specification 2.10, 5.2; Linux block/partitions/msdos.c",
                     .checked = "foreign tool: sfdisk; real image: sample of fact_extractor"};

}  // namespace assay::unpack::mbr
