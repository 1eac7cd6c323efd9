// Where the bytes of an EROFS inode lie.
//
//   plain     whole blocks from one address on; inline: the last, partial block stands behind the inode
//   chunks    behind the inode, for each chunk an address of 4 bytes, or 8 with the number of a device; ~0: a hole
//   index     behind the inode, at a multiple of 8: a header of 8 bytes
//               0 fragment's offset (or 2: size of the tail kept in the index)  4 advice  6 algorithms  7 cluster bits
//             then, for each logical cluster, what it is: 0 stored, 1 and 3 the head of a compressed cluster, 2 what
//             follows a head. Full: 8 bytes (type, offset of the head's data, block). Compact: packs of 2 entries in 8
//             bytes or 16 in 32, 16 or 14 bits each (offset, type), and the first block's address in their last word.
// A compressed cluster yields the bytes from its head to the next head.
// Source: Linux fs/erofs/erofs_fs.h, zmap.c, data.c.
#include "unpack/formats/erofs.h"

#include <algorithm>

namespace assay::unpack::erofs {
namespace {

enum Advice : uint16_t {
  kShortEntries = 1,
  kBig1 = 2,
  kBig2 = 4,
  kInlineTail = 8,
  kRotatedPlain = 16,
  kFragmentTail = 32
};
constexpr uint8_t kPlainHead = 0, kFollows = 2, kHead2 = 3;
constexpr uint32_t kCountFlag = 1 << 11;
constexpr uint64_t kMostDecoded = 16 << 20, kMostPacked = 512 << 20;  // of one cluster; of all fragments
constexpr uint32_t kNoBlock = ~0u;

uint64_t up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

std::vector<Extent> Image::flat_extents(const Inode& inode) const {
  const uint64_t start = uint64_t{inode.place} << super_.block_bits;
  if (inode.layout == Layout::kPlain) return {{0, inode.size, start, inode.size}};
  const uint64_t blocks = up(inode.size, super_.block_size()) >> super_.block_bits;
  const uint64_t whole = (blocks - 1) << super_.block_bits;
  std::vector<Extent> out;
  if (whole) out.push_back({0, whole, start, whole});
  out.push_back({whole, inode.size - whole, inode.behind(), inode.size - whole});
  return out;
}

Result<std::vector<Extent>> Image::chunk_extents(const Inode& inode) {
  const uint32_t bits = super_.block_bits + (inode.place & 0x1f);
  const uint64_t unit = inode.place & 0x20 ? 8 : 4, at = up(inode.behind(), unit);
  if (inode.place & 0xffc0 || bits > 40)
    return fail(Fault::kUnsupported, "chunk format " + std::to_string(inode.place), inode.at + 16);
  const uint64_t count = ((inode.size - 1) >> bits) + 1;
  if (count > whole_.size()) return fail(Fault::kMalformed, "more chunks than the image has bytes", inode.at);
  const Bytes index = TRY(whole_.slice(at, count * unit, "chunk index"));
  claim(at, index.size());
  TRY_VOID(step(count));
  std::vector<Extent> out;
  for (uint64_t i = 0; i < count; ++i) {
    if (unit == 8 && *index.le<uint16_t>(i * 8 + 2, "") != 0)
      return fail(Fault::kUnsupported, "content lies on another device", index.base() + i * 8);
    const uint32_t block = *index.le<uint32_t>(i * unit + unit - 4, "");
    const uint64_t logical = i << bits, length = std::min(uint64_t{1} << bits, inode.size - logical);
    const Extent next = {logical, length, block == kNoBlock ? 0 : uint64_t{block} << super_.block_bits, length,
                         block == kNoBlock ? Extent::kHole : Extent::kStored};
    if (!out.empty() && out.back().how == next.how &&
        (next.how == Extent::kHole || out.back().physical + out.back().size == next.physical)) {
      out.back().length += length;
      out.back().size += length;
    } else {
      out.push_back(next);
    }
  }
  return out;
}

Result<Image::Map> Image::read_map(const Inode& inode) {
  Map map;
  map.at = up(inode.behind(), 8);
  const Bytes b = TRY(whole_.slice(map.at, 8, "index header"));
  claim(map.at, 8);
  map.fragment = *b.le<uint32_t>(0, "");
  map.inline_size = *b.le<uint16_t>(2, "");
  map.advice = *b.le<uint16_t>(4, "");
  map.algorithms = b[6];
  map.bits = super_.block_bits + (b[7] & 7);
  map.whole_fragment = (b[7] & 0x80) != 0;
  if (map.whole_fragment) map.fragment = *b.le<uint64_t>(0, "") & ~(uint64_t{1} << 63);
  return map;
}

Result<std::vector<Image::Cluster>> Image::full_index(const Map& map, uint64_t count, uint64_t& end) {
  const Bytes index = TRY(whole_.slice(map.at + 16, count * 8, "cluster index"));
  claim(map.at + 8, 8 + index.size());
  end = map.at + 16 + index.size();
  std::vector<Cluster> out(count);
  for (uint64_t i = 0; i < count; ++i) {
    out[i].type = *index.le<uint16_t>(i * 8, "") & 3;
    if (out[i].type == kFollows) {
      const uint16_t distance = *index.le<uint16_t>(i * 8 + 4, "");
      if (distance & kCountFlag) out[i].count = distance & ~kCountFlag;
    } else {
      out[i].offset = *index.le<uint16_t>(i * 8 + 2, "");
      out[i].block = *index.le<uint32_t>(i * 8 + 4, "");
    }
  }
  return out;
}

// One pack. Only its first block is stored: each head's is what the heads before it leave.
Result<void> Image::compact_pack(const Map& map, uint64_t at, uint32_t entries, uint32_t bytes,
                                 std::vector<Cluster>& out) {
  const Bytes pack = TRY(whole_.slice(at, bytes, "pack of clusters"));
  const uint32_t width = (bytes - 4) * 8 / entries, low = std::max(map.bits, 12u);
  if (low + 2 > width) return fail(Fault::kUnsupported, "clusters of 2^" + std::to_string(map.bits) + " bytes", at);
  const bool big = (map.advice & kBig1) != 0;
  uint64_t block = uint64_t{*pack.le<uint32_t>(bytes - 4, "")} + (big ? 0 : 1);
  const size_t first = out.size();
  for (uint32_t i = 0; i < entries; ++i) {
    const uint32_t bit = i * width, value = *pack.le<uint32_t>(bit / 8, "") >> (bit & 7);
    const uint32_t number = value & ((1u << low) - 1);
    Cluster c;
    c.type = value >> low & 3;
    if (c.type == kFollows) {
      if (big && number & kCountFlag) {
        c.count = number & ~kCountFlag;
        block += c.count - (out.size() > first ? 1 : 0);  // its head was counted as one
      }
    } else {
      c.offset = number;
      c.block = block++;
    }
    out.push_back(c);
  }
  return {};
}

// Packs of two until a multiple of 32 bytes, then packs of sixteen, then packs of two again.
Result<std::vector<Image::Cluster>> Image::compact_index(const Map& map, uint64_t count, uint64_t& end) {
  uint64_t at = map.at + 8;
  const uint64_t before = std::min<uint64_t>((32 - at % 32) % 32 / 4, count);
  const uint64_t middle = map.advice & kShortEntries ? (count - before) / 16 * 16 : 0;
  std::vector<Cluster> out;
  while (out.size() < count) {
    const bool wide = out.size() < before || out.size() >= before + middle;
    TRY_VOID(compact_pack(map, at, wide ? 2 : 16, wide ? 8 : 32, out));
    claim(at, wide ? 8 : 32);
    at += wide ? 8 : 32;
  }
  out.resize(count);
  end = at;
  return out;
}

Result<std::vector<Extent>> Image::compressed_extents(const Inode& inode) {
  const Map map = TRY(read_map(inode));
  if (map.whole_fragment) return std::vector<Extent>{{0, inode.size, map.fragment, inode.size, Extent::kFragment}};
  const uint64_t count = ((inode.size - 1) >> map.bits) + 1;
  if (count > whole_.size()) return fail(Fault::kMalformed, "more clusters than the image has bytes", inode.at);
  TRY_VOID(step(count));
  uint64_t end = 0;
  const auto clusters =
      TRY(inode.layout == Layout::kFullIndex ? full_index(map, count, end) : compact_index(map, count, end));
  std::vector<Extent> out;
  for (uint64_t i = 0; i < count; ++i) {
    const Cluster& c = clusters[i];
    const uint64_t logical = (i << map.bits) + c.offset;
    if (c.type == kFollows || logical >= inode.size) continue;
    if (out.empty() ? logical != 0 : logical <= out.back().logical)
      return fail(Fault::kMalformed, "clusters are not in order", inode.at);
    if (!out.empty()) out.back().length = logical - out.back().logical;
    Extent e = {logical, inode.size - logical, c.block << super_.block_bits, uint64_t{1} << map.bits};
    const bool big = c.type == kHead2 ? map.advice & kBig2 : c.type != kPlainHead && map.advice & kBig1;
    if (big && i + 1 < count && clusters[i + 1].count) e.size = uint64_t{clusters[i + 1].count} << super_.block_bits;
    e.how = c.type != kPlainHead         ? Extent::kCompressed
            : map.advice & kRotatedPlain ? Extent::kRotated
                                         : Extent::kStored;
    e.algorithm = c.type == kHead2 ? map.algorithms >> 4 : map.algorithms & 15;
    out.push_back(e);
  }
  if (out.empty()) return fail(Fault::kMalformed, "no cluster has a head", inode.at);
  Extent& last = out.back();
  if (map.advice & kFragmentTail) {
    const uint64_t high = inode.layout == Layout::kFullIndex ? last.physical >> super_.block_bits << 32 : 0;
    last = {last.logical, last.length, map.fragment | high, last.length, Extent::kFragment};
  } else if (map.advice & kInlineTail && map.inline_size) {
    last.physical = end;
    last.size = map.inline_size;
  }
  return out;
}

Result<std::vector<Extent>> Image::extents(const Inode& inode) {
  if (inode.size == 0) return std::vector<Extent>{};
  switch (inode.layout) {
    case Layout::kFullIndex:
    case Layout::kCompactIndex:
      return compressed_extents(inode);
    case Layout::kChunks:
      return chunk_extents(inode);
    default:
      return flat_extents(inode);
  }
}

// Of the inode that keeps the fragments of others; it is decoded once.
Result<Bytes> Image::packed(uint64_t at, uint64_t length) {
  if (!packed_) {
    if (reading_packed_ || super_.packed == 0) return fail(Fault::kMalformed, "there is no inode of fragments", 0);
    reading_packed_ = true;
    const Inode inode = TRY(this->inode(super_.packed));
    MemoryOutput out(kMostPacked);
    std::vector<Bytes> used;
    TRY_VOID(step(inode.size / 16));
    TRY_VOID(read(inode, TRY(extents(inode)), out, &used));
    for (const Bytes& piece : used)
      if (sink_) sink_->range(Range::kContent, piece.base(), piece.size());
    packed_ = std::move(out.vector());
  }
  return Bytes(std::span<const std::byte>(*packed_)).slice(at, length, "fragment");
}

Result<void> Image::read_extent(const Extent& e, Output& into, std::vector<Bytes>* used) {
  if (e.how == Extent::kHole) return into.zeros(e.length);
  if (e.how == Extent::kFragment) return into.write(TRY(packed(e.physical, e.length)).span());
  if (e.how != Extent::kStored && e.length > kMostDecoded)
    return fail(Fault::kMalformed, "cluster of " + std::to_string(e.length) + " bytes", e.physical);
  const uint64_t size = e.how == Extent::kStored ? e.length : e.size;
  if (size > e.size) return fail(Fault::kMalformed, "a stored cluster is longer than its blocks", e.physical);
  const Bytes from = TRY(whole_.slice(e.physical, size, "cluster"));
  if (used) used->push_back(from);
  if (e.how == Extent::kStored) return into.write(from.span());
  if (e.how == Extent::kCompressed) return decode_cluster(e.algorithm, from, e.length, super_, into);
  // Rotated: the bytes stand where they would in their block, what overflows at its start.
  const uint64_t turn = e.logical & (super_.block_size() - 1);
  if (e.length > from.size() || turn >= from.size())
    return fail(Fault::kMalformed, "a rotated cluster is longer than its block", e.physical);
  const uint64_t right = std::min(from.size() - turn, e.length);
  TRY_VOID(into.write(from.head(right, turn).span()));
  return into.write(from.head(e.length - right).span());
}

Result<void> Image::read(const Inode&, const std::vector<Extent>& extents, Output& into, std::vector<Bytes>* used) {
  for (const Extent& e : extents) {
    TRY_VOID(step(1));
    TRY_VOID(read_extent(e, into, used));
  }
  return {};
}

Result<std::string> Image::read_small(const Inode& inode, uint64_t most) {
  if (inode.size > most)
    return fail(Fault::kMalformed, "size " + std::to_string(inode.size) + " is beyond what is read", inode.at);
  MemoryOutput out(most);
  std::vector<Bytes> used;
  TRY_VOID(read(inode, TRY(extents(inode)), out, &used));
  for (const Bytes& piece : used) claim(piece.base(), piece.size());
  return std::string(out.bytes().text());
}

}  // namespace assay::unpack::erofs
