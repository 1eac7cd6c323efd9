// The header of Realtek's boot loader (RTL8196, 8197, 8198, 8881) in front of boot code, web pages, kernel and root
// file system. An image is one or several, one after another; bytes that fill up to a flash block may stand between
// them.
//
//   0   signature, four letters: what it is and, for some makers, whose (cs6c kernel, cr6c kernel with a root file
//       system behind it, csro, r6cr root file system, w6cg and w6cv web pages, boot boot loader, kern, syfs, ALL1,
//       ALL2)
//   4   address it is loaded to, 8: place in flash, 12: length of the data
//   16  the data; its last two bytes are chosen so that all its 16-bit words add up to 0
//
// Numbers are big endian. Source: rtl819x SDK, cvimg.c and bootcode/boot/init/rtk.h.
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::realtek {
namespace {

constexpr Magic kMagics[] = {{"cs6c"}, {"cr6c"}, {"csro"}, {"r6cr"}, {"w6cg"}, {"w6cv"},
                             {"w6cp"}, {"cs6b"}, {"cr6b"}, {"csys"}, {"ALL1"}, {"ALL2"}};
constexpr std::string_view kFollowing[] = {"boot", "kern", "syfs"};  // too common a word to be sought for
constexpr uint64_t kHeader = 16;
constexpr size_t kMostParts = 64;

struct Part {
  uint64_t at = 0, size = 0;
  uint32_t load = 0, flash = 0;
  uint64_t end() const { return at + kHeader + size; }
};

uint16_t word_sum(Bytes bytes) {
  uint32_t sum = 0;
  for (uint64_t i = 0; i + 1 < bytes.size(); i += 2) sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  return static_cast<uint16_t>(sum);
}

bool is_signature(Bytes from, uint64_t at) {
  const auto stands = [&](std::string_view word) { return from.starts_with(word, at); };
  return std::ranges::any_of(kMagics, [&](const Magic& m) { return stands(m.bytes); }) ||
         std::ranges::any_of(kFollowing, stands);
}

Result<Part> read_part(Bytes from, uint64_t at) {
  if (!is_signature(from, at)) return fail(Fault::kMalformed, "signature", from.base() + at);
  Part p{.at = at};
  p.load = TRY(from.be<uint32_t>(at + 4, "load address"));
  p.flash = TRY(from.be<uint32_t>(at + 8, "place in flash"));
  p.size = TRY(from.be<uint32_t>(at + 12, "length"));
  const Bytes data = TRY(from.slice(at + kHeader, p.size, "data"));
  if (p.size < 4 || p.size % 2 || !checksum_holds(word_sum(data), uint16_t{0}))
    return fail(Fault::kMalformed, "the words of the data do not add up to 0", from.base() + at);
  return p;
}

// Behind a run of one byte value, or at once.
uint64_t next_at(Bytes from, uint64_t at) {
  uint64_t end = at;
  while (end < from.size() && (from[end] == 0 || from[end] == 0xff) && from[end] == from[at]) ++end;
  return end;
}

Result<std::vector<Part>> read_parts(Bytes from) {
  std::vector<Part> parts{TRY(read_part(from, 0))};
  while (parts.size() < kMostParts) {
    auto next = read_part(from, next_at(from, parts.back().end()));
    if (!next) break;
    parts.push_back(*std::move(next));
  }
  return parts;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_parts(from)).back().end(), true}; }

Result<void> put(Bytes whole, const Part& p, Sink& into) {
  TRY_VOID(into.step());
  const std::string name(whole.head(4, p.at).text());
  into.range(Range::kHeader, p.at, kHeader);
  into.note("load address of " + name, hex_number(p.load), p.at + 4);
  into.note("flash place of " + name, hex_number(p.flash), p.at + 8);
  into.integrity(checksum("sum of " + name, "sum16", true, p.end() - 2));
  return into.child(name, stored(whole.head(p.size, p.at + kHeader)));
}

Result<void> unpack(Bytes whole, Sink& into) {
  uint64_t at = 0;
  for (const Part& p : TRY(read_parts(whole))) {
    if (p.at > at) into.range(Range::kPadding, at, p.at - at);
    TRY_VOID(put(whole, p, into));
    at = p.end();
  }
  return {};
}

}  // namespace

extern const Format kRealtek;
const Format kRealtek = {.id = "realtek",
                         .title = "Realtek boot loader image (cs6c, cr6c, …)",
                         .magics = kMagics,
                         .measure = measure,
                         .unpack = unpack,
                         .limits = "makers' own signatures that are not in the list",
                         .source = "rtl819x SDK cvimg.c, bootcode/boot/init/rtk.h",
                         .checked = "own builder in the tests only"};

}  // namespace assay::unpack::realtek
