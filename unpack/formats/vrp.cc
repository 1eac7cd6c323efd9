// The system software of Huawei's VRP devices (.cc, .bin of routers, switches and firewalls): tables of files in
// tables.
//
//   A table: 2 bytes, CRC-16 (xmodem) of everything behind it, 8 bytes, number of records, 24 bytes
//     40   records of 24 bytes: kind (16), 2 bytes, offset, size, flag (16), CRC-16 (16), type, 4 bytes
//   A file (384 bytes of header): type at 8 (16), name at 148 (224), size at 372, CRC-16 of the data at 378, the data
//
// Numbers are big endian; there is no magic, so the table's checksum is what tells it. Records hold files or further
// tables. Source: embedi/Huawei-firewall-tools, make-firmware-solid-again.py.
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::vrp {
namespace {

constexpr uint64_t kTable = 40, kRecord = 24, kFileHeader = 384;
constexpr uint32_t kMostRecords = 1024;

struct Record {
  uint64_t at = 0, offset = 0, size = 0;
};

Result<std::vector<Record>> read_table(Bytes from) {
  const uint32_t count = TRY(from.be<uint32_t>(12, "number of records"));
  if (count == 0 || count > kMostRecords) return fail(Fault::kForeign, "number of records", from.base() + 12);
  std::vector<Record> records;
  for (uint32_t i = 0; i < count; ++i) {
    Record r{.at = kTable + i * kRecord};
    r.offset = TRY(from.be<uint32_t>(r.at + 4, "offset"));
    r.size = TRY(from.be<uint32_t>(r.at + 8, "size"));
    if (r.offset < kTable + count * kRecord) return fail(Fault::kForeign, "record in the table", from.base() + r.at);
    TRY(from.slice(r.offset, r.size, "record"));
    records.push_back(r);
  }
  return records;
}

bool table_holds(Bytes from) {
  const auto stored = from.be<uint16_t>(2, "crc16");
  return stored && checksum_holds(crc16_ccitt(from.head(from.size(), 4), 0), *stored);
}

struct File {
  std::string name;
  Bytes data;
  bool holds = false;
};

Result<File> read_file(Bytes record) {
  File f;
  f.name = std::string(trim(TRY(record.text_field(148, 224, "file name"))));
  const auto size = TRY(record.be<uint32_t>(372, "file size"));
  f.data = TRY(record.slice(kFileHeader, size, "file"));
  f.holds = checksum_holds(crc16_ccitt(f.data, 0), TRY(record.be<uint16_t>(378, "file crc16")));
  if (f.name.empty() || f.data.empty()) return fail(Fault::kForeign, "no file", record.base());
  return f;
}

Result<Measured> measure(Bytes from) {
  TRY(read_table(from));
  if (!table_holds(from)) return fail(Fault::kForeign, "crc16 of the table does not match", from.base() + 2);
  return Measured{from.size(), true};
}

Result<void> put(Bytes whole, const Record& r, size_t number, Sink& into) {
  TRY_VOID(into.step());
  const Bytes record = whole.head(r.size, r.offset);
  const auto file = read_file(record);
  if (!file) return into.child((read_table(record) ? "table" : "record") + std::to_string(number), stored(record));
  const uint64_t tail = kFileHeader + file->data.size();
  into.range(Range::kHeader, r.offset, kFileHeader);
  if (tail < record.size()) into.range(Range::kUnknown, r.offset + tail, record.size() - tail);
  state_checksum("crc16 of " + escape(file->name), "crc16-xmodem", file->holds, r.offset + 378, into);
  return into.child(file->name, stored(file->data));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const auto records = TRY(read_table(whole));
  into.range(Range::kHeader, 0, kTable + records.size() * kRecord);
  state_checksum("crc16 of the table", "crc16-xmodem", table_holds(whole), 2, into);
  for (size_t i = 0; i < records.size(); ++i) TRY_VOID(put(whole, records[i], i, into));
  return {};
}

}  // namespace

extern const Format kVrp;
const Format kVrp = {.id = "vrp",
                     .title = "Huawei VRP system software",
                     .measure = measure,
                     .unpack = unpack,
                     .carve = false,
                     .limits = "fields that are not documented; signatures of newer releases",
                     .source = "embedi/Huawei-firewall-tools make-firmware-solid-again.py",
                     .checked = "own builder in the tests only"};

}  // namespace assay::unpack::vrp
