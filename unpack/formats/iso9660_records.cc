// Directory records and Rock Ridge fields; sources: iso9660.cc.
#include "core/text.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/iso9660.h"

#include <chrono>

namespace assay::unpack {
namespace {

constexpr uint64_t kFixed = 33;  // of a record, before its name
constexpr int kMostContinuations = 16;
constexpr uint8_t kDirectory = 2, kMore = 0x80;

std::optional<int64_t> short_date(Bytes d) {
  if (d.size() < 7 || d[1] == 0) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(1900 + d[0]), std::chrono::month(d[1]),
                                        std::chrono::day(d[2])};
  if (!day.ok()) return std::nullopt;
  const int quarter_hours = (d[6] ^ 0x80) - 0x80;  // signed
  return std::chrono::sys_days(day).time_since_epoch().count() * int64_t{86400} + d[3] * 3600 + d[4] * 60 + d[5] -
         quarter_hours * 900;
}

std::string plain_name(std::string name) {
  if (const size_t version = name.rfind(';'); version != std::string::npos) name.resize(version);
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  return name;
}

std::string joliet_name(Bytes stored) {
  std::string name;
  for (uint64_t i = 0; i + 1 < stored.size(); i += 2)
    append_utf8(name, static_cast<uint32_t>(stored[i]) << 8 | stored[i + 1]);
  return plain_name(std::move(name));
}

// Rock Ridge's fields of one record, gathered over their continuations.
struct Fields {
  std::string name, target;
  bool has_name = false, target_goes_on = false, component_goes_on = false, relocated = false;
  std::optional<uint32_t> mode, links, uid, gid;
  std::optional<uint64_t> device;
  std::optional<int64_t> mtime;
  std::optional<uint32_t> child;  // CL: the block where the directory really is
  uint64_t plain_size = 0;
  std::optional<IsoExtent> next;
  uint64_t next_offset = 0;
  std::optional<uint64_t> block;
};

void add_link(Fields& f, Bytes field) {
  for (uint64_t at = 5; at + 2 <= field.size();) {
    const uint8_t flags = field[at];
    const Bytes text = field.head(field[at + 1], at + 2);
    if (!f.target.empty() && !f.component_goes_on && !f.target.ends_with('/')) f.target += '/';
    if (flags & 8) f.target += '/';
    f.target += (flags & 2) ? "." : (flags & 4) ? ".." : std::string(text.text());
    f.component_goes_on = flags & 1;
    at += 2 + uint64_t{field[at + 1]};
  }
}

// TF: dates follow in the order of the flags' bits; the second is that of the last change.
void add_times(Fields& f, Bytes field) {
  if (field.size() < 5 || !(field[4] & 2) || (field[4] & 0x80)) return;
  f.mtime = short_date(field.head(7, (field[4] & 1) ? 12 : 5));
}

void add_field(Fields& f, Bytes field) {
  const auto number = [&](uint64_t at) { return field.le<uint32_t>(at, "number").value_or(0); };
  const std::string_view id = field.text().substr(0, 2);
  if (id == "PX" && field.size() >= 36)
    f.mode = number(4), f.links = number(12), f.uid = number(20), f.gid = number(28);
  if (id == "PN" && field.size() >= 20) {
    const uint64_t high = number(4), low = number(12);
    f.device = high == 0 && low > 0xff ? device_of_old(static_cast<uint16_t>(low)) : high << 32 | low;
  }
  if (id == "NM" && field.size() >= 5 && !(field[4] & 6)) f.has_name = true, f.name += field.text().substr(5);
  if (id == "SL" && field.size() >= 5) add_link(f, field);
  if (id == "TF") add_times(f, field);
  if (id == "CL" && field.size() >= 8) f.child = number(4);
  if (id == "RE") f.relocated = true;
  if (id == "ZF" && field.size() >= 12 && field.starts_with("pz", 4)) f.plain_size = number(8);
  if (id == "CE" && field.size() >= 28) f.next = IsoExtent{number(4), number(20)}, f.next_offset = number(12);
}

void read_fields(Bytes area, Fields& f) {
  for (uint64_t at = 0; at + 4 <= area.size();) {
    const uint8_t length = area[at + 2];
    if (length < 4 || length > area.size() - at || area.starts_with("ST", at)) return;
    add_field(f, area.head(length, at));
    at += length;
  }
}

Fields fields_of(Bytes whole, const IsoVolume& volume, Bytes area) {
  Fields f;
  read_fields(area, f);
  for (int i = 0; f.next && i < kMostContinuations; ++i) {
    const IsoExtent next = *f.next;
    f.next.reset();
    if (next.size > volume.block) break;  // an area does not leave its block
    f.block = next.first;
    const auto more = whole.slice(next.first * volume.block + f.next_offset, next.size, "continuation");
    if (more) read_fields(*more, f);
  }
  return f;
}

void apply(const Fields& f, IsoEntry& e, const IsoVolume& volume, Bytes whole) {
  if (f.has_name) e.name = f.name;
  if (f.mtime) e.mtime = f.mtime;
  e.uid = f.uid, e.gid = f.gid, e.links = f.links, e.relocated = f.relocated, e.plain_size = f.plain_size,
  e.system_use_block = f.block;
  if (f.mode) {
    e.mode = *f.mode & 07777;
    e.kind = kind_of_mode(*f.mode).value_or(e.kind);
  }
  if (e.kind == Kind::kSymlink) e.target = f.target;
  if (e.kind == Kind::kCharDevice || e.kind == Kind::kBlockDevice) e.device = f.device;
  if (!f.child) return;
  e.kind = Kind::kDirectory;  // its record here is a file's; its own "." says how long it is
  const uint64_t at = *f.child * volume.block;
  e.extents = {{*f.child, whole.le<uint32_t>(at + 10, "size").value_or(0)}};
}

Bytes area_of(Bytes record, uint64_t skip) {
  const uint64_t name = record[32];
  return record.head(record.size(), kFixed + name + (name % 2 == 0 ? 1 : 0) + skip);
}

// SP in the root's "." record says how many bytes to skip before the fields; none: no Rock Ridge.
std::optional<uint64_t> system_use_skip(Bytes record) {
  const Bytes area = area_of(record, 0);
  for (const uint64_t before : {uint64_t{0}, uint64_t{14}})  // CD-ROM XA puts 14 bytes of its own first
    if (area.starts_with("SP\7\1\xbe\xef", before)) return area[before + 6];
  return std::nullopt;
}

Result<Bytes> record_at(Bytes directory, uint64_t at) {
  const uint64_t length = directory[at];
  const Bytes record = TRY(directory.slice(at, length, "directory record"));
  if (length < kFixed + 1 || kFixed + record[32] > length)
    return fail(Fault::kMalformed, "directory record is too short", record.base());
  return record;
}

}  // namespace

IsoExtent iso_root(Bytes descriptor) {
  return {descriptor.le<uint32_t>(158, "root").value_or(0), descriptor.le<uint32_t>(166, "root").value_or(0)};
}

Result<Bytes> iso_bytes(Bytes whole, const IsoVolume& volume, const IsoExtent& extent, std::string_view field) {
  return whole.slice(extent.first * volume.block, extent.size, field);
}

bool iso_has_rock_ridge(Bytes whole, const IsoVolume& volume, Bytes descriptor) {
  const auto directory = iso_bytes(whole, volume, iso_root(descriptor), "root");
  if (!directory || directory->empty()) return false;
  const auto record = record_at(*directory, 0);
  return record && system_use_skip(*record);
}

Result<void> read_iso_directory(Bytes whole, const IsoVolume& volume, Bytes directory, IsoNames names,
                                std::vector<IsoEntry>& entries) {
  bool more = false;  // the last record's file goes on in the next
  const auto root = iso_bytes(whole, volume, iso_root(volume.primary), "root");
  const auto first = root && !root->empty() ? record_at(*root, 0) : fail(Fault::kMalformed, "root", 0);
  const uint64_t skip = names == IsoNames::kRockRidge && first ? system_use_skip(*first).value_or(0) : 0;
  for (uint64_t at = 0; at < directory.size();) {
    if (directory[at] == 0) {  // records do not cross sectors
      at = (at / kIsoSector + 1) * kIsoSector;
      continue;
    }
    const Bytes record = TRY(record_at(directory, at));
    at += record.size();
    const Bytes name = record.head(record[32], kFixed);
    if (name.size() == 1 && name[0] <= 1) continue;
    const IsoExtent extent{TRY(record.le<uint32_t>(2, "first block")) + uint64_t{record[1]},
                           TRY(record.le<uint32_t>(10, "size"))};
    if (more) {
      entries.back().extents.push_back(extent);
    } else {
      IsoEntry e{.kind = (record[25] & kDirectory) ? Kind::kDirectory : Kind::kFile, .extents = {extent}};
      e.name = names == IsoNames::kJoliet ? joliet_name(name) : plain_name(std::string(name.text()));
      e.mtime = short_date(record.head(7, 18));
      if (names == IsoNames::kRockRidge) apply(fields_of(whole, volume, area_of(record, skip)), e, volume, whole);
      entries.push_back(std::move(e));
    }
    more = record[25] & kMore;
  }
  return {};
}

}  // namespace assay::unpack
