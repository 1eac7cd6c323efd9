// *FRM, the firmware of Moxa's serial device servers.
//
//   0   "*FRM", 00 00 00 01
//   8   length of everything, 12: length of this header, 14: number of sections
//   64  sections of 16 bytes: type (1 firmware, 2 file system), offset, length, a word
//
//   A file system: device (32), …, 36: time, 48: offset of the file table, its length, 56: length of an entry, number
//   of entries, 66: that number again (some devices leave the first at 0). An entry: name (48), 8 bytes, length,
//   offset from the start of the section. Files may be gzip.
//
// Numbers are little endian. Source: onekey-sec/unblob, handlers/archive/moxa/frm.py.
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::moxafrm {
namespace {

constexpr Magic kMagics[] = {{std::string_view("*FRM\0\0\0\1", 8)}};
constexpr uint64_t kTable = 64, kSection = 16, kEntryName = 48, kLeastEntry = 64;
constexpr uint16_t kMostSections = 16;

struct Section {
  uint32_t type = 0;
  uint64_t offset = 0, size = 0;
};

struct Header {
  uint64_t total = 0, size = 0;
  std::vector<Section> sections;
};

Result<Header> read_header(Bytes from) {
  Header h;
  h.total = TRY(from.le<uint32_t>(8, "total length"));
  h.size = TRY(from.le<uint16_t>(12, "header length"));
  const uint16_t count = TRY(from.le<uint16_t>(14, "number of sections"));
  if (count == 0 || count > kMostSections || h.size < kTable + count * kSection || h.total < h.size)
    return fail(Fault::kMalformed, "header length or number of sections", from.base() + 12);
  TRY(from.slice(0, h.total, "image"));
  for (uint64_t at = kTable; at < kTable + count * kSection; at += kSection) {
    Section s{TRY(from.le<uint32_t>(at, "type")), TRY(from.le<uint32_t>(at + 4, "offset")),
              TRY(from.le<uint32_t>(at + 8, "length"))};
    if (s.offset < h.size || s.offset + s.size > h.total)
      return fail(Fault::kMalformed, "section outside the image", from.base() + at + 4);
    h.sections.push_back(s);
  }
  return h;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_header(from)).total, false}; }

// A file table: where its entries start, how long and how many they are.
struct Table {
  uint64_t at = 0, entry = 0, count = 0;
};

Result<Table> read_table(Bytes section) {
  Table t;
  t.at = TRY(section.le<uint32_t>(48, "file table"));
  t.entry = TRY(section.le<uint16_t>(56, "entry length"));
  t.count = TRY(section.le<uint16_t>(58, "number of files"));
  if (t.count == 0) t.count = TRY(section.le<uint16_t>(66, "number of files"));
  if (t.entry < kLeastEntry || t.count == 0) return fail(Fault::kMalformed, "file table", section.base() + 48);
  TRY(section.slice(t.at, t.entry * t.count, "file table"));
  return t;
}

Result<void> put_file(Bytes section, uint64_t at, Sink& into) {
  TRY_VOID(into.step());
  Node node;
  node.path = TRY(section.text_field(at, kEntryName, "file name"));
  if (node.path.empty()) return {};
  const uint64_t size = TRY(section.le<uint32_t>(at + 56, "file length"));
  const auto bytes = section.slice(TRY(section.le<uint32_t>(at + 60, "file offset")), size, "file");
  if (bytes) return into.node(std::move(node), stored(*bytes));
  into.problem(bytes.error());
  return into.node(std::move(node), unreadable());
}

Result<void> put_files(Bytes section, Sink& into) {
  const Table t = TRY(read_table(section));
  into.range(Range::kHeader, section.base(), std::min(section.size(), t.at));
  into.range(Range::kHeader, section.base() + t.at, t.entry * t.count);
  note_text(section, 0, 32, "device", into);
  for (uint64_t i = 0; i < t.count; ++i) TRY_VOID(put_file(section, t.at + i * t.entry, into));
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, h.size);
  size_t firmwares = 0;
  for (const Section& s : h.sections) {
    const Bytes section = TRY(whole.slice(s.offset, s.size, "section"));
    if (s.type == 2 && read_table(section)) {
      TRY_VOID(put_files(section, into));
      continue;
    }
    const std::string name = s.type == 1 ? "firmware" : "section" + std::to_string(s.type);
    TRY_VOID(into.child(firmwares++ ? name + std::to_string(firmwares) : name, stored(section)));
  }
  return {};
}

}  // namespace

extern const Format kMoxaFrm;
const Format kMoxaFrm = {.id = "moxafrm",
                         .title = "Moxa *FRM firmware image",
                         .magics = kMagics,
                         .measure = measure,
                         .unpack = unpack,
                         .limits = "the words whose meaning is not documented, among them perhaps a checksum",
                         .source = "unblob handlers/archive/moxa/frm.py",
                         .checked = "own builder in the tests only"};

}  // namespace assay::unpack::moxafrm
