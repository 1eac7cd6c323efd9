// ZIP archives with other magics, as two makers of cameras publish them.
//
//   Dahua: the first two bytes are "DH" in place of "PK"
//   Instar HD: 50 4B 03 07, 01 08 and 05 09 in place of 50 4B 03 04, 01 02 and 05 06
//
// The plain archive becomes a child, decoded as "zip-magic". Source: fkie-cad/fact_extractor, dahua.py;
// onekey-sec/unblob, handlers/archive/instar/instar_hd.py.
#include "unpack/vendor.h"
#include "unpack/zip.h"

namespace assay::unpack::disguisedzip {
namespace {

constexpr Magic kMagics[] = {{"DH\3\4"}, {"PK\3\7"}};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) text.replace(at, 4, to);
}

std::string plain_zip(Bytes from) {
  std::string text(from.text());
  if (from.starts_with("DH")) return text.replace(0, 2, "PK");
  replace_all(text, "PK\3\7", "PK\3\4");
  replace_all(text, "PK\1\x08", "PK\1\2");
  replace_all(text, "PK\5\x09", "PK\5\6");
  return text;
}

Result<Measured> measure(Bytes from) {
  const std::string plain = plain_zip(from);
  const auto zip = find_format("zip")->measure(Bytes(plain));
  if (!zip) return std::unexpected(zip.error());
  return *zip;
}

Result<void> unpack(Bytes whole, Sink& into) {
  into.note("disguise",
            whole.starts_with("DH") ? "DH in place of PK" : "03 07, 01 08, 05 09 in place of 03 04, 01 02, 05 06", 0);
  TRY_VOID(into.output().write(Bytes(plain_zip(whole)).span()));
  return into.child("zip", {{whole}, "zip-magic"});
}

}  // namespace

extern const Format kDisguisedZip;
const Format kDisguisedZip = {
    .id = "disguisedzip",
    .title = "ZIP archive with other magics (Dahua, Instar HD)",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .carve = false,
    .source = "fact_extractor dahua.py; unblob handlers/archive/instar/instar_hd.py",
    .checked = "the sample of fact_extractor (Dahua); archives of Info-ZIP, renamed (Instar)"};

}  // namespace assay::unpack::disguisedzip
