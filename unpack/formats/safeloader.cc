// TP-Link "SafeLoader" images (CPE, EAP, Archer, Deco, …). Big-endian.
//
//   0      length of the image   4 MD5 of a salt and everything from byte 20
//   20     length of the text that follows: vendor or product, or none (to 0x1014, filled with 0xff)
//   0x1014 table of the image's partitions, text, up to a byte 0 or 0xff:
//          fwup-ptn NAME base 0x00800 size 0x00800 \t\r\n   base counts from 0x1014
//   0x1814 the partitions
//
// "soft-version", "support-list", "extra-para", "profile" and the like begin with their length and a word 0; the
// partition "partition-table" with 00 04 00 00, then the layout of the flash, lines "partition NAME base … size …". The
// same text lies in the flash itself, where it maps the whole chip (format safeloader-flash).
//   soft-version   ff, three numbers, the date as four BCD bytes, revision (32 bits), or text
// Source: openwrt/firmware-utils src/tplink-safeloader.c.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <cstdio>

namespace assay::unpack::safeloader {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint64_t kTable = 0x1014, kTableSize = 0x800, kHashed = 20;
constexpr Magic kMagics[] = {{"fwup-ptn ", kTable}};
constexpr size_t kMostPartitions = 64, kMostLines = 256;
constexpr uint8_t kSalt[16] = {0x7a, 0x2b, 0x15, 0xed, 0x9b, 0x98, 0x59, 0x6d,
                               0xe5, 0x04, 0xab, 0x44, 0xac, 0x2a, 0x9f, 0x4e};

struct Partition {
  std::string name;
  uint64_t at = 0, size = 0, line = 0;
};

std::optional<uint64_t> hex_value(std::string_view word) {
  if (!word.starts_with("0x") || word.size() < 3 || word.size() > 10) return std::nullopt;
  uint64_t value = 0;
  for (const char c : word.substr(2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<uint64_t>(digit);
  }
  return value;
}

std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

// WORD NAME base 0x… size 0x…
std::optional<Partition> read_line(std::string_view line, std::string_view word) {
  while (!line.empty() && (line.back() == '\t' || line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (take_word(line) != word) return std::nullopt;
  Partition p;
  p.name = take_word(line);
  if (p.name.empty() || p.name.size() > 31 || p.name.find('/') != p.name.npos || !looks_like_text(p.name) ||
      take_word(line) != "base")
    return std::nullopt;
  const auto base = hex_value(take_word(line));
  if (!base || take_word(line) != "size") return std::nullopt;
  const auto size = hex_value(take_word(line));
  if (!size) return std::nullopt;
  p.at = *base;
  p.size = *size;
  return p;
}

// The lines from the start of `text` on; stops at the first that is none.
std::vector<Partition> read_lines(Bytes text, std::string_view word) {
  std::vector<Partition> out;
  std::string_view rest = text.text();
  for (uint64_t at = text.base(); out.size() < kMostPartitions;) {
    const size_t end = rest.find('\n');
    if (end == rest.npos || end > 128) break;
    auto part = read_line(rest.substr(0, end), word);
    if (!part) break;
    part->line = at;
    out.push_back(std::move(*part));
    rest.remove_prefix(end + 1);
    at += end + 1;
  }
  return out;
}

struct Image {
  uint64_t length = 0;
  bool md5_holds = false;
  std::vector<Partition> parts;
};

Result<Image> read_image(Bytes b) {
  Image image;
  image.length = TRY(b.be<uint32_t>(0, "length"));
  if (image.length < kTable + kTableSize)
    return fail(Fault::kMalformed, "length " + std::to_string(image.length), b.base());
  const Bytes whole = TRY(b.slice(0, image.length, "image"));
  const std::string salted = std::string(reinterpret_cast<const char*>(kSalt), sizeof kSalt) +
                             std::string(whole.head(image.length - kHashed, kHashed).text());
  const auto digest = md5(Bytes(salted));
  image.md5_holds = checksum_holds(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()),
                                   whole.head(16, 4).text());
  image.parts = read_lines(whole.head(kTableSize, kTable), "fwup-ptn");
  if (image.parts.empty()) return fail(Fault::kMalformed, "no partitions", b.base() + kTable);
  for (Partition& part : image.parts) {
    part.at += kTable;
    if (part.at > image.length || part.size > image.length - part.at)
      return fail(Fault::kMalformed, "partition " + part.name + " runs past the end", part.line);
  }
  return image;
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.length, image.md5_holds};
}

void note_version(Bytes version, Sink& into) {
  if (version.size() < 12 || version[0] != 0xff) {
    const std::string_view text = version.text();
    into.note("software version", std::string(trim(text.substr(0, text.find('\0')))), version.base());
    return;
  }
  char text[64];
  std::snprintf(text, sizeof text, "%u.%u.%u, %02x%02x-%02x-%02x, revision %u", version[1], version[2], version[3],
                version[4], version[5], version[6], version[7], *version.be<uint32_t>(8, ""));
  into.note("software version", text, version.base());
}

void note_lines(Bytes list, std::string_view name, Sink& into) {
  std::string_view rest = list.text();
  rest = rest.substr(0, rest.find('\0'));
  for (size_t count = 0; !rest.empty() && count < kMostLines; ++count) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const auto at = static_cast<uint64_t>(line.data() - list.text().data());
    if (!trim(line).empty()) into.note(name, std::string(trim(line)), list.base() + at);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
}

// A partition with a length of its own in front: what is behind both words, or none.
std::optional<Bytes> meta_content(Bytes part) {
  const auto length = part.be<uint32_t>(0, ""), zero = part.be<uint32_t>(4, "");
  if (!zero || *zero != 0 || *length == 0 || *length > part.size() - 8 || part.size() - 8 - *length > 1)
    return std::nullopt;
  return part.head(*length, 8);
}

bool is_flash_table(Bytes part) { return part.starts_with("\0\4\0\0partition "sv); }

Result<void> give(Bytes whole, const Partition& p, Sink& into) {
  const Bytes part = whole.head(p.size, p.at);
  into.note("partition", p.name + " " + hex_number(p.at) + "+" + hex_number(p.size), p.line);
  if (is_flash_table(part))
    for (const Partition& flash : read_lines(part.head(part.size(), 4), "partition"))
      into.note("flash partition", flash.name + " " + hex_number(flash.at) + "+" + hex_number(flash.size), flash.line);
  const auto meta = meta_content(part);
  if (!meta) return between(whole, p.at, p.at + p.size, p.name, into);
  into.range(Range::kHeader, p.at, 8);
  if (meta->size() + 8 < p.size) into.range(Range::kPadding, p.at + p.size - 1, 1);
  if (p.name == "soft-version") note_version(*meta, into);
  if (p.name == "support-list") note_lines(*meta, "supported", into);
  return into.child(p.name, stored(*meta));
}

Result<void> unpack(Bytes whole, Sink& into) {
  Image image = TRY(read_image(whole));
  state_checksum("md5", "md5 with a salt", image.md5_holds, 4, into);
  into.range(Range::kHeader, 0, 24);
  const uint64_t vendor = TRY(whole.be<uint32_t>(20, "length of the vendor's text"));
  if (vendor > 0 && vendor <= kTable - 24) {
    into.range(Range::kHeader, 24, vendor);
    note_lines(whole.head(vendor, 24), "vendor", into);
  }
  const uint64_t end = image.parts.back().line + whole.head(128, image.parts.back().line).text().find('\n') + 1;
  into.range(Range::kHeader, kTable, end + (end < whole.size() && whole[end] == 0) - kTable);
  std::ranges::stable_sort(image.parts, {}, &Partition::at);
  for (const Partition& p : image.parts) {
    TRY_VOID(into.step());
    TRY_VOID(give(whole, p, into));
  }
  return {};
}

// A whole flash whose table stands in the partition that the table itself names.
std::vector<Partition> find_flash_table(Bytes flash) {
  constexpr std::string_view kStart = "\0\4\0\0partition "sv;
  const std::string_view text = flash.text();
  for (size_t at = 0; at < text.size(); at += 512) {
    if (!text.substr(at).starts_with(kStart)) continue;
    auto parts = read_lines(flash.head(0x2000, at + 4), "partition");
    const bool here = std::ranges::any_of(parts, [&](const Partition& p) {
      return p.at == at && (p.name == "partition-table" || p.name == "ptn-table");
    });
    const bool fits = std::ranges::all_of(
        parts, [&](const Partition& p) { return p.at <= flash.size() && p.size <= flash.size() - p.at; });
    if (!here || !fits) continue;
    std::ranges::stable_sort(parts, {}, &Partition::at);
    return parts;
  }
  return {};
}

Result<Measured> measure_flash(Bytes from) {
  if (from.size() < (1 << 20) || from.size() > (256 << 20) || from.size() % 4096)
    return fail(Fault::kForeign, "no size of a flash", from.base());
  if (find_flash_table(from).empty()) return fail(Fault::kForeign, "no partition table that fits", from.base());
  return Measured{from.size(), true};
}

Result<void> unpack_flash(Bytes whole, Sink& into) {
  uint64_t done = 0;
  for (const Partition& p : find_flash_table(whole)) {
    TRY_VOID(into.step());
    into.note("partition", p.name + " " + hex_number(p.at) + "+" + hex_number(p.size), p.line);
    const uint64_t end = p.at + p.size;
    if (p.at < done) continue;  // "firmware" spans others: the first name of a place stands for it
    TRY_VOID(between(whole, done, p.at, "gap-" + hex_number(done), into));
    const auto meta = meta_content(whole.head(p.size, p.at));
    if (p.name == "soft-version" && meta) note_version(*meta, into);
    TRY_VOID(between(whole, p.at, end, p.name, into));
    done = end;
  }
  return between(whole, done, whole.size(), "gap-" + hex_number(done), into);
}

}  // namespace

extern const Format kSafeLoader;
const Format kSafeLoader = {.id = "safeloader",
                            .title = "TP-Link SafeLoader firmware image",
                            .version = 1,
                            .magics = kMagics,
                            .measure = measure,
                            .unpack = unpack,
                            .reads = "partitions, versions, lists of supported devices, the layout of the flash; MD5",
                            .limits = "signed and encrypted headers of newer images (their table stands elsewhere)",
                            .source = "openwrt/firmware-utils src/tplink-safeloader.c",
                            .checked = "own builder only"};

extern const Format kSafeLoaderFlash;
const Format kSafeLoaderFlash = {.id = "safeloader-flash",
                                 .title = "Flash with a TP-Link SafeLoader partition table",
                                 .version = 2,
                                 .measure = measure_flash,
                                 .unpack = unpack_flash,
                                 .carve = false,
                                 .reads = "the table that stands where it says itself",
                                 .limits = "whole chips of 256 MiB at most, from their first byte",
                                 .source = "openwrt/firmware-utils src/tplink-safeloader.c",
                                 .checked = "own builder only"};

}  // namespace assay::unpack::safeloader
