// DEAFBEAD, the archive of web files in D-Link's DSL-500G and DSL-504G.
//
//   0   DE AF BE AD
//   4   entries: 0x86, length of the name (16), name: a directory
//                0x87, length of the name (16), name, size, the file as gzip
//
// Numbers are little endian; names may have backslashes. Source: onekey-sec/unblob, handlers/archive/dlink/deafbead.py.
#include "unpack/codecs.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::deafbead {
namespace {

constexpr Magic kMagics[] = {{"\xde\xaf\xbe\xad\x86"}, {"\xde\xaf\xbe\xad\x87"}};
constexpr uint8_t kDirectory = 0x86, kFile = 0x87;
constexpr size_t kMostEntries = 65536;

struct Entry {
  uint64_t at = 0, data = 0, size = 0;
  bool is_file = false;
  std::string name;
  uint64_t end() const { return data + size; }
};

Result<Entry> read_entry(Bytes from, uint64_t at) {
  Entry e{.at = at};
  const uint8_t kind = TRY(from.le<uint8_t>(at, "entry kind"));
  if (kind != kDirectory && kind != kFile) return fail(Fault::kMalformed, "entry kind", from.base() + at);
  e.is_file = kind == kFile;
  const uint64_t length = TRY(from.le<uint16_t>(at + 1, "name length"));
  if (length == 0) return fail(Fault::kMalformed, "name length is 0", from.base() + at + 1);
  e.name = TRY(from.text_field(at + 3, length, "name"));
  std::ranges::replace(e.name, '\\', '/');
  e.data = at + 3 + length + (e.is_file ? 4 : 0);
  if (e.is_file) e.size = TRY(from.le<uint32_t>(at + 3 + length, "file size"));
  if (e.is_file && e.size == 0) return fail(Fault::kMalformed, "file size is 0", from.base() + at + 3 + length);
  TRY(from.slice(e.data, e.size, "file"));
  return e;
}

Result<std::vector<Entry>> read_entries(Bytes from) {
  std::vector<Entry> entries{TRY(read_entry(from, 4))};
  while (entries.size() < kMostEntries) {
    auto next = read_entry(from, entries.back().end());
    if (!next) break;
    entries.push_back(*std::move(next));
  }
  return entries;
}

Result<Measured> measure(Bytes from) {
  const auto entries = TRY(read_entries(from));
  const auto has_gzip = [&](const Entry& e) { return !e.is_file || from.starts_with("\x1f\x8b", e.data); };
  return Measured{entries.back().end(), std::ranges::all_of(entries, has_gzip) && entries.size() > 1};
}

Result<void> put(Bytes whole, const Entry& e, Sink& into) {
  TRY_VOID(into.step());
  into.range(Range::kHeader, e.at, e.data - e.at);
  Node node;
  node.path = e.name;
  if (!e.is_file) {
    node.kind = Kind::kDirectory;
    return into.node(std::move(node), nothing());
  }
  const Bytes packed = whole.head(e.size, e.data);
  const auto used = inflate_gzip(packed, into.output());
  if (used) return into.node(std::move(node), {{packed}, "gzip"});
  into.discard();
  if (used.error().fault == Fault::kLimit) return std::unexpected(used.error());
  into.problem(used.error());
  return into.node(std::move(node), unreadable());
}

Result<void> unpack(Bytes whole, Sink& into) {
  into.range(Range::kHeader, 0, 4);
  for (const Entry& e : TRY(read_entries(whole))) TRY_VOID(put(whole, e, into));
  return {};
}

}  // namespace

extern const Format kDeafBead;
const Format kDeafBead = {.id = "deafbead",
                          .title = "D-Link DEAFBEAD archive",
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .source = "unblob handlers/archive/dlink/deafbead.py",
                          .checked = "own builder in the tests only"};

}  // namespace assay::unpack::deafbead
