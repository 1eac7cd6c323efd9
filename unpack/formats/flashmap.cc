// A whole flash whose partition table stands only in a command line: "mtdparts=ID:SIZE[@OFFSET](NAME)[ro],…", which
// Linux reads and U-Boot's environment or code carries. It is believed for the start of an image when
//
//   its partitions fill the image exactly (or the last one, size "-", takes what is left), and
//   at least two of its partitions begin with a structure that checks out by itself.
//
// It counts as verified when the text stands in a U-Boot environment whose CRC holds, or when every partition begins
// with such a structure or is blank. Source: Linux, drivers/mtd/parsers/cmdlinepart.c.
#include "core/find.h"
#include "unpack/describe.h"

#include <algorithm>

namespace assay::unpack::flashmap {
namespace {

constexpr uint64_t kLeastSize = 256 << 10, kMostSize = 1 << 30, kSector = 4096;
constexpr size_t kMostParts = 64, kMostTexts = 64;
constexpr std::string_view kKey = "mtdparts=";

struct Partition {
  std::string name;
  uint64_t at = 0, size = 0;
  bool read_only = false;
};

struct Map {
  std::vector<Partition> parts;
  uint64_t text = 0;  // where it stands
};

// A number with k, m or g behind it; `text` keeps what follows.
std::optional<uint64_t> take_size(std::string_view& text) {
  uint64_t value = 0;
  size_t digits = 0;
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  for (; !text.empty(); text.remove_prefix(1), ++digits) {
    const char c = text[0];
    const int digit = c >= '0' && c <= '9'          ? c - '0'
                      : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : hex && c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                    : -1;
    if (digit < 0) break;
    value = value * (hex ? 16 : 10) + static_cast<uint64_t>(digit);
    if (value > (uint64_t{1} << 40)) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  const int shift = text.starts_with('k') || text.starts_with('K')   ? 10
                    : text.starts_with('m') || text.starts_with('M') ? 20
                    : text.starts_with('g') || text.starts_with('G') ? 30
                                                                     : 0;
  if (shift) text.remove_prefix(1);
  return value << shift;
}

// SIZE[@OFFSET](NAME)[ro][lk]; the rest of the map is `total` bytes minus what lies before.
std::optional<Partition> take_partition(std::string_view& text, uint64_t next, uint64_t total) {
  Partition part;
  const bool rest = text.starts_with('-');
  if (rest) text.remove_prefix(1);
  const auto size = rest ? std::optional<uint64_t>(0) : take_size(text);
  if (!size) return std::nullopt;
  part.at = next;
  if (text.starts_with('@')) {
    text.remove_prefix(1);
    const auto at = take_size(text);
    if (!at) return std::nullopt;
    part.at = *at;
  }
  part.size = rest && part.at <= total ? total - part.at : *size;
  const size_t close = text.find(')');
  if (!text.starts_with('(') || close == text.npos || close > 64) return std::nullopt;
  part.name = text.substr(1, close - 1);
  text.remove_prefix(close + 1);
  for (const std::string_view flag : {"ro", "lk"})
    if (text.starts_with(flag)) part.read_only |= flag == "ro", text.remove_prefix(2);
  return part;
}

std::optional<Map> parse(std::string_view text, uint64_t total) {
  const size_t colon = text.substr(0, 64).find(':');
  if (colon == text.npos) return std::nullopt;
  text.remove_prefix(colon + 1);
  Map map;
  for (uint64_t next = 0; map.parts.size() < kMostParts;) {
    auto part = take_partition(text, next, total);
    if (!part || part->at < next || part->at > total || part->size == 0 || part->size > total - part->at)
      return std::nullopt;
    if (part->at % kSector || part->name.empty()) return std::nullopt;
    next = part->at + part->size;
    map.parts.push_back(std::move(*part));
    if (!text.starts_with(',')) {
      if (next != total || map.parts.size() < 2) return std::nullopt;
      return map;
    }
    text.remove_prefix(1);
  }
  return std::nullopt;
}

std::optional<Map> find_map(Bytes b) {
  const std::string_view text = b.text();
  size_t tried = 0;
  for (size_t at = find_text(text, kKey); at != text.npos && tried < kMostTexts;
       at = find_text(text, kKey, at + 1), ++tried)
    if (auto map = parse(text.substr(at + kKey.size(), 4096), b.size())) {
      map->text = at;
      return map;
    }
  return std::nullopt;
}

// Structures known by a magic at their start that check out; streams would have to be decoded to know.
bool begins_with_structure(Bytes part) {
  for (const Format* format : formats()) {
    if (!format->measure || !format->carve || format->magics.empty()) continue;
    const bool magic =
        std::ranges::any_of(format->magics, [&](const Magic& m) { return part.starts_with(m.bytes, m.offset); });
    if (!magic) continue;
    const auto measured = format->measure(part);
    if (measured && measured->length <= part.size() && (measured->verified || measured->length > kSector)) return true;
  }
  return false;
}

// Environments lie at multiples of a sector; the text must stand inside one whose CRC holds.
bool in_environment(Bytes b, uint64_t text) {
  const Format* environment = find_format("uboot-env");
  ASSAY_CHECK(environment);
  uint64_t at = text / kSector * kSector;
  for (int back = 0; back < 16; ++back, at -= kSector) {
    const auto measured = environment->measure(b.head(b.size(), at));
    if (measured && text < at + measured->length) return true;
    if (at == 0) break;
  }
  return false;
}

// The text that is under a checksum is preferred: any other may be a default that was never used.
std::optional<Map> best_map(Bytes b, bool& in_env) {
  auto first = find_map(b);
  in_env = false;
  if (!first) return first;
  const std::string_view text = b.text();
  size_t tried = 0;
  for (size_t at = first->text; at != text.npos && tried < kMostTexts; at = find_text(text, kKey, at + 1), ++tried) {
    auto map = parse(text.substr(at + kKey.size(), 4096), b.size());
    if (!map || !in_environment(b, at)) continue;
    map->text = at;
    in_env = true;
    return map;
  }
  return first;
}

Result<Measured> measure(Bytes from) {
  if (from.size() < kLeastSize || from.size() > kMostSize || from.size() % kSector)
    return fail(Fault::kMalformed, "no size of a flash", from.base());
  bool in_env = false;
  const auto map = best_map(from, in_env);
  if (!map) return fail(Fault::kMalformed, "no mtdparts that fill the image", from.base());
  size_t structures = 0, blank = 0;
  for (const Partition& part : map->parts) {
    const Bytes bytes = from.head(part.size, part.at).rebased(0);
    if (is_run(bytes))
      ++blank;
    else
      structures += begins_with_structure(bytes);
  }
  if (structures < 2) return fail(Fault::kMalformed, "fewer than two partitions begin with a structure", map->text);
  return Measured{from.size(), in_env || structures + blank == map->parts.size()};
}

Result<void> unpack(Bytes whole, Sink& into) {
  bool in_env = false;
  const auto map = best_map(whole, in_env);
  if (!map) return fail(Fault::kMalformed, "no mtdparts that fill the image", 0);
  into.note("source", in_env ? "mtdparts in a U-Boot environment whose crc32 holds" : "mtdparts in the image",
            map->text);
  uint64_t done = 0;
  for (const Partition& part : map->parts) {
    TRY_VOID(between(whole, done, part.at, "gap-" + hex_number(done), into));
    into.note(
        "partition",
        part.name + " " + hex_number(part.at) + "+" + hex_number(part.size) + (part.read_only ? " read-only" : ""),
        map->text);
    TRY_VOID(between(whole, part.at, part.at + part.size, part.name, into));
    done = part.at + part.size;
  }
  return {};
}

}  // namespace

extern const Format kFlashMap;
const Format kFlashMap = {
    .id = "flashmap",
    .title = "Flash with partitions named by mtdparts",
    .version = 2,
    .measure = measure,
    .unpack = unpack,
    .carve = false,
    .reads = "mtdparts= of a command line stored in the image",
    .limits = "one flash chip of 1 GiB at most; command lines inside compressed kernels are not seen",
    .source = "Linux drivers/mtd/parsers/cmdlinepart.c",
    .checked = "real image: shared/firmware (Sannce flash dump)"};

}  // namespace assay::unpack::flashmap
