// LVM2 physical volumes: a label, the text of what the volume group consists of, and its extents.
//
//   label, in one of the first four sectors of 512 bytes:
//   0   "LABELONE"  8 its sector  16 CRC of the bytes from 20 to the sector's end  20 size of this header  24 "LVM2
//   001" 32  id of the volume (32 characters)  64 its size  72 places (offset, size), up to one of zeros: the data;
//   again:
//       the metadata areas
//   area, from the volume's start:
//   0   CRC of the bytes from 4 to 512  4 " LVM2 x[5A%r0N*>"  20 version 1  24 its offset  32 its size
//   40  texts: offset in the area, size, CRC, flags (1: ignored); a text that passes the area's end goes on at 512
//
// The CRC is CRC-32 without inversions, from 0xf597a6cf on. A logical volume is made of segments of extents; those that
// are linear and lie on this volume are read.
// Source: libvslvm, Logical Volume Manager (LVM) format; lvm2 lib/format_text/layout.h.
#include "core/hash.h"
#include "unpack/lvm_text.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint64_t kSector = 512;
constexpr Magic kMagics[] = {
    {"LABELONE", kSector}, {"LABELONE", 0}, {"LABELONE", 2 * kSector}, {"LABELONE", 3 * kSector}};
constexpr uint32_t kSeed = 0xf597a6cf;
constexpr uint64_t kMostAreas = 16, kLongestText = 16 << 20;

struct Area {
  uint64_t at = 0, size = 0;
};

struct Volume {
  uint64_t label = 0, header = 0, size = 0;
  std::string id;
  std::vector<Area> data, metadata;
};

Result<std::vector<Area>> read_areas(Bytes b, uint64_t& at) {
  std::vector<Area> out;
  for (;;) {
    const Area a = {TRY(b.le<uint64_t>(at, "area")), TRY(b.le<uint64_t>(at + 8, "area"))};
    at += 16;
    if (a.at == 0 && a.size == 0) return out;
    if (out.size() == kMostAreas) return fail(Fault::kMalformed, "more areas than any volume has", b.base() + at);
    out.push_back(a);
  }
}

Result<Volume> read_volume(Bytes from) {
  Volume v;
  while (v.label < 4 * kSector && !from.starts_with("LABELONE", v.label)) v.label += kSector;
  const Bytes b = TRY(from.slice(v.label, kSector, "label"));
  if (!b.starts_with("LABELONE") || !b.starts_with("LVM2 001", 24) || *b.le<uint64_t>(8, "") != v.label / kSector)
    return fail(Fault::kForeign, "no label", b.base());
  if (!checksum_holds(crc32_raw(b.head(kSector, 20), kSeed), *b.le<uint32_t>(16, "")))
    return fail(Fault::kMalformed, "crc of the label does not match", b.base() + 16);
  const uint32_t header = *b.le<uint32_t>(20, "");
  v.id = TRY(b.slice(header, 32, "id")).text();
  v.size = TRY(b.le<uint64_t>(uint64_t{header} + 32, "size"));
  uint64_t at = uint64_t{header} + 40;
  v.data = TRY(read_areas(b, at));
  v.metadata = TRY(read_areas(b, at));
  v.header = v.label + at;
  if (v.size < v.label + kSector) return fail(Fault::kMalformed, "size of the volume", b.base() + header + 32);
  return v;
}

Result<Measured> measure(Bytes from) {
  const Volume v = TRY(read_volume(from));
  TRY(from.slice(0, v.size, "volume"));
  return Measured{v.size, true};
}

// The text of an area, which may go on at its start; none where the area names none.
Result<std::string> read_text(Bytes whole, const Area& area) {
  const Bytes h = TRY(whole.slice(area.at, kSector, "metadata area"));
  if (!h.starts_with(" LVM2 x[5A%r0N*>", 4) || *h.le<uint64_t>(24, "") != area.at)
    return fail(Fault::kMalformed, "no header of a metadata area", h.base());
  if (!checksum_holds(crc32_raw(h.head(kSector, 4), kSeed), *h.le<uint32_t>(0, "")))
    return fail(Fault::kMalformed, "crc of the metadata area does not match", h.base());
  const uint64_t size = *h.le<uint64_t>(32, ""), at = *h.le<uint64_t>(40, ""), length = *h.le<uint64_t>(48, "");
  if (length == 0 || (*h.le<uint32_t>(60, "") & 1)) return std::string();
  if (size < kSector || at < kSector || at >= size || length > size - kSector || length > kLongestText)
    return fail(Fault::kMalformed, "place of the metadata", h.base() + 40);
  const Bytes a = TRY(whole.slice(area.at, size, "metadata area"));
  std::string text(a.head(length, at).text());
  text += a.head(length - text.size(), kSector).text();
  if (!checksum_holds(crc32_raw(Bytes(text), kSeed), *h.le<uint32_t>(56, "")))
    return fail(Fault::kMalformed, "crc of the metadata does not match", h.base() + 56);
  return text;
}

struct Group {
  uint64_t extent = 0, start = 0, count = 0;  // bytes of an extent; where they begin here, how many there are
  std::string here;                           // the name of this volume in the text
  const LvmSection* volumes = nullptr;
};

std::string without_dashes(std::string_view id) {
  std::string out(id);
  std::erase(out, '-');
  return out;
}

Result<Group> read_group(const LvmSection& text, const Volume& v) {
  if (text.sections.empty()) return fail(Fault::kMalformed, "metadata: there is no volume group");
  const LvmSection& group = text.sections.front();
  Group g;
  g.extent = group.number("extent_size").value_or(0);
  if (g.extent == 0 || g.extent > v.size / kSector) return fail(Fault::kMalformed, "metadata: extent_size");
  g.extent *= kSector;
  g.volumes = group.section("logical_volumes");
  const LvmSection* physical = group.section("physical_volumes");
  if (!physical) return fail(Fault::kMalformed, "metadata: there are no physical volumes");
  for (const LvmSection& volume : physical->sections) {
    if (without_dashes(volume.text("id")) != v.id) continue;
    g.here = volume.name;
    const uint64_t start = volume.number("pe_start").value_or(0);
    g.count = volume.number("pe_count").value_or(0);
    if (start >= v.size / kSector || g.count > (v.size - start * kSector) / g.extent)
      return fail(Fault::kMalformed, "metadata: the extents leave the volume");
    g.start = start * kSector;
    return g;
  }
  return fail(Fault::kMalformed, "metadata: this volume is not in its group");
}

struct Run {
  uint64_t logical = 0, physical = 0, count = 0;  // in extents
};

Result<Run> read_run(const LvmSection& segment, const Group& g) {
  const auto stripes = segment.values.find("stripes");
  if (segment.text("type") != "striped" && segment.text("type") != "linear")
    return fail(Fault::kUnsupported, "segment of type " + std::string(segment.text("type")));
  if (segment.number("stripe_count").value_or(1) != 1 || stripes == segment.values.end() || stripes->second.size() != 2)
    return fail(Fault::kUnsupported, "segment over several stripes");
  if (stripes->second[0] != g.here) return fail(Fault::kUnsupported, "segment lies on another physical volume");
  LvmSection place;
  place.values["at"] = {stripes->second[1]};
  const auto logical = segment.number("start_extent"), count = segment.number("extent_count"), at = place.number("at");
  if (!logical || !count || !at || *at > g.count || *count > g.count - *at || *logical > UINT32_MAX)
    return fail(Fault::kMalformed, "metadata: extents of a segment");
  return Run{*logical, *at, *count};
}

Result<std::vector<Run>> read_runs(const LvmSection& volume, const Group& g, Sink& into) {
  std::vector<Run> runs;
  for (const LvmSection& segment : volume.sections) {
    if (!segment.name.starts_with("segment")) continue;
    TRY_VOID(into.step());
    runs.push_back(TRY(read_run(segment, g)));
  }
  std::ranges::sort(runs, {}, &Run::logical);
  uint64_t next = 0;
  for (const Run& run : runs) {
    if (run.logical != next) return fail(Fault::kMalformed, "metadata: segments leave a hole or overlap");
    next += run.count;
  }
  return runs;
}

Result<void> give_volume(Bytes whole, const LvmSection& volume, const Group& g, Sink& into) {
  Content content;
  for (const Run& run : TRY(read_runs(volume, g, into)))
    content.extents.push_back(TRY(whole.slice(g.start + run.physical * g.extent, run.count * g.extent, "extents")));
  return content.extents.empty() ? Result<void>{} : into.child(volume.name, std::move(content));
}

Result<void> give_volumes(Bytes whole, const Group& g, Sink& into) {
  if (!g.volumes) return {};
  for (const LvmSection& volume : g.volumes->sections) {
    auto done = give_volume(whole, volume, g, into);
    if (done) continue;
    if (done.error().fault == Fault::kLimit) return done;
    into.problem({done.error().fault, volume.name + ": " + done.error().what, done.error().offset});
  }
  return {};
}

void state_areas(Bytes whole, const Volume& v, Sink& into) {
  into.range(Range::kHeader, v.label, v.header - v.label);
  into.integrity(checksum("crc of the label", "crc32-lvm", true, v.label + 16));
  into.note("volume id", v.id, v.label + 32);
  for (const Area& area : v.metadata) {
    const auto text = read_text(whole, area);
    state_checksum("crc of the metadata", "crc32-lvm", text.has_value(), area.at, into);
    if (!text || text->empty()) continue;
    const uint64_t at = *whole.le<uint64_t>(area.at + 40, "");
    const uint64_t size = *whole.le<uint64_t>(area.at + 32, "");
    const uint64_t first = std::min<uint64_t>(text->size(), size - at);
    into.range(Range::kHeader, area.at, kSector);
    into.range(Range::kHeader, area.at + at, first);
    into.range(Range::kHeader, area.at + kSector, text->size() - first);
  }
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Volume v = TRY(read_volume(whole));
  state_areas(whole, v, into);
  for (const Area& area : v.metadata) {
    const auto text = read_text(whole, area);
    if (!text || text->empty()) continue;
    const LvmSection metadata = TRY(read_lvm_text(*text));
    const Group group = TRY(read_group(metadata, v));
    into.note("volume group", metadata.sections.front().name, area.at);
    return give_volumes(whole, group, into);
  }
  return {};
}

}  // namespace

extern const Format kLvm2;
const Format kLvm2 = {.id = "lvm2",
                      .title = "LVM2 physical volume",
                      .version = 1,
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .reads = "logical volumes of linear segments on one physical volume; the current text; its CRCs",
                      .limits =
                          "volumes over several disks, stripes, mirrors, RAID, thin volumes and snapshots are named; "
                          "older copies of the text are not read",
                      .source = "libvslvm, Logical Volume Manager (LVM) format; lvm2 lib/format_text/layout.h",
                      .checked = "own builder only; by hand also a volume of pvcreate and vgcreate"};

}  // namespace assay::unpack
