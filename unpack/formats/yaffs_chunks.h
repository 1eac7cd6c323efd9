// The chunks of a YAFFS file system: how large they are, where their tags stand, and what the tags say.
#pragma once
#include "core/bytes.h"

#include <optional>
#include <vector>

namespace assay::unpack {

struct YaffsGeometry {
  enum class Tags : uint8_t { kYaffs2, kYaffs2Inband, kYaffs1Spare, kYaffs1Packed };
  uint32_t page = 0, spare = 0;
  uint32_t tags_at = 0;  // from the page's start; of kYaffs1Spare: the spare's start
  Tags tags = Tags::kYaffs2;
  Order order = Order::kLittle;

  uint32_t raw() const { return page + spare; }
  bool is_yaffs1() const { return tags == Tags::kYaffs1Spare || tags == Tags::kYaffs1Packed; }
  uint32_t data() const { return tags == Tags::kYaffs2Inband ? page - 16 : page; }  // of a chunk
};

struct YaffsTags {
  enum class Code : uint8_t { kNone, kHolds, kCorrected, kBroken };
  uint32_t sequence = 0, object = 0, chunk = 0, bytes = 0;  // chunk 0: the object's header
  uint8_t serial = 0;                                       // YAFFS1
  bool deleted = false;                                     // YAFFS1
  Code code = Code::kNone;
};

struct YaffsChunk {
  uint64_t at = 0;
  YaffsTags tags;
};

struct YaffsChunks {
  YaffsGeometry geometry;
  std::vector<YaffsChunk> chunks;  // in the order of the flash
  uint64_t length = 0;
  uint64_t coded = 0, corrected = 0, broken = 0;  // tags whose own code holds, was needed, says they are wrong
  bool verified = false;
};

// Tags of a page with its spare bytes; none: nothing that could be tags.
std::optional<YaffsTags> read_yaffs_tags(Bytes raw, const YaffsGeometry& geometry);

// Whether an object header could stand at the start of `page`.
bool is_yaffs_header(Bytes page, Order order);

// Fails when no geometry makes sense of the first pages. `anywhere`: the first page may be any chunk, not a header.
Result<YaffsChunks> read_yaffs_chunks(Bytes from, bool anywhere);

// The tags that most of some pages with their spare bytes carry, object headers among them; none: no such tags.
std::optional<YaffsGeometry> find_yaffs_tags(uint32_t page, uint32_t spare, const std::vector<Bytes>& pages);
bool is_yaffs_page(Bytes raw, const YaffsGeometry& geometry);

constexpr uint32_t kYaffsFirstSequence = 0x1000, kYaffsCheckpoint = 0x21;

}  // namespace assay::unpack
