// Matter's update image (CSA, Matter Core Specification 11.20): a header in TLV, then what the device is given.
// Little-endian.
//
//   0 0x1beef11e  4 bytes in all (64 bits)  12 bytes of the header (32 bits)  16 a structure of context tags:
//     0 vendor  1 product  2 version  3 its name  4 bytes of the payload  5, 6 versions it may follow  7 release notes
//     8 kind of digest (IANA's named information hashes)  9 digest of the payload
//   TLV: 8 bits: 3 kind of tag (0 none, 1 context: one more byte)  5 type: 0 to 3 signed, 4 to 7 unsigned of 1, 2, 4, 8
//     bytes; 12 to 15 text, 16 to 19 bytes with a length of as many; 0x15 structure, 0x18 its end
//
// Source: Matter Core Specification 1.2, 11.20.2 and appendix A.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/format.h"

namespace assay::unpack::matter_ota {
namespace {

constexpr Magic kMagics[] = {{"\x1e\xf1\xee\x1b"}};
constexpr uint64_t kFixed = 16, kMostHead = 64 << 10;
constexpr uint64_t kSha256 = 1;
enum : uint64_t {
  kVendor,
  kProduct,
  kVersion,
  kVersionName,
  kPayload,
  kMinimum,
  kMaximum,
  kNotes,
  kDigestKind,
  kDigest
};
constexpr const char* kNames[] = {"vendor id",
                                  "product id",
                                  "software version",
                                  "software version string",
                                  "payload size",
                                  "follows version, at least",
                                  "follows version, at most",
                                  "release notes"};

struct Element {
  uint8_t type = 0;
  uint64_t tag = ~uint64_t{0}, number = 0;
  Bytes bytes;  // of text and bytes
};

// The next one; what is left of `b` follows it.
Result<Element> next(Bytes& b) {
  const auto bad = [&](const std::string& what) { return fail(Fault::kMalformed, what, b.base()); };
  Element e;
  const uint8_t control = TRY(b.le<uint8_t>(0, "element"));
  e.type = control & 31;
  uint64_t at = 1;
  if (control >> 5 == 1)
    e.tag = TRY(b.le<uint8_t>(at++, "tag"));
  else if (control >> 5 != 0)
    return bad("tag of kind " + std::to_string(control >> 5));
  if (e.type < 20 && (e.type < 8 || e.type > 11)) {
    const uint64_t width = uint64_t{1} << e.type % 4;
    const Bytes digits = TRY(b.slice(at, width, "number"));
    for (uint64_t n = 0; n < width; ++n) e.number |= uint64_t{digits[n]} << (8 * n);
    at += width;
  } else if (e.type != 0x15 && e.type != 0x18) {
    return bad("element of type " + std::to_string(e.type));
  }
  if (e.type >= 12 && e.type < 20) {
    e.bytes = TRY(b.slice(at, e.number, "text or bytes"));
    at += e.number;
  }
  b = b.head(b.size(), at);
  return e;
}

struct Head {
  uint64_t size = 0, payload = 0, at = 0, digest_kind = 0;
  Bytes digest;
  std::vector<std::pair<uint64_t, std::string>> stated;
};

Result<Head> read_head(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes)) return fail(Fault::kForeign, "magic", whole.base());
  Head h;
  h.size = TRY(whole.le<uint64_t>(4, "size"));
  const uint64_t head = TRY(whole.le<uint32_t>(12, "size of the header"));
  h.at = kFixed + head;
  if (head > kMostHead || h.size < h.at)
    return fail(Fault::kMalformed, "header of " + std::to_string(head) + " bytes", whole.base() + 12);
  if (h.size > whole.size())
    return fail(Fault::kTruncated, "image of " + std::to_string(h.size) + " bytes", whole.base() + 4);
  Bytes b = TRY(whole.slice(kFixed, head, "header"));
  const Element outer = TRY(next(b));
  if (outer.type != 0x15) return fail(Fault::kMalformed, "header is no structure", whole.base() + kFixed);
  bool sized = false;
  while (!b.empty()) {
    const Element e = TRY(next(b));
    if (e.type == 0x18) break;
    if (e.tag == kPayload) h.payload = e.number, sized = true;
    if (e.tag == kDigestKind) h.digest_kind = e.number;
    if (e.tag == kDigest) h.digest = e.bytes;
    if (e.tag < std::size(kNames))
      h.stated.emplace_back(e.tag, e.bytes.empty() ? std::to_string(e.number) : escape(e.bytes.text()));
  }
  if (!sized || h.payload != h.size - h.at)
    return fail(Fault::kMalformed, "payload of " + std::to_string(h.payload) + " bytes", whole.base() + kFixed);
  return h;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_head(from)).size, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Head h = TRY(read_head(whole));
  into.range(Range::kHeader, 0, h.at);
  for (const auto& [tag, value] : h.stated) into.note(kNames[tag], value, kFixed);
  const Bytes payload = TRY(whole.slice(h.at, h.payload, "payload"));
  if (h.digest_kind == kSha256 && h.digest.size() == 32) {
    Digest stored;
    std::memcpy(stored.bytes.data(), h.digest.data(), 32);
    into.integrity(
        checksum("payload", "sha256", checksum_holds(sha256(payload), stored), h.digest.base() - whole.base()));
  } else {
    into.integrity({.kind = "checksum",
                    .name = "payload",
                    .algorithm = "named information hash " + std::to_string(h.digest_kind),
                    .state = "not-checkable",
                    .detail = "only SHA-256 is checked",
                    .key = {},
                    .offset = kFixed});
  }
  return into.child("payload", stored(payload));
}

}  // namespace

extern const Format kMatterOta;
const Format kMatterOta = {.id = "matterota",
                           .title = "Matter update image",
                           .magics = kMagics,
                           .measure = measure,
                           .unpack = unpack,
                           .limits = "digests other than SHA-256 are not checked",
                           .source = "Matter Core Specification 1.2, 11.20.2 and appendix A",
                           .checked = "own builder only"};

}  // namespace assay::unpack::matter_ota
