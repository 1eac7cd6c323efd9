// Firmware behind a shell script, as Alpha Networks builds it for its customers.
//
//   "#!/bin/sh", VENDOR=, HWBOARD=, HWVERSION=, …
//   "=== ddPack Boundary ===", "begin-base64 …", base 64, "===="
//   "=== Firmware Boundary ===", the firmware; all its bits inverted where it starts with "REDSONIC" inverted
//
// Source: fkie-cad/fact_extractor, plugins/unpacking/alphanetworks.
#include "core/text.h"
#include "unpack/vendor.h"

namespace assay::unpack::alphascript {
namespace {

constexpr Magic kMagics[] = {{"#!/bin/sh\nVENDOR="}};
constexpr std::string_view kPack = "=== ddPack Boundary ===\n", kFirmware = "=== Firmware Boundary ===\n";
constexpr std::string_view kInverted = "\xad\xba\xbb\xac\xb0\xb1\xb6\xbc";  // "REDSONIC"

Result<uint64_t> find_firmware(Bytes from) {
  const size_t at = from.text().find(kFirmware);
  if (at == std::string_view::npos) return fail(Fault::kForeign, "a script without firmware", from.base());
  if (at + kFirmware.size() == from.size()) return fail(Fault::kTruncated, "firmware", from.base() + from.size());
  return at + kFirmware.size();
}

Result<Measured> measure(Bytes from) {
  TRY(find_firmware(from));
  return Measured{from.size(), false};
}

Result<void> unpack_pack(Bytes pack, Sink& into) {
  const std::string_view text = pack.text();
  const size_t begin = text.starts_with("begin-base64 ") ? text.find('\n') : text.npos;
  const size_t end = text.find("\n====", begin);
  if (begin == text.npos || end == text.npos || end <= begin)
    return fail(Fault::kMalformed, "the pack is not base 64", pack.base());
  const auto plain = base64_decoded(text.substr(begin, end - begin));
  if (!plain) return fail(Fault::kMalformed, "the pack is not base 64", pack.base());
  into.range(Range::kHeader, pack.base(), begin + 1);
  into.range(Range::kHeader, pack.base() + end, text.size() - end);
  TRY_VOID(into.output().write(Bytes(*plain).span()));
  return into.child("ddpack", {{pack.head(end - begin - 1, begin + 1)}, "base64"});
}

void note_settings(std::string_view script, Sink& into) {
  for (const std::string_view name : {"VENDOR", "HWBOARD", "HWVERSION"}) {
    const size_t at = script.find("\n" + std::string(name) + "=\"");
    if (at == script.npos) continue;
    const std::string_view value = script.substr(at + name.size() + 3);
    into.note(name, std::string(value.substr(0, value.find('"'))), at + 1);
  }
}

Result<void> unpack(Bytes whole, Sink& into) {
  const uint64_t firmware = TRY(find_firmware(whole));
  const uint64_t boundary = firmware - kFirmware.size();
  const size_t pack = whole.text().substr(0, boundary).find(kPack);
  const uint64_t script = pack == std::string_view::npos ? boundary : pack;
  note_settings(whole.text().substr(0, script), into);
  TRY_VOID(into.child("script", stored(whole.head(script))));
  if (script != boundary) {
    const uint64_t begin = script + kPack.size();
    into.range(Range::kHeader, script, kPack.size());
    if (auto done = unpack_pack(whole.head(boundary - begin, begin), into); !done) into.problem(done.error());
  }
  into.range(Range::kHeader, boundary, kFirmware.size());
  const Bytes rest = TRY(whole.from(firmware, "firmware"));
  if (!rest.starts_with(kInverted)) return into.child("firmware", stored(rest));
  TRY_VOID(into.output().write(Bytes(xor_with(rest, "\xff")).span()));
  return into.child("firmware", {{rest}, "inverted"});
}

}  // namespace

extern const Format kAlphaScript;
const Format kAlphaScript = {.id = "alphascript",
                             .title = "Firmware behind a shell script (Alpha Networks)",
                             .magics = kMagics,
                             .measure = measure,
                             .unpack = unpack,
                             .carve = false,
                             .source = "fact_extractor plugins/unpacking/alphanetworks",
                             .checked = "both samples of fact_extractor, plain and inverted"};

}  // namespace assay::unpack::alphascript
