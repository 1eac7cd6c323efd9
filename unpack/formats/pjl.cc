// Firmware of printers as a job in PJL: commands as text, the upgrades between them.
//
//   ESC "%-12345X" "@PJL …" lines
//   "@PJL UPGRADE SIZE=" number, end of line, optionally ESC "%-12345X" and an end of line, that many bytes
//   "--=</Begin HP Signed File Fingerprint\>=--" … : a signature in base 64
//
// Older upgrades begin with 100 bytes of their own: 03 00 A8 01, a name and a version.
// Source: HP, Printer Job Language Technical Reference Manual; fkie-cad/fact_extractor, plugins/unpacking/hp.
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <charconv>

namespace assay::unpack::pjl {
namespace {

constexpr std::string_view kStart = "\x1b%-12345X@PJL ", kUniversalExit = "\x1b%-12345X";
constexpr std::string_view kUpgrade = "@PJL UPGRADE SIZE=", kFingerprint = "--=</Begin HP Signed File Fingerprint";
constexpr std::string_view kNamed("\x03\0\xa8\x01", 4);
constexpr Magic kMagics[] = {{kStart}};
constexpr uint64_t kNameHeader = 100, kLongestLine = 64;

// The upgrade's bytes behind the command at `at`.
Result<Bytes> read_upgrade(Bytes whole, uint64_t at) {
  const uint64_t number = at + kUpgrade.size();
  const std::string_view line = whole.head(kLongestLine, number).text();
  const size_t newline = line.find('\n');
  uint64_t size = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), size);
  if (newline == line.npos || parsed.ec != std::errc{} || size == 0)
    return fail(Fault::kMalformed, "size of an upgrade", whole.base() + number);
  uint64_t data = number + newline + 1;
  if (whole.starts_with(kUniversalExit, data)) {
    data += kUniversalExit.size();
    if (whole.starts_with("\n", data)) ++data;
  }
  return whole.slice(data, size, "upgrade");
}

Result<Measured> measure(Bytes from) {
  const size_t first = from.text().find(kUpgrade);
  if (first == std::string_view::npos) return fail(Fault::kForeign, "a job without an upgrade", from.base());
  TRY(read_upgrade(from, first));
  return Measured{from.size(), false};
}

void note_commands(Bytes whole, uint64_t at, uint64_t end, Sink& into) {
  constexpr std::string_view kComment = "@PJL COMMENT ";
  const std::string_view text = whole.text().substr(0, end);
  for (size_t i = text.find(kComment, at); i != text.npos; i = text.find(kComment, i + 1)) {
    const std::string_view line = text.substr(i + kComment.size(), text.find('\n', i) - i - kComment.size());
    const size_t equals = line.find('=');
    if (equals != line.npos) into.note(line.substr(0, equals), std::string(trim(line.substr(equals + 1))), i);
  }
}

Result<void> unpack_upgrade(Bytes data, const std::string& name, Sink& into) {
  if (!data.starts_with(kNamed) || data.size() <= kNameHeader) return into.child(name, stored(data));
  into.range(Range::kHeader, data.base(), kNameHeader);
  into.note("upgrade", std::string(trim(data.head(kNameHeader - 4, 4).text())), data.base());
  return into.child(name, stored(TRY(data.from(kNameHeader, "upgrade"))));
}

Result<void> unpack(Bytes whole, Sink& into) {
  uint64_t at = 0;
  for (int count = 0;; ++count) {
    TRY_VOID(into.step());
    const size_t next = whole.text().find(kUpgrade, at);
    if (next == std::string_view::npos) break;
    const Bytes data = TRY(read_upgrade(whole, next));
    const uint64_t begin = data.base() - whole.base();
    note_commands(whole, at, next, into);
    into.range(Range::kHeader, at, begin - at);
    TRY_VOID(unpack_upgrade(data, "upgrade" + std::to_string(count), into));
    at = begin + data.size();
  }
  const size_t fingerprint = whole.text().find(kFingerprint, at);
  if (fingerprint == std::string_view::npos) return between(whole, at, whole.size(), "end of job", into);
  into.integrity(unchecked_signature("fingerprint", "rsa-sha256", fingerprint));
  TRY_VOID(between(whole, at, fingerprint, "end of job", into));
  return between(whole, fingerprint, whole.size(), "fingerprint", into);
}

}  // namespace

extern const Format kPjl;
const Format kPjl = {.id = "pjl",
                     .title = "Firmware upgrade as a print job (PJL)",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .carve = false,
                     .source = "PJL Technical Reference Manual; fact_extractor plugins/unpacking/hp",
                     .checked = "both samples of fact_extractor (HP); own builder in the tests"};

}  // namespace assay::unpack::pjl
