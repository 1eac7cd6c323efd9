// exFAT: one table of clusters, directories of sets of entries, each set with its own checksum. Little-endian.
//
//   boot sector  3 "EXFAT   "  64 where it stands on the disk  72 sectors of it (64 bits)  80 the table (sector)
//                84 sectors of the table  88 first cluster's sector  92 clusters  96 root directory's cluster
//                106 flags: 1 the second table is in use, 2 it was not unmounted  108 sector, 109 cluster in sectors:
//                powers of 2  110 tables, 1 or 2  510 55 aa
//   11 sectors, then one of their checksum, repeated; the same again
//   an entry     32 bytes, 0 kind: 0x80 in use
//     81 bitmap of clusters, 82 table of capitals: 20 cluster, 24 length (64 bits)   83 label: 1 letters, 2 UTF-16
//     85 begins a set: 1 entries that follow  2 checksum of the set  4 attributes  12 modified  21 and 10 ms  22..
//     zones c0 stream: 1 flags, 2: its clusters follow one another and are not in the table  3 letters of the name
//                8 bytes that were written (64 bits)  20 cluster  24 length (64 bits)
//     c1 name: 2 15 letters
//
// Source: Microsoft, exFAT file system specification.
#include "core/hash.h"
#include "core/text.h"
#include "core/utf16.h"
#include "unpack/dos_time.h"
#include "unpack/formats/file_map.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>

namespace assay::unpack::exfat {
namespace {

constexpr Magic kMagics[] = {{"EXFAT   ", 3}};
constexpr uint64_t kRegion = 12, kEntry = 32, kMostSecondary = 18, kMostDirectory = 32 << 20;
enum : uint8_t { kBitmap = 0x81, kCapitals = 0x82, kLabel = 0x83, kFile = 0x85, kStream = 0xc0, kName = 0xc1 };
constexpr uint32_t kFirstCluster = 2, kEndOfChain = 0xfffffff8;

struct Super {
  uint64_t sector = 0, cluster = 0, size = 0, table = 0, table_size = 0, heap = 0;  // bytes
  uint64_t clusters = 0, root = 0, flags = 0, tables = 0;
};

Result<Super> read_super(Bytes whole) {
  const Bytes b = TRY(whole.slice(0, 512, "boot sector"));
  if (!b.starts_with(kMagics[0].bytes, 3)) return fail(Fault::kForeign, "magic", b.base() + 3);
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  if (b[510] != 0x55 || b[511] != 0xaa) return bad("signature", 510);
  if (b[108] < 9 || b[108] > 12 || b[109] > 25 - b[108]) return bad("size of sector or cluster", 108);
  if (b[110] < 1 || b[110] > 2) return bad("tables " + std::to_string(b[110]), 110);
  Super s;
  s.sector = uint64_t{1} << b[108];
  s.cluster = s.sector << b[109];
  const auto sectors = [&](uint64_t at) { return *b.le<uint32_t>(at, "") * s.sector; };
  const uint64_t length = *b.le<uint64_t>(72, "");
  s.table = sectors(80);
  s.table_size = sectors(84);
  s.heap = sectors(88);
  s.clusters = *b.le<uint32_t>(92, "");
  s.root = *b.le<uint32_t>(96, "");
  s.flags = *b.le<uint16_t>(106, "");
  s.tables = b[110];
  if (length >> 40) return bad("sectors " + std::to_string(length), 72);
  s.size = length * s.sector;
  if (s.table < 2 * kRegion * s.sector || s.table_size < (s.clusters + kFirstCluster) * 4 ||
      s.heap < s.table + s.tables * s.table_size)
    return bad("place of the table", 80);
  if (s.heap + s.clusters * s.cluster > s.size) return bad("clusters " + std::to_string(s.clusters), 92);
  if (s.root < kFirstCluster || s.root >= s.clusters + kFirstCluster) return bad("root directory's cluster", 96);
  if (s.size > whole.size()) return fail(Fault::kTruncated, "volume of " + std::to_string(s.size) + " bytes", b.base());
  return s;
}

// Of the boot region that begins at `at`; what changes in use is left out.
bool region_right(Bytes whole, const Super& s, uint64_t at) {
  const Bytes b = whole.head((kRegion - 1) * s.sector, at);
  uint32_t sum = 0;
  for (uint64_t i = 0; i < b.size(); ++i)
    if (i != 106 && i != 107 && i != 112) sum = std::rotr(sum, 1) + b[i];
  for (uint64_t i = 0; i < s.sector; i += 4)
    if (!checksum_holds(sum, *whole.le<uint32_t>(at + b.size() + i, ""))) return false;
  return true;
}

class Tree final : public TreeSource {
 public:
  Tree(Bytes whole, const Super& super, Sink& into) : whole_(whole), s_(super), into_(into) {
    files_.push_back({.cluster = s_.root, .directory = true, .table = true, .mtime = {}});
  }

  Result<Found> find(uint64_t number) override {
    const File& f = files_.at(number);
    Found out;
    out.node.kind = f.directory ? Kind::kDirectory : Kind::kFile;
    out.node.mtime = f.mtime;
    out.at = f.at;
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    const File f = files_.at(number);
    const FileMap map = TRY(chain(f));
    map.claim(into_);
    const std::string text = map.text(nullptr);
    const Bytes all(text);
    std::vector<Listed> out;
    for (uint64_t at = 0; at + kEntry <= all.size() && all[at] != 0; at += kEntry) {
      TRY_VOID(into_.step());
      if (all[at] == kFile) {
        const Bytes set = all.head((1 + uint64_t{all[at + 1]}) * kEntry, at);
        auto listed = read_set(set, map.place(at));
        if (!listed) {
          into_.problem(listed.error());
          continue;
        }
        out.push_back(*std::move(listed));
        at += set.size() - kEntry;
      } else if (number == 0) {
        TRY_VOID(of_the_volume(all.head(kEntry, at).rebased(map.place(at))));
      }
    }
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const File& f = files_.at(number);
    FileMap map = TRY(chain(f));
    map.fit(std::min(f.written, f.size));
    map.hole(f.size - map.size());
    return map.content(into_);
  }

 private:
  struct File {
    uint64_t cluster = 0, size = 0, written = 0, at = 0;
    bool directory = false, table = false;  // table: its clusters are in the table
    std::optional<int64_t> mtime;
  };

  // `at`: where it is stored.
  Result<Listed> read_set(Bytes set, uint64_t at) {
    const uint64_t follow = set[1];
    if (follow < 2 || follow > kMostSecondary || set.size() != (1 + follow) * kEntry || set[kEntry] != kStream)
      return fail(Fault::kMalformed, "set of " + std::to_string(follow) + " entries", at);
    uint16_t sum = 0;
    for (uint64_t i = 0; i < set.size(); ++i)
      if (i != 2 && i != 3) sum = static_cast<uint16_t>(std::rotr(sum, 1) + set[i]);
    const Bytes stream = set.head(kEntry, kEntry);
    std::string name;
    for (uint64_t i = 2; i <= follow; ++i)
      if (set[i * kEntry] == kName) name += set.head(30, i * kEntry + 2).text();
    name.resize(std::min<size_t>(name.size(), stream[3] * 2));
    name = utf8_of_utf16(Bytes(name), Order::kLittle);
    if (!checksum_holds(sum, *set.le<uint16_t>(2, "")))
      into_.problem({Fault::kMalformed, "checksum of the entries of " + escape(name) + " does not match", at + 2});
    File f{.cluster = *stream.le<uint32_t>(20, ""),
           .size = *stream.le<uint64_t>(24, ""),
           .written = *stream.le<uint64_t>(8, ""),
           .at = at,
           .directory = (*set.le<uint16_t>(4, "") & 0x10) != 0,
           .table = !(stream[1] & 2),
           .mtime = dos_time(*set.le<uint16_t>(14, ""), *set.le<uint16_t>(12, ""))};
    // In quarters of an hour before universal time, where it says so.
    if (f.mtime && set[23] & 0x80) *f.mtime -= (((set[23] & 0x7f) ^ 0x40) - 0x40) * 900;
    files_.push_back(f);
    return Listed{std::move(name), files_.size() - 1, at};
  }

  Result<void> of_the_volume(Bytes entry) {
    if (entry[0] == kLabel)
      into_.note("label", escape(utf8_of_utf16(entry.head(std::min(entry[1], uint8_t{11}) * 2, 2), Order::kLittle)),
                 entry.base() + 2);
    if (entry[0] != kBitmap && entry[0] != kCapitals) return {};
    const auto map = chain({.cluster = *entry.le<uint32_t>(20, ""),
                            .size = *entry.le<uint64_t>(24, ""),
                            .at = entry.base(),
                            .table = true,
                            .mtime = {}});
    if (map)
      map->claim(into_);
    else
      into_.problem(map.error());
    return {};
  }

  // All clusters that a file has; of the root directory, whose size is nowhere, up to the chain's end.
  Result<FileMap> chain(const File& f) {
    FileMap out(whole_);
    const bool root = f.directory && f.size == 0;
    uint64_t left = root ? std::min(s_.clusters, kMostDirectory / s_.cluster) : (f.size + s_.cluster - 1) / s_.cluster,
             cluster = f.cluster;
    if (left > s_.clusters || (f.directory && f.size > kMostDirectory))
      return fail(Fault::kMalformed, "file of " + std::to_string(f.size) + " bytes", f.at);
    for (; left > 0; --left) {
      if (cluster < kFirstCluster || cluster >= s_.clusters + kFirstCluster)
        return fail(Fault::kMalformed, "cluster " + std::to_string(cluster), f.at);
      TRY_VOID(out.stored(s_.heap + (cluster - kFirstCluster) * s_.cluster, s_.cluster));
      if (!f.table) {
        ++cluster;
        continue;
      }
      TRY_VOID(into_.step());
      cluster = *whole_.le<uint32_t>(s_.table + (s_.flags & 1 ? s_.table_size : 0) + cluster * 4, "");
      if (cluster >= kEndOfChain && (root || left == 1)) break;
    }
    return out;
  }

  Bytes whole_;
  const Super& s_;
  Sink& into_;
  std::vector<File> files_;  // those met, by the number the walk knows them by
};

Result<Measured> measure(Bytes from) {
  const Super s = TRY(read_super(from));
  return Measured{s.size, region_right(from, s, 0)};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super s = TRY(read_super(whole));
  const uint64_t region = kRegion * s.sector;
  into.range(Range::kHeader, 0, 2 * region);
  into.range(Range::kHeader, s.table, s.tables * s.table_size);
  into.integrity(checksum("boot region", "exfat", region_right(whole, s, 0), region - s.sector));
  into.integrity(checksum("backup boot region", "exfat", region_right(whole, s, region), 2 * region - s.sector));
  into.note("cluster size", std::to_string(s.cluster), 109);
  if (s.flags & 2) into.note("volume", "was not unmounted", 106);
  if (s.flags & 1 && s.tables != 2) return fail(Fault::kMalformed, "the second table is in use; there is one", 106);
  Tree tree(whole, s, into);
  return walk_tree(tree, 0, into);
}

}  // namespace

extern const Format kExfat;
const Format kExfat = {.id = "exfat",
                       .title = "exFAT file system",
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .limits = "deleted files; TexFAT's second bitmap; vendors' entries",
                       .source = "Microsoft, exFAT file system specification",
                       .checked = "foreign tool: mkfs.exfat (empty); own builder for what stands in it"};

}  // namespace assay::unpack::exfat
