// Xerox's loadable modules: a header of text lines, then the data up to the end (a tar.gz as a rule).
//
//   "%%XRXbegin" … "%%OID_ATT_DLM_NAME "…"" … "%%XRXend", end of line, data
//
// Source: fkie-cad/fact_extractor, plugins/unpacking/xerox/code/dlm.py.
#include "unpack/vendor.h"

namespace assay::unpack::xeroxdlm {
namespace {

constexpr Magic kMagics[] = {{"%%XRXbegin\n"}};
constexpr std::string_view kEnd = "%%XRXend\n";
constexpr uint64_t kLongestHeader = 4096;

Result<uint64_t> read_header(Bytes from) {
  const size_t end = from.head(kLongestHeader).text().find(kEnd);
  if (end == std::string_view::npos) return fail(Fault::kTruncated, "the header does not end", from.base());
  return end + kEnd.size();
}

Result<Measured> measure(Bytes from) {
  const uint64_t header = TRY(read_header(from));
  if (header == from.size()) return fail(Fault::kTruncated, "no data", from.base() + header);
  return Measured{from.size(), false};
}

void note_field(std::string_view header, std::string_view name, Sink& into) {
  const std::string key = "%%OID_ATT_DLM_" + std::string(name) + " \"";
  const size_t at = header.find(key);
  if (at == header.npos) return;
  const std::string_view value = header.substr(at + key.size());
  into.note(name, std::string(value.substr(0, value.find('"'))), at);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const uint64_t header = TRY(read_header(whole));
  into.range(Range::kHeader, 0, header);
  const std::string_view text = whole.text().substr(0, header);
  for (const std::string_view name : {"NAME", "VERSION", "EXTRACTION_CRITERIA"}) note_field(text, name, into);
  if (const size_t at = text.find("%%OID_ATT_DLM_SIGNATURE"); at != text.npos)
    into.integrity(unchecked_signature("signature of the module", "unknown", at));
  return into.child("data", stored(TRY(whole.from(header, "data"))));
}

}  // namespace

extern const Format kXeroxDlm;
const Format kXeroxDlm = {.id = "xeroxdlm",
                          .title = "Xerox loadable module (DLM)",
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .carve = false,
                          .source = "fact_extractor plugins/unpacking/xerox/code/dlm.py",
                          .checked = "the sample of fact_extractor"};

}  // namespace assay::unpack::xeroxdlm
