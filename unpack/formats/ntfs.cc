// NTFS, the file system of Windows and of appliances built on it. Little-endian; names are UTF-16.
//
//   0       3 "NTFS    "  11 sector size (16 bits)  13 sectors of a cluster (8 bits; above 128: 2 to the power of 256
//   less it)
//           40 sectors (64 bits)  48 cluster of the table of files  64 clusters of a record (8 bits; negative: 2 to the
//           power of it bytes)   the last sector is a copy
//   record  0 "FILE"  4 where fixups are, their number (16 bits each)  18 names  20 first attribute  22 flags: 1 in
//   use,
//           2 directory (16 bits each)  24 length used  32 record it continues (48 bits)
//           the last two bytes of each 512 are the first fixup; what stood there follows it
//   attribute  0 kind, ~0: the end  4 length  8 1: not in the record  9 length of its name  10 where  12 flags: 1
//           compressed, 0x4000 encrypted (16 bits each); in the record: 16 size  20 where (16 bits)
//           else: 16 first cluster of the file in it (64 bits)  32 where runs are (16 bits)  34 clusters of a unit
//           (log2, 16 bits)  48 size, 56 size that was written (64 bits each)
//   runs    sizes of two numbers (4 bits each), clusters, distance to the run before; without a distance: a hole
//   kinds   0x10 8 time of change (64 bits, 100 ns since 1601)   0x30 name: 0 directory (48 bits)  64 length  65 kind:
//   2 is
//           the short one  66 name   0x80 content, streams with a name besides   0xc0 0 what it is, 4 size  8 data
//   compressed units hold chunks: 12 bits length - 1, bit 15 compressed; of 4096 bytes: tokens, a bit for each of 8: a
//   byte,
//           or 16 bits: distance and length, which share them as the place in the chunk has it
//
// Names are taken from the files' own records, not from the directories' indexes.
// Source: Linux fs/ntfs3/ntfs.h; R. Russon, NTFS Documentation (linux-ntfs).
#include "core/text.h"
#include "core/utf16.h"
#include "unpack/formats/file_map.h"
#include "unpack/formats/inode_tree.h"

#include <algorithm>
#include <bit>

namespace assay::unpack::ntfs {
namespace {

constexpr Magic kMagics[] = {{"NTFS    ", 3}};
constexpr uint64_t kRoot = 5, kExtend = 11, kFirstFree = 24;  // below it records are the file system's own
constexpr uint64_t kMostRecords = 1 << 22, kChunk = 4096, kLargestUnit = 1 << 20;
constexpr uint64_t kNumber = 0xffffffffffff;  // of a record, in a reference to it
constexpr uint16_t kCompressed = 1, kEncrypted = 0x4000;
enum : uint32_t { kTimes = 0x10, kFileName = 0x30, kData = 0x80, kReparse = 0xc0 };

struct Boot {
  uint64_t sector = 0, cluster = 0, size = 0, table = 0, record = 0;
};

Result<Boot> read_boot(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes, 3)) return fail(Fault::kForeign, "magic", whole.base() + 3);
  const Bytes b = TRY(whole.slice(0, 512, "boot sector"));
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  Boot boot;
  boot.sector = *b.le<uint16_t>(11, "");
  if (!std::has_single_bit(boot.sector) || boot.sector < 256 || boot.sector > 4096) return bad("sector size", 11);
  const unsigned log = 256u - b[13];
  if (b[13] > 128 && log > 20) return bad("sectors of a cluster", 13);
  const uint64_t sectors = b[13] > 128 ? uint64_t{1} << log : b[13];
  boot.cluster = sectors * boot.sector;
  if (!std::has_single_bit(sectors) || boot.cluster > (2 << 20)) return bad("sectors of a cluster", 13);
  const uint64_t count = *b.le<uint64_t>(40, ""), first = *b.le<uint64_t>(48, "");
  if (count == 0 || count >> 40) return bad("sectors", 40);
  boot.size = (count + 1) * boot.sector;
  const int per_record = *b.le<int8_t>(64, "");
  if (per_record < -16 || per_record == 0 || per_record > 16) return bad("clusters of a record", 64);
  boot.record = per_record < 0 ? uint64_t{1} << -per_record : static_cast<uint64_t>(per_record) * boot.cluster;
  if (boot.record < 512 || boot.record > 65536) return bad("clusters of a record", 64);
  if (first > boot.size / boot.cluster) return bad("cluster of the table", 48);
  boot.table = first * boot.cluster;
  if (boot.size - boot.sector > whole.size())
    return fail(Fault::kTruncated, "volume of " + std::to_string(boot.size) + " bytes", b.base() + 40);
  boot.size = std::min(boot.size, whole.size());  // an image of the volume alone is without the copy
  return boot;
}

// A record with its fixups put back.
Result<std::string> read_record(Bytes b) {
  if (!b.starts_with("FILE")) return fail(Fault::kMalformed, "record without its magic", b.base());
  const uint64_t at = *b.le<uint16_t>(4, ""), count = *b.le<uint16_t>(6, "");
  const Bytes fixups = TRY(b.slice(at, count * 2, "fixups"));
  if (count != b.size() / 512 + 1) return fail(Fault::kMalformed, "number of fixups", b.base() + 6);
  std::string out(b.text());
  for (uint64_t n = 1; n < count; ++n) {
    if (out.substr(n * 512 - 2, 2) != fixups.head(2).text())
      return fail(Fault::kMalformed, "a sector of the record is of another writing", b.base() + n * 512 - 2);
    out.replace(n * 512 - 2, 2, fixups.head(2, n * 2).text());
  }
  return out;
}

struct Attribute {
  uint32_t kind = 0;
  uint16_t flags = 0, unit_log = 0;
  bool outside = false;
  uint64_t first = 0, size = 0, written = 0;
  std::string name;
  Bytes value;  // in the record with its fixups; or the runs
  Bytes place;  // the value where it is stored
};

// Of `record`, which is stored at `at` and had its fixups put back.
Result<std::vector<Attribute>> read_attributes(Bytes record, Bytes stored_at) {
  std::vector<Attribute> out;
  for (uint64_t at = *record.le<uint16_t>(20, ""); at + 4 <= record.size() && *record.le<uint32_t>(at, "") != ~0u;) {
    const uint32_t length = TRY(record.le<uint32_t>(at + 4, "length of an attribute"));
    const Bytes b = TRY(record.slice(at, length, "attribute"));
    if (length < 24) return fail(Fault::kMalformed, "length of an attribute");
    Attribute a{.kind = *b.le<uint32_t>(0, ""), .flags = *b.le<uint16_t>(12, ""), .outside = b[8] == 1};
    const Bytes name = TRY(b.slice(*b.le<uint16_t>(10, ""), b[9] * uint64_t{2}, "name of an attribute"));
    a.name = utf8_of_utf16(name, Order::kLittle);
    if (a.outside) {
      a.first = TRY(b.le<uint64_t>(16, "first cluster"));
      a.unit_log = *b.le<uint16_t>(34, "");
      const uint16_t runs = TRY(b.le<uint16_t>(32, "runs"));
      a.value = TRY(b.from(runs, "runs"));
      a.size = a.first == 0 ? TRY(b.le<uint64_t>(48, "size")) : 0;
      a.written = a.first == 0 ? TRY(b.le<uint64_t>(56, "size that was written")) : 0;
    } else {
      a.value = TRY(b.slice(*b.le<uint16_t>(20, ""), *b.le<uint32_t>(16, ""), "value of an attribute"));
      a.size = a.value.size();
      a.place = stored_at.head(a.size, static_cast<uint64_t>(a.value.data() - record.data()));
    }
    out.push_back(std::move(a));
    at += length;
  }
  return out;
}

struct Run {
  uint64_t clusters = 0;
  int64_t cluster = -1;  // a hole
};

Result<void> read_runs(Bytes b, std::vector<Run>& out) {
  int64_t cluster = 0;
  const auto number = [&](uint64_t at, unsigned size) {  // little-endian, with its sign
    uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) value |= uint64_t{b[at + i]} << (8 * i);
    return static_cast<int64_t>(value << (64 - 8 * size)) >> (64 - 8 * size);
  };
  for (uint64_t at = 0; at < b.size() && b[at] != 0;) {
    const unsigned sizes = b[at], count_size = sizes & 15, step_size = sizes >> 4;
    if (count_size == 0 || count_size > 8 || step_size > 8 || at + 1 + count_size + step_size > b.size())
      return fail(Fault::kMalformed, "runs");
    const int64_t count = number(at + 1, count_size);
    if (count <= 0 || count >> 40) return fail(Fault::kMalformed, "clusters of a run");
    Run run{.clusters = static_cast<uint64_t>(count)};
    if (step_size > 0) {
      cluster = static_cast<int64_t>(static_cast<uint64_t>(cluster) +
                                     static_cast<uint64_t>(number(at + 1 + count_size, step_size)));
      if (cluster < 0 || cluster >> 40) return fail(Fault::kMalformed, "cluster of a run");
      run.cluster = cluster;
    }
    out.push_back(run);
    at += 1 + count_size + step_size;
  }
  return {};
}

// One chunk's tokens: up to 4096 bytes.
Result<void> decode_chunk(Bytes b, std::string& out) {
  const size_t start = out.size();
  for (uint64_t at = 0; at < b.size();) {
    const uint8_t flags = b[at++];
    for (unsigned bit = 0; bit < 8 && at < b.size(); ++bit) {
      if (!(flags >> bit & 1)) {
        out.push_back(static_cast<char>(b[at++]));
        continue;
      }
      const uint16_t token = TRY(b.le<uint16_t>(at, "token"));
      at += 2;
      const size_t place = out.size() - start;
      unsigned shift = 12;  // bits of the length
      while (place > 16 && shift > 4 && (place - 1) >> (16 - shift)) --shift;
      const size_t distance = (token >> shift) + size_t{1}, length = (token & ((1u << shift) - 1)) + 3;
      if (distance > place || place + length > kChunk) return fail(Fault::kMalformed, "token of a compressed chunk");
      for (size_t i = 0; i < length; ++i) out.push_back(out[out.size() - distance]);
    }
    if (out.size() - start > kChunk) return fail(Fault::kMalformed, "compressed chunk");
  }
  return {};
}

Result<std::string> decode_unit(Bytes b, uint64_t unit) {
  std::string out;
  for (uint64_t at = 0; at + 2 <= b.size() && out.size() < unit;) {
    const uint16_t head = *b.le<uint16_t>(at, "");
    if (head == 0) break;
    const Bytes data = TRY(b.slice(at + 2, (head & 0xfff) + uint64_t{1}, "compressed chunk"));
    const size_t start = out.size();
    if (head & 0x8000)
      TRY_VOID(decode_chunk(data, out));
    else
      out += data.text();
    if (out.size() < unit) out.resize(std::min<size_t>(unit, start + kChunk));
    at += 2 + data.size();
  }
  out.resize(unit);
  return out;
}

struct File {
  Bytes at;  // its record
  bool directory = false;
  std::vector<Bytes> more;  // the records that continue it
};

struct Attributes {
  std::vector<std::string> records;  // what the values are views of
  std::vector<Attribute> all;        // by kind and name
};

class Volume {
 public:
  Volume(Bytes whole, const Boot& boot, Sink& into) : whole_(whole), boot_(boot), into_(into) {}

  Result<void> run() {
    TRY_VOID(read_table());
    TRY_VOID(collect_names());
    const auto kind = [&](uint64_t number) -> std::optional<Kind> {
      const auto file = files_.find(number);
      if (file == files_.end()) return std::nullopt;
      return file->second.directory ? Kind::kDirectory : Kind::kFile;
    };
    return InodeTree(directories_, kind, into_).walk(kRoot, "", [&](const Visit& visit) { return emit(visit); });
  }

 private:
  Result<void> complain(const std::string& what, const Error& error) {
    if (error.fault == Fault::kLimit) return std::unexpected(error);
    into_.problem({error.fault, what + ": " + error.what, error.offset});
    return {};
  }

  Result<FileMap> map_of(const std::vector<Run>& runs) const {
    FileMap out(whole_);
    for (const Run& run : runs) {
      const uint64_t size = run.clusters * boot_.cluster;
      if (run.cluster < 0)
        out.hole(size);
      else
        TRY_VOID(out.stored(static_cast<uint64_t>(run.cluster) * boot_.cluster, size));
    }
    return out;
  }

  // The table of files, whose first record says where the whole of it lies.
  Result<void> read_table() {
    const Bytes first = TRY(whole_.slice(boot_.table, boot_.record, "record 0"));
    const std::string record = TRY(read_record(first));
    std::vector<Run> runs;
    for (const Attribute& a : TRY(read_attributes(Bytes(record), first)))
      if (a.kind == kData && a.outside) TRY_VOID(read_runs(a.value, runs));
    const FileMap map = TRY(map_of(runs));
    if (map.size() / boot_.record > kMostRecords) return fail(Fault::kLimit, "more than 4,194,304 files");
    map.claim(into_);
    const Content where = TRY(map.content(into_));
    if (!where.codec.empty()) return fail(Fault::kMalformed, "the table of files has holes", first.base());
    uint64_t number = 0;
    for (const Bytes& extent : where.extents)
      for (uint64_t at = 0; at + boot_.record <= extent.size(); at += boot_.record, ++number) {
        TRY_VOID(into_.step(1));
        const Bytes b = extent.head(boot_.record, at);
        if (!b.starts_with("FILE") || !(*b.le<uint16_t>(22, "") & 1)) continue;
        const uint64_t base = *b.le<uint64_t>(32, "");
        File& file = files_[base ? base & kNumber : number];
        if (base) {
          file.more.push_back(b);
        } else {
          file.at = b;
          file.directory = *b.le<uint16_t>(22, "") & 2;
        }
      }
    return {};
  }

  Result<Attributes> attributes(const File& file) const {
    Attributes out;
    out.records.reserve(1 + file.more.size());  // values are views of them
    const auto add = [&](Bytes at) -> Result<void> {
      out.records.push_back(TRY(read_record(at)));
      std::ranges::move(TRY(read_attributes(Bytes(out.records.back()), at)), std::back_inserter(out.all));
      return {};
    };
    TRY_VOID(add(file.at));
    for (const Bytes& more : file.more) TRY_VOID(add(more));
    std::ranges::stable_sort(out.all, {}, [](const Attribute& a) { return std::tie(a.kind, a.name, a.first); });
    return out;
  }

  Result<void> collect_names() {
    for (const auto& [number, file] : files_) {
      if (file.at.empty()) continue;
      TRY_VOID(into_.step(1 + file.more.size()));
      const auto read = attributes(file);
      if (!read) {
        TRY_VOID(complain("record " + std::to_string(number), read.error()));
        continue;
      }
      bool own = number < kFirstFree;
      for (const Attribute& a : read->all) {
        if (a.kind != kFileName || a.value.size() < 66 || a.value[65] == 2) continue;
        const uint64_t parent = *a.value.le<uint64_t>(0, "") & kNumber;
        own |= parent == kExtend;
        if (own) continue;
        const std::string name = utf8_of_utf16(a.value.head(a.value[64] * uint64_t{2}, 66), Order::kLittle);
        directories_[parent][name] = {number, file.directory ? Kind::kDirectory : Kind::kFile, file.at.base()};
        ++names_[number];
      }
      for (const Attribute& a : read->all)
        if (a.outside && (own || a.kind != kData)) TRY_VOID(claim(a));
    }
    return {};
  }

  // What the file system keeps for itself.
  Result<void> claim(const Attribute& a) {
    std::vector<Run> runs;
    if (!read_runs(a.value, runs)) return {};
    TRY_VOID(into_.step(runs.size()));
    if (const auto map = map_of(runs)) map->claim(into_);
    return {};
  }

  Result<void> emit(const Visit& visit) {
    const File& file = files_.at(visit.entry.inode);
    TRY_VOID(into_.step(file.more.size()));  // each of its names reads them again
    Node node{.kind = visit.kind, .path = visit.path};
    const Attributes read = TRY(attributes(file));  // it was read before
    const std::vector<Attribute>& all = read.all;
    for (const Attribute& a : all)
      if (a.kind == kTimes && a.value.size() >= 16)
        node.mtime = *a.value.le<int64_t>(8, "") / 10'000'000 - 11'644'473'600;
    node.links = names_[visit.entry.inode];
    if (!visit.first.empty()) {
      node.kind = Kind::kHardLink;
      node.target = visit.first;
      return into_.node(std::move(node), nothing());
    }
    if (node.kind == Kind::kDirectory) TRY_VOID(into_.node(node, nothing()));
    for (const Attribute& a : all)
      if (a.kind == kReparse && link(a, node)) return into_.node(std::move(node), nothing());
    if (node.kind != Kind::kDirectory && std::ranges::find(all, uint32_t{kData}, &Attribute::kind) == all.end())
      return into_.node(std::move(node), nothing());
    return streams(all, file, node);
  }

  // Microsoft [MS-FSCC] 2.1.2.4: symbolic links and mount points; WSL's links hold their target behind a number.
  static bool link(const Attribute& a, Node& node) {
    const Bytes b = a.value;
    if (b.size() < 20 || node.kind == Kind::kDirectory) return false;
    const uint32_t what = *b.le<uint32_t>(0, "");
    if (what == 0xa000001d) {
      node.target = std::string(b.head(*b.le<uint16_t>(4, "") - uint64_t{4}, 12).text());
    } else if (what == 0xa000000c) {
      const uint64_t at = 20 + uint64_t{*b.le<uint16_t>(8, "")};
      node.target = utf8_of_utf16(b.head(*b.le<uint16_t>(10, ""), at), Order::kLittle);
    } else {
      return false;
    }
    node.kind = Kind::kSymlink;
    return true;
  }

  // The content, and what else goes by the file's name: "name:stream", as Windows writes it.
  Result<void> streams(const std::vector<Attribute>& all, const File& file, const Node& node) {
    for (size_t first = 0; first < all.size(); ++first) {
      const Attribute& a = all[first];
      if (a.kind != kData || (first > 0 && all[first - 1].kind == kData && all[first - 1].name == a.name)) continue;
      size_t end = first + 1;
      while (end < all.size() && all[end].kind == kData && all[end].name == a.name) ++end;
      Node stream = node;
      stream.kind = Kind::kFile;
      if (!a.name.empty()) stream.path += ":" + a.name;
      auto content =
          this->content({all.begin() + static_cast<ptrdiff_t>(first), all.begin() + static_cast<ptrdiff_t>(end)}, file);
      if (!content) {
        into_.discard();
        TRY_VOID(complain(stream.path, content.error()));
        content = unreadable();
      }
      TRY_VOID(into_.node(std::move(stream), *std::move(content)));
    }
    return {};
  }

  Result<Content> content(std::vector<Attribute> parts, const File& file) {
    const Attribute& a = parts.front();
    if (!a.outside) {
      // A value into which a fixup falls is not stored as it is.
      if (a.place.text() == a.value.text()) return stored(a.place);
      TRY_VOID(into_.output().write(a.value.span()));
      return Content{{a.place}, "fixups"};
    }
    std::vector<Run> runs;
    for (const Attribute& part : parts) TRY_VOID(read_runs(part.value, runs));
    if (a.flags & kCompressed && a.unit_log > 0) return compressed(a, runs);
    FileMap map = TRY(map_of(runs));
    map.fit(std::min(a.size, a.written));
    map.fit(a.size);
    if (!(a.flags & kEncrypted)) return map.content(into_);
    const Content where = TRY(map.content(into_));
    for (const Bytes& extent : where.extents)
      into_.range(Range::kEncrypted, extent.base() - whole_.base(), extent.size());
    return fail(Fault::kUnsupported, "encrypted with the key of a user (EFS)", file.at.base());
  }

  // Each unit: all of its clusters, fewer (compressed), or none.
  Result<Content> compressed(const Attribute& a, const std::vector<Run>& runs) {
    const FileMap map = TRY(map_of(runs));
    if (a.unit_log > 8 || boot_.cluster << a.unit_log > kLargestUnit)
      return fail(Fault::kMalformed, "clusters of a compressed unit");
    const uint64_t unit = boot_.cluster << a.unit_log;
    Content out{{}, "lznt1"};
    uint64_t left = a.size;
    std::string data;
    uint64_t clusters = 0;  // of the unit
    const auto flush = [&]() -> Result<void> {
      if (left == 0 || clusters == 0) return {};
      const uint64_t now = std::min(left, unit);
      if (data.empty()) {
        TRY_VOID(into_.output().zeros(now));
      } else {
        const std::string plain = data.size() >= unit ? data : TRY(decode_unit(Bytes(data), unit));
        TRY_VOID(into_.output().write(Bytes(plain).head(now).span()));
      }
      left -= now;
      data.clear();
      clusters = 0;
      return {};
    };
    for (const Run& run : runs)
      for (uint64_t n = 0; n < run.clusters && left > 0; ++n) {
        TRY_VOID(into_.step(1));
        if (run.cluster >= 0) {
          const uint64_t at = (static_cast<uint64_t>(run.cluster) + n) * boot_.cluster;
          const Bytes cluster = TRY(whole_.slice(at, boot_.cluster, "cluster"));
          data += cluster.text();
          if (!out.extents.empty() && out.extents.back().data() + out.extents.back().size() == cluster.data())
            out.extents.back() =
                whole_.head(out.extents.back().size() + cluster.size(), out.extents.back().base() - whole_.base());
          else
            out.extents.push_back(cluster);
        }
        if (++clusters == unit / boot_.cluster) TRY_VOID(flush());
      }
    TRY_VOID(flush());
    TRY_VOID(into_.output().zeros(left));
    return out;
  }

  Bytes whole_;
  const Boot& boot_;
  Sink& into_;
  std::map<uint64_t, File> files_;
  std::map<uint64_t, uint32_t> names_;  // how many each has
  Directories directories_;
};

Result<Measured> measure(Bytes from) {
  const Boot boot = TRY(read_boot(from));
  const Bytes place = TRY(from.slice(boot.table, boot.record, "record 0"));
  const std::string first = TRY(read_record(place));
  TRY(read_attributes(Bytes(first), place));
  return Measured{boot.size, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Boot boot = TRY(read_boot(whole));
  into.range(Range::kHeader, 0, boot.sector);
  if (whole.starts_with(kMagics[0].bytes, whole.size() - boot.sector + 3))
    into.range(Range::kHeader, whole.size() - boot.sector, boot.sector);
  into.note("cluster size", std::to_string(boot.cluster), 13);
  return Volume(whole, boot, into).run();
}

}  // namespace

extern const Format kNtfs;
const Format kNtfs = {
    .id = "ntfs",
    .title = "NTFS file system",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "files in their record, in runs, sparse and compressed (LZNT1), continued records, streams, hard "
        "links, symbolic links of Windows and WSL",
    .limits =
        "encrypted files (EFS), files compressed as a whole (WOF), security descriptors, deleted files; "
        "the journal is not replayed; it has no checksum",
    .source = "Linux fs/ntfs3/ntfs.h; linux-ntfs documentation",
    .checked = "foreign tool: mkntfs, ntfscp; real image: sample file system of another project"};

}  // namespace assay::unpack::ntfs
