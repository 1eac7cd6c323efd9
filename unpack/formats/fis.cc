// A whole flash of a board that boots with RedBoot: its "Flash Image System" is a directory in one erase block, entries
// of 256 bytes, in the board's byte order:
//
//   0   name (16)   16 address in flash   20 address in memory   24 size   28 entry point   32 length of the data
//   248 checksum of the entry   252 checksum of the data: CRC-32 from 0, without the final inversion, 0 where not kept
//
// One entry, "FIS directory", names the directory itself; its address minus the place where it lies is the address of
// the flash. A name that begins with 0xff is a free entry. It is believed when that entry is there and all images lie
// inside the flash.
// Source: Linux drivers/mtd/parsers/redboot.c; eCos packages/redboot/current/include/fis.h, src/flash.c.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::fis {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint64_t kLeastSize = 64 << 10, kMostSize = 256 << 20, kSector = 4096, kEntry = 256;
constexpr size_t kMostEntries = 256;
constexpr std::string_view kSelf = "FIS directory\0"sv;

struct Image {
  std::string name;
  uint64_t at = 0, size = 0, data = 0, entry = 0;  // data: bytes that are used
  uint32_t memory = 0, start = 0, crc = 0;
};

struct Directory {
  Order order = Order::kLittle;
  uint64_t at = 0, entries = 0;
  uint64_t flash = 0;  // address of the flash's first byte
  std::vector<Image> images;
};

std::optional<Directory> read_directory(Bytes flash, uint64_t at, uint64_t self, Order order) {
  Directory d;
  d.order = order;
  d.at = at;
  const auto word = [&](uint64_t entry, uint64_t field) { return *flash.get<uint32_t>(entry + field, order, ""); };
  const uint64_t address = word(self, 16);
  if (address < at) return std::nullopt;
  d.flash = address - at;
  for (uint64_t entry = at; d.entries < kMostEntries && entry + kEntry <= flash.size(); entry += kEntry, ++d.entries) {
    const std::string_view name = flash.head(16, entry).text();
    if (name[0] == '\xff' || name[0] == '\0') {
      if (is_run(flash.head(kEntry, entry))) break;
      continue;  // an entry that was removed
    }
    Image image = {std::string(name.substr(0, name.find('\0'))),
                   word(entry, 16),
                   word(entry, 24),
                   word(entry, 32),
                   entry,
                   word(entry, 20),
                   word(entry, 28),
                   word(entry, 252)};
    if (name.find('\0') == name.npos || !looks_like_text(image.name) || image.at < d.flash) return std::nullopt;
    image.at -= d.flash;
    if (image.at > flash.size() || image.size > flash.size() - image.at || image.size == 0) return std::nullopt;
    image.data = std::min(image.data, image.size);
    d.images.push_back(std::move(image));
  }
  std::ranges::stable_sort(d.images, {}, &Image::at);
  return d.images.size() >= 2 ? std::optional(std::move(d)) : std::nullopt;
}

// The directory begins at a sector; the entry that names it is among its first ones.
std::optional<Directory> find_directory(Bytes flash) {
  for (size_t self = 0; self + kEntry <= flash.size(); self += kEntry) {
    if (!flash.starts_with(kSelf, self)) continue;
    const uint64_t at = self / kSector * kSector;
    for (const Order order : {Order::kLittle, Order::kBig})
      if (auto found = read_directory(flash, at, self, order)) return found;
  }
  return std::nullopt;
}

bool crc_holds(Bytes flash, const Image& image) {
  return checksum_holds(crc32_raw(flash.head(image.data, image.at), 0), image.crc);
}

Result<Measured> measure(Bytes from) {
  if (from.size() < kLeastSize || from.size() > kMostSize || from.size() % kSector)
    return fail(Fault::kForeign, "no size of a flash", from.base());
  const auto d = find_directory(from);
  if (!d) return fail(Fault::kForeign, "no directory that fits", from.base());
  const bool checked = std::ranges::any_of(d->images, [&](const Image& i) { return i.crc && crc_holds(from, i); });
  return Measured{from.size(), checked || d->images.size() >= 3};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const auto d = find_directory(whole);
  if (!d) return fail(Fault::kForeign, "no directory that fits", 0);
  into.note("byte order", d->order == Order::kLittle ? "little endian" : "big endian", d->at);
  into.note("flash address", hex_number(d->flash), d->at);
  into.range(Range::kHeader, d->at, d->entries * kEntry);
  uint64_t done = 0;
  for (const Image& image : d->images) {
    TRY_VOID(into.step());
    into.note("image",
              image.name + " " + hex_number(image.at) + "+" + hex_number(image.size) + ", loaded to " +
                  hex_number(image.memory) + ", entry " + hex_number(image.start),
              image.entry);
    if (image.crc) state_checksum("crc of " + image.name, "crc32", crc_holds(whole, image), image.entry + 252, into);
    if (image.at < done) {  // "RedBoot config" and the directory may share a block
      if (image.at > d->at || image.at + image.size <= d->at)
        into.problem({Fault::kMalformed, "image " + image.name + " overlaps what lies before it", image.entry});
      continue;
    }
    TRY_VOID(between(whole, done, image.at, "gap-" + hex_number(done), into));
    done = image.at + image.size;
    if (image.at == d->at) continue;  // the directory itself
    TRY_VOID(between(whole, image.at, done, image.name, into));
  }
  return between(whole, done, whole.size(), "gap-" + hex_number(done), into);
}

}  // namespace

extern const Format kFis;
const Format kFis = {
    .id = "fis",
    .title = "Flash with a RedBoot image directory (FIS)",
    .version = 2,
    .measure = measure,
    .unpack = unpack,
    .carve = false,
    .reads = "both byte orders; checksums of images",
    .limits = "one flash chip of 256 MiB at most, from its first byte; the second directory of redundant FIS",
    .source = "Linux drivers/mtd/parsers/redboot.c; eCos redboot include/fis.h, src/flash.c",
    .checked = "own builder only"};

}  // namespace assay::unpack::fis
