// Compound files, as installers (MSI) and documents are: sectors chained in a table, a tree of storages and streams,
// small streams packed into one large stream. Little-endian.
//
//   0    d0cf11e0a1b11ae1  26 version 3 or 4  28 0xfffe  30 sector, 32 small sector: powers of 2  44 sectors of the
//   table
//        48 first of the directory  56 streams below so many bytes are small  60 first, 64 number of the small table
//        68 first, 72 number of the sectors that go on with  76 109 numbers of the table's sectors
//   sector n stands at (n + 1) sectors; the table: what follows each: 0xfffffffe nothing, 0xffffffff free
//   an entry of 128: 0 name (UTF-16, 64)  64 bytes of it with its end  66 0 none, 1 storage, 2 stream, 5 root
//        68, 72 neighbours, 76 first child: 0xffffffff none  108 modified, 100 ns since 1601  116 sector  120 size
//        the root's stream holds the small ones
//   names of MSI: letters from 0x3800 stand for two of 64 characters, from 0x4800 for one, 0x4840 for a table
//
// Source: Microsoft, [MS-CFB]; of the names: what msibuild writes.
#include "core/utf16.h"
#include "unpack/formats/file_map.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>

namespace assay::unpack::cfb {
namespace {

constexpr Magic kMagics[] = {{std::string_view("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8)}};
constexpr uint64_t kHead = 512, kInHead = 109, kEntry = 128;
constexpr uint32_t kLast = 0xfffffffe, kFree = 0xffffffff, kNone = 0xffffffff;
enum : uint8_t { kStorage = 1, kStream = 2, kRoot = 5 };

struct Volume {
  Bytes whole;
  uint64_t sector = 0, small = 0, cutoff = 0, end = 0;
  std::vector<uint32_t> of_table;  // its sectors, and those that name them
  std::vector<uint32_t> next;      // of each sector
  uint64_t at(uint32_t n) const { return (uint64_t{n} + 1) * sector; }

  // The sectors of the chain that the field at `field` begins; an error where it leaves the table or comes to more than
  // there are.
  Result<std::vector<uint32_t>> chain(uint64_t field, const std::vector<uint32_t>& table, std::string_view what) const {
    const uint32_t first = *whole.le<uint32_t>(field, "");
    std::vector<uint32_t> out;
    for (uint32_t n = first; n != kLast; n = table[n]) {
      if (n >= table.size())
        return fail(Fault::kMalformed, std::string(what) + ": sector " + std::to_string(n), whole.base() + field);
      if (out.size() >= table.size())
        return fail(Fault::kMalformed, std::string(what) + ": sectors in a circle", whole.base() + field);
      out.push_back(n);
    }
    return out;
  }
};

Result<Volume> read_volume(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes)) return fail(Fault::kForeign, "magic", whole.base());
  const Bytes b = TRY(whole.slice(0, kHead, "header"));
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  const auto u32 = [&](uint64_t at) { return *b.le<uint32_t>(at, ""); };
  const unsigned version = *b.le<uint16_t>(26, "");
  if (*b.le<uint16_t>(28, "") != 0xfffe) return bad("byte order", 28);
  if ((version != 3 || b[30] != 9) && (version != 4 || b[30] != 12)) return bad("version or size of a sector", 26);
  if (b[32] != 6 || u32(56) != 4096) return bad("size of small sectors or streams", 32);
  Volume v{.whole = whole, .sector = uint64_t{1} << b[30], .small = 64, .cutoff = 4096, .of_table = {}, .next = {}};
  const uint64_t most = whole.size() / v.sector, count = u32(44);
  if (count == 0 || count > most) return bad("sectors of the table " + std::to_string(count), 44);
  std::vector<uint32_t> tables;
  for (uint64_t n = 0; n < std::min(count, kInHead); ++n) tables.push_back(u32(76 + n * 4));
  uint32_t more = u32(68);
  while (tables.size() < count) {
    const Bytes list = TRY(whole.slice(v.at(more), v.sector, "list of the table's sectors"));
    if (v.of_table.size() > most) return bad("lists of the table's sectors are in a circle", 68);
    v.of_table.push_back(more);
    for (uint64_t n = 0; n + 1 < v.sector / 4 && tables.size() < count; ++n)
      tables.push_back(*list.le<uint32_t>(n * 4, ""));
    more = *list.le<uint32_t>(v.sector - 4, "");
  }
  uint64_t used = 0;
  for (const uint32_t table : tables) {
    const Bytes part = TRY(whole.slice(v.at(table), v.sector, "table of sectors"));
    for (uint64_t n = 0; n < v.sector / 4; ++n) {
      v.next.push_back(*part.le<uint32_t>(n * 4, ""));
      if (v.next.back() != kFree) used = v.next.size();
    }
  }
  v.of_table.insert(v.of_table.end(), tables.begin(), tables.end());
  v.end = (used + 1) * v.sector;
  if (v.end > whole.size())
    return fail(Fault::kTruncated, "compound file of " + std::to_string(v.end) + " bytes", b.base());
  return v;
}

// MSI packs letters in pairs; what is no such letter stays.
std::string name_of_stream(Bytes units) {
  static constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
  std::string out;
  for (uint64_t at = 0; at + 2 <= units.size(); at += 2) {
    const unsigned c = *units.le<uint16_t>(at, "");
    if (c == 0x4840)
      out += '!';
    else if (c >= 0x3800 && c < 0x4800)
      out += {kLetters[(c - 0x3800) & 63], kLetters[(c - 0x3800) >> 6]};
    else if (c >= 0x4800 && c < 0x4840)
      out += kLetters[c - 0x4800];
    else
      out += utf8_of_utf16(units.head(2, at), Order::kLittle);
  }
  return out;
}

class Tree final : public TreeSource {
 public:
  Tree(const Volume& volume, Sink& into) : v_(volume), into_(into) {}

  Result<void> read() {
    const std::vector<uint32_t> directory = TRY(v_.chain(48, v_.next, "directory"));
    for (const uint32_t n : directory) {
      const Bytes b = TRY(sector(n, "directory"));
      for (uint64_t at = 0; at < b.size(); at += kEntry) entries_.push_back(b.head(kEntry, at));
    }
    if (entries_.empty() || entries_[0][66] != kRoot) return fail(Fault::kMalformed, "no root in the directory");
    if (*v_.whole.le<uint32_t>(60, "") != kLast) {
      const std::vector<uint32_t> sectors = TRY(v_.chain(60, v_.next, "table of small sectors"));
      for (const uint32_t n : sectors) {
        const Bytes b = TRY(sector(n, "table of small sectors"));
        for (uint64_t at = 0; at < b.size(); at += 4) small_next_.push_back(*b.le<uint32_t>(at, ""));
      }
    }
    if (*entries_[0].le<uint32_t>(116, "") != kLast)
      small_at_ = TRY(v_.chain(first_sector(entries_[0]), v_.next, "stream of small streams"));
    return {};
  }

  Result<Found> find(uint64_t number) override {
    const Bytes b = entries_.at(number);
    Found out{.node = {}, .links = 1, .at = b.base()};
    out.node.kind = b[66] == kStream ? Kind::kFile : Kind::kDirectory;
    if (const uint64_t time = *b.le<uint64_t>(108, ""); time != 0)
      out.node.mtime = static_cast<int64_t>(time / 10'000'000) - 11'644'473'600;
    return out;
  }

  // In the order of the directory's tree; one that is in a circle is cut.
  Result<std::vector<Listed>> list(uint64_t number) override {
    std::vector<Listed> out;
    std::vector<uint32_t> open{*entries_.at(number).le<uint32_t>(76, "")};
    while (!open.empty()) {
      const uint32_t n = open.back();
      open.pop_back();
      if (n == kNone) continue;
      TRY_VOID(into_.step());
      if (n >= entries_.size()) return fail(Fault::kMalformed, "entry " + std::to_string(n) + " of the directory");
      const Bytes b = entries_[n];
      if ((b[66] != kStorage && b[66] != kStream) || out.size() > entries_.size())
        return fail(Fault::kMalformed, "entry of the directory", b.base());
      const uint64_t length = std::clamp<uint64_t>(*b.le<uint16_t>(64, ""), 2, 64) - 2;
      out.push_back({name_of_stream(b.head(length)), n, b.base()});
      open.push_back(*b.le<uint32_t>(72, ""));
      open.push_back(*b.le<uint32_t>(68, ""));
    }
    std::ranges::sort(out, {}, &Listed::name);
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const Bytes b = entries_.at(number);
    const uint64_t size = v_.sector == 512 ? *b.le<uint32_t>(120, "") : *b.le<uint64_t>(120, "");
    FileMap map(v_.whole);
    if (size == 0) return nothing();
    const bool small = size < v_.cutoff;
    const std::vector<uint32_t> sectors = TRY(v_.chain(first_sector(b), small ? small_next_ : v_.next, "stream"));
    TRY_VOID(into_.step(sectors.size() / 16));
    for (const uint32_t n : sectors) {
      if (map.size() >= size) break;
      const uint64_t inner = uint64_t{n} * v_.small;
      if (small && inner / v_.sector >= small_at_.size())
        return fail(Fault::kMalformed, "small sector " + std::to_string(n), b.base());
      TRY_VOID(small ? map.stored(v_.at(small_at_[inner / v_.sector]) + inner % v_.sector, v_.small)
                     : map.stored(v_.at(n), v_.sector));
    }
    if (map.size() < size) return fail(Fault::kMalformed, "stream of " + std::to_string(size) + " bytes", b.base());
    map.fit(size);
    return map.content(into_);
  }

 private:
  uint64_t first_sector(Bytes entry) const { return entry.base() - v_.whole.base() + 116; }
  Result<Bytes> sector(uint32_t n, std::string_view what) {
    TRY_VOID(into_.step());
    const Bytes b = TRY(v_.whole.slice(v_.at(n), v_.sector, what));
    into_.range(Range::kHeader, v_.at(n), v_.sector);
    return b;
  }

  const Volume& v_;
  Sink& into_;
  std::vector<Bytes> entries_;
  std::vector<uint32_t> small_next_, small_at_;
};

Result<Measured> measure(Bytes from) { return Measured{TRY(read_volume(from)).end, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Volume v = TRY(read_volume(whole));
  into.range(Range::kHeader, 0, v.sector);
  for (const uint32_t n : v.of_table) into.range(Range::kHeader, v.at(n), v.sector);
  Tree tree(v, into);
  TRY_VOID(tree.read());
  return walk_tree(tree, 0, into);
}

}  // namespace

extern const Format kCfb;
const Format kCfb = {
    .id = "cfb",
    .title = "Compound file (MSI, Office 97)",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "versions 3 and 4; MSI's names of streams",
    .limits = "what the tables of an installer say of its files: their names stay those of the cabinets inside",
    .source = "Microsoft, [MS-CFB]",
    .checked = "foreign tool: msibuild"};

}  // namespace assay::unpack::cfb
