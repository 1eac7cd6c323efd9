// FPKG and CPKG, the archives in D-Link's DFL firewalls.
//
//   0   "FPKG" or "CPKG", 01000000, offset of the first entry
//   12  (FPKG) a word, length of the model's name, the name
//   An entry: length of its header (28), type (16), not known (16), size, name (16), the bytes; one after another.
//   Types: 0x100 file, 0x101 not seen, 0x102 checksum, 0x103 signature.
//
// Numbers are big endian. Source: onekey-sec/unblob, handlers/archive/dlink/fpkg.py.
#include "unpack/vendor.h"

namespace assay::unpack::fpkg {
namespace {

constexpr Magic kMagics[] = {{std::string_view("FPKG\1\0\0\0", 8)}, {std::string_view("CPKG\1\0\0\0", 8)}};
constexpr uint64_t kEntryHeader = 28, kLeastOffset = 12;
constexpr uint16_t kFile = 0x100, kSignature = 0x103;
constexpr size_t kMostEntries = 65536;

struct Entry {
  uint64_t at = 0, size = 0;
  uint16_t type = 0;
  std::string name;
  uint64_t end() const { return at + kEntryHeader + size; }
};

Result<Entry> read_entry(Bytes from, uint64_t at) {
  Entry e{.at = at};
  if (TRY(from.be<uint32_t>(at, "entry header length")) != kEntryHeader)
    return fail(Fault::kMalformed, "entry header length", from.base() + at);
  e.type = TRY(from.be<uint16_t>(at + 4, "entry type"));
  if (e.type < kFile || e.type > kSignature) return fail(Fault::kMalformed, "entry type", from.base() + at + 4);
  e.size = TRY(from.be<uint32_t>(at + 8, "entry size"));
  e.name = TRY(from.text_field(at + 12, 16, "entry name"));
  if (e.name.empty() || e.name.size() == 16) return fail(Fault::kMalformed, "entry name", from.base() + at + 12);
  TRY(from.slice(at, kEntryHeader + e.size, "entry"));
  return e;
}

Result<std::vector<Entry>> read_entries(Bytes from) {
  const uint64_t first = TRY(from.be<uint32_t>(8, "offset of the first entry"));
  if (first < kLeastOffset) return fail(Fault::kMalformed, "offset of the first entry", from.base() + 8);
  std::vector<Entry> entries{TRY(read_entry(from, first))};
  while (entries.size() < kMostEntries) {
    auto next = read_entry(from, entries.back().end());
    if (!next) break;
    entries.push_back(*std::move(next));
  }
  return entries;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_entries(from)).back().end(), false}; }

Result<void> put(Bytes whole, const Entry& e, Sink& into) {
  TRY_VOID(into.step());
  into.range(Range::kHeader, e.at, kEntryHeader);
  if (e.type == kSignature) into.integrity(unchecked_signature(e.name, "unknown", e.at + kEntryHeader));
  Node node;
  node.path = e.name;
  return into.node(std::move(node), stored(whole.head(e.size, e.at + kEntryHeader)));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const auto entries = TRY(read_entries(whole));
  into.range(Range::kHeader, 0, entries[0].at);
  if (whole.starts_with("FPKG"))
    if (const auto length = whole.be<uint32_t>(16, "name length"); length && *length <= 64)
      note_text(whole, 20, *length, "model", into);
  for (const Entry& e : entries) TRY_VOID(put(whole, e, into));
  return {};
}

}  // namespace

extern const Format kFpkg;
const Format kFpkg = {.id = "fpkg",
                      .title = "D-Link FPKG/CPKG archive",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .limits = "checksum and signature entries are files; what they cover is not documented",
                      .source = "unblob handlers/archive/dlink/fpkg.py",
                      .checked = "own builder in the tests only"};

}  // namespace assay::unpack::fpkg
