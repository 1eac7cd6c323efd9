#include "unpack/formats/yaffs_volume.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr uint32_t kUnlinked = 3, kDeleted = 4;  // directories that nobody sees
constexpr uint64_t kYaffsHeaderSize = 512;
constexpr size_t kMostXattrs = 64;

// Behind the header: size of the record (32 bits, of all of it), name, 0, value; until a size that makes no sense.
std::vector<std::pair<std::string, std::string>> read_xattrs(Bytes rest, Order order) {
  std::vector<std::pair<std::string, std::string>> out;
  for (uint64_t at = 0; out.size() < kMostXattrs;) {
    const auto size = rest.get<uint32_t>(at, order, "size");
    if (!size || *size < 7 || *size > rest.size() - at) break;
    const std::string_view record = rest.head(*size - 4, at + 4).text();
    const size_t end = record.find('\0');
    if (end == record.npos || end == 0) break;
    out.emplace_back(record.substr(0, end), record.substr(end + 1));
    at += *size;
  }
  std::ranges::sort(out);
  return out;
}

class YaffsReader {
 public:
  YaffsReader(Bytes whole, const YaffsChunks& chunks, Sink& into) : whole_(whole), g_(chunks.geometry), into_(into) {
    for (const YaffsChunk& chunk : chunks.chunks) order_.push_back(&chunk);
  }

  Result<YaffsVolume> run() {
    if (g_.is_yaffs1()) keep_newest_of_yaffs1();
    // The newest first; in one block, and in an image whose blocks all have one number, what comes later is newer.
    std::ranges::reverse(order_);
    std::ranges::stable_sort(
        order_, [](const YaffsChunk* a, const YaffsChunk* b) { return a->tags.sequence > b->tags.sequence; });
    for (const YaffsChunk* chunk : order_) {
      TRY_VOID(into_.step());
      claim_tags(*chunk);
      if (chunk->tags.sequence == kYaffsCheckpoint) {
        into_.range(Range::kHeader, chunk->at, g_.page);
        ++volume_.checkpoints;
      } else if (chunk->tags.chunk == 0) {
        take_header(*chunk);
      } else {
        take_data(*chunk);
      }
    }
    for (auto& [number, object] : volume_.objects)
      if (g_.is_yaffs1() && !object.data.empty()) object.size = std::max(object.size, end_of(*object.data.rbegin()));
    return std::move(volume_);
  }

 private:
  uint64_t end_of(const std::pair<const uint32_t, YaffsData>& piece) const {
    return uint64_t{piece.first - 1} * g_.data() + piece.second.bytes;
  }

  void claim_tags(const YaffsChunk& chunk) {
    const bool coded = chunk.tags.code != YaffsTags::Code::kNone;
    const uint64_t size = g_.is_yaffs1() ? (g_.tags == YaffsGeometry::Tags::kYaffs1Spare ? 16 : 8) : coded ? 28 : 16;
    into_.range(Range::kHeader, chunk.at + g_.tags_at, size);
  }

  // Pages are not in the order of writing: of two live ones the serial number says which is newer.
  void keep_newest_of_yaffs1() {
    std::map<std::pair<uint32_t, uint32_t>, const YaffsChunk*> newest;
    for (const YaffsChunk* chunk : order_) {
      if (chunk->tags.deleted) {
        ++volume_.deleted_pages;
        continue;
      }
      const auto [it, fresh] = newest.try_emplace({chunk->tags.object, chunk->tags.chunk}, chunk);
      if (!fresh && ((it->second->tags.serial + 1) & 3) == chunk->tags.serial) it->second = chunk;
    }
    std::erase_if(order_, [&](const YaffsChunk* chunk) {
      const auto it = newest.find({chunk->tags.object, chunk->tags.chunk});
      return chunk->tags.deleted || it->second != chunk;
    });
  }

  void take_header(const YaffsChunk& chunk) {
    YaffsHeader header = read_yaffs_header(whole_.head(g_.page, chunk.at), g_);
    into_.range(Range::kHeader, chunk.at, g_.page);
    YaffsObject& object = volume_.objects[chunk.tags.object];
    const bool gone = header.parent == kUnlinked || header.parent == kDeleted;
    if (gone) header.size = 0, header.shrinks = true;
    if (object.has_header()) {  // an older one: only that the file was shorter once still counts
      if (header.shrinks) object.shrunk = std::min(object.shrunk, header.size);
      ++volume_.old_headers;
      return;
    }
    object.header_at = chunk.at;
    object.gone |= gone;
    object.size = std::max(object.size, header.size);
    if (header.type == YaffsType::kFile && !g_.is_yaffs1()) object.shrunk = std::min(object.shrunk, header.size);
    if (header.shadows > 0) {
      YaffsObject& shadowed = volume_.objects[static_cast<uint32_t>(header.shadows)];
      if (!shadowed.has_header()) shadowed.gone = true;
    }
    volume_.objects[chunk.tags.object].header = std::move(header);
  }

  void take_data(const YaffsChunk& chunk) {
    YaffsObject& object = volume_.objects[chunk.tags.object];
    const uint64_t start = uint64_t{chunk.tags.chunk - 1} * g_.data();
    if (start >= object.shrunk ||
        !object.data.try_emplace(chunk.tags.chunk, YaffsData{chunk.at, chunk.tags.bytes}).second) {
      ++volume_.old_data;
      return;
    }
    if (!object.has_header()) object.size = std::max(object.size, start + chunk.tags.bytes);
  }

  Bytes whole_;
  const YaffsGeometry& g_;
  Sink& into_;
  std::vector<const YaffsChunk*> order_;
  YaffsVolume volume_;
};

}  // namespace

YaffsHeader read_yaffs_header(Bytes page, const YaffsGeometry& g) {
  const auto word = [&](uint64_t at) { return page.get<uint32_t>(at, g.order, "field").value_or(0); };
  YaffsHeader h;
  h.type = static_cast<YaffsType>(word(0));
  h.parent = word(4);
  h.name = page.text_field(10, 256, "name").value_or("");
  h.mode = word(268);
  h.uid = word(272);
  h.gid = word(276);
  h.mtime = word(284);
  const uint32_t high = word(496);  // all ones where the writer did not know it
  h.size = h.type == YaffsType::kFile ? word(292) | (high == ~0u ? 0 : uint64_t{high} << 32) : 0;
  if (h.type == YaffsType::kFile && word(292) == ~0u && (high == ~0u || high == 0)) h.size = 0;
  h.equivalent = word(296);
  h.alias = page.text_field(300, 160, "alias").value_or("");
  h.device = word(460);
  h.shadows = static_cast<int32_t>(word(g.tags == YaffsGeometry::Tags::kYaffs2Inband ? 488 : 504));
  const uint32_t shrinks = word(g.tags == YaffsGeometry::Tags::kYaffs2Inband ? 492 : 508);
  h.shrinks = shrinks != 0 && shrinks != ~0u;
  if (g.data() > kYaffsHeaderSize)
    h.xattrs = read_xattrs(page.head(g.data() - kYaffsHeaderSize, kYaffsHeaderSize), g.order);
  return h;
}

Result<YaffsVolume> read_yaffs_volume(Bytes whole, const YaffsChunks& chunks, Sink& into) {
  return YaffsReader(whole, chunks, into).run();
}

}  // namespace assay::unpack
