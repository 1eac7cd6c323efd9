// Source: PKWARE APPNOTE.TXT 6.3.10; Info-ZIP, proginfo/extrafld.txt.
#include "unpack/zip.h"

namespace assay::unpack {
namespace {

constexpr std::string_view kLocal("PK\x03\x04"), kCentral("PK\x01\x02"), kEnd("PK\x05\x06"), kEnd64("PK\x06\x06"),
    kLocator64("PK\x06\x07");
constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
constexpr uint32_t kNot32 = 0xffffffff;

struct Record {  // what an end record states
  uint64_t entries = 0, size = 0, offset = 0;
  uint64_t start = 0;  // where the (ZIP64) end record itself starts: the directory ends there
};

// The ZIP64 records, where they are, stand right before the end record and overrule it.
Result<Record> read_record_64(Bytes b, uint64_t end) {
  Record r;
  if (end < kLocatorSize + kEnd64Size) return fail(Fault::kMalformed, "ZIP64 end record is missing", b.base() + end);
  r.start = end - kLocatorSize - kEnd64Size;
  if (!b.starts_with(kEnd64, r.start))
    return fail(Fault::kUnsupported, "ZIP64 end record does not stand before its locator", b.base() + r.start);
  r.entries = TRY(b.le<uint64_t>(r.start + 32, "ZIP64 entries"));
  r.size = TRY(b.le<uint64_t>(r.start + 40, "ZIP64 directory size"));
  r.offset = TRY(b.le<uint64_t>(r.start + 48, "ZIP64 directory offset"));
  return r;
}

Result<Record> read_record(Bytes b, uint64_t at) {
  if (at >= kLocatorSize && b.starts_with(kLocator64, at - kLocatorSize)) return read_record_64(b, at);
  Record r;
  r.entries = TRY(b.le<uint16_t>(at + 10, "entries"));
  r.size = TRY(b.le<uint32_t>(at + 12, "directory size"));
  r.offset = TRY(b.le<uint32_t>(at + 16, "directory offset"));
  r.start = at;
  if (TRY(b.le<uint16_t>(at + 4, "disk")) != 0)
    return fail(Fault::kUnsupported, "archive on several disks", b.base() + at + 4);
  return r;
}

// The archive whose end record is at `at`, if its directory leads back to the start of `b`.
Result<ZipDirectory> directory_before(Bytes b, uint64_t at) {
  const Record r = TRY(read_record(b, at));
  const auto comment = TRY(b.le<uint16_t>(at + 20, "comment length"));
  TRY(b.slice(at, kEndSize + comment, "end record"));
  if (r.size > r.start || r.size < kCentralSize || r.entries == 0)
    return fail(Fault::kMalformed, "directory size " + std::to_string(r.size), b.base() + at + 12);
  ZipDirectory d{.start = r.start - r.size, .size = r.size, .entries = r.entries, .end = at + kEndSize + comment};
  if (!b.starts_with(kCentral, d.start))
    return fail(Fault::kMalformed, "no central directory before the end record", b.base() + d.start);
  d.shift = static_cast<int64_t>(d.start - r.offset);
  return d;
}

uint64_t shifted(uint64_t offset, const ZipDirectory& d) { return offset + static_cast<uint64_t>(d.shift); }

// Whether some member starts at the very start: else the directory belongs to an archive that starts elsewhere.
bool begins_here(Bytes b, const ZipDirectory& d) {
  uint64_t at = d.start;
  for (uint64_t i = 0; i < d.entries && b.starts_with(kCentral, at) && at + kCentralSize <= d.end; ++i) {
    const auto offset = b.le<uint32_t>(at + 42, "local header offset");
    if (!offset || shifted(*offset, d) == 0) return true;
    const auto name = b.le<uint16_t>(at + 28, "name length");
    const auto extra = b.le<uint16_t>(at + 30, "extra length");
    const auto comment = b.le<uint16_t>(at + 32, "comment length");
    if (!name || !extra || !comment) return false;
    at += kCentralSize + *name + *extra + *comment;
  }
  return false;
}

// ZIP64 extra field: the 64-bit values of those fields that did not fit, in this order.
Result<void> read_zip64(Bytes field, ZipMember& m, bool size, bool packed, bool offset) {
  uint64_t at = 0;
  if (size) m.size = TRY(field.le<uint64_t>(at, "ZIP64 size")), at += 8;
  if (packed) m.packed = TRY(field.le<uint64_t>(at, "ZIP64 compressed size")), at += 8;
  if (offset) m.local = TRY(field.le<uint64_t>(at, "ZIP64 offset"));
  return {};
}

std::optional<uint32_t> number_of_any_size(Bytes field, uint64_t at, uint64_t length) {
  if (length > 4 || at + length > field.size()) return std::nullopt;
  uint32_t value = 0;
  for (uint64_t i = length; i-- > 0;) value = value << 8 | field[at + i];
  return value;
}

void read_unix_field(uint16_t id, Bytes field, ZipMember& m) {
  constexpr uint16_t kTimestamp = 0x5455, kOwner = 0x7875, kOldUnix = 0x000d;
  if (id == kTimestamp && field.size() >= 5 && field[0] & 1) m.mtime = field.le<int32_t>(1, "mtime").value_or(0);
  if (id == kOldUnix && field.size() >= 12) {
    m.mtime = field.le<int32_t>(4, "mtime").value_or(0);
    m.uid = field.le<uint16_t>(8, "uid").value_or(0);
    m.gid = field.le<uint16_t>(10, "gid").value_or(0);
  }
  if (id == kOwner && field.size() >= 3 && field[0] == 1) {
    const uint64_t uid_size = field[1];
    m.uid = number_of_any_size(field, 2, uid_size);
    if (2 + uid_size < field.size()) m.gid = number_of_any_size(field, 3 + uid_size, field[2 + uid_size]);
  }
}

Result<void> read_extra(Bytes extra, ZipMember& m) {
  const bool size = m.size == kNot32, packed = m.packed == kNot32, offset = m.local == kNot32;
  for (uint64_t at = 0; at + 4 <= extra.size();) {
    const auto id = TRY(extra.le<uint16_t>(at, "extra field"));
    const auto length = TRY(extra.le<uint16_t>(at + 2, "extra field length"));
    const Bytes field = TRY(extra.slice(at + 4, length, "extra field"));
    if (id == 1) TRY_VOID(read_zip64(field, m, size, packed, offset));
    read_unix_field(id, field, m);
    at += 4 + length;
  }
  return {};
}

// A central header; moves `at` behind it.
Result<ZipMember> read_central(Bytes b, uint64_t& at, const ZipDirectory& d) {
  constexpr uint8_t kUnix = 3, kDarwin = 19;
  if (!b.starts_with(kCentral, at)) return fail(Fault::kMalformed, "central header has no magic", b.base() + at);
  ZipMember m;
  const auto maker = TRY(b.le<uint8_t>(at + 5, "maker"));
  m.flags = TRY(b.le<uint16_t>(at + 8, "flags")), m.method = TRY(b.le<uint16_t>(at + 10, "method"));
  m.time = TRY(b.le<uint16_t>(at + 12, "time"));
  m.crc = TRY(b.le<uint32_t>(at + 16, "crc32"));
  m.packed = TRY(b.le<uint32_t>(at + 20, "compressed size")), m.size = TRY(b.le<uint32_t>(at + 24, "size"));
  const auto name = TRY(b.le<uint16_t>(at + 28, "name length"));
  const auto extra = TRY(b.le<uint16_t>(at + 30, "extra length"));
  const auto comment = TRY(b.le<uint16_t>(at + 32, "comment length"));
  const auto attributes = TRY(b.le<uint32_t>(at + 38, "attributes"));
  m.local = TRY(b.le<uint32_t>(at + 42, "local header offset"));
  m.name = TRY(b.slice(at + kCentralSize, name, "name")).text();
  const Bytes fields = TRY(b.slice(at + kCentralSize + name, extra, "extra fields"));
  at += kCentralSize + name + extra + comment;
  if ((maker == kUnix || maker == kDarwin) && attributes >> 16 != 0) m.unix_mode = attributes >> 16;
  TRY_VOID(read_extra(fields, m));
  m.local = shifted(m.local, d);
  return m;
}

// Where the data start is known only to the local header; it may also hold times and owners of its own.
Result<void> find_data(Bytes b, ZipMember& m) {
  if (!b.starts_with(kLocal, m.local)) return fail(Fault::kMalformed, "local header has no magic", b.base() + m.local);
  const auto name = TRY(b.le<uint16_t>(m.local + 26, "name length"));
  const auto extra = TRY(b.le<uint16_t>(m.local + 28, "extra length"));
  m.data = m.local + kLocalSize + name + extra;
  TRY(b.slice(m.data, m.packed, "data"));
  ZipMember local = m;
  if (read_extra(TRY(b.slice(m.data - extra, extra, "extra fields")), local)) {
    m.uid = local.uid, m.gid = local.gid, m.mtime = local.mtime;
  }
  return {};
}

}  // namespace

Result<ZipDirectory> find_zip_directory(Bytes from) {
  if (!from.starts_with(kLocal)) return fail(Fault::kMalformed, "magic does not match", from.base());
  const auto version = TRY(from.le<uint16_t>(4, "version needed"));
  const auto name = TRY(from.le<uint16_t>(26, "name length"));
  if ((version & 0xff) > 100 || name == 0) return fail(Fault::kMalformed, "local header", from.base() + 4);
  for (size_t at = 0; (at = from.text().find(kEnd, at)) != std::string_view::npos; ++at) {
    const auto directory = directory_before(from, at);
    if (directory && begins_here(from, *directory)) return *directory;
  }
  return fail(Fault::kTruncated, "no end record leads back to this member", from.base());
}

Result<std::vector<ZipMember>> read_zip_members(Bytes whole, const ZipDirectory& directory, Sink& into) {
  std::vector<ZipMember> members;
  uint64_t at = directory.start;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    TRY_VOID(into.step());
    auto member = read_central(whole.head(directory.end), at, directory);
    if (!member) {
      into.problem(std::move(member).error());
      break;  // without this header, the place of the next is not known
    }
    if (auto found = find_data(whole, *member); !found) {
      Error error = std::move(found).error();
      error.what = member->name + ": " + error.what;
      into.problem(std::move(error));
      continue;
    }
    members.push_back(*std::move(member));
  }
  return members;
}

Result<void> check_zip_local_header(Bytes whole, const ZipMember& m) {
  const auto length = TRY(whole.le<uint16_t>(m.local + 26, "name length"));
  const Bytes name = TRY(whole.slice(m.local + kLocalSize, length, "name"));
  if (name.text() != m.name) return fail(Fault::kMalformed, "local header has another name", m.local);
  if (TRY(whole.le<uint16_t>(m.local + 8, "method")) != m.method)
    return fail(Fault::kMalformed, "local header has another method", m.local + 8);
  return {};
}

}  // namespace assay::unpack
