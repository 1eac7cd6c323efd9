// RPM packages.
//
//   0   lead (96): ed ab ee db, version 3 or 4 (1) and minor (1), type (2), architecture (2), name (66), system (2), 5
//   (2) 96  signature header, padded to a multiple of 8; then the main header; then the payload (a compressed cpio)
//
// A header: 8e ad e8 01, reserved (4), then as core/rpm_header.h has it.
// Signature header: 1000 (or 270, 64 bit) size of main header and payload, 269 SHA-1 and 273 SHA-256 of the main
// header, 1004 MD5 of main header and payload, 267/268/1002/1005 OpenPGP signatures. Source: rpm's
// docs/manual/format.md and lib/rpmtag.h.
#include "core/rpm_header.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::rpm {
namespace {

constexpr std::string_view kLead("\xed\xab\xee\xdb", 4), kHeaderStart("\x8e\xad\xe8\x01", 4);
constexpr Magic kMagics[] = {{kLead}};
constexpr uint64_t kLeadSize = 96, kMagicSize = 8;  // of the lead; of a header, with its reserved bytes

struct Header {
  Bytes all;  // from its magic to the end of its store
  RpmHeader tags;
};

Result<Header> read_header(Bytes b, uint64_t at) {
  if (!b.starts_with(kHeaderStart, at)) return fail(Fault::kMalformed, "header magic", b.base() + at);
  const RpmHeader tags = TRY(RpmHeader::read(b.head(b.size(), at + kMagicSize)));
  return Header{b.head(kMagicSize + tags.bytes().size(), at), tags};
}

struct Package {
  Header signature, main;
  uint64_t payload = 0, end = 0;
  bool has_size = false;
};

Result<Package> read_package(Bytes b) {
  Package p;
  if (!b.starts_with(kLead)) return fail(Fault::kMalformed, "magic does not match", b.base());
  const auto version = TRY(b.le<uint8_t>(4, "version"));
  if (version != 3 && version != 4) return fail(Fault::kUnsupported, "version", b.base() + 4);
  p.signature = TRY(read_header(b, kLeadSize));
  const uint64_t main = (kLeadSize + p.signature.all.size() + 7) / 8 * 8;
  p.main = TRY(read_header(b, main));
  p.payload = main + p.main.all.size();
  auto size = p.signature.tags.number(1000);
  if (!size) size = p.signature.tags.number(270);
  p.has_size = size.has_value();
  p.end = b.size();
  if (!size) return p;
  if (*size < p.main.all.size()) return fail(Fault::kMalformed, "size", b.base() + kLeadSize);
  TRY(b.slice(main, *size, "header and payload"));
  p.end = main + *size;
  return p;
}

Bytes signed_part(Bytes b, const Package& p) {
  return b.head(p.end - p.payload + p.main.all.size(), p.main.all.base() - b.base());
}

// What the signature header says of the main header and payload, as facts. True if one of the digests holds.
bool state_digests(Bytes b, const Package& p, Sink* into) {
  bool one_holds = false;
  const auto state = [&](std::string_view name, std::string_view algorithm, const std::string& stored,
                         const std::string& computed) {
    if (stored.empty()) return;
    const bool holds = checksum_holds(computed, stored);
    one_holds |= holds;
    if (into) state_checksum(name, algorithm, holds, kLeadSize, *into);
  };
  state("sha1 of the header", "sha1", p.signature.tags.text(269), hex(sha1(p.main.all)));
  state("sha256 of the header", "sha256", p.signature.tags.text(273), sha256(p.main.all).hex());
  if (into)
    state("sha256 of the payload", "sha256", p.main.tags.text(5092),
          sha256(b.head(p.end - p.payload, p.payload)).hex());
  const auto stored = p.signature.tags.find(1004);
  if (!stored || stored->type != 7 || stored->count != 16 || (!into && one_holds)) return one_holds;
  const Bytes digest = p.signature.tags.bytes().head(16, stored->at);
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), digest.data(), digest.size());
  state("md5 of header and payload", "md5", hex(bytes), hex(md5(signed_part(b, p))));
  return one_holds;
}

Result<Measured> measure(Bytes from) {
  const Package p = TRY(read_package(from));
  return Measured{p.end, state_digests(from, p, nullptr)};
}

void state_signatures(const Package& p, Sink& into) {
  constexpr std::pair<uint32_t, std::string_view> kTags[] = {{267, "openpgp signature of the header (DSA)"},
                                                             {268, "openpgp signature of the header (RSA)"},
                                                             {1002, "openpgp signature of header and payload (RSA)"},
                                                             {1005, "openpgp signature of header and payload (DSA)"}};
  for (const auto& [tag, name] : kTags)
    if (p.signature.tags.find(tag)) into.integrity(unchecked_signature(name, "openpgp", kLeadSize));
}

void note_tags(const Package& p, Sink& into) {
  constexpr std::pair<uint32_t, std::string_view> kTexts[] = {
      {1000, "name"},           {1001, "version"},           {1002, "release"},
      {1004, "summary"},        {1007, "build host"},        {1011, "vendor"},
      {1014, "license"},        {1015, "packager"},          {1020, "url"},
      {1021, "system"},         {1022, "architecture"},      {1044, "source package"},
      {1124, "payload format"}, {1125, "payload compressor"}};
  const uint64_t at = p.main.all.base();
  for (const auto& [tag, name] : kTexts)
    if (std::string text = p.main.tags.text(tag); !text.empty()) into.note(name, std::move(text), at);
  if (const auto epoch = p.main.tags.number(1003)) into.note("epoch", std::to_string(*epoch), at);
  if (const auto time = p.main.tags.number(1006)) into.note("built", utc_time(*time), at);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Package p = TRY(read_package(whole));
  into.range(Range::kHeader, 0, p.payload);
  note_tags(p, into);
  state_digests(whole, p, &into);
  state_signatures(p, into);
  if (!p.has_size) into.problem({Fault::kMalformed, "the signature header states no size; read to the end", kLeadSize});
  return into.child("payload", stored(whole.head(p.end - p.payload, p.payload)));
}

}  // namespace

extern const Format kRpm;
const Format kRpm = {.id = "rpm",
                     .title = "RPM package",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "versions 3 and 4; the payload is a part of its own; SHA-1, SHA-256 and MD5 compared",
                     .limits = "OpenPGP signatures are named, not checked; file lists of packages without a cpio",
                     .source = "rpm docs/manual/format.md, lib/rpmtag.h",
                     .checked = "foreign tool: rpmbuild"};

}  // namespace assay::unpack::rpm
