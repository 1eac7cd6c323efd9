// LVM2 physical volumes: a label, the text of what the volume group consists of, and its extents.
//
//   label, in one of the first four sectors of 512 bytes:
//   0   "LABELONE"  8 its sector  16 CRC of the bytes from 20 to the sector's end  20 size of this header
//   24  "LVM2 001"
//   32  id of the volume (32 characters)  64 its size
//   72  places (offset, size), up to one of zeros: the data; again: the metadata areas
//   area, from the volume's start:
//   0   CRC of the bytes from 4 to 512  4 " LVM2 x[5A%r0N*>"  20 version 1  24 its offset  32 its size
//   40  texts: offset in the area, size, CRC of the text, flags (1: ignored); a text that passes the area's end goes
//       on at 512
//
// The CRC is CRC-32 without inversions, from 0xf597a6cf on. Three things have one: the label's sector, the header of an
// area, a text. None covers the extents. A logical volume is made of segments of extents; those that are linear and lie
// on this volume are read. What no volume covers (free extents, older texts) becomes a part of its own.
// Source: libvslvm, Logical Volume Manager (LVM) format; lvm2 lib/format_text/layout.h, lib/label/label.h.
#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/lvm_text.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::lvm2 {
namespace {

constexpr uint64_t kSector = 512;
constexpr Magic kMagics[] = {
    {"LABELONE", kSector}, {"LABELONE", 0}, {"LABELONE", 2 * kSector}, {"LABELONE", 3 * kSector}};
constexpr uint32_t kSeed = 0xf597a6cf;
constexpr uint64_t kMostAreas = 16, kLongestText = 1 << 20;

struct Area {
  uint64_t at = 0, size = 0;
};

struct Volume {
  uint64_t label = 0, size = 0;
  std::string id;
  std::vector<Area> metadata;
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
  TRY(read_areas(b, at));  // of the data: the text says more
  v.metadata = TRY(read_areas(b, at));
  if (v.size < v.label + kSector) return fail(Fault::kMalformed, "size of the volume", b.base() + header + 32);
  return v;
}

Result<Measured> measure(Bytes from) {
  const Volume v = TRY(read_volume(from));
  TRY(from.slice(0, v.size, "volume"));
  return Measured{v.size, true};
}

// What is accounted for: the label, texts with their headers, volumes; and, without a length, where areas end.
using Ranges = std::vector<Area>;

void take_range(uint64_t at, uint64_t size, Ranges& ranges, Sink& into) {
  into.range(Range::kHeader, at, size);
  ranges.push_back({at, size});
}

// The current text of the area at `start`; empty where it names none or its CRC does not hold.
Result<std::string> read_text(Bytes whole, uint64_t start, Ranges& ranges, Sink& into) {
  const Bytes h = TRY(whole.slice(start, kSector, "metadata area"));
  if (!h.starts_with(" LVM2 x[5A%r0N*>", 4) || *h.le<uint64_t>(24, "") != start)
    return fail(Fault::kMalformed, "no header of a metadata area", start);
  const bool header_holds = checksum_holds(crc32_raw(h.head(kSector, 4), kSeed), *h.le<uint32_t>(0, ""));
  state_checksum("crc of the metadata area's header", "crc32-lvm", header_holds, start, into);
  if (!header_holds) return std::string();
  take_range(start, kSector, ranges, into);
  const uint64_t size = *h.le<uint64_t>(32, ""), at = *h.le<uint64_t>(40, ""), length = *h.le<uint64_t>(48, "");
  const Bytes a = TRY(whole.slice(start, size, "metadata area"));
  ranges.push_back({start + size, 0});
  if (length == 0 || (*h.le<uint32_t>(60, "") & 1)) return std::string();
  if (size < kSector || at < kSector || at >= size || length > size - kSector || length > kLongestText)
    return fail(Fault::kMalformed, "place of the metadata", start + 40);
  TRY_VOID(into.step(1 + length / 16));
  std::string text(a.head(length, at).text());
  const uint64_t first = text.size();
  text += a.head(length - first, kSector).text();
  const bool holds = checksum_holds(crc32_raw(Bytes(text), kSeed), *h.le<uint32_t>(56, ""));
  state_checksum("crc of the metadata text", "crc32-lvm", holds, start + 56, into);
  if (!holds) return std::string();
  take_range(start + at, first, ranges, into);
  if (first < length) take_range(start + kSector, length - first, ranges, into);
  return text;
}

struct Text {
  std::string text;
  uint64_t area = 0;
};

// Reads all areas and gives back the first text: they are copies of each other.
Result<Text> read_texts(Bytes whole, const Volume& v, Ranges& ranges, Sink& into) {
  Text found;
  for (const Area& area : v.metadata) {
    auto text = read_text(whole, area.at, ranges, into);
    if (!text && text.error().fault == Fault::kLimit) return std::unexpected(std::move(text).error());
    if (!text)
      into.problem(std::move(text).error());
    else if (found.text.empty())
      found = {*std::move(text), area.at};
  }
  return found;
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

// No extent belongs to two volumes.
bool is_free(const Ranges& ranges, uint64_t at, uint64_t size) {
  return std::ranges::none_of(ranges, [&](const Area& r) { return at < r.at + r.size && r.at < at + size; });
}

Result<void> give_volume(Bytes whole, const LvmSection& volume, const Group& g, Ranges& ranges, Sink& into) {
  Content content;
  Ranges taken;
  for (const Run& run : TRY(read_runs(volume, g, into))) {
    const uint64_t at = g.start + run.physical * g.extent, size = run.count * g.extent;
    TRY_VOID(into.step(1 + (ranges.size() + taken.size()) / 16));
    if (!is_free(ranges, at, size) || !is_free(taken, at, size))
      return fail(Fault::kMalformed, "its extents belong to something else too", at);
    content.extents.push_back(TRY(whole.slice(at, size, "extents")));
    taken.push_back({at, size});
  }
  ranges.insert(ranges.end(), taken.begin(), taken.end());
  return content.extents.empty() ? Result<void>{} : into.child(volume.name, std::move(content));
}

Result<void> give_volumes(Bytes whole, const Group& g, Ranges& ranges, Sink& into) {
  if (!g.volumes) return {};
  for (const LvmSection& volume : g.volumes->sections) {
    auto done = give_volume(whole, volume, g, ranges, into);
    if (done) continue;
    if (done.error().fault == Fault::kLimit) return done;
    into.problem({done.error().fault, volume.name + ": " + done.error().what, done.error().offset});
  }
  return {};
}

Result<void> give_group(Bytes whole, const Volume& v, const Text& text, Ranges& ranges, Sink& into) {
  const LvmSection metadata = TRY(read_lvm_text(text.text));
  const Group group = TRY(read_group(metadata, v));
  into.note("volume group", metadata.sections.front().name, text.area);
  ranges.push_back({group.start, 0});
  ranges.push_back({group.start + group.count * group.extent, 0});
  return give_volumes(whole, group, ranges, into);
}

// What lies between the ranges, as parts.
Result<void> give_rest(Bytes whole, const Volume& v, Ranges ranges, Sink& into) {
  ranges.push_back({v.size, 0});
  std::ranges::sort(ranges, {}, &Area::at);
  uint64_t reached = 0;
  for (const Area& range : ranges) {
    if (range.at > reached) TRY_VOID(between(whole, reached, range.at, "rest-" + hex_number(reached), into));
    reached = std::max(reached, range.at + range.size);
  }
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Volume v = TRY(read_volume(whole));
  Ranges ranges;
  take_range(v.label, kSector, ranges, into);
  into.integrity(checksum("crc of the label", "crc32-lvm", true, v.label + 16));
  into.note("volume id", v.id, v.label + 32);
  const Text text = TRY(read_texts(whole, v, ranges, into));
  if (!text.text.empty()) {
    if (auto done = give_group(whole, v, text, ranges, into); !done) {
      if (done.error().fault == Fault::kLimit) return done;
      into.problem(std::move(done).error());
    }
  }
  return give_rest(whole, v, std::move(ranges), into);
}

}  // namespace

extern const Format kLvm2;
const Format kLvm2 = {.id = "lvm2",
                      .title = "LVM2 physical volume",
                      .version = 2,
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .reads =
                          "logical volumes of linear segments on one physical volume; the current text; the CRCs of "
                          "the label, of each metadata area's header and of the text",
                      .limits =
                          "no CRC covers the extents; volumes over several disks, stripes, mirrors, RAID, thin volumes "
                          "and snapshots are named; texts above 1 MiB; older copies of the text and extents without a "
                          "volume that is read are parts of their own",
                      .source = "libvslvm, Logical Volume Manager (LVM) format; lvm2 lib/format_text/layout.h",
                      .checked = "own builder only; by hand also a volume of pvcreate and vgcreate"};

}  // namespace assay::unpack::lvm2
