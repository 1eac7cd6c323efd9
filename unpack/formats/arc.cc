// ARC archives of the 1980s, which old modems' and terminals' firmware came in. Little-endian.
//
//   0  1a  1 method (0: the archive ends)  2 name (13)  15 packed size  19 date, time, crc16 of the content (16 bits
//   each) 25 size (not of method 1), then the packed content; the next header follows
//
// Methods: 1, 2 stored; 3 runs; 4 Huffman codes over runs; 8 LZW of up to 12 bits (the first byte says so) over runs; 9
// LZW of up to 13 bits. Runs: 0x90 and a number: the byte before that many times in all; 0x90 0: itself. Huffman:
// number of nodes (16 bits), for each its two ways (16 bits each): a node, or -1 less the byte; 256 ends; codes from
// the lowest bit. The LZW is compress's (unpack/formats/compress.cc). Source: ARC 5.21 arc.h, arcunp.c, arcusq.c (the
// layouts).
#include "core/hash.h"
#include "unpack/dos_time.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <array>

namespace assay::unpack::arc {
namespace {

constexpr Magic kMagics[] = {{"\x1a\x01"}, {"\x1a\x02"}, {"\x1a\x03"}, {"\x1a\x04"}, {"\x1a\x08"}, {"\x1a\x09"}};
constexpr uint64_t kHeader = 29, kOldHeader = 25, kLargest = 32 << 20;
constexpr uint8_t kRun = 0x90;

struct Header {
  uint8_t method = 0;
  std::string name;
  uint64_t at = 0, length = 0, size = 0;
  uint16_t date = 0, time = 0, sum = 0;
  Bytes data;
};

Result<Header> read_header(Bytes b, uint64_t at) {
  const auto bad = [&](const std::string& what, uint64_t from) {
    return fail(Fault::kMalformed, what, b.base() + at + from);
  };
  Header h{.method = TRY(b.le<uint8_t>(at + 1, "method")), .at = at};
  constexpr std::array<uint8_t, 6> kMethods = {1, 2, 3, 4, 8, 9};
  if (b[at] != 0x1a || std::ranges::find(kMethods, h.method) == kMethods.end()) return bad("magic or method", 0);
  h.length = h.method == 1 ? kOldHeader : kHeader;
  const Bytes fixed = TRY(b.slice(at, h.length, "header"));
  const std::string_view stored = fixed.head(13, 2).text();
  h.name = stored.substr(0, stored.find('\0'));
  const auto printable = [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '/' && c != '\\'; };
  if (h.name.empty() || h.name.size() > 12 || !std::ranges::all_of(h.name, printable)) return bad("name", 2);
  h.date = *fixed.le<uint16_t>(19, "");
  h.time = *fixed.le<uint16_t>(21, "");
  h.sum = *fixed.le<uint16_t>(23, "");
  const uint64_t packed = *fixed.le<uint32_t>(15, "");
  h.size = h.method == 1 ? packed : *fixed.le<uint32_t>(25, "");
  if (h.method < 3 && h.size != packed) return bad("size", 25);
  if (!dos_time(h.date, h.time)) return bad("date", 19);
  h.data = TRY(b.slice(at + h.length, packed, "packed content"));
  return h;
}

Result<std::string> without_runs(std::string_view packed, const Header& h) {
  std::string out;
  for (size_t i = 0; i < packed.size(); ++i) {
    const auto byte = static_cast<uint8_t>(packed[i]);
    if (byte != kRun || i + 1 == packed.size()) {
      out.push_back(packed[i]);
      continue;
    }
    const auto count = static_cast<uint8_t>(packed[++i]);
    if (count == 0)
      out.push_back(static_cast<char>(kRun));
    else if (!out.empty())
      out.append(count - 1u, out.back());
    if (out.size() > h.size) return fail(Fault::kMalformed, "more than its size", h.data.base());
  }
  return out;
}

Result<std::string> decode_huffman(Bytes b, uint64_t most) {
  constexpr int kEnd = 256;
  const int nodes = TRY(b.le<uint16_t>(0, "nodes"));
  const Bytes tree = TRY(b.slice(2, uint64_t{4} * static_cast<uint64_t>(nodes), "tree"));
  if (nodes == 0 || nodes > 512) return fail(Fault::kMalformed, "nodes " + std::to_string(nodes), b.base());
  std::string out;
  const uint64_t start = 2 + tree.size();
  int node = 0;
  for (uint64_t bit = 0; bit / 8 < b.size() - start; ++bit) {
    const unsigned way = b[start + bit / 8] >> (bit % 8) & 1u;
    node = *tree.le<int16_t>(static_cast<uint64_t>(node) * 4 + way * 2, "");
    if (node >= nodes) return fail(Fault::kMalformed, "node " + std::to_string(node), b.base());
    if (node >= 0) continue;
    if (-node - 1 == kEnd) return out;
    if (out.size() > most) return fail(Fault::kMalformed, "more than its size", b.base());
    out.push_back(static_cast<char>(-node - 1));
    node = 0;
  }
  return out;  // arc leaves out the last bits of the end where they are 0; the content's checksum tells
}

Result<std::string> decode_lzw(Bytes codes, uint8_t longest, uint64_t most) {
  const std::string framed = std::string("\x1f\x9d") + static_cast<char>(0x80 | longest) + std::string(codes.text());
  MemoryOutput out(most);
  const auto done = find_format("compress")->decode(Bytes(framed), out);
  if (!done)
    return fail(done.error().fault == Fault::kLimit ? Fault::kMalformed : done.error().fault, done.error().what,
                codes.base());
  return std::string(out.bytes().text());
}

// Of the methods above 2.
Result<std::string> decode(const Header& h) {
  const uint64_t with_runs = h.size * 2 + 1;  // as many, if each byte is 0x90
  if (h.size > kLargest) return fail(Fault::kMalformed, "size " + std::to_string(h.size), h.data.base());
  if (h.method == 3) return without_runs(h.data.text(), h);
  if (h.method == 4) return without_runs(TRY(decode_huffman(h.data, with_runs)), h);
  if (h.method == 9) return decode_lzw(h.data, 13, h.size);
  const uint8_t longest = TRY(h.data.le<uint8_t>(0, "longest code"));
  if (longest != 12) return fail(Fault::kUnsupported, "codes of " + std::to_string(longest) + " bits", h.data.base());
  return without_runs(TRY(decode_lzw(h.data.head(h.data.size(), 1), longest, with_runs)), h);
}

struct Archive {
  std::vector<Header> headers;
  uint64_t end = 0;
  bool ended = false;
};

Result<Archive> read_archive(Bytes b) {
  Archive a;
  while (true) {
    if (!a.headers.empty() && b.starts_with(std::string_view("\x1a\0", 2), a.end)) {
      a.end += 2;
      a.ended = true;
      return a;
    }
    auto header = read_header(b, a.end);
    if (!header && a.headers.empty()) return std::unexpected(header.error());
    if (!header) return a;
    a.end += header->length + header->data.size();
    a.headers.push_back(*std::move(header));
  }
}

bool holds(const Header& h, Bytes content) {
  return content.size() == h.size && checksum_holds(crc16_arc(content, 0), h.sum);
}

// Its headers have no checksum: the first content's must hold.
Result<Measured> measure(Bytes from) {
  const Archive a = TRY(read_archive(from));
  const Header& first = a.headers.front();
  const std::string plain = first.method < 3 ? std::string(first.data.text()) : TRY(decode(first));
  if (!holds(first, Bytes(plain))) return fail(Fault::kMalformed, "crc16 of the first content", from.base() + 23);
  return Measured{a.end, a.ended || first.size > 0};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Archive a = TRY(read_archive(whole));
  if (a.ended) into.range(Range::kHeader, a.end - 2, 2);
  for (const Header& h : a.headers) {
    TRY_VOID(into.step(1 + h.size / 64));
    into.range(Range::kHeader, h.at, h.length);
    const Node node{.kind = Kind::kFile, .path = h.name, .mtime = dos_time(h.date, h.time)};
    const Result<std::string> plain = h.method < 3 ? std::string(h.data.text()) : decode(h);
    if (!plain) {
      into.problem({plain.error().fault, h.name + ": " + plain.error().what, h.at});
      TRY_VOID(into.node(node, unreadable()));
      continue;
    }
    state_checksum(h.name, "crc16", holds(h, Bytes(*plain)), h.at + 23, into);
    if (h.method < 3) {
      TRY_VOID(into.node(node, stored(h.data)));
      continue;
    }
    TRY_VOID(into.output().write(Bytes(*plain).span()));
    TRY_VOID(into.node(node, Content{{h.data}, "arc"}));
  }
  return {};
}

}  // namespace

extern const Format kArc;
const Format kArc = {.id = "arc",
                     .title = "ARC archive",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .carve = false,
                     .reads = "methods 1 to 4, 8 and 9; each content's checksum",
                     .limits =
                         "the methods of ARC's first releases (5 to 7) and of its relatives; passwords; read at the "
                         "start of a content only: its magic is two common bytes",
                     .source = "ARC 5.21 arc.h, arcunp.c, arcusq.c",
                     .checked = "foreign tool: arc; real image: sample archive of another project"};

}  // namespace assay::unpack::arc
