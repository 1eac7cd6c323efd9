// SAO, the signed objects of Broadcom's set-top and cable chips; they follow one another.
//
//   0   "SOBJ"
//   4   CRC-32 of bytes 8 to 63
//   8   type (4 letters: META, DTBB, KRNL, RTFS, …), version (16), flags (16)
//   16  length of the object, 26: kind of signature (7 bits) and whether the object is encrypted (highest bit)
//   52  CRC-32 of the object
//   64  the object
//
// An encrypted object has a header "ENCK" of its own. Numbers are big endian.
// Source: fkie-cad/firmware-magic-database and fact_extractor, plugins/unpacking/broadcom/code/broadcom_sao.py.
#include "core/text.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::broadcomsao {
namespace {

constexpr Magic kMagics[] = {{"SOBJ"}};
constexpr uint64_t kHeader = 64;
constexpr size_t kMostObjects = 1024;

struct Object {
  uint64_t at = 0, size = 0;
  std::string type;
  bool header_holds = false, holds = false, encrypted = false;
  uint64_t end() const { return at + kHeader + size; }
};

Result<Object> read_object(Bytes from, uint64_t at) {
  Object o{.at = at};
  if (!from.starts_with("SOBJ", at)) return fail(Fault::kMalformed, "magic", from.base() + at);
  const Bytes header = TRY(from.slice(at, kHeader, "header"));
  o.type = TRY(from.text_field(at + 8, 4, "type"));
  o.size = TRY(from.be<uint32_t>(at + 16, "length"));
  o.encrypted = header[26] & 0x80 && header[26] != 0xff;
  const Bytes body = TRY(from.slice(at + kHeader, o.size, "object"));
  o.header_holds = checksum_holds(crc32(header.head(56, 8)), TRY(from.be<uint32_t>(at + 4, "header crc32")));
  o.holds = checksum_holds(crc32(body), TRY(from.be<uint32_t>(at + 52, "object crc32")));
  return o;
}

Result<std::vector<Object>> read_chain(Bytes from) {
  std::vector<Object> chain{TRY(read_object(from, 0))};
  while (chain.size() < kMostObjects) {
    auto next = read_object(from, chain.back().end());
    if (!next) break;
    chain.push_back(*std::move(next));
  }
  return chain;
}

Result<Measured> measure(Bytes from) {
  const auto chain = TRY(read_chain(from));
  const auto intact = [](const Object& o) { return o.holds && (o.header_holds || o.type == "META"); };
  if (!chain[0].header_holds && !chain[0].holds)
    return fail(Fault::kMalformed, "neither crc32 of the first object matches", from.base() + 4);
  return Measured{chain.back().end(), std::ranges::all_of(chain, intact)};
}

Result<void> put(Bytes whole, const Object& o, Sink& into) {
  into.range(Range::kHeader, o.at, kHeader);
  state_checksum("header crc32 of " + escape(o.type), "crc32", o.header_holds, o.at + 4, into);
  state_checksum("crc32 of " + escape(o.type), "crc32", o.holds, o.at + 52, into);
  const Bytes body = whole.head(o.size, o.at + kHeader);
  if (!o.encrypted) return into.child(o.type, stored(body));
  leave_encrypted(body, "object " + escape(o.type) + " is marked as encrypted; its key is in the chip", into);
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  for (const Object& o : TRY(read_chain(whole))) {
    TRY_VOID(into.step());
    TRY_VOID(put(whole, o, into));
  }
  return {};
}

}  // namespace

extern const Format kBroadcomSao;
const Format kBroadcomSao = {.id = "broadcomsao",
                             .title = "Broadcom SAO signed objects",
                             .magics = kMagics,
                             .measure = measure,
                             .unpack = unpack,
                             .limits = "signature objects are children; they are not checked, their key is in the chip",
                             .source = "firmware-magic-database; fact_extractor broadcom_sao.py",
                             .checked = "the sample of fact_extractor; own builder in the tests"};

}  // namespace assay::unpack::broadcomsao
