// D-Link images for which only the outside is documented.
//
//   DLKE  two JBOOT update headers: one over the signature, one over the encrypted image (formats/jboot.cc)
//   DKBS  0 board (32)  40 version (32)  104 size, in the byte order in which it is below 2^24  112 boot device (32)
//         160 the image
//
// Source: ReFirmLabs/binwalk src/signatures/dlke.rs, src/structures/jboot.rs, src/structures/dkbs.rs.
#include "core/text.h"
#include "unpack/vendor.h"

namespace assay::unpack {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint64_t kJbootHeader = 80, kDkbsHeader = 160;
constexpr Magic kDlkeMagics[] = {{"DLK6E8202001"}, {"DLK6E6110002"}};
constexpr Magic kDkbsMagics[] = {{"_dkbs_"sv, 7}};

// The header at `at` is JBOOT's, and its data lies behind it.
Result<Bytes> data_of(Bytes b, uint64_t at) {
  const Bytes h = TRY(b.slice(at, kJbootHeader, "update header"));
  if (!h.starts_with("\x42\x48\x02\x00"sv, 64)) return fail(Fault::kMalformed, "no update header", h.base());
  return b.slice(at + kJbootHeader, *h.le<uint32_t>(44, ""), "data");
}

struct Dlke {
  Bytes signature, image;
  uint64_t second = 0, end = 0;
};

Result<Dlke> read_dlke(Bytes from) {
  Dlke d;
  d.signature = TRY(data_of(from, 0));
  d.second = kJbootHeader + d.signature.size();
  d.image = TRY(data_of(from, d.second));
  d.end = d.second + kJbootHeader + d.image.size();
  return d;
}

Result<Measured> measure_dlke(Bytes from) { return Measured{TRY(read_dlke(from)).end, true}; }

Result<void> unpack_dlke(Bytes whole, Sink& into) {
  const Dlke d = TRY(read_dlke(whole));
  note_text(whole, 0, 12, "device", into);
  into.range(Range::kHeader, 0, d.second + kJbootHeader);
  into.integrity(unchecked_signature("signature", "unknown", kJbootHeader));
  leave_encrypted(d.image, "encrypted; no key is public", into);
  return {};
}

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

extern const Format kDlke;
const Format kDlke = {.id = "dlke",
                      .title = "Encrypted D-Link image (DLK6E)",
                      .version = 1,
                      .magics = kDlkeMagics,
                      .measure = measure_dlke,
                      .unpack = unpack_dlke,
                      .reads = "its two headers",
                      .limits = "the image is encrypted and no key is public",
                      .source = "ReFirmLabs/binwalk src/signatures/dlke.rs, src/structures/jboot.rs",
                      .checked = "own builder only"};

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

}  // namespace assay::unpack
