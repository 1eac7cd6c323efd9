// UPX-packed ELF programs: a small ELF file that unpacks another one into memory when it starts.
//
//   0  ELF header and segments of the stub
//   l  4 sum of the loader, "UPX!", 2 its length, 1 version, 1 format
//   p  4 id, 4 size of the program, 4 size of the largest block
//      blocks: 4 size, 4 size packed, 1 method, 1 filter, 1 its parameter, 1 unused; data
//      the loader; blocks again, for what lies between and behind the segments
//      a block of size 0 with "UPX!" for its packed size
//   h  "UPX!", 1 version, 1 format, 1 method, 1 level
//      4 Adler-32 of the program, 4 of the packed data, 4 size, 4 size packed, 4 size of the file
//      1 filter, 1 parameter, 1 unused, 1 sum of the bytes 4 to 30 modulo 251; 4 the place of p
//
// Numbers are in the program's byte order; formats from 128 on have both sizes before both sums. The first block is the
// program's header and segment table, the first part of its first loaded segment. A block that does not shrink is
// stored. Adler-32 covers what the blocks decode to, in their order. A packed file is never longer than its program,
// and no block decodes to more than p says: UPX refuses others.
// Methods: 2 to 4 NRV2B in words of 32, 8 and 16 bits, 5 to 7 NRV2D, 8 to 10 NRV2E, 14 LZMA behind two bytes of
// properties, 15 deflate.
// Source: UPX 4.2 src/p_lx_elf.cpp, p_unix.cpp, packhead.cpp, compress/compress_lzma.cpp.
#include "core/hash.h"
#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/nrv.h"
#include "unpack/upx_filters.h"
#include "unpack/vendor.h"

#include <zlib.h>
#include <algorithm>

namespace assay::unpack::upx {
namespace {

// Behind two, three or four segments of 32 bits, then of 64.
constexpr Magic kMagics[] = {{"UPX!", 0x78}, {"UPX!", 0x98}, {"UPX!", 0xb8},
                             {"UPX!", 0xb4}, {"UPX!", 0xec}, {"UPX!", 0x124}};
constexpr uint64_t kInfo = 12, kBlockHeader = 12, kPackHeader = 32;
constexpr uint64_t kLargest = 256 << 20;    // a program
constexpr uint64_t kLargestHead = 8 << 10;  // its header and segment table

struct Shape {  // of an ELF file, as far as it matters here
  Order order = Order::kLittle;
  bool wide = false;
  uint64_t segments = 0, segment_size = 0, count = 0;

  uint64_t end() const { return segments + segment_size * count; }
};

Result<Shape> read_shape(Bytes b) {
  const Bytes h = TRY(b.slice(0, 52, "ELF header"));
  if (!h.starts_with("\x7f"
                     "ELF"))
    return fail(Fault::kForeign, "no ELF file", b.base());
  Shape s;
  s.wide = h[4] == 2;
  s.order = h[5] == 2 ? Order::kBig : Order::kLittle;
  s.segments = s.wide ? *b.get<uint64_t>(32, s.order, "") : *b.get<uint32_t>(28, s.order, "");
  s.segment_size = TRY(b.get<uint16_t>(s.wide ? 54 : 42, s.order, "segment size"));
  s.count = TRY(b.get<uint16_t>(s.wide ? 56 : 44, s.order, "segment count"));
  if (s.segments > 4096 || s.segment_size != (s.wide ? 56u : 32u) || s.count == 0 || s.count > 64)
    return fail(Fault::kForeign, "segment table", b.base() + 28);
  return s;
}

struct Extent {
  uint64_t from = 0, to = 0;
};

// Where the loaded segments of the program lie in its file, in their order.
Result<std::vector<Extent>> loaded(Bytes b, const Shape& s, uint64_t file_size) {
  std::vector<Extent> out;
  for (uint64_t i = 0; i < s.count; ++i) {
    const Bytes p = TRY(b.slice(s.segments + i * s.segment_size, s.segment_size, "segment"));
    if (*p.get<uint32_t>(0, s.order, "") != 1) continue;
    const uint64_t from = s.wide ? *p.get<uint64_t>(8, s.order, "") : *p.get<uint32_t>(4, s.order, "");
    const uint64_t size = s.wide ? *p.get<uint64_t>(32, s.order, "") : *p.get<uint32_t>(16, s.order, "");
    if (from > file_size || size > file_size - from || (!out.empty() && from < out.back().to))
      return fail(Fault::kMalformed, "a segment of the packed program leaves its file", b.base());
    if (size) out.push_back({from, from + size});
  }
  if (out.empty() || out.front().from != 0)
    return fail(Fault::kUnsupported, "no segment starts the packed program", b.base());
  return out;
}

std::vector<Extent> gaps(const std::vector<Extent>& segments, uint64_t file_size) {
  std::vector<Extent> out;
  for (size_t i = 0; i < segments.size(); ++i) {
    const uint64_t to = i + 1 < segments.size() ? segments[i + 1].from : file_size;
    if (segments[i].to < to) out.push_back({segments[i].to, to});
  }
  return out;
}

struct Packed {
  Shape shape;
  uint64_t blocks = 0, file_size = 0, trailer = 0, adler_at = 0, end = 0;
  uint32_t block_size = 0, adler = 0;
};

bool is_pack_header(Bytes h, uint64_t file_size, Order order) {
  if (h.size() < kPackHeader || *h.get<uint32_t>(24, order, "") != file_size) return false;
  return checksum_holds(static_cast<uint8_t>(byte_sum(h.head(27, 4)) % 251), h[31]);
}

Result<Packed> read_packed(Bytes from) {
  Packed p;
  p.shape = TRY(read_shape(from));
  const Order order = p.shape.order;
  const uint64_t info = p.shape.end();
  if (!from.starts_with("UPX!", info + 4))
    return fail(Fault::kForeign, "no loader's header behind the segments", from.base() + info);
  p.file_size = TRY(from.get<uint32_t>(info + kInfo + 4, order, "program size"));
  p.block_size = TRY(from.get<uint32_t>(info + kInfo + 8, order, "block size"));
  if (p.file_size < 52 || p.file_size > kLargest || p.block_size == 0 || p.block_size > p.file_size)
    return fail(Fault::kUnsupported, "program of " + std::to_string(p.file_size) + " bytes",
                from.base() + info + kInfo);
  p.blocks = info + 2 * kInfo;
  const std::string_view text = from.head(p.file_size).text();
  for (size_t at = text.find("UPX!", p.blocks); at != text.npos; at = text.find("UPX!", at + 1)) {
    const Bytes h = from.head(kPackHeader, at);
    if (!is_pack_header(h, p.file_size, order)) continue;
    p.trailer = at;
    p.end = std::min(from.size(), at + kPackHeader + 4);
    const uint64_t sum = h[5] < 128 ? 8 : 16;
    p.adler = *h.get<uint32_t>(sum, order, "");
    p.adler_at = at + sum;
    return p;
  }
  return fail(Fault::kTruncated, "no header at its end", from.base() + p.blocks);
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_packed(from)).end, true}; }

struct Block {
  uint64_t at = 0;
  uint32_t size = 0, packed = 0;
  uint8_t method = 0, filter = 0, parameter = 0;
};

// All blocks lie before the header at the end.
Result<Block> read_block(Bytes whole, const Packed& p, uint64_t at) {
  const Bytes before = whole.head(p.trailer);
  const Bytes h = TRY(before.slice(at, kBlockHeader, "block header"));
  const Order order = p.shape.order;
  const Block b = {at, *h.get<uint32_t>(0, order, ""), *h.get<uint32_t>(4, order, ""), h[8], h[9], h[10]};
  if (b.size == 0 || b.packed == 0 || b.packed > b.size || b.size > p.block_size)
    return fail(Fault::kMalformed, "sizes of a block", h.base());
  TRY(before.slice(at + kBlockHeader, b.packed, "block"));
  return b;
}

Result<uint64_t> decode_lzma(Bytes data, uint32_t size, Output& into) {
  const Bytes h = TRY(data.slice(0, 2, "LZMA properties"));
  const LzmaProperties properties = {.lc = static_cast<uint8_t>(h[1] & 15),
                                     .lp = static_cast<uint8_t>(h[1] >> 4),
                                     .pb = static_cast<uint8_t>(h[0] & 7),
                                     .dictionary = std::max(4096u, std::min(size, 64u << 20))};
  if (properties.lc > 8 || properties.lp > 4 || properties.pb > 4 || h[0] >> 3 != properties.lc + properties.lp)
    return fail(Fault::kMalformed, "LZMA properties", h.base());
  return decode_lzma_raw(data.head(data.size(), 2), properties, size, into);
}

Result<uint64_t> decode(Bytes data, const Block& b, Output& into) {
  constexpr unsigned kWords[] = {4, 1, 2};
  if (b.method >= 2 && b.method <= 10)
    return decode_nrv(data, static_cast<Nrv>((b.method - 2) / 3), kWords[(b.method - 2) % 3], b.size, into);
  if (b.method == 14) return decode_lzma(data, b.size, into);
  if (b.method == 15) return inflate_raw(data, into);
  return fail(Fault::kUnsupported, "method " + std::to_string(b.method), data.base());
}

Result<std::vector<std::byte>> decode_block(Bytes whole, const Block& b) {
  const Bytes data = whole.head(b.packed, b.at + kBlockHeader);
  MemoryOutput block(b.size);
  if (b.packed == b.size)
    TRY_VOID(block.write(data.span()));
  else
    TRY(decode(data, b, block));
  if (block.written() != b.size) return fail(Fault::kMalformed, "a block decodes to another size", data.base());
  std::vector<std::byte> bytes = std::move(block.vector());
  if (b.packed != b.size &&
      !undo_upx_filter(b.filter, b.parameter, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}))
    return fail(Fault::kUnsupported, "filter " + hex_number(b.filter), b.at + 9);
  return bytes;
}

// Where the blocks end that begin at `at` and yield `wanted` bytes.
Result<uint64_t> skip(Bytes whole, const Packed& p, uint64_t at, uint64_t wanted, Sink& into) {
  while (wanted) {
    TRY_VOID(into.step());
    const Block b = TRY(read_block(whole, p, at));
    if (b.size > wanted) return fail(Fault::kMalformed, "a block passes the end of its segment", at);
    wanted -= b.size;
    at += kBlockHeader + b.packed;
  }
  return at;
}

// Behind the loader the blocks go on. Its stated length is of no use: releases round it up in different ways. So every
// place before the header at the end is tried: blocks that yield `wanted` bytes and end in the marker.
Result<uint64_t> seek(Bytes whole, const Packed& p, uint64_t at, uint64_t wanted, Sink& into) {
  for (uint64_t place = at; place + kBlockHeader <= p.trailer; ++place) {
    const auto end = skip(whole, p, place, wanted, into);
    if (!end && end.error().fault == Fault::kLimit) return end;
    if (end && whole.starts_with(std::string_view("\0\0\0\0UPX!", 8), *end)) return place;
  }
  return fail(Fault::kMalformed, "no blocks behind the loader", at);
}

struct Part {  // of the program, and where its blocks begin
  Extent extent;
  uint64_t at = 0;
  uint32_t adler = 1;

  uint64_t size() const { return extent.to - extent.from; }
};

struct Layout {
  std::vector<Part> parts;
  Extent loader;  // up to the header at the end where no blocks follow it
};

Result<std::vector<Extent>> read_segments(Bytes whole, const Packed& p) {
  const Block first = TRY(read_block(whole, p, p.blocks));
  if (first.size > kLargestHead) return fail(Fault::kMalformed, "size of the program's header", first.at);
  const std::vector<std::byte> bytes = TRY(decode_block(whole, first));
  const Bytes head{std::span<const std::byte>(bytes)};
  return loaded(head, TRY(read_shape(head)), p.file_size);
}

Result<Layout> read_layout(Bytes whole, const Packed& p, Sink& into) {
  Layout l;
  uint64_t at = p.blocks, wanted = 0;
  const auto take = [&](const Extent& extent) -> Result<void> {
    l.parts.push_back({extent, at});
    at = TRY(skip(whole, p, at, extent.to - extent.from, into));
    return {};
  };
  const auto segments = TRY(read_segments(whole, p));
  for (const Extent& segment : segments) TRY_VOID(take(segment));
  l.loader = {at, p.trailer};
  const auto between = gaps(segments, p.file_size);
  for (const Extent& gap : between) wanted += gap.to - gap.from;
  if (wanted) l.loader.to = at = TRY(seek(whole, p, at, wanted, into));
  for (const Extent& gap : between) TRY_VOID(take(gap));
  return l;
}

// Writes what a part's blocks yield, and sums it. A block is charged before its memory is taken.
Result<void> give_part(Bytes whole, const Packed& p, Part& part, Sink& into) {
  uint64_t at = part.at;
  for (uint64_t left = part.size(); left;) {
    const Block b = TRY(read_block(whole, p, at));
    TRY_VOID(into.step(1 + b.size / 16));
    const auto bytes = TRY(decode_block(whole, b));
    part.adler = static_cast<uint32_t>(
        adler32(part.adler, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
    TRY_VOID(into.output().write(bytes));
    left -= b.size;
    at += kBlockHeader + b.packed;
  }
  return {};
}

// The parts in the order of the program; then their sums in the order of the blocks.
Result<uint32_t> give_parts(Bytes whole, const Packed& p, std::vector<Part>& parts, Sink& into) {
  std::ranges::sort(parts, {}, [](const Part& part) { return part.extent.from; });
  for (Part& part : parts) TRY_VOID(give_part(whole, p, part, into));
  std::ranges::sort(parts, {}, &Part::at);
  uLong sum = 1;
  for (const Part& part : parts) sum = adler32_combine(sum, part.adler, static_cast<z_off_t>(part.size()));
  return static_cast<uint32_t>(sum);
}

Result<void> give(Bytes whole, const Packed& p, Sink& into) {
  Layout l = TRY(read_layout(whole, p, into));
  const uint32_t adler = TRY(give_parts(whole, p, l.parts, into));
  state_checksum("adler of the program", "adler32", checksum_holds(adler, p.adler), p.adler_at, into);
  Content content{{whole.head(l.loader.from - p.blocks, p.blocks)}, "upx"};
  if (l.loader.to < p.trailer) content.extents.push_back(whole.head(p.trailer - l.loader.to, l.loader.to));
  TRY_VOID(into.child("program", std::move(content)));
  return into.child("loader", stored(whole.head(l.loader.to - l.loader.from, l.loader.from)));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Packed p = TRY(read_packed(whole));
  into.range(Range::kHeader, 0, p.blocks);
  into.range(Range::kHeader, p.trailer, p.end - p.trailer);
  into.note("packed with", "UPX, format version " + std::to_string(whole[p.trailer + 4]), p.trailer + 4);
  into.integrity(checksum("sum of the header", "sum-251", true, p.trailer + 31));
  auto done = give(whole, p, into);
  if (done || done.error().fault == Fault::kLimit) return done;
  into.discard();
  into.problem(done.error());
  return into.child("program", unreadable());
}

}  // namespace

extern const Format kUpx;
const Format kUpx = {
    .id = "upx",
    .title = "ELF program packed with UPX",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "programs of 32 and 64 bits, both byte orders: NRV2B, NRV2D, NRV2E, LZMA, deflate; filters of "
        "x86, ARM, AArch64 and PowerPC; the Adler-32 of the program and the sum of the last header",
    .limits =
        "shared libraries, scripts and kernels; files whose UPX headers were wiped; programs above 256 "
        "MiB; filters that renumber; the Adler-32 of the packed data and of the loader are not compared; the loader "
        "is code of UPX and is not looked at",
    .source = "UPX 4.2 src/p_lx_elf.cpp, p_unix.cpp, packhead.cpp, filter/",
    .checked =
        "foreign tool: upx 4.2.4, in the tests where it is installed, by hand on programs for MIPS in both byte "
        "orders, ARM, AArch64, PowerPC, x86 and x86-64 (NRV2B, NRV2D, NRV2E, LZMA, all filters); own builder; "
        "deflate is untested"};

}  // namespace assay::unpack::upx
