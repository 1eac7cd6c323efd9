// OpenPGP messages that are signed and not encrypted: makers sign their images like this, and what is signed is plain.
//
//   packet   one byte: 10TTTTLL with a length of 1, 2, 4 bytes or up to the end (LL), or 11TTTTTT with a length of its
//            own coding: below 192 itself; 192 to 223 (it - 192) * 256 + next + 192; 255 four bytes; others: a part of
//            2^(it & 31) bytes, then again a length. Only data comes in parts, and the first has at least 512 bytes
//   8 compressed: 1 deflate, 2 zlib, 3 bzip2, then a message
//   4 one-pass signature: 3, type, digest, algorithm, key id (8), 0 where another of them follows
//   11 literal data: b, t or u, length of a name and the name, time, the data
//   2 signature: 4, type, algorithm, digest, two lists of subpackets: length (coded as above), kind, value; 16 key id,
//     33 version and fingerprint, which ends in the key id; or 3, 5, type, time (4), key id (8), algorithm, digest
//
// Signatures follow the data in the reverse order of the one-pass packets, one for each, and say the same of type,
// digest, algorithm and key.
// Source: RFC 9580, 4.2, 5.2, 5.4, 10.3.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::openpgp {
namespace {

using std::string_view_literals::operator""sv;

enum Tag : uint8_t { kSignature = 2, kOnePass = 4, kCompressed = 8, kLiteral = 11 };
constexpr uint64_t kLeastFirstPart = 512;
constexpr size_t kMostSigners = 32;

struct Packet {
  uint8_t tag = 0;
  uint64_t at = 0, end = 0;   // of the whole packet
  std::vector<Bytes> pieces;  // its body
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
    if (length.partial && p.tag != kLiteral)
      return fail(Fault::kMalformed, "a packet that holds no data comes in parts", b.base() + place);
    if (length.partial && p.pieces.empty() && length.value < kLeastFirstPart)
      return fail(Fault::kMalformed, "first part of " + std::to_string(length.value) + " bytes", b.base() + place);
    p.pieces.push_back(TRY(b.slice(place + length.bytes, length.value, "packet")));
    p.end = place = place + length.bytes + length.value;
    if (!length.partial) return p;
  }
}

struct Signer {  // what a one-pass packet and its signature both say
  uint8_t type = 0, digest = 0, algorithm = 0;
  std::string key;  // id; empty: a signature that names none

  bool matches(const Signer& signature) const {
    return type == signature.type && digest == signature.digest && algorithm == signature.algorithm &&
           (signature.key.empty() || signature.key == key);
  }
};

std::string key_id(Bytes b, uint64_t at) { return hex({reinterpret_cast<const uint8_t*>(b.head(8, at).data()), 8}); }

struct OnePass {
  Signer signer;
  bool last = false;
};

Result<OnePass> read_one_pass(const Packet& p) {
  const Bytes b = p.pieces.front();
  if (p.tag != kOnePass || b.size() != 13 || b[0] != 3) return fail(Fault::kForeign, "no one-pass signature", b.base());
  return OnePass{{b[1], b[2], b[3], key_id(b, 4)}, b[12] != 0};
}

// Of one list of subpackets, whose bytes `b` are: the key.
Result<std::string> issuer_of(Bytes b) {
  std::string key;
  for (uint64_t at = 0; at < b.size();) {
    Length length = TRY(new_length(b, at));
    if (length.partial)  // here these mean two bytes
      length = {(b[at] - 192u) * 256u + TRY(b.le<uint8_t>(at + 1, "subpacket length")) + 192u, 2};
    const Bytes s = TRY(b.slice(at + length.bytes, length.value, "subpacket"));
    at += length.bytes + length.value;
    if (s.empty()) return fail(Fault::kMalformed, "empty subpacket", s.base());
    const uint8_t kind = s[0] & 0x7f;
    if (kind == 16 && s.size() == 9) key = key_id(s, 1);
    if (kind == 33 && s.size() == 22 && s[1] == 4) key = key_id(s, 14);
  }
  return key;
}

Result<Signer> read_signature(Bytes from, const Packet& p) {
  const Bytes b = p.pieces.front();
  if (p.tag != kSignature || b.empty())
    return fail(Fault::kMalformed, "no signature behind the data", from.base() + p.at);
  if (b[0] == 3) {
    const Bytes h = TRY(b.slice(0, 17, "signature"));
    return Signer{h[2], h[16], h[15], key_id(h, 7)};
  }
  if (b[0] != 4) return fail(Fault::kUnsupported, "signature of version " + std::to_string(b[0]), b.base());
  const uint16_t hashed = TRY(b.be<uint16_t>(4, "size of the hashed subpackets"));
  const Bytes first = TRY(b.slice(6, hashed, "hashed subpackets"));
  const uint16_t plain = TRY(b.be<uint16_t>(6 + uint64_t{hashed}, "size of the other subpackets"));
  const Bytes second = TRY(b.slice(8 + uint64_t{hashed}, plain, "other subpackets"));
  std::string key = TRY(issuer_of(first));
  if (key.empty()) key = TRY(issuer_of(second));
  return Signer{b[1], b[3], b[2], std::move(key)};
}

struct Message {
  Packet literal;
  std::vector<Signer> signers;     // in the order of the one-pass packets
  std::vector<Packet> signatures;  // of the last signer first
  std::string name;
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

Result<void> read_signers(Bytes from, Message& m) {
  for (bool last = false; !last;) {
    const Packet p = TRY(read_packet(from, m.end));
    OnePass one = TRY(read_one_pass(p));
    if (m.signers.size() == kMostSigners) return fail(Fault::kForeign, "too many signers", from.base() + p.at);
    last = one.last;
    m.end = p.end;
    m.signers.push_back(std::move(one.signer));
  }
  return {};
}

Result<Message> read_message(Bytes from) {
  Message m;
  TRY_VOID(read_signers(from, m));
  m.literal = TRY(read_packet(from, m.end));
  if (m.literal.tag != kLiteral)
    return fail(Fault::kUnsupported, "no literal data behind the signature's head", from.base() + m.end);
  TRY_VOID(read_literal(m));
  m.end = m.literal.end;
  for (size_t i = m.signers.size(); i-- > 0;) {
    Packet p = TRY(read_packet(from, m.end));
    if (!m.signers[i].matches(TRY(read_signature(from, p))))
      return fail(Fault::kMalformed, "a signature is not the one that was announced", from.base() + p.at);
    m.end = p.end;
    m.signatures.push_back(std::move(p));
  }
  return m;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_message(from)).end, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Message m = TRY(read_message(whole));
  into.range(Range::kHeader, 0, m.literal.at);
  if (m.time) into.note("time", utc_time(m.time), m.literal.at);
  if (!m.name.empty() && looks_like_text(m.name)) into.note("name", m.name, m.literal.at);
  for (size_t i = 0; i < m.signatures.size(); ++i) {
    const Packet& s = m.signatures[i];
    Integrity signature = unchecked_signature("signature", "openpgp", s.at);
    signature.key = m.signers[m.signers.size() - 1 - i].key;
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
  if (method < 1 || method > 3) return fail(Fault::kUnsupported, "method " + std::to_string(method), from.base() + 1);
  const Bytes data = from.head(from.size(), 2);
  const uint64_t before = into.written();
  const auto codec = method == 1 ? inflate_raw : method == 2 ? inflate_zlib : decode_bzip2;
  const uint64_t used = TRY(codec(data, into));
  if (into.written() == before) return fail(Fault::kMalformed, "nothing compressed", from.base());
  return Decoded{used + 2, {}, method != 1};
}

constexpr Magic kMagics[] = {{"\x90\x0d\x03\x00"sv}};
constexpr Magic kCompressedMagics[] = {{"\xa3\x01"sv}, {"\xa3\x02"sv}, {"\xa3\x03"sv}};

}  // namespace

extern const Format kOpenPgp;
const Format kOpenPgp = {
    .id = "openpgp",
    .title = "Signed OpenPGP message",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "one-pass signatures of version 3, one or several, over literal data of any length "
        "coding; each signature (version 3 or 4) names what its one-pass packet announced",
    .limits =
        "the signature itself is not checked: its public key is in the device; signatures of "
        "version 6 or over a text (type 1), messages that begin with the new header, encrypted ones and ASCII armour "
        "are not read",
    .source = "RFC 9580",
    .checked = "foreign tool: gpg, one signature of version 4; own builder: several, version 3, parts"};

extern const Format kOpenPgpCompressed;
const Format kOpenPgpCompressed = {.id = "openpgp-compressed",
                                   .title = "Compressed OpenPGP message",
                                   .version = 2,
                                   .magics = kCompressedMagics,
                                   .decode = decode,
                                   .carve = false,
                                   .reads =
                                       "deflate, zlib and bzip2, at the start of a content, in a packet of no "
                                       "stated length (the old header, as gpg writes it)",
                                   .limits = "packets whose length is stated, in parts too",
                                   .source = "RFC 9580",
                                   .checked = "foreign tool: gpg for deflate; own builder for zlib and bzip2"};

}  // namespace assay::unpack::openpgp
