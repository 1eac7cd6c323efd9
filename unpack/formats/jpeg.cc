// JPEG: markers (0xff and a code), most with a 16-bit big-endian length that counts itself; after a scan header (SOS)
// entropy-coded bytes, where 0xff is followed by 0 or a restart marker, up to the next marker; EOI ends the file.
// Source: ITU-T T.81, annex B.
#include "unpack/format.h"

namespace assay::unpack::jpeg {
namespace {

constexpr Magic kMagics[] = {{std::string_view("\xff\xd8\xff\xe0", 4)},
                             {std::string_view("\xff\xd8\xff\xe1", 4)},
                             {std::string_view("\xff\xd8\xff\xdb", 4)},
                             {std::string_view("\xff\xd8\xff\xee", 4)}};
constexpr uint8_t kEnd = 0xd9, kScan = 0xda, kFirstRestart = 0xd0, kLastRestart = 0xd7;

// The marker that ends the entropy-coded bytes from `at` on.
Result<uint64_t> skip_scan(Bytes b, uint64_t at) {
  for (;; ++at) {
    const std::string_view rest = TRY(b.from(at, "scan")).text();
    const size_t mark = rest.find('\xff');
    if (mark == rest.npos) return fail(Fault::kTruncated, "scan does not end", b.base() + at);
    at += mark;
    const auto code = TRY(b.le<uint8_t>(at + 1, "marker"));
    if (code != 0 && code != 0xff && !(code >= kFirstRestart && code <= kLastRestart)) return at;
  }
}

bool stands_alone(uint8_t code) { return code == 0x01 || (code >= kFirstRestart && code <= kLastRestart); }

Result<Measured> measure(Bytes from) {
  bool frame = false, scan = false;
  for (uint64_t at = 2;;) {
    if (TRY(from.le<uint8_t>(at, "marker")) != 0xff) return fail(Fault::kMalformed, "no marker", from.base() + at);
    const auto code = TRY(from.le<uint8_t>(at + 1, "marker"));
    if (code == kEnd && frame && scan) return Measured{at + 2, true};
    if (code == 0 || code == kEnd || code == 0xd8 || (code > 0x01 && code < 0xc0))
      return fail(Fault::kMalformed, "marker " + std::to_string(code), from.base() + at);
    if (code == 0xff || stands_alone(code)) {
      at += code == 0xff ? 1 : 2;
      continue;
    }
    const auto length = TRY(from.be<uint16_t>(at + 2, "segment length"));
    if (length < 2) return fail(Fault::kMalformed, "segment length", from.base() + at + 2);
    frame |= code >= 0xc0 && code <= 0xc2;
    at += 2 + length;
    if (code != kScan) continue;
    scan = true;
    at = TRY(skip_scan(from, at));
  }
}

}  // namespace

extern const Format kJpeg;
const Format kJpeg = {.id = "jpeg",
                      .title = "JPEG picture",
                      .magics = kMagics,
                      .measure = measure,
                      .source = "ITU-T T.81, annex B",
                      .checked = "own builder only"};

}  // namespace assay::unpack::jpeg
