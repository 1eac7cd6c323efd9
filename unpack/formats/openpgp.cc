// OpenPGP messages that are signed and not encrypted: makers sign their images like this, and what is signed is plain.
//
//   packet   one byte: 10TTTTLL with a length of 1, 2, 4 bytes or up to the end (LL), or 11TTTTTT with a length of its
//            own coding: below 192 itself; 192 to 223 (it - 192) * 256 + next + 192; 255 four bytes; others: a part of
//            2^(it & 31) bytes, then again a length
//   8 compressed: 1 deflate, 2 zlib, 3 bzip2, then a message
//   4 one-pass signature: 3, type, digest, algorithm, key id (8), nested   2 signature
//   11 literal data: b, t or u, length of a name and the name, time, the data
//
// Source: RFC 9580.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack {
namespace {

using std::string_view_literals::operator""sv;

enum Tag : uint8_t { kSignature = 2, kOnePass = 4, kCompressed = 8, kLiteral = 11 };

struct Packet {
  uint8_t tag = 0;
  uint64_t at = 0, end = 0;   // of the whole packet
  std::vector<Bytes> pieces;  // its body
  uint64_t size() const {
    uint64_t total = 0;
    for (const Bytes& piece : pieces) total += piece.size();
    return total;
  }
};

struct Length {
  uint64_t value = 0, bytes = 0;
  bool partial = false;
};

Result<Length> new_length(Bytes b, uint64_t at) {
  const uint8_t first = TRY(b.le<uint8_t>(at, "packet length"));
  if (first < 192) return Length{first, 1};
  if (first < 224) return Length{(first - 192u) * 256u + TRY(b.le<uint8_t>(at + 1, "packet length")) + 192u, 2};
  if (first == 255) return Length{TRY(b.be<uint32_t>(at + 1, "packet length")), 5};
  return Length{uint64_t{1} << (first & 31), 1, true};
}

Result<Length> old_length(Bytes b, uint64_t at, uint8_t kind) {
  if (kind == 0) return Length{TRY(b.be<uint8_t>(at, "packet length")), 1};
  if (kind == 1) return Length{TRY(b.be<uint16_t>(at, "packet length")), 2};
  if (kind == 2) return Length{TRY(b.be<uint32_t>(at, "packet length")), 4};
  return Length{b.size() - at, 0};
}

Result<Packet> read_packet(Bytes b, uint64_t at) {
  const uint8_t head = TRY(b.le<uint8_t>(at, "packet"));
  if (!(head & 0x80)) return fail(Fault::kMalformed, "no packet", b.base() + at);
  const bool is_new = head & 0x40;
  Packet p{.tag = static_cast<uint8_t>(is_new ? head & 63 : head >> 2 & 15), .at = at};
  for (uint64_t place = at + 1;;) {
    const Length length = is_new ? TRY(new_length(b, place)) : TRY(old_length(b, place, head & 3));
    p.pieces.push_back(TRY(b.slice(place + length.bytes, length.value, "packet")));
    p.end = place = place + length.bytes + length.value;
    if (!length.partial) return p;
  }
}

struct Message {
  Packet literal;
  std::vector<Packet> signatures;
  std::string name, key;
  uint64_t head = 0, end = 0;  // of the literal's own fields; of the message
  uint32_t time = 0;
};

Result<void> read_literal(Message& m) {
  const Bytes b = m.literal.pieces.front();
  const uint8_t mode = TRY(b.le<uint8_t>(0, "literal")), length = TRY(b.le<uint8_t>(1, "name length"));
  if (mode != 'b' && mode != 't' && mode != 'u' && mode != 'l')
    return fail(Fault::kMalformed, "kind of literal data", b.base());
  m.name = TRY(b.slice(2, length, "name")).text();
  m.time = TRY(b.be<uint32_t>(2 + uint64_t{length}, "time"));
  m.head = 6 + uint64_t{length};
  return {};
}

Result<Message> read_message(Bytes from) {
  Message m;
  const Packet first = TRY(read_packet(from, 0));
  const Bytes body = first.pieces.front();
  if (first.tag != kOnePass || first.size() != 13 || body.size() != 13 || body[0] != 3)
    return fail(Fault::kForeign, "no one-pass signature", from.base());
  m.key = hex({reinterpret_cast<const uint8_t*>(body.data()) + 4, 8});
  m.literal = TRY(read_packet(from, first.end));
  if (m.literal.tag != kLiteral)
    return fail(Fault::kUnsupported, "no literal data behind the signature's head", from.base() + first.end);
  TRY_VOID(read_literal(m));
  m.end = m.literal.end;
  while (m.end < from.size()) {
    auto next = read_packet(from, m.end);
    if (!next || next->tag != kSignature) break;
    m.end = next->end;
    m.signatures.push_back(std::move(*next));
  }
  if (m.signatures.empty()) return fail(Fault::kMalformed, "no signature behind the data", from.base() + m.end);
  return m;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_message(from)).end, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Message m = TRY(read_message(whole));
  into.range(Range::kHeader, 0, m.literal.at);
  if (m.time) into.note("time", utc_time(m.time), m.literal.at);
  if (!m.name.empty() && looks_like_text(m.name)) into.note("name", m.name, m.literal.at);
  for (const Packet& s : m.signatures) {
    Integrity signature = unchecked_signature("signature", "openpgp", s.at);
    signature.key = m.key;
    into.integrity(std::move(signature));
    into.range(Range::kHeader, s.at, s.end - s.at);
  }
  Content content{m.literal.pieces};
  content.extents.front() = content.extents.front().head(content.extents.front().size(), m.head);
  into.range(Range::kHeader, m.literal.at, m.literal.end - m.literal.at);
  return into.child("data", std::move(content));
}

// The packet's length is not known: what it compresses ends it.
Result<Decoded> decode(Bytes from, Output& into) {
  const uint8_t method = TRY(from.le<uint8_t>(1, "method"));
  const Bytes data = from.head(from.size(), 2);
  const uint64_t before = into.written();
  const uint64_t used = method == 1   ? TRY(inflate_raw(data, into))
                        : method == 2 ? TRY(inflate_zlib(data, into))
                                      : TRY(decode_bzip2(data, into));
  if (into.written() == before) return fail(Fault::kMalformed, "nothing compressed", from.base());
  return Decoded{used + 2, {}, method != 1};
}

constexpr Magic kMagics[] = {{"\x90\x0d\x03\x00"sv}};
constexpr Magic kCompressedMagics[] = {{"\xa3\x01"sv}, {"\xa3\x02"sv}, {"\xa3\x03"sv}};

}  // namespace

extern const Format kOpenPgp;
const Format kOpenPgp = {.id = "openpgp",
                         .title = "Signed OpenPGP message",
                         .version = 1,
                         .magics = kMagics,
                         .measure = measure,
                         .unpack = unpack,
                         .reads = "one-pass signatures over literal data of any length coding",
                         .limits =
                             "the signature is not checked: its public key is in the device; encrypted messages and "
                             "ASCII armour are not read",
                         .source = "RFC 9580",
                         .checked = "foreign tool: gpg"};

extern const Format kOpenPgpCompressed;
const Format kOpenPgpCompressed = {.id = "openpgp-compressed",
                                   .title = "Compressed OpenPGP message",
                                   .version = 1,
                                   .magics = kCompressedMagics,
                                   .decode = decode,
                                   .carve = false,
                                   .reads = "deflate, zlib and bzip2, at the start of a content",
                                   .source = "RFC 9580",
                                   .checked = "foreign tool: gpg"};

}  // namespace assay::unpack
