// FAT12, FAT16 and FAT32 with long names.
//
//   boot sector | reserved sectors | copies of the FAT | root directory (12 and 16) | clusters 2, 3, …
//
//   11  bytes per sector (16 bits), sectors per cluster (8), reserved sectors (16), FATs (8), root entries (16),
//       sectors (16, 0: see 32), media (8), sectors per FAT (16, 0: FAT32, see 36)
//   32  sectors (32); FAT32: sectors per FAT (32) at 36, root cluster (32) at 44, FSInfo at 48, copy of this sector at
//   50 54  "FAT12   " or "FAT16   "; FAT32: "FAT32   " at 82.  510: 55 aa
//
// Directory entries take 32 bytes; a long name stands in entries of attribute 0x0f before its short one, last piece
// first, tied to it by a checksum over the short name. Neither owner nor mode is stored; times are local, read as UTC.
// Source: Microsoft, FAT32 File System Specification (FATGEN 1.03); ECMA-107.
#include "core/utf16.h"
#include "unpack/dos_time.h"
#include "unpack/format.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace assay::unpack::fat {
namespace {

constexpr Magic kMagics[] = {{"FAT12   ", 54}, {"FAT16   ", 54}, {"FAT32   ", 82}};
constexpr size_t kMostDepth = 128, kLongestPath = 4096;
constexpr uint8_t kVolume = 0x08, kDirectory = 0x10, kLongName = 0x0f;

struct Volume {
  unsigned bits = 0;                 // 12, 16 or 32
  uint64_t sector = 0, cluster = 0;  // sizes in bytes
  uint64_t reserved = 0, fats = 0, fat_size = 0, root_size = 0, data = 0,
           length = 0;  // in bytes; data: where it starts
  uint32_t clusters = 0, root_cluster = 0;
  uint8_t media = 0;
  uint64_t info = 0, copy = 0;  // FAT32: FSInfo and the copied boot sector, in bytes
};

Result<Volume> read_volume(Bytes b) {
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  const Bytes boot = TRY(b.slice(0, 512, "boot sector"));
  if (boot[510] != 0x55 || boot[511] != 0xaa) return bad("signature", 510);
  if (boot[0] != 0xe9 && !(boot[0] == 0xeb && boot[2] == 0x90)) return bad("jump", 0);
  const auto word = [&](uint64_t at) { return uint64_t{boot[at]} | uint64_t{boot[at + 1]} << 8; };
  const auto wide = [&](uint64_t at) { return word(at) | word(at + 2) << 16; };
  Volume v;
  v.sector = word(11);
  if (v.sector < 512 || v.sector > 4096 || (v.sector & (v.sector - 1)) != 0)
    return bad("bytes per sector " + std::to_string(v.sector), 11);
  const uint64_t per_cluster = boot[13];
  if (per_cluster == 0 || (per_cluster & (per_cluster - 1)) != 0)
    return bad("sectors per cluster " + std::to_string(per_cluster), 13);
  v.cluster = per_cluster * v.sector;
  v.reserved = word(14) * v.sector;
  v.fats = boot[16];
  if (v.reserved == 0 || v.fats < 1 || v.fats > 4) return bad("reserved sectors or number of FATs", 14);
  v.root_size = (word(17) * 32 + v.sector - 1) / v.sector * v.sector;
  v.media = boot[21];
  if (v.media != 0xf0 && v.media < 0xf8) return bad("media " + std::to_string(v.media), 21);
  v.fat_size = (word(22) ? word(22) : wide(36)) * v.sector;
  v.length = (word(19) ? word(19) : wide(32)) * v.sector;
  v.data = v.reserved + v.fats * v.fat_size + v.root_size;
  if (v.fat_size == 0 || v.length <= v.data) return bad("sectors do not hold the FATs", 19);
  v.clusters = static_cast<uint32_t>(std::min<uint64_t>((v.length - v.data) / v.cluster, 0x0fffffff));
  v.bits = word(22) == 0 ? 32 : v.clusters < 4085 ? 12 : 16;
  if (v.bits == 16 && v.clusters >= 65525) return bad("clusters of FAT16 " + std::to_string(v.clusters), 19);
  if (v.bits == 32) {
    v.root_cluster = static_cast<uint32_t>(wide(44));
    v.info = word(48) * v.sector;
    v.copy = word(50) * v.sector;
  }
  const bool root_good = v.bits == 32 ? v.root_size == 0 && v.root_cluster >= 2 : v.root_size > 0;
  if (!root_good) return bad("root directory", 17);
  if (v.fat_size * 8 < (uint64_t{v.clusters} + 2) * v.bits) return bad("FAT is too short for its clusters", 22);
  if (!boot.starts_with(v.bits == 32 ? "FAT32   " : v.bits == 16 ? "FAT16   " : "FAT12   ", v.bits == 32 ? 82 : 54))
    return bad("type does not fit the number of clusters", 54);
  if (v.length > b.size())
    return fail(Fault::kTruncated, "volume of " + std::to_string(v.length) + " bytes in " + std::to_string(b.size()),
                b.base() + 19);
  return v;
}

// Entry of the first FAT, its upper four bits of 32 cut off.
uint32_t fat_entry(Bytes whole, const Volume& v, uint32_t cluster) {
  if (v.bits == 32) return whole.le<uint32_t>(v.reserved + 4 * uint64_t{cluster}, "FAT").value_or(0) & 0x0fffffff;
  if (v.bits == 16) return whole.le<uint16_t>(v.reserved + 2 * uint64_t{cluster}, "FAT").value_or(0);
  const uint32_t pair = whole.le<uint16_t>(v.reserved + uint64_t{cluster} * 3 / 2, "FAT").value_or(0);
  return cluster % 2 ? pair >> 4 : pair & 0xfff;
}

bool is_end(const Volume& v, uint32_t entry) {
  return entry >= (v.bits == 32 ? 0x0ffffff8u : v.bits == 16 ? 0xfff8u : 0xff8u);
}

struct Entry {
  std::string name;
  uint8_t attributes = 0;
  uint32_t cluster = 0, size = 0;
  std::optional<int64_t> mtime;
};

// "README  TXT" -> "README.TXT"; two flags of Windows NT say which half is lower case.
std::string short_name(Bytes raw) {
  const auto half = [&](uint64_t at, uint64_t length, bool lower) {
    std::string text(raw.head(length, at).text());
    text.erase(text.find_last_not_of(' ') + 1);
    for (char& c : text)
      if (lower && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
  };
  std::string name = half(0, 8, raw[12] & 0x08);
  if (!name.empty() && name[0] == 0x05) name[0] = '\xe5';
  const std::string extension = half(8, 3, raw[12] & 0x10);
  return extension.empty() ? name : name + "." + extension;
}

uint8_t checksum_of_short(Bytes raw) {
  uint8_t sum = 0;
  for (uint64_t i = 0; i < 11; ++i) sum = static_cast<uint8_t>((sum >> 1 | sum << 7) + raw[i]);
  return sum;
}

// Pieces of a long name as they come: from the last to the first.
struct LongName {
  std::string units;                   // UTF-16, little-endian
  uint8_t expected = 0, checksum = 0;  // expected: the next piece's number; 0: complete or none
  bool any = false;

  void add(Bytes raw) {
    const uint8_t number = raw[0] & 0x3f;
    if (raw[0] & 0x40) {
      *this = {};
      any = true;
      expected = number;
      checksum = raw[13];
    }
    if (!any || number == 0 || number != expected || raw[13] != checksum) return void(*this = {});
    std::string piece;
    piece.append(raw.head(10, 1).text()).append(raw.head(12, 14).text()).append(raw.head(4, 28).text());
    units.insert(0, piece);
    --expected;
  }
  std::string take(Bytes short_entry) {
    const bool good = any && expected == 0 && checksum == checksum_of_short(short_entry);
    std::string name = good ? utf8_of_utf16(Bytes(units), Order::kLittle) : "";
    name.resize(std::min(name.size(), name.find('\0')));
    *this = {};
    return name;
  }
};

struct Listing {
  std::string path;
  std::vector<Bytes> pieces;
  size_t piece = 0;
  uint64_t at = 0;
};

class Walk {
 public:
  Walk(Bytes whole, const Volume& volume, Sink& into)
      : whole_(whole), volume_(volume), into_(into), used_(uint64_t{volume.clusters} + 2) {}

  Result<void> run() {
    Listing root;
    if (volume_.bits == 32) {
      root.pieces = TRY(chain(volume_.root_cluster, std::nullopt));
      claim(root.pieces);
    } else {
      root.pieces.push_back(TRY(whole_.slice(volume_.data - volume_.root_size, volume_.root_size, "root directory")));
      claim(root.pieces);
    }
    open_.push_back(std::move(root));
    while (!open_.empty()) {
      const auto entry = TRY(next(open_.back()));
      if (!entry)
        open_.pop_back();
      else
        TRY_VOID(visit(*entry));
    }
    return {};
  }

 private:
  void claim(const std::vector<Bytes>& pieces) {
    for (const Bytes& piece : pieces) into_.range(Range::kHeader, piece.base(), piece.size());
  }

  Result<void> complain(const std::string& path, const Error& error) {
    if (error.fault == Fault::kLimit) return std::unexpected(error);
    into_.problem({error.fault, path + ": " + error.what, error.offset});
    return {};
  }

  // The clusters of a file (as many as `size` needs) or of a directory (all). No cluster serves twice.
  Result<std::vector<Bytes>> chain(uint32_t cluster, std::optional<uint64_t> size) {
    std::vector<Bytes> out;
    uint64_t left = size.value_or(kNowhere), start = 0, length = 0;
    const auto flush = [&]() -> Result<void> {
      if (length > 0) out.push_back(TRY(whole_.slice(start, length, "clusters")));
      return {};
    };
    while (left > 0) {
      if (!size && is_end(volume_, cluster)) break;
      if (cluster < 2 || cluster >= volume_.clusters + 2)
        return fail(Fault::kMalformed, "chain leads to cluster " + std::to_string(cluster) + " before the file's end");
      if (used_[cluster]) return fail(Fault::kMalformed, "cluster " + std::to_string(cluster) + " is used twice");
      used_[cluster] = true;
      TRY_VOID(into_.step(1));
      const uint64_t at = volume_.data + (cluster - 2) * volume_.cluster, now = std::min(left, volume_.cluster);
      if (length > 0 && start + length != at) {
        TRY_VOID(flush());
        length = 0;
      }
      if (length == 0) start = at;
      length += now;
      if (size) left -= now;
      cluster = fat_entry(whole_, volume_, cluster);
    }
    TRY_VOID(flush());
    return out;
  }

  Result<std::optional<Entry>> next(Listing& listing) {
    LongName long_name;
    while (listing.piece < listing.pieces.size()) {
      const Bytes piece = listing.pieces[listing.piece];
      if (listing.at + 32 > piece.size()) {
        ++listing.piece;
        listing.at = 0;
        continue;
      }
      TRY_VOID(into_.step(1));
      const Bytes raw = TRY(piece.slice(listing.at, 32, "directory entry"));
      listing.at += 32;
      if (raw[0] == 0) return std::nullopt;
      if (raw[0] == 0xe5) {
        long_name = {};
        continue;
      }
      if ((raw[11] & 0x3f) == kLongName) {
        long_name.add(raw);
        continue;
      }
      if (raw[11] & kVolume) {
        into_.note("label", std::string(raw.head(11).text()), raw.base());
        long_name = {};
        continue;
      }
      return read_entry(raw, long_name);
    }
    return std::nullopt;
  }

  Entry read_entry(Bytes raw, LongName& long_name) {
    const auto word = [&](uint64_t at) { return static_cast<uint32_t>(raw[at] | raw[at + 1] << 8); };
    Entry e;
    e.attributes = raw[11];
    e.name = long_name.take(raw);
    if (e.name.empty()) e.name = short_name(raw);
    e.cluster = word(26) | (volume_.bits == 32 ? word(20) << 16 : 0);
    e.size = word(28) | word(30) << 16;
    e.mtime = dos_time(word(24), word(22));
    return e;
  }

  Result<void> visit(const Entry& entry) {
    if (entry.name == "." || entry.name == "..") return {};
    const std::string& above = open_.back().path;
    Node node;
    node.path = above.empty() ? entry.name : above + "/" + entry.name;
    node.mtime = entry.mtime;
    const std::string path = node.path;
    TRY_VOID(into_.step(path.size()));
    if (path.size() > kLongestPath || open_.size() > kMostDepth)
      return complain(path, {Fault::kMalformed, "directories are nested too deep", 0});
    if (entry.name.find('/') != std::string::npos) TRY_VOID(complain(path, {Fault::kMalformed, "name holds a '/'", 0}));
    if (entry.attributes & kDirectory) {
      node.kind = Kind::kDirectory;
      TRY_VOID(into_.node(std::move(node), nothing()));
      auto pieces = chain(entry.cluster, std::nullopt);
      if (!pieces) return complain(path, pieces.error());
      claim(*pieces);
      open_.push_back({path, *std::move(pieces)});
      return {};
    }
    auto pieces = chain(entry.cluster, entry.size);
    if (!pieces) {
      TRY_VOID(complain(path, pieces.error()));
      pieces = std::vector<Bytes>{};
    }
    return into_.node(std::move(node), Content{*std::move(pieces), {}});
  }

  Bytes whole_;
  const Volume& volume_;
  Sink& into_;
  std::vector<bool> used_;
  std::vector<Listing> open_;
};

// The first entry repeats the media byte below ones; the first record of the root directory looks like one.
bool looks_right(Bytes whole, const Volume& v) {
  const uint32_t ones = v.bits == 32 ? 0x0fffffff : (1u << v.bits) - 1;
  if (fat_entry(whole, v, 0) != ((ones & ~0xffu) | v.media)) return false;
  const uint64_t root = v.bits == 32 ? v.data + (uint64_t{v.root_cluster} - 2) * v.cluster : v.data - v.root_size;
  const Bytes first = whole.head(32, root);
  if (first.size() < 32) return false;
  return first[0] == 0 || first[0] == 0xe5 || (first[11] & 0xc0) == 0;
}

Result<Measured> measure(Bytes from) {
  const Volume v = TRY(read_volume(from));
  if (!looks_right(from, v))
    return fail(Fault::kMalformed, "first FAT entry or root directory", from.base() + v.reserved);
  return Measured{v.length, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Volume v = TRY(read_volume(whole));
  into.note("type", "FAT" + std::to_string(v.bits), v.bits == 32 ? 82 : 54);
  into.note("cluster size", std::to_string(v.cluster), 13);
  into.range(Range::kHeader, 0, v.sector);
  if (v.info) into.range(Range::kHeader, v.info, std::min(v.sector, v.length - std::min(v.length, v.info)));
  if (v.copy) into.range(Range::kHeader, v.copy, std::min(v.sector, v.length - std::min(v.length, v.copy)));
  into.range(Range::kHeader, v.reserved, v.fats * v.fat_size);
  const Bytes first = TRY(whole.slice(v.reserved, v.fat_size, "FAT"));
  for (uint64_t i = 1; i < v.fats; ++i)
    if (TRY(whole.slice(v.reserved + i * v.fat_size, v.fat_size, "FAT")).text() != first.text())
      into.note("FAT copy " + std::to_string(i), "differs from the first", v.reserved + i * v.fat_size);
  return Walk(whole.rebased(0), v, into).run();
}

}  // namespace

extern const Format kFat;
const Format kFat = {.id = "fat",
                     .title = "FAT12/FAT16/FAT32 file system",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "FAT12, FAT16, FAT32, long names",
                     .limits = "deleted files; names outside ASCII in the 8.3 form stay in their code page",
                     .source = "Microsoft FAT32 File System Specification (FATGEN 1.03)",
                     .checked = "foreign tool: mkfs.fat, mtools"};

}  // namespace assay::unpack::fat
