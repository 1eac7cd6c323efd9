// ARJ archives. Little-endian.
//
//   0   60 ea  2 length of the header (16 bits, 0: the archive ends)
//   4   length of its fixed part (8 bits)  5 version, least version, host: 2 Unix  8 flags: 1 garbled, 4 goes on in
//       another volume  9 method: 0 stored, 1 to 3 packed, 4 packed fast  10 kind: 0 binary, 1 text, 2 the archive's
//       own, 3 directory
//   12  time (16 bits), date (16 bits; Unix: seconds since 1970)  16 packed size  20 size  24 crc32 of the content
//   30  mode (16 bits), then, behind the fixed part, name and comment, each up to a NUL
//   crc32 of the header, extended headers (16 bits length, 0: none; data, crc32), and the packed content
//
// Methods 1 to 3 are LHA's Huffman codes over distances of up to 26624, which Tiano's decoder reads
// (unpack/efi_compress.h). Method 4: a length in 0 to 7 bits, as many as ones stand before it; 0: a byte follows; else
// a distance in 9 to 13 bits. Source: ARJ technote.txt; unarj decode.c (the codes).
#include "core/hash.h"
#include "unpack/dos_time.h"
#include "unpack/efi_compress.h"
#include "unpack/vendor.h"

namespace assay::unpack::arj {
namespace {

constexpr Magic kMagics[] = {{"\x60\xea"}};
constexpr uint64_t kLongestHeader = 2600, kLeastFixed = 30;
constexpr uint8_t kGarbled = 1, kVolume = 4, kUnix = 2;

struct Header {
  Bytes fixed, all;  // all: with its magic, checksum and extended headers
  std::string name;
  Bytes data;
  uint8_t kind() const { return fixed[6]; }
};

// None: the archive's end.
Result<std::optional<Header>> read_header(Bytes b, uint64_t at) {
  const auto bad = [&](const std::string& what, uint64_t from) {
    return fail(Fault::kMalformed, what, b.base() + at + from);
  };
  if (!b.starts_with(kMagics[0].bytes, at)) return bad("magic", 0);
  const uint64_t length = TRY(b.le<uint16_t>(at + 2, "header length"));
  if (length == 0) return std::nullopt;
  if (length > kLongestHeader) return bad("header length " + std::to_string(length), 2);
  const Bytes body = TRY(b.slice(at + 4, length, "header"));
  if (!checksum_holds(crc32(body), TRY(b.le<uint32_t>(at + 4 + length, "header crc")))) return bad("header crc", 4);
  Header h;
  if (body[0] < kLeastFixed || body[0] > length) return bad("length of the fixed part", 4);
  h.fixed = body.head(body[0]);
  h.name = TRY(body.text_field(body[0], length - body[0], "name"));
  uint64_t end = at + 4 + length + 4;
  while (const uint64_t more = TRY(b.le<uint16_t>(end, "extended header"))) end += 2 + more + 4;
  h.all = TRY(b.slice(at, end + 2 - at, "headers"));
  if (h.kind() != 2) h.data = TRY(b.slice(end + 2, *h.fixed.le<uint32_t>(12, ""), "packed content"));
  return h;
}

struct Archive {
  std::vector<Header> headers;
  uint64_t end = 0;
  bool ended = false;
};

Result<Archive> read_archive(Bytes b) {
  Archive a;
  while (true) {
    auto header = read_header(b, a.end);
    if (!header && a.headers.size() < 2) return std::unexpected(header.error());
    if (!header) return a;  // damaged further on
    if (!*header) break;
    if (a.headers.empty() != ((*header)->kind() == 2)) return fail(Fault::kMalformed, "kind", b.base() + a.end + 10);
    a.end += (*header)->all.size() + (*header)->data.size();
    a.headers.push_back(*std::move(*header));
  }
  if (a.headers.empty()) return fail(Fault::kMalformed, "no header", b.base());
  a.end += 4;
  a.ended = true;
  return a;
}

class FastBits {  // most significant first
 public:
  explicit FastBits(Bytes b) : bytes_(b) {}
  Result<uint32_t> take(unsigned count) {
    uint32_t out = 0;
    for (; count > 0; --count, ++at_) {
      if (at_ / 8 >= bytes_.size()) return fail(Fault::kTruncated, "codes end early", bytes_.base() + bytes_.size());
      out = out << 1 | (bytes_[at_ / 8] >> (7 - at_ % 8) & 1u);
    }
    return out;
  }
  // A number whose width is told by ones in front of it: from `least` bits up to `most`.
  Result<uint32_t> number(unsigned least, unsigned most) {
    uint32_t below = 0;
    unsigned width = least;
    for (; width < most && TRY(take(1)); ++width) below += 1u << width;
    return below + TRY(take(width));
  }

 private:
  Bytes bytes_;
  uint64_t at_ = 0;
};

Result<std::string> decode_fast(Bytes from, uint64_t size) {
  FastBits bits(from);
  std::string out;
  while (out.size() < size) {
    const uint32_t length = TRY(bits.number(0, 7));
    if (length == 0) {
      out.push_back(static_cast<char>(TRY(bits.take(8))));
      continue;
    }
    const uint32_t distance = TRY(bits.number(9, 13)) + 1;
    if (distance > out.size()) return fail(Fault::kMalformed, "distance " + std::to_string(distance), from.base());
    for (uint32_t n = 0; n < length + 2 && out.size() < size; ++n) out.push_back(out[out.size() - distance]);
  }
  return out;
}

Result<Content> content_of(const Header& h, Sink& into) {
  const uint8_t method = h.fixed[5];
  const uint32_t size = *h.fixed.le<uint32_t>(16, ""), sum = *h.fixed.le<uint32_t>(20, "");
  if (h.fixed[4] & kGarbled) {
    into.range(Range::kEncrypted, h.data.base(), h.data.size());
    return fail(Fault::kUnsupported, "garbled with a password", h.data.base());
  }
  if (h.fixed[4] & kVolume) return fail(Fault::kUnsupported, "it goes on in another volume", h.data.base());
  std::string plain;
  if (method >= 1 && method <= 3) {
    std::string framed;
    for (const uint64_t number : {h.data.size(), uint64_t{size}})
      for (int i = 0; i < 4; ++i) framed.push_back(static_cast<char>(number >> (8 * i)));
    framed += h.data.text();
    MemoryOutput out(size);
    if (const auto done = decode_efi_compressed(Bytes(framed), EfiVariant::kTiano, out); !done)
      return fail(done.error().fault, done.error().what, h.data.base());
    plain = out.bytes().text();
  } else if (method == 4) {
    if (size / 512 > h.data.size()) return fail(Fault::kMalformed, "size " + std::to_string(size), h.fixed.base() + 16);
    plain = TRY(decode_fast(h.data, size));
  } else if (method == 0) {
    if (size != h.data.size()) return fail(Fault::kMalformed, "size " + std::to_string(size), h.fixed.base() + 16);
  } else {
    return fail(Fault::kUnsupported, "method " + std::to_string(method), h.fixed.base() + 5);
  }
  const Bytes bytes = method == 0 ? h.data : Bytes(plain);
  const bool holds = checksum_holds(crc32(bytes), sum);
  state_checksum(h.name, "crc32", holds, h.fixed.base() + 20, into);
  if (method == 0) return stored(h.data);
  TRY_VOID(into.output().write(bytes.span()));
  return Content{{h.data}, method == 4 ? "arj-fast" : "arj"};
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_archive(from)).end, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Archive archive = TRY(read_archive(whole.rebased(0)));
  if (archive.ended) into.range(Range::kHeader, archive.end - 4, 4);
  for (const Header& h : archive.headers) {
    TRY_VOID(into.step(1));
    into.range(Range::kHeader, h.all.base(), h.all.size());
    if (h.kind() == 2) continue;
    if (h.kind() > 3) {
      into.problem({Fault::kUnsupported, "entry of kind " + std::to_string(h.kind()), h.fixed.base() + 6});
      continue;
    }
    const bool host_unix = h.fixed[3] == kUnix;
    Node node{.kind = h.kind() == 3 ? Kind::kDirectory : Kind::kFile, .path = h.name};
    const uint32_t time = *h.fixed.le<uint32_t>(8, "");
    node.mtime = host_unix ? std::optional<int64_t>(time) : dos_time(time >> 16, time & 0xffff);
    if (host_unix) node.mode = *h.fixed.le<uint16_t>(26, "") & 07777;
    if (node.kind == Kind::kDirectory) {
      TRY_VOID(into.node(std::move(node), nothing()));
      continue;
    }
    auto content = content_of(h, into);
    if (!content && content.error().fault == Fault::kLimit) return std::unexpected(content.error());
    if (!content) {
      into.discard();
      into.problem({content.error().fault, h.name + ": " + content.error().what, content.error().offset});
      content = unreadable();
    }
    TRY_VOID(into.node(std::move(node), *std::move(content)));
  }
  return {};
}

}  // namespace

extern const Format kArj;
const Format kArj = {.id = "arj",
                     .title = "ARJ archive",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "methods 0 to 4, directories, Unix modes; each content's checksum",
                     .limits = "garbled files and such as go on in another volume; comments",
                     .source = "ARJ technote.txt; unarj decode.c",
                     .checked = "foreign tool: arj; real image: sample archive of another project"};

}  // namespace assay::unpack::arj
