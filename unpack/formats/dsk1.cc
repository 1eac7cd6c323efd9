// DSK1.0, a container of Xerox's printers: base 64 behind a small header.
//
//   0   ESC "DSK1.0" 00 00 00 01 00
//   12  size of the base 64 text, little endian, 8 unused
//   24  base 64
//   In front may stand 12 bytes: ESC "*FlashW" and a number.
//
// Source: fkie-cad/fact_extractor, plugins/unpacking/xerox/internal/dsk_container.py.
#include "unpack/vendor.h"

namespace assay::unpack::dsk1 {
namespace {

constexpr std::string_view kWord(
    "\x1b"
    "DSK1.0\0\0\0",
    10);
constexpr std::string_view kPrefix = "\x1b*FlashW";
constexpr Magic kMagics[] = {{kWord}, {kPrefix}};
constexpr uint64_t kPrefixSize = 12, kHeader = 24;

Result<Bytes> read_text(Bytes from) {
  const uint64_t start = from.starts_with(kPrefix) ? kPrefixSize : 0;
  if (!from.starts_with(kWord, start)) return fail(Fault::kMalformed, "no DSK1.0", from.base() + start);
  const uint64_t size = TRY(from.le<uint32_t>(start + 12, "size"));
  if (size == 0) return fail(Fault::kMalformed, "size", from.base() + start + 12);
  return from.slice(start + kHeader, size, "base 64");
}

Result<Measured> measure(Bytes from) {
  const Bytes text = TRY(read_text(from));
  return Measured{text.base() - from.base() + text.size(), false};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Bytes text = TRY(read_text(whole));
  into.range(Range::kHeader, 0, text.base() - whole.base());
  const auto plain = base64_decoded(text.text());
  if (!plain) return fail(Fault::kMalformed, "not base 64", text.base());
  TRY_VOID(into.output().write(Bytes(*plain).span()));
  return into.child("data", {{text}, "base64"});
}

}  // namespace

extern const Format kDsk1;
const Format kDsk1 = {.id = "dsk1",
                      .title = "DSK1.0 container (Xerox)",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .source = "fact_extractor plugins/unpacking/xerox/internal/dsk_container.py",
                      .checked = "both samples of fact_extractor, with and without prefix"};

}  // namespace assay::unpack::dsk1
