// VMDK sparse extent, the disk of VMware's machines; in an OVA archive the stream-optimised kind. Little-endian, all
// places in sectors of 512 bytes.
//
//   0   "KDMV"  4 version (1 to 3)  8 flags: 1 line ends as below, 4 zeroed grains, 0x10000 compressed, 0x20000 markers
//   12  size of the disk (64 bits)  20 grain (64 bits)  28 where the descriptor's text is  36 its size (64 bits each)
//   44  entries of a grain table (512)  48 copy of the grain directory (64 bits)
//   56  grain directory (64 bits), all ones: the footer says  64 room of all tables (64 bits)
//   73  "\n \r\n"  77 compression (16 bits): 1 deflate
//   directory: where each table is (32 bits)
//   table: where each grain is (32 bits), 0 absent, 1 zeros where the flag says so
//   with markers: value (64 bits), size (32 bits), of a grain its compressed bytes; size 0: a type stands next,
//     0 end, 1 table, 2 directory, 3 footer, of `value` sectors behind the marker's
//
// Source: VMware, Virtual Disk Format 5.0.
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/formats/virtual_disk.h"

#include <optional>

namespace assay::unpack::vmdk {
namespace {

constexpr Magic kMagics[] = {{"KDMV"}};
constexpr uint64_t kSector = 512, kAtEnd = ~uint64_t{0}, kLargestGrain = 64 << 20;
constexpr uint32_t kZeroGrains = 4, kPacked = 0x10000, kMarkers = 0x20000;

struct Header {
  uint32_t version = 0, flags = 0, entries = 0;
  uint64_t size = 0, grain = 0, text_at = 0, text_size = 0, directory_copy = 0,
           directory = 0;  // all but entries: bytes
  bool packed() const { return flags & kPacked; }
  uint64_t grains() const { return (size + grain - 1) / grain; }
  uint64_t tables() const { return (grains() + entries - 1) / entries; }
};

Result<Header> read_header(Bytes b, uint64_t at) {
  const Bytes raw = TRY(b.slice(at, kSector, "sparse extent header"));
  const auto bad = [&](const std::string& what, uint64_t in) { return fail(Fault::kMalformed, what, raw.base() + in); };
  if (!raw.starts_with("KDMV")) return fail(Fault::kForeign, "magic", raw.base());
  if (!raw.starts_with("\n \r\n", 73)) return bad("line ends were converted", 73);
  const auto u32 = [&](uint64_t in) { return *raw.le<uint32_t>(in, ""); };
  const auto sectors = [&](uint64_t in) { return *raw.le<uint64_t>(in, ""); };
  Header h{.version = u32(4), .flags = u32(8), .entries = u32(44)};
  if (h.version < 1 || h.version > 3)
    return fail(Fault::kUnsupported, "version " + std::to_string(h.version), raw.base() + 4);
  for (const uint64_t in : {12, 20, 28, 36, 56})
    if (sectors(in) >> 48 && !(in == 56 && sectors(in) == kAtEnd))
      return bad("sectors " + std::to_string(sectors(in)), in);
  h.size = sectors(12) * kSector;
  h.grain = sectors(20) * kSector;
  h.text_at = sectors(28) * kSector;
  h.text_size = sectors(36) * kSector;
  h.directory_copy = sectors(48) >> 48 ? 0 : sectors(48) * kSector;
  h.directory = sectors(56) == kAtEnd ? kAtEnd : sectors(56) * kSector;
  if (h.grain == 0 || h.grain > kLargestGrain || h.grain & (h.grain - 1)) return bad("grain size", 20);
  if (h.entries == 0 || h.entries > 4096) return bad("entries of a grain table " + std::to_string(h.entries), 44);
  const uint16_t compression = *raw.le<uint16_t>(77, "");
  if (compression > 1) return fail(Fault::kUnsupported, "compression " + std::to_string(compression), raw.base() + 77);
  return h;
}

struct Layout {
  Header header;
  uint64_t end = 0;
  std::vector<std::pair<uint64_t, uint64_t>> markers;  // where, length: what is neither grain nor header
};

// Follows the markers from the first to the one that ends the stream.
Result<Layout> follow_markers(Bytes b, const Header& first) {
  Layout l{.header = first};
  uint64_t at = std::max(kSector, first.text_at + first.text_size);
  std::optional<uint64_t> footer;
  // The first marker stands where the room of all tables ends, at the earliest behind the descriptor.
  at = std::max(at, std::min<uint64_t>(*b.le<uint64_t>(64, ""), b.size() / kSector) * kSector);
  while (true) {
    const uint64_t value = TRY(b.le<uint64_t>(at, "marker"));
    const uint32_t size = TRY(b.le<uint32_t>(at + 8, "marker"));
    const uint32_t type = TRY(b.le<uint32_t>(at + 12, "marker"));
    if (size != 0) {
      TRY(b.slice(at + 12, size, "compressed grain"));
      at += (12 + uint64_t{size} + kSector - 1) / kSector * kSector;
      continue;
    }
    if (type > 3 || value > b.size() / kSector || (type == 0 && value != 0))
      return fail(Fault::kMalformed, "marker of type " + std::to_string(type), b.base() + at + 12);
    if (type == 3) footer = at + kSector;
    TRY(b.slice(at, kSector * (1 + value), "metadata"));
    l.markers.emplace_back(at, kSector * (1 + value));
    at += kSector * (1 + value);
    if (type == 0) break;
  }
  l.end = at;
  if (first.directory != kAtEnd) return l;
  if (!footer) return fail(Fault::kMalformed, "no footer", b.base() + at);
  const Header last = TRY(read_header(b, *footer));
  if (last.size != first.size || last.grain != first.grain || last.entries != first.entries)
    return fail(Fault::kMalformed, "footer differs from the header", b.base() + *footer);
  l.header.directory = last.directory;
  return l;
}

// Calls `each` with the place of every grain table (0: absent).
template <class Each>
Result<void> each_table(Bytes b, const Header& h, uint64_t directory, Each each) {
  TRY(b.slice(directory, h.tables() * 4, "grain directory"));
  for (uint64_t t = 0; t < h.tables(); ++t) {
    const uint64_t table = *b.le<uint32_t>(directory + t * 4, "") * kSector;
    TRY_VOID(each(table));
  }
  return {};
}

Result<Layout> read_layout(Bytes b) {
  const Header h = TRY(read_header(b, 0));
  if (h.flags & kMarkers) return follow_markers(b, h);
  Layout l{.header = h};
  l.end = std::max(kSector, h.text_at + h.text_size);
  uint64_t tables = 0;
  const auto visit = [&](uint64_t table) -> Result<void> {
    if (table == 0) return {};
    if (++tables > b.size() / (uint64_t{h.entries} * 4) * 2)
      return fail(Fault::kMalformed, "more grain tables than bytes", b.base() + h.directory);
    const Bytes entries = TRY(b.slice(table, uint64_t{h.entries} * 4, "grain table"));
    l.end = std::max(l.end, table + entries.size());
    for (uint64_t i = 0; i < h.entries; ++i)
      if (const uint64_t grain = *entries.le<uint32_t>(i * 4, ""); grain > 1)
        l.end = std::max(l.end, grain * kSector + h.grain);
    return {};
  };
  TRY_VOID(each_table(b, h, h.directory, visit));
  l.end = std::max(l.end, h.directory + h.tables() * 4);
  if (h.directory_copy) TRY_VOID(each_table(b, h, h.directory_copy, visit));
  if (l.end > b.size())
    return fail(Fault::kTruncated, "grains end at " + std::to_string(l.end) + " of " + std::to_string(b.size()),
                b.base());
  return l;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_layout(from)).end, true}; }

class Reader {
 public:
  Reader(Bytes whole, const Header& h, Sink& into)
      : whole_(whole), h_(h), into_(into), disk_(into, h.size, h.packed() ? "zlib" : "vmdk"), scratch_(h.grain) {}

  Result<void> run() {
    claim(h_.directory, h_.tables() * 4);
    TRY_VOID(each_table(whole_, h_, h_.directory, [&](uint64_t at) { return read_table(at); }));
    if (h_.directory_copy && !(h_.flags & kMarkers)) {
      claim(h_.directory_copy, h_.tables() * 4);
      TRY_VOID(each_table(whole_, h_, h_.directory_copy, [&](uint64_t at) {
        if (at != 0) claim(at, uint64_t{h_.entries} * 4);
        return into_.step(1);
      }));
    }
    return disk_.finish();
  }

 private:
  void claim(uint64_t at, uint64_t length) {
    if (whole_.slice(at, length, "")) into_.range(Range::kHeader, at, length);
  }
  Result<void> read_table(uint64_t at) {
    const uint64_t bytes = uint64_t{h_.entries} * 4, covers = h_.entries * h_.grain;
    TRY_VOID(into_.step(1 + h_.entries / 64));
    if (at == 0) return disk_.hole(covers);
    const auto table = whole_.slice(at, bytes, "grain table");
    if (!table) return disk_.lost(table.error(), covers);
    claim(at, bytes);
    for (uint64_t i = 0; i < h_.entries && !disk_.complete(); ++i)
      if (const auto read = grain(*table->le<uint32_t>(i * 4, "")); !read) TRY_VOID(disk_.lost(read.error(), h_.grain));
    return {};
  }
  Result<void> grain(uint64_t sector) {
    if (sector == 0 || (sector == 1 && h_.flags & kZeroGrains)) return disk_.hole(h_.grain);
    const uint64_t at = sector * kSector;
    if (!h_.packed()) return disk_.stored(TRY(whole_.slice(at, std::min(h_.grain, disk_.left()), "grain")), h_.grain);
    const uint32_t size = TRY(whole_.le<uint32_t>(at + 8, "grain marker"));
    const uint64_t number = *whole_.le<uint64_t>(at, "");
    if (number * kSector != h_.size - disk_.left())
      return fail(Fault::kMalformed, "grain is marked as sector " + std::to_string(number), at);
    const Bytes from = TRY(whole_.slice(at + 12, size, "compressed grain"));
    into_.range(Range::kHeader, at, 12);
    scratch_.clear();
    TRY(inflate_zlib(from, scratch_));
    return disk_.decoded(from, scratch_.bytes().span(), h_.grain);
  }

  Bytes whole_;
  const Header& h_;
  Sink& into_;
  VirtualDisk disk_;
  MemoryOutput scratch_;
};

Result<void> unpack(Bytes whole, Sink& into) {
  const Layout l = TRY(read_layout(whole));
  into.range(Range::kHeader, 0, kSector);
  for (const auto& [at, length] : l.markers) {
    TRY_VOID(into.step(1));
    into.range(Range::kHeader, at, length);
  }
  into.note("version", std::to_string(l.header.version), 4);
  into.note("disk size", std::to_string(l.header.size), 12);
  if (l.header.text_size) {
    const Bytes text = TRY(whole.slice(l.header.text_at, l.header.text_size, "descriptor"));
    TRY_VOID(into.child("descriptor", stored(text.head(std::min(text.size(), text.text().find('\0'))))));
  }
  return Reader(whole, l.header, into).run();
}

}  // namespace

extern const Format kVmdk;
const Format kVmdk = {.id = "vmdk",
                      .title = "VMware VMDK sparse extent",
                      .version = 1,
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .reads = "hosted sparse and stream-optimised extents, their descriptors",
                      .limits =
                          "ESX Server's sparse extents (COWD, seSparse); parents and further extents that a "
                          "descriptor names are not followed",
                      .source = "VMware Virtual Disk Format 5.0",
                      .checked = "foreign tool: qemu-img"};

}  // namespace assay::unpack::vmdk
