#include "core/hash.h"
#include "unpack/formats/btrfs.h"

#include <algorithm>
#include <bit>

namespace assay::unpack::btrfs {
namespace {

constexpr uint64_t kKey = 17, kChunksAt = 811, kMostChunks = 2048, kHead = 101, kItem = 25, kPointer = 33;
constexpr uint8_t kChunkItem = 228;
constexpr uint64_t kStriped = 8 | 64 | 128 | 256;  // RAID 0, 10, 5, 6: a piece lies on several devices
constexpr int kMostLevel = 8;

bool checksum_right(Bytes b) { return checksum_holds(~crc32c(b.head(b.size(), 32)), *b.le<uint32_t>(0, "")); }

}  // namespace

Key key_at(Bytes b, uint64_t at) { return {*b.le<uint64_t>(at, ""), b[at + 8], *b.le<uint64_t>(at + 9, "")}; }

Result<Super> read_super(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes, kMagics[0].offset))
    return fail(Fault::kForeign, "magic", whole.base() + kMagics[0].offset);
  const Bytes b = TRY(whole.slice(kSuperAt, kSuperSize, "superblock"));
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  Super s;
  s.roots = *b.le<uint64_t>(80, "");
  s.chunks = *b.le<uint64_t>(88, "");
  s.log = *b.le<uint64_t>(96, "");
  s.devices = *b.le<uint64_t>(136, "");
  s.sector = *b.le<uint32_t>(144, "");
  s.node = *b.le<uint32_t>(148, "");
  s.features = *b.le<uint64_t>(188, "");
  s.checksum = *b.le<uint16_t>(196, "");
  s.device = *b.le<uint64_t>(201, "");
  s.size = *b.le<uint64_t>(209, "");
  s.label = *b.text_field(299, 256, "");
  s.holds = s.checksum == 0 && checksum_right(b);
  if (*b.le<uint64_t>(48, "") != kSuperAt) return bad("a copy of the superblock", 48);
  if (!std::has_single_bit(s.sector) || s.sector < 512 || s.sector > 65536)
    return bad("sector of " + std::to_string(s.sector) + " bytes", 144);
  if (!std::has_single_bit(s.node) || s.node < 4096 || s.node > 65536)
    return bad("node of " + std::to_string(s.node) + " bytes", 148);
  if (s.checksum > 3) return bad("kind of checksum " + std::to_string(s.checksum), 196);
  if (s.size < kSuperAt + kSuperSize) return bad("size of the device " + std::to_string(s.size), 209);
  if (s.size > whole.size())
    return fail(Fault::kTruncated, "device of " + std::to_string(s.size) + " bytes", b.base() + 209);
  return s;
}

Result<void> Volume::add_chunk(const Key& key, Bytes chunk) {
  const uint64_t stripes = TRY(chunk.le<uint16_t>(44, "chunk"));
  TRY_VOID(chunk.slice(48, stripes * 32, "stripes of a chunk"));
  Chunk c;
  c.length = *chunk.le<uint64_t>(0, "");
  c.kind = *chunk.le<uint64_t>(24, "");
  if (stripes == 0 || c.length == 0 || c.length > kMostNumber - key.offset)
    return fail(Fault::kMalformed, "chunk", chunk.base());
  for (uint64_t n = 0; n < stripes; ++n)
    if (*chunk.le<uint64_t>(48 + n * 32, "") == s_.device) c.copies.push_back(*chunk.le<uint64_t>(48 + n * 32 + 8, ""));
  chunks_.insert_or_assign(key.offset, std::move(c));
  return {};
}

Result<void> Volume::read_chunks() {
  const uint64_t size = TRY(whole_.le<uint32_t>(kSuperAt + 160, "superblock"));
  if (size > kMostChunks) return fail(Fault::kMalformed, "size of chunks", whole_.base() + kSuperAt + 160);
  const Bytes first = TRY(whole_.slice(kSuperAt + kChunksAt, size, "chunks"));
  for (uint64_t at = 0; at < size;) {
    const Bytes b = TRY(first.slice(at, kKey + 48, "chunk"));
    const uint64_t length = 48 + uint64_t{*b.le<uint16_t>(kKey + 44, "")} * 32;
    TRY_VOID(add_chunk(key_at(b, 0), TRY(first.slice(at + kKey, length, "stripes of a chunk"))));
    at += kKey + length;
  }
  return each(s_.chunks, [&](const Item& item) -> Result<void> {
    return item.key.type == kChunkItem ? add_chunk(item.key, item.bytes) : Result<void>();
  });
}

Result<std::vector<Bytes>> Volume::copies(uint64_t logical, uint64_t size, std::string_view what) const {
  const auto bad = [&](Fault fault, const char* why) {
    return fail(fault, std::string(what) + " at logical address " + std::to_string(logical) + " " + why);
  };
  auto chunk = chunks_.upper_bound(logical);
  if (chunk == chunks_.begin()) return bad(Fault::kMalformed, "lies in no chunk");
  const auto& [start, c] = *--chunk;
  if (logical - start >= c.length || size > c.length - (logical - start))
    return bad(Fault::kMalformed, "lies in no chunk");
  if (c.kind & kStriped) return bad(Fault::kUnsupported, "is spread over several devices");
  if (c.copies.empty()) return bad(Fault::kUnsupported, "lies on another device");
  std::vector<Bytes> out;
  for (const uint64_t copy : c.copies) {
    if (copy > whole_.size()) return bad(Fault::kTruncated, "lies past the end");
    out.push_back(TRY(whole_.slice(copy + (logical - start), size, what)));
  }
  return out;
}

Result<Bytes> Volume::at(uint64_t logical, uint64_t size, std::string_view what) const {
  const std::vector<Bytes> found = TRY(copies(logical, size, what));
  return found.front();
}

Result<Bytes> Volume::node(uint64_t logical) {
  if (into_) TRY_VOID(into_->step(4));
  if (const auto known = nodes_.find(logical); known != nodes_.end()) return known->second;
  const std::vector<Bytes> found = TRY(copies(logical, s_.node, "node"));
  for (const Bytes& b : found) {
    if (*b.le<uint64_t>(48, "") != logical || (s_.checksum == 0 && !checksum_right(b))) continue;
    if (into_) {
      TRY_VOID(into_->step(s_.node / 64));
      for (const Bytes& copy : found) into_->range(Range::kHeader, copy.base() - whole_.base(), copy.size());
    }
    nodes_.emplace(logical, b);
    return b;
  }
  return fail(Fault::kMalformed, "node's checksum or address does not match", found.front().base());
}

Result<void> Volume::each(uint64_t root, const Key& low, const Key& high, const Each& item) {
  uint64_t nodes = 0;
  return below(root, kMostLevel, low, high, item, nodes);
}

Result<void> Volume::below(uint64_t logical, int level, const Key& low, const Key& high, const Each& item,
                           uint64_t& nodes) {
  const Bytes b = TRY(node(logical));
  // A node has one place in a tree: more visits than nodes fit are a circle.
  if (++nodes > whole_.size() / s_.node + 1 || b[100] >= level)
    return fail(Fault::kMalformed, "nodes of a tree are in a circle", b.base());
  const uint64_t count = *b.le<uint32_t>(96, ""), size = b[100] == 0 ? kItem : kPointer;
  if (count > (b.size() - kHead) / size)
    return fail(Fault::kMalformed, "node of " + std::to_string(count) + " items", b.base() + 96);
  // The last that begins at or before `low`: in a node above, what is looked for may stand there.
  uint64_t n = 0;
  for (uint64_t end = count; n < end;) {
    const uint64_t middle = n + (end - n) / 2;
    if (key_at(b, kHead + middle * size) < low)
      n = middle + 1;
    else
      end = middle;
  }
  if (b[100] != 0 && n > 0 && (n == count || key_at(b, kHead + n * size) != low)) --n;
  for (; n < count; ++n) {
    const uint64_t at = kHead + n * size;
    const Key key = key_at(b, at);
    if (key > high) break;
    if (b[100] != 0) {
      TRY_VOID(below(*b.le<uint64_t>(at + kKey, ""), b[100], low, high, item, nodes));
      continue;
    }
    const uint64_t begins = kHead + uint64_t{*b.le<uint32_t>(at + kKey, "")};
    const Bytes bytes = TRY(b.slice(begins, *b.le<uint32_t>(at + 21, ""), "item"));
    TRY_VOID(item({key, bytes}));
  }
  return {};
}

}  // namespace assay::unpack::btrfs
