// The "PACK" container of small Cisco (Linksys) switches and phones; its file names end in .ros.
//
//   0   name (4), version "1.01" or "2.00", …
//   24  "PACK"
//   32  number of entries
//   48  (version 2.00: 80) entries of 32 bytes: name (16), offset, length, 8 bytes not known
//
// Numbers are of the byte order in which the number of entries is small. An entry may hold a PACK of its own.
// Source: fkie-cad/fact_extractor, plugins/unpacking/ros/code/ros.py; the lengths were checked on its sample.
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::rospack {
namespace {

constexpr Magic kMagics[] = {{"PACK", 24}};
constexpr uint64_t kEntry = 32;
constexpr uint32_t kMostEntries = 100;

struct Entry {
  std::string name;
  uint64_t offset = 0, size = 0;
};

struct Pack {
  uint64_t table = 0, end = 0;
  std::vector<Entry> entries;
};

Result<Entry> read_entry(Bytes from, uint64_t at, Order order) {
  Entry e;
  e.name = TRY(from.text_field(at, 16, "entry name"));
  e.offset = TRY(from.get<uint32_t>(at + 16, order, "entry offset"));
  e.size = TRY(from.get<uint32_t>(at + 20, order, "entry length"));
  if (e.name.empty()) return fail(Fault::kMalformed, "entry without a name", from.base() + at);
  TRY(from.slice(e.offset, e.size, "entry"));
  return e;
}

Result<Pack> read_pack(Bytes from) {
  Pack p;
  const Bytes version = TRY(from.slice(4, 4, "version"));
  if (version.text() != "1.01" && version.text() != "2.00")
    return fail(Fault::kUnsupported, "version " + std::string(version.text()), from.base() + 4);
  p.table = version.text() == "1.01" ? 48 : 80;
  const uint32_t little = TRY(from.le<uint32_t>(32, "number of entries")), big = TRY(from.be<uint32_t>(32, "entries"));
  const uint32_t count = std::min(little, big);
  if (count == 0 || count > kMostEntries) return fail(Fault::kMalformed, "number of entries", from.base() + 32);
  p.end = p.table + count * kEntry;
  for (uint32_t i = 0; i < count; ++i) {
    Entry e = TRY(read_entry(from, p.table + i * kEntry, little < big ? Order::kLittle : Order::kBig));
    if (e.offset < p.end && e.offset < p.table + count * kEntry)
      return fail(Fault::kMalformed, "entry lies in the table", from.base() + p.table + i * kEntry + 16);
    p.entries.push_back(std::move(e));
  }
  for (const Entry& e : p.entries) p.end = std::max(p.end, e.offset + e.size);
  return p;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_pack(from)).end, false}; }

Result<void> unpack(Bytes whole, Sink& into) {
  Pack p = TRY(read_pack(whole));
  into.range(Range::kHeader, 0, p.table + p.entries.size() * kEntry);
  note_text(whole, 0, 4, "name", into);
  note_text(whole, 4, 4, "version", into);
  for (const Entry& e : p.entries) {
    TRY_VOID(into.step());
    TRY_VOID(into.child(e.name, stored(whole.head(e.size, e.offset))));
  }
  return {};
}

}  // namespace

extern const Format kRosPack;
const Format kRosPack = {.id = "rospack",
                         .title = "PACK container (.ros)",
                         .magics = kMagics,
                         .measure = measure,
                         .unpack = unpack,
                         .reads = "versions 1.01 and 2.00, both byte orders",
                         .limits = "the last 8 bytes of an entry are not understood",
                         .source = "fact_extractor plugins/unpacking/ros/code/ros.py",
                         .checked = "the sample of fact_extractor; own builder in the tests"};

}  // namespace assay::unpack::rospack
