// UBI: volumes on raw flash. Every physical erase block begins with a header that counts erasures; one in use has a
// second header that says which logical block of which volume it holds. Big-endian.
//
//   0   "UBI#"  4 version 1  8 erase counter (64 bits)  16 vid_hdr_offset  20 data_offset  24 image_seq  60 hdr_crc
//   at vid_hdr_offset:
//   0   "UBI!"  4 version  5 vol_type (1 dynamic, 2 static)  6 copy_flag  8 vol_id  12 lnum  20 data_size  24 used_ebs
//   28 data_pad  32 data_crc  40 sqnum (64 bits)  60 hdr_crc
//
// The volume 0x7fffefff holds the table of volumes twice: 172 bytes a volume (reserved blocks, alignment, type, name).
// Of two blocks that hold the same logical one the higher sqnum counts, unless it is a copy whose data_crc fails.
// The size of a block is not stored: it is the commonest distance between first headers. Checksums: CRC-32 from ~0,
// without the final inversion. Source: Linux drivers/mtd/ubi/ubi-media.h.
#include "unpack/formats/ubi_blocks.h"

#include <algorithm>
#include <array>
#include <set>

namespace assay::unpack::ubi {
namespace {

constexpr Magic kMagics[] = {{"UBI#"}};

using Logical = std::map<uint32_t, UbiBlock>;

Result<Measured> measure(Bytes from) {
  const UbiGeometry geometry = TRY(read_ubi_geometry(from));
  return Measured{geometry.length, true};
}

class Reader {
 public:
  Reader(Bytes whole, const UbiGeometry& geometry, Sink& into) : whole_(whole), geometry_(geometry), into_(into) {}

  Result<void> run() {
    TRY_VOID(read_blocks());
    read_table();
    for (const auto& [number, blocks] : volumes_)
      if (number < kUbiLayoutVolume) TRY_VOID(emit(number, blocks));
    for (const auto& [number, volume] : table_)
      if (!volumes_.contains(number)) into_.note("empty volume", volume.name, 0);
    return {};
  }

 private:
  Result<void> read_blocks() {
    uint64_t free = 0, stale = 0;
    for (uint64_t at = 0; at < whole_.size(); at += geometry_.block) {
      TRY_VOID(into_.step());
      const Bytes block = whole_.head(geometry_.block, at);
      if (is_run(block)) continue;  // erased, without even a header
      const auto read = read_ubi_block(whole_, geometry_, at);
      if (!read) {
        into_.problem({read.error().fault,
                       "erase block " + std::to_string(at / geometry_.block) + ": " + read.error().what,
                       read.error().offset});
        continue;
      }
      into_.range(Range::kHeader, at, kUbiHeaderSize);
      if (!*read) {
        ++free;
        continue;
      }
      into_.range(Range::kHeader, at + geometry_.headers_at, kUbiHeaderSize);
      stale += !take(**read);
    }
    into_.note("erase block", std::to_string(geometry_.block), 0);
    into_.note("free erase blocks", std::to_string(free), 0);
    if (stale) into_.note("older copies of blocks", std::to_string(stale), 0);
    return {};
  }

  // False when there were two: the block that lost is left to the unknown.
  bool take(const UbiBlock& block) {
    const auto [it, fresh] = volumes_[block.volume].try_emplace(block.logical, block);
    if (fresh) return true;
    const bool newer = block.sequence > it->second.sequence;
    const UbiBlock& high = newer ? block : it->second;
    const UbiBlock& low = newer ? it->second : block;
    const bool broken = high.copied && !ubi_data_holds(whole_, geometry_, high);
    it->second = UbiBlock(broken ? low : high);
    return false;
  }

  void read_table() {
    const auto layout = volumes_.find(kUbiLayoutVolume);
    if (layout == volumes_.end()) {
      into_.problem({Fault::kMalformed, "no volume table; volumes are named by their numbers", 0});
      return;
    }
    bool found = false;
    for (const auto& [logical, block] : layout->second) {
      const Bytes data = ubi_data(whole_, geometry_, block);
      auto table = read_ubi_table(data);
      if (!table) {
        into_.problem(std::move(table).error());
        continue;
      }
      into_.range(Range::kHeader, block.at + geometry_.data_at, std::min<uint64_t>(data.size(), 128 * 172));
      if (!found) table_ = std::move(*table);
      found = true;
    }
  }

  std::string name_of(uint32_t number) {
    const auto volume = table_.find(number);
    std::string name = volume == table_.end() ? "" : volume->second.name;
    std::ranges::replace(name, '/', '_');
    if (name.empty() || !names_.insert(name).second) name = "volume-" + std::to_string(number);
    names_.insert(name);
    return name;
  }

  Result<void> emit(uint32_t number, const Logical& blocks) {
    const std::string name = name_of(number);
    const auto volume = table_.find(number);
    const UbiBlock& any = blocks.begin()->second;
    into_.note("volume " + std::to_string(number), name + (any.fixed ? ", static" : ", dynamic"), any.at);
    if (volume == table_.end())
      into_.problem({Fault::kMalformed, "volume " + std::to_string(number) + " is not in the volume table", any.at});
    else if (volume->second.update_marker)
      into_.problem({Fault::kMalformed, "volume " + name + ": an update of it was begun and not finished", any.at});
    const uint64_t most = volume == table_.end() ? geometry_.count : volume->second.reserved;
    const uint64_t last = any.fixed ? any.used_blocks : blocks.rbegin()->first + uint64_t{1};
    std::vector<const UbiBlock*> order;
    for (const auto& [logical, block] : blocks) {
      if (logical >= most || (any.fixed && logical >= last))
        into_.problem({Fault::kMalformed,
                       "volume " + name + ": logical block " + std::to_string(logical) + " lies past its end",
                       block.at});
      else
        order.push_back(&block);
    }
    return emit_content(name, order, std::min(last, most));
  }

  Result<void> emit_content(const std::string& name, const std::vector<const UbiBlock*>& order, uint64_t count) {
    if (order.empty()) return {};
    std::vector<Bytes> extents;
    for (const UbiBlock* block : order) {
      if (block->fixed && !ubi_data_holds(whole_, geometry_, *block))
        into_.problem(
            {Fault::kMalformed,
             "volume " + name + ": data_crc of logical block " + std::to_string(block->logical) + " does not match",
             block->at});
      extents.push_back(ubi_data(whole_, geometry_, *block));
    }
    if (order.size() == count) return into_.child(name, {std::move(extents), {}});
    TRY_VOID(write_with_holes(name, order, extents, count));
    return into_.child(name, {std::move(extents), "ubi"});
  }

  // A logical block that is not mapped reads as erased flash.
  Result<void> write_with_holes(const std::string& name, const std::vector<const UbiBlock*>& order,
                                const std::vector<Bytes>& extents, uint64_t count) {
    const uint64_t size = geometry_.block - geometry_.data_at - order[0]->data_pad;
    if (order[0]->fixed)
      into_.problem({Fault::kMalformed,
                     "volume " + name + ": " + std::to_string(count - order.size()) + " of " + std::to_string(count) +
                         " logical blocks are missing and read as 0xff",
                     order[0]->at});
    uint64_t next = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      TRY_VOID(erased((order[i]->logical - next) * size));
      TRY_VOID(into_.output().write(extents[i].span()));
      next = order[i]->logical + uint64_t{1};
    }
    return erased((count - next) * size);
  }
  Result<void> erased(uint64_t length) {
    std::array<std::byte, 4096> piece;
    piece.fill(std::byte{0xff});
    for (; length > 0; length -= std::min<uint64_t>(length, piece.size()))
      TRY_VOID(into_.output().write(std::span(piece).first(std::min<uint64_t>(length, piece.size()))));
    return {};
  }

  Bytes whole_;
  const UbiGeometry& geometry_;
  Sink& into_;
  std::map<uint32_t, Logical> volumes_;
  std::map<uint32_t, UbiVolume> table_;
  std::set<std::string> names_;
};

Result<void> unpack(Bytes whole, Sink& into) {
  const UbiGeometry geometry = TRY(read_ubi_geometry(whole));
  return Reader(whole, geometry, into).run();
}

}  // namespace

extern const Format kUbi;
const Format kUbi = {.id = "ubi",
                     .title = "UBI volumes on raw flash",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "static and dynamic volumes, blocks in any order, autoresize",
                     .limits =
                         "Images of one erase block; dumps with spare (OOB) bytes between pages; a fastmap is not "
                         "read, nor needed.",
                     .source = "Linux drivers/mtd/ubi/ubi-media.h",
                     .checked = "foreign tool: ubinize"};

}  // namespace assay::unpack::ubi
