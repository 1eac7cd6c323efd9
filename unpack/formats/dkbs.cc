// D-Link's DKBS images, of which only the outside is documented.
//
//   0    board (32), with "_dkbs_" in it  40 version (32)  104 size, in the byte order in which it is below 2^24
//   112  boot device (32)  160 the image
//
// Source: ReFirmLabs/binwalk src/structures/dkbs.rs.
#include "core/text.h"
#include "unpack/vendor.h"

namespace assay::unpack::dkbs {
namespace {

constexpr uint64_t kDkbsHeader = 160;
constexpr Magic kDkbsMagics[] = {{"_dkbs_", 7}};

struct Dkbs {
  uint32_t size = 0;
};

Result<Dkbs> read_dkbs(Bytes from) {
  const Bytes h = TRY(from.slice(0, kDkbsHeader, "header"));
  for (const uint64_t at : {0, 40, 112}) {
    const std::string text = *h.text_field(at, 32, "");
    if (text.empty() || !looks_like_text(text)) return fail(Fault::kForeign, "a text of the header", h.base() + at);
  }
  Dkbs d{*h.be<uint32_t>(104, "")};
  if (d.size >> 24) d.size = *h.le<uint32_t>(104, "");
  if (d.size == 0) return fail(Fault::kMalformed, "size", h.base() + 104);
  TRY(from.slice(kDkbsHeader, d.size, "image"));
  return d;
}

Result<Measured> measure_dkbs(Bytes from) { return Measured{kDkbsHeader + TRY(read_dkbs(from)).size, false}; }

Result<void> unpack_dkbs(Bytes whole, Sink& into) {
  const Dkbs d = TRY(read_dkbs(whole));
  into.range(Range::kHeader, 0, kDkbsHeader);
  note_text(whole, 0, 32, "board", into);
  note_text(whole, 40, 32, "version", into);
  note_text(whole, 112, 32, "boot device", into);
  return into.child("image", stored(whole.head(d.size, kDkbsHeader)));
}

}  // namespace

extern const Format kDkbs;
const Format kDkbs = {.id = "dkbs",
                      .title = "D-Link DKBS image",
                      .version = 1,
                      .magics = kDkbsMagics,
                      .measure = measure_dkbs,
                      .unpack = unpack_dkbs,
                      .reads = "both byte orders",
                      .limits = "nothing in the format confirms it",
                      .source = "ReFirmLabs/binwalk src/structures/dkbs.rs",
                      .checked = "own builder only"};

}  // namespace assay::unpack::dkbs
