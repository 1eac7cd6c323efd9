// SeaBIOS as it stands in a PC's ROM: the image ends where the first megabyte ends, and begins with its relocations.
//
//   zeros; numbers of 32 bits, little endian, ascending: places of absolute addresses in the code that only runs at
//   the start, from that code's first byte on; ascending again: places of distances in that code, then a few places of
//   distances to it, from the image's first byte on; then variables; then, at a multiple of 16, that code
//   at the PC's fixed addresses, F000h:
//   e6f5 configuration table: 8 bytes, model fch   ff53 iret   fff0 jmp f000:e05b   fff5 date   fffe model fch
//
// Every place must hold what it is said to hold; there is one start of the code for which all do. That pins the image
// from its first number to its reset vector. The version is the text that the code pushes in
// front of the banner that prints it.
// Source: SeaBIOS scripts/layoutrom.py, src/post.c, src/romlayout.S; IBM PC/AT Technical Reference (fixed addresses).
#include "core/text.h"
#include "unpack/describe.h"

#include <algorithm>
#include <optional>
#include <string>

namespace assay::unpack::seabios {
namespace {

using namespace std::string_view_literals;

constexpr Magic kMagics[] = {{"\xea\x5b\xe0\x00\xf0"sv, ~uint64_t{0} - 15}};  // 16 bytes before the end
constexpr uint64_t kSegment = 64 << 10, kMegabyte = 1 << 20, kAlign = 16;
constexpr uint64_t kLeastPlaces = 256, kMostToCode = 8;  // the latter: distances to the code, counted with those in it
// Places compared over all starts of the code, for each byte of the image: hostile ones fit everywhere up to their
// last.
constexpr uint64_t kMostCompared = 4;

uint64_t word(Bytes b, uint64_t at) { return b.le<uint32_t>(at, "word").value_or(0); }

struct Places {
  uint64_t at = 0, end = 0;
};

struct Bios {
  uint64_t start = 0, code = 0;
  Places absolute, relative;
  uint64_t to_code = 0;  // of the relative ones, at their end
  uint64_t base(Bytes b) const { return kMegabyte - b.size(); }
};

bool has_fixed_fields(Bytes b) {
  const Bytes segment = b.head(kSegment, b.size() - kSegment);
  const std::string_view date = segment.head(8, 0xfff5).text();
  return date[2] == '/' && date[5] == '/' && segment[0xfffe] == 0xfc && segment[0xff53] == 0xcf &&
         segment.starts_with("\x08\0\xfc"sv, 0xe6f5);
}

Places ascending(Bytes b, uint64_t at) {
  Places p{at, at + 4};
  while (word(b, p.end) > word(b, p.end - 4) && word(b, p.end) < b.size()) p.end += 4;
  return p;
}

bool absolute_fit(Bytes b, const Bios& bios, uint64_t code, uint64_t& left) {
  for (uint64_t at = bios.absolute.at; at < bios.absolute.end && left; at += 4, --left) {
    const uint64_t place = code + word(b, at);
    if (place + 4 > b.size() || word(b, place) - bios.base(b) >= b.size()) return false;
  }
  return left > 0;
}

// How many of the places, from the first on, hold a distance that leads to a byte of the image.
uint64_t relative_that_fit(Bytes b, const Bios& bios, uint64_t code) {
  uint64_t fit = 0;
  for (uint64_t at = bios.relative.at; at < bios.relative.end; at += 4, ++fit) {
    const uint64_t place = code + word(b, at);
    if (place + 4 > b.size() || ((place + 4 + word(b, place)) & 0xffffffff) >= b.size()) break;
  }
  return fit;
}

Result<Bios> read_bios(Bytes b) {
  if (b.size() < kSegment || b.size() > kMegabyte || b.size() % kSegment || !has_fixed_fields(b))
    return fail(Fault::kForeign, "size or fixed fields", b.base());
  Bios bios;
  while (bios.start < b.size() - kSegment / 2 && b[bios.start] == 0) ++bios.start;
  bios.start = bios.start / 4 * 4;
  bios.absolute = ascending(b, bios.start);
  bios.relative = ascending(b, bios.absolute.end);
  const uint64_t absolute = (bios.absolute.end - bios.absolute.at) / 4;
  const uint64_t relative = (bios.relative.end - bios.relative.at) / 4;
  if (absolute < kLeastPlaces || relative < kLeastPlaces)
    return fail(Fault::kForeign, "no relocations at the start", b.base() + bios.start);
  uint64_t left = kMostCompared * b.size();
  for (uint64_t code = (bios.relative.end + kAlign - 1) / kAlign * kAlign; code < b.size(); code += kAlign) {
    if (!absolute_fit(b, bios, code, left)) continue;
    const uint64_t fit = relative_that_fit(b, bios, code);
    if (fit + kMostToCode < relative || bios.code) return fail(Fault::kForeign, "relocations", b.base() + bios.start);
    bios.code = code;
    bios.to_code = relative - fit;
  }
  if (left == 0) return fail(Fault::kForeign, "relocations fit nearly everywhere", b.base() + bios.start);
  if (!bios.code) return fail(Fault::kForeign, "no code that the relocations fit", b.base() + bios.start);
  return bios;
}

Result<Measured> measure(Bytes from) {
  TRY(read_bios(from));
  return Measured{from.size(), true};
}

// The code pushes the version and then the banner that prints it: 68 and an address, twice.
std::optional<uint64_t> version_at(Bytes b, const Bios& bios) {
  const std::string_view text = b.text();
  const size_t banner = text.find("SeaBIOS (version %s)");
  if (banner == text.npos) return std::nullopt;
  std::string push = "\x68";
  for (int i = 0; i < 4; ++i) push.push_back(static_cast<char>((bios.base(b) + banner) >> (8 * i)));
  for (size_t at = text.find(push); at != text.npos; at = text.find(push, at + 1))
    if (at >= 5 && b[at - 5] == 0x68 && word(b, at - 4) - bios.base(b) < b.size())
      return word(b, at - 4) - bios.base(b);
  return std::nullopt;
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Bios bios = TRY(read_bios(whole));
  TRY_VOID(into.step((bios.relative.end - bios.start) / 4));
  into.range(Range::kPadding, 0, bios.start);
  into.range(Range::kHeader, bios.start, bios.relative.end - bios.start);
  into.range(Range::kContent, bios.relative.end, whole.size() - bios.relative.end);
  if (const auto at = version_at(whole, bios)) {
    const std::string_view text = whole.head(64, *at).text();
    const std::string_view version = text.substr(0, text.find('\0'));
    if (looks_like_text(version)) into.note("version", std::string(version), *at);
  }
  into.note("relocations", std::to_string((bios.relative.end - bios.start) / 4), bios.start);
  into.note("start-up code", hex_number(bios.code), bios.code);
  into.note("date", std::string(whole.head(8, whole.size() - 11).text()), whole.size() - 11);
  return {};
}

}  // namespace

extern const Format kSeaBios;
const Format kSeaBios = {
    .id = "seabios",
    .title = "SeaBIOS, the ROM of a PC",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .readable = true,
    .carve = false,
    .reads = "ROMs of up to 1 MiB whose start-up code relocates itself: each relocation is held against its place",
    .limits =
        "builds without relocation; only as a content of its own; what lies between the relocations and the reset "
        "vector is pinned by them, not taken apart further",
    .source = "SeaBIOS scripts/layoutrom.py, src/post.c, src/romlayout.S; IBM PC/AT Technical Reference",
    .checked = "real image: SeaBIOS 1.16 of Debian, three builds"};

}  // namespace assay::unpack::seabios
