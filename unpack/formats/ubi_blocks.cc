#include "unpack/formats/ubi_blocks.h"

#include "core/hash.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr uint64_t kStep = 512;  // erase blocks are multiples of it
constexpr size_t kEnoughHeaders = 256;
constexpr uint64_t kFarthest = 16 << 20;  // without another header: no block is that large
constexpr uint64_t kBadInARow = 32;       // blocks that are neither erased nor UBI's, between good ones
constexpr uint64_t kRecordSize = 172;
constexpr uint32_t kMostVolumes = 128;

struct EraseHeader {
  uint32_t headers_at, data_at, image_sequence;
};

Result<EraseHeader> read_erase_header(Bytes from, uint64_t at) {
  const Bytes b = TRY(from.slice(at, kUbiHeaderSize, "erase counter header"));
  if (!b.starts_with("UBI#")) return fail(Fault::kMalformed, "magic is not UBI#", b.base());
  if (b[4] != 1) return fail(Fault::kUnsupported, "version " + std::to_string(b[4]), b.base() + 4);
  if (!checksum_holds(crc32_raw(b.head(60)), *b.be<uint32_t>(60, "hdr_crc")))
    return fail(Fault::kMalformed, "hdr_crc of the erase counter header does not match", b.base() + 60);
  return EraseHeader{*b.be<uint32_t>(16, "vid_hdr_offset"), *b.be<uint32_t>(20, "data_offset"),
                     *b.be<uint32_t>(24, "image_seq")};
}

bool same(const EraseHeader& a, const EraseHeader& b) {
  return a.headers_at == b.headers_at && a.data_at == b.data_at && a.image_sequence == b.image_sequence;
}

// The commonest distance between headers that belong together: bad blocks and images inside volumes change a few.
Result<uint64_t> block_size(Bytes from, const EraseHeader& first) {
  std::map<uint64_t, size_t> distances;
  uint64_t last = 0;
  size_t found = 1;
  for (uint64_t at = kStep; at < from.size() && at - last <= kFarthest && found < kEnoughHeaders; at += kStep) {
    if (!from.starts_with("UBI#", at)) continue;
    const auto header = read_erase_header(from, at);
    if (!header || !same(*header, first) || at - last < header->data_at) continue;
    ++distances[at - last];
    last = at;
    ++found;
  }
  const auto best = std::ranges::max_element(distances, {}, [](const auto& entry) { return entry.second; });
  if (best == distances.end()) return fail(Fault::kMalformed, "no second erase block", from.base());
  return best->first;
}

}  // namespace

Result<UbiGeometry> read_ubi_geometry(Bytes from) {
  const EraseHeader first = TRY(read_erase_header(from, 0));
  if (first.headers_at < kUbiHeaderSize || first.data_at < first.headers_at + kUbiHeaderSize)
    return fail(Fault::kMalformed, "the headers overlap", from.base() + 16);
  UbiGeometry g = {.block = TRY(block_size(from, first)),
                   .headers_at = first.headers_at,
                   .data_at = first.data_at,
                   .image_sequence = first.image_sequence};
  uint64_t bad = 0;
  for (uint64_t at = 0; at < from.size() && bad <= kBadInARow; at += g.block) {
    const auto header = read_erase_header(from, at);
    if (header && same(*header, first)) {
      bad = 0;
      g.length = std::min(at + g.block, from.size());
    } else if (is_erased(from.head(g.block, at)) && bad == 0) {
      g.length = std::min(at + g.block, from.size());
    } else {
      ++bad;
    }
  }
  g.count = (g.length + g.block - 1) / g.block;
  return g;
}

Result<std::optional<UbiBlock>> read_ubi_block(Bytes whole, const UbiGeometry& geometry, uint64_t at) {
  TRY(read_erase_header(whole, at));
  const Bytes b = TRY(whole.slice(at + geometry.headers_at, kUbiHeaderSize, "volume header"));
  if (is_erased(b)) return std::nullopt;
  if (!b.starts_with("UBI!")) return fail(Fault::kMalformed, "magic is not UBI!", b.base());
  if (!checksum_holds(crc32_raw(b.head(60)), *b.be<uint32_t>(60, "hdr_crc")))
    return fail(Fault::kMalformed, "hdr_crc of the volume header does not match", b.base() + 60);
  UbiBlock block;
  block.at = at;
  block.fixed = b[5] == 2;
  block.copied = b[6] != 0;
  block.volume = *b.be<uint32_t>(8, "vol_id");
  block.logical = *b.be<uint32_t>(12, "lnum");
  block.data_size = *b.be<uint32_t>(20, "data_size");
  block.used_blocks = *b.be<uint32_t>(24, "used_ebs");
  block.data_pad = *b.be<uint32_t>(28, "data_pad");
  block.data_crc = *b.be<uint32_t>(32, "data_crc");
  block.sequence = *b.be<uint64_t>(40, "sqnum");
  if (block.data_pad >= geometry.block - geometry.data_at)
    return fail(Fault::kMalformed, "data_pad " + std::to_string(block.data_pad), b.base() + 28);
  if (block.data_size > geometry.block - geometry.data_at - block.data_pad)
    return fail(Fault::kMalformed, "data_size " + std::to_string(block.data_size), b.base() + 20);
  return block;
}

Bytes ubi_data(Bytes whole, const UbiGeometry& geometry, const UbiBlock& block) {
  const uint64_t size = block.fixed ? block.data_size : geometry.block - geometry.data_at - block.data_pad;
  return whole.head(size, block.at + geometry.data_at);
}

bool ubi_data_holds(Bytes whole, const UbiGeometry& geometry, const UbiBlock& block) {
  const Bytes data = whole.head(block.data_size, block.at + geometry.data_at);
  return data.size() == block.data_size && checksum_holds(crc32_raw(data), block.data_crc);
}

Result<std::map<uint32_t, UbiVolume>> read_ubi_table(Bytes table) {
  std::map<uint32_t, UbiVolume> volumes;
  for (uint32_t i = 0; i < kMostVolumes && (i + 1) * kRecordSize <= table.size(); ++i) {
    const Bytes r = table.head(kRecordSize, i * kRecordSize);
    if (!checksum_holds(crc32_raw(r.head(168)), *r.be<uint32_t>(168, "crc")))
      return fail(Fault::kMalformed, "crc of record " + std::to_string(i) + " of the volume table does not match",
                  r.base() + 168);
    if (*r.be<uint32_t>(0, "reserved_pebs") == 0) continue;
    const uint16_t name_length = *r.be<uint16_t>(14, "name_len");
    volumes[i] = {*r.be<uint32_t>(0, "reserved_pebs"),
                  *r.be<uint32_t>(4, "alignment"),
                  *r.be<uint32_t>(8, "data_pad"),
                  r[12] == 2,
                  r[13] != 0,
                  r[144],
                  std::string(r.head(std::min<uint16_t>(name_length, 127), 16).text())};
  }
  return volumes;
}

}  // namespace assay::unpack
