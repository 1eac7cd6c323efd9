// Android's "super" partition: logical partitions described by LP metadata. Little-endian.
//
//   4096, 8192  geometry, twice: "gDla"  4 size  8 sha256 (itself as zero)  40 most bytes of metadata  44 slots
//               48 block size; 4096 bytes each
//   12288       metadata, one copy a slot, then all of them again:
//     "0PLA"  4 version  8 header's size  12 sha256 of the header  44 size of the tables  48 sha256 of the tables
//     80, 92, 104, 116  partitions, extents, groups, devices: offset in the tables, count, size of an entry
//   partition   name (36)  36 attributes  40 first extent  44 extents  48 group
//   extent      0 sectors of 512 bytes (64 bits)  8 type: 0 stored, 1 zeros  12 sector (64 bits)  20 device
//
// Source: AOSP system/core, fs_mgr/liblp/include/liblp/metadata_format.h.
#include "core/hash.h"
#include "unpack/describe.h"

#include <algorithm>

namespace assay::unpack::android_super {
namespace {

constexpr Magic kMagics[] = {{"gDla", 4096}};
constexpr uint64_t kGeometryAt = 4096, kGeometrySize = 4096, kMetadataAt = kGeometryAt + 2 * kGeometrySize;
constexpr uint32_t kSector = 512;

struct Geometry {
  uint64_t most = 0;
  uint32_t slots = 0;
};

struct Table {
  uint32_t at = 0, count = 0, size = 0;
};

struct Metadata {
  uint64_t at = 0, length = 0;
  Bytes tables;
  Table partitions, extents, devices;
  std::string version;
};

// Whether the sha256 in `b` at `at` holds for all of it, the digest itself taken as zeros.
bool digest_holds(Bytes b, uint64_t at) {
  Sha256 sum;
  static constexpr std::byte kZeros[32] = {};
  sum.add(b.head(at).span());
  sum.add(kZeros);
  sum.add(b.head(b.size(), at + 32).span());
  Digest stored;
  std::memcpy(stored.bytes.data(), b.data() + at, stored.bytes.size());
  return checksum_holds(sum.finish(), stored);
}

Result<Geometry> read_geometry(Bytes whole, uint64_t at) {
  const Bytes b = TRY(whole.slice(at, 52, "geometry"));
  if (!b.starts_with("gDla")) return fail(Fault::kMalformed, "geometry's magic", b.base());
  if (*b.le<uint32_t>(4, "") != 52) return fail(Fault::kUnsupported, "geometry's size", b.base() + 4);
  if (!digest_holds(b, 8)) return fail(Fault::kMalformed, "sha256 of the geometry does not match", b.base() + 8);
  Geometry g;
  g.most = *b.le<uint32_t>(40, "");
  g.slots = *b.le<uint32_t>(44, "");
  if (g.most == 0 || g.most % kSector || g.slots == 0 || g.slots > 64)
    return fail(Fault::kMalformed, std::to_string(g.slots) + " slots of " + std::to_string(g.most) + " bytes",
                b.base() + 40);
  return g;
}

Result<Geometry> any_geometry(Bytes whole) {
  auto first = read_geometry(whole, kGeometryAt);
  return first ? first : read_geometry(whole, kGeometryAt + kGeometrySize);
}

Result<Table> read_table(Bytes b, uint64_t at, uint32_t least, uint64_t tables) {
  const Table t = {*b.le<uint32_t>(at, ""), *b.le<uint32_t>(at + 4, ""), *b.le<uint32_t>(at + 8, "")};
  if ((t.count && t.size < least) || t.at > tables || uint64_t{t.count} * t.size > tables - t.at)
    return fail(Fault::kMalformed, "a table of " + std::to_string(t.count) + " entries", b.base() + at);
  return t;
}

Result<Metadata> read_metadata(Bytes whole, const Geometry& g, uint64_t at) {
  const Bytes b = TRY(whole.slice(at, 128, "metadata"));
  if (!b.starts_with("0PLA")) return fail(Fault::kMalformed, "metadata's magic", b.base());
  if (*b.le<uint16_t>(4, "") != 10) return fail(Fault::kUnsupported, "metadata's version", b.base() + 4);
  const uint32_t size = *b.le<uint32_t>(8, ""), tables = *b.le<uint32_t>(44, "");
  if (size < 128 || size > g.most || tables > g.most - size)
    return fail(Fault::kMalformed, "metadata of " + std::to_string(size) + " and " + std::to_string(tables) + " bytes",
                b.base() + 8);
  if (!digest_holds(TRY(whole.slice(at, size, "metadata")), 12))
    return fail(Fault::kMalformed, "sha256 of the metadata's header does not match", b.base() + 12);
  Metadata m;
  m.at = at;
  m.length = uint64_t{size} + tables;
  m.tables = TRY(whole.slice(at + size, tables, "tables"));
  Digest stored;
  std::memcpy(stored.bytes.data(), b.data() + 48, stored.bytes.size());
  if (!checksum_holds(sha256(m.tables), stored))
    return fail(Fault::kMalformed, "sha256 of the tables does not match", b.base() + 48);
  m.partitions = TRY(read_table(b, 80, 52, tables));
  m.extents = TRY(read_table(b, 92, 24, tables));
  m.devices = TRY(read_table(b, 116, 64, tables));
  m.version = "10." + std::to_string(*b.le<uint16_t>(6, ""));
  return m;
}

uint64_t copy_at(const Geometry& g, uint32_t slot, bool backup) {
  return kMetadataAt + (uint64_t{slot} + (backup ? g.slots : 0)) * g.most;
}

Result<Metadata> first_metadata(Bytes whole, const Geometry& g) {
  Result<Metadata> first = read_metadata(whole, g, kMetadataAt);
  for (uint32_t i = 1; !first && i < 2 * g.slots; ++i)
    if (auto other = read_metadata(whole, g, kMetadataAt + i * g.most)) return other;
  return first;
}

Result<uint64_t> device_size(const Metadata& m) {
  if (m.devices.count == 0) return fail(Fault::kMalformed, "there is no device", m.at + 116);
  return m.tables.le<uint64_t>(m.devices.at + 16, "device's size");
}

Result<Measured> measure(Bytes from) {
  const Geometry g = TRY(any_geometry(from));
  const Metadata m = TRY(first_metadata(from, g));
  const uint64_t size = TRY(device_size(m));
  if (size > from.size()) return fail(Fault::kTruncated, "device of " + std::to_string(size) + " bytes", m.at);
  return Measured{std::max(size, copy_at(g, g.slots, true)), true};
}

Result<void> give_partition(Bytes whole, const Metadata& m, Bytes entry, const std::string& name, Sink& into) {
  const uint32_t first = *entry.le<uint32_t>(40, ""), count = *entry.le<uint32_t>(44, "");
  if (first > m.extents.count || count > m.extents.count - first)
    return fail(Fault::kMalformed, "extents of partition " + name, entry.base() + 40);
  Content content;
  std::vector<uint64_t> lengths;
  bool zeros = false;
  for (uint32_t i = first; i < first + count; ++i) {
    TRY_VOID(into.step(1));
    const Bytes e = m.tables.head(m.extents.size, m.extents.at + uint64_t{i} * m.extents.size);
    const uint64_t sectors = *e.le<uint64_t>(0, ""), at = *e.le<uint64_t>(12, "");
    const uint32_t type = *e.le<uint32_t>(8, "");
    if (type > 1 || (type == 0 && *e.le<uint32_t>(20, "") != 0))
      return fail(Fault::kUnsupported, "an extent of partition " + name + " lies on another device", e.base() + 8);
    if (sectors > (uint64_t{1} << 40) || at > (uint64_t{1} << 40))
      return fail(Fault::kMalformed, "an extent of partition " + name, e.base());
    zeros |= type == 1;
    lengths.push_back(sectors * kSector);
    content.extents.push_back(type == 1 ? Bytes() : TRY(whole.slice(at * kSector, sectors * kSector, "extent")));
  }
  if (content.extents.empty()) return {};
  if (!zeros) return into.child(name, std::move(content));
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (content.extents[i].empty())
      TRY_VOID(into.output().zeros(lengths[i]));
    else
      TRY_VOID(into.output().write(content.extents[i].span()));
  }
  std::erase_if(content.extents, [](const Bytes& extent) { return extent.empty(); });
  content.codec = "sparse";
  return into.child(name, std::move(content));
}

void state_copies(Bytes whole, const Geometry& g, Sink& into) {
  for (const uint64_t at : {kGeometryAt, kGeometryAt + kGeometrySize}) {
    into.range(Range::kHeader, at, kGeometrySize);
    into.integrity(checksum("geometry", "sha256", read_geometry(whole, at).has_value(), at + 8));
  }
  for (uint32_t i = 0; i < 2 * g.slots; ++i) {
    const uint64_t at = copy_at(g, i, false);
    const Bytes copy = whole.head(g.most, at);
    if (copy.empty() || is_run(copy)) continue;
    const auto m = read_metadata(whole, g, at);
    const std::string name = i < g.slots ? "metadata of slot " + std::to_string(i)
                                         : "backup metadata of slot " + std::to_string(i - g.slots);
    into.integrity(checksum(name, "sha256", m.has_value(), at + 12));
    if (m) into.range(Range::kHeader, at, m->length);
  }
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Geometry g = TRY(any_geometry(whole));
  state_copies(whole, g, into);
  const Metadata m = TRY(first_metadata(whole, g));
  into.note("version", m.version, m.at + 4);
  into.note("slots", std::to_string(g.slots), kGeometryAt + 44);
  for (uint32_t i = 0; i < m.partitions.count; ++i) {
    const Bytes entry = m.tables.head(m.partitions.size, m.partitions.at + uint64_t{i} * m.partitions.size);
    std::string name = TRY(entry.text_field(0, 36, "partition's name"));
    std::ranges::replace(name, '/', '_');
    if (name.empty()) name = "part" + std::to_string(i);
    auto done = give_partition(whole, m, entry, name, into);
    if (done) continue;
    if (done.error().fault == Fault::kLimit) return done;
    into.discard();
    into.problem(done.error());
  }
  return {};
}

}  // namespace

extern const Format kAndroidSuper;
const Format kAndroidSuper = {.id = "android-super",
                              .title = "Android super partition (logical partitions)",
                              .version = 1,
                              .magics = kMagics,
                              .measure = measure,
                              .unpack = unpack,
                              .reads = "version 10; stored and zero extents; every slot's copies are checked",
                              .limits = "partitions of the first readable slot only; extents on further devices",
                              .source = "AOSP system/core fs_mgr/liblp/include/liblp/metadata_format.h",
                              .checked = "own builder only"};

}  // namespace assay::unpack::android_super
