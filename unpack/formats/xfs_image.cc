// XFS: superblock, inodes, extents and directories. The layout stands in unpack/formats/xfs.h.
#include "core/hash.h"
#include "unpack/formats/xfs.h"

#include <algorithm>
#include <bit>

namespace assay::unpack::xfs {
namespace {

constexpr uint64_t kCrcAt = 224, kLargestDirectory = uint64_t{32} << 30;  // from there on a directory has its index
constexpr uint32_t kKnownFeatures =
    0xff;  // types, sparse inodes, own UUID, wide times, repair, many extents, exchange, parents
constexpr uint64_t kMostRuns = 1 << 20, kLongestTarget = 1024;
constexpr unsigned kDeepest = 8;

bool sums_up(Bytes sector) {
  const std::byte zeros[4] = {};
  const uint32_t head = crc32c(Bytes(std::span(zeros)), crc32c(sector.head(kCrcAt)));
  return checksum_holds(~crc32c(sector.head(sector.size(), kCrcAt + 4), head), *sector.le<uint32_t>(kCrcAt, ""));
}

Result<void> check(const Super& s, Bytes whole, Bytes b) {
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  if (!std::has_single_bit(s.block) || s.block < 512 || s.block > 65536 || b[120] != std::countr_zero(s.block))
    return bad("block size " + std::to_string(s.block), 4);
  if (!std::has_single_bit(s.sector) || s.sector < 512 || s.sector > 32768) return bad("sector size", 102);
  if (!std::has_single_bit(s.inode) || s.inode < 256 || s.inode > 2048 || s.inode > s.block)
    return bad("inode size " + std::to_string(s.inode), 104);
  if (s.block / s.inode != uint64_t{1} << s.inodes_log) return bad("inodes of a block", 123);
  if (s.group_log > 31 || s.group_blocks == 0 || s.group_blocks > uint64_t{1} << s.group_log ||
      s.group_blocks < uint64_t{1} << s.group_log >> 1)
    return bad("blocks of a group " + std::to_string(s.group_blocks), 84);
  if (s.groups == 0 || s.blocks > s.groups * s.group_blocks || s.blocks <= (s.groups - 1) * s.group_blocks)
    return bad("groups " + std::to_string(s.groups), 88);
  if (s.directory_log > 7 || s.directory() > 65536) return bad("directory block", 192);
  if (s.blocks > whole.size() / s.block)
    return fail(Fault::kTruncated, std::to_string(s.blocks) + " blocks of " + std::to_string(s.block), b.base() + 8);
  return {};
}

}  // namespace

Result<Super> read_super(Bytes whole) {
  const Bytes b = TRY(whole.slice(0, 512, "superblock"));
  if (!b.starts_with("XFSB")) return fail(Fault::kForeign, "magic", b.base());
  const auto u16 = [&](uint64_t at) { return *b.be<uint16_t>(at, ""); };
  const auto u32 = [&](uint64_t at) { return *b.be<uint32_t>(at, ""); };
  const unsigned version = u16(100) & 15;
  if (version != 4 && version != 5)
    return fail(Fault::kUnsupported, "version " + std::to_string(version), b.base() + 100);
  Super s{.block = u32(4),
          .blocks = *b.be<uint64_t>(8, ""),
          .log = *b.be<uint64_t>(48, ""),
          .log_blocks = u32(96),
          .root = *b.be<uint64_t>(56, ""),
          .group_blocks = u32(84),
          .groups = u32(88),
          .sector = u16(102),
          .inode = u16(104),
          .inodes_log = b[123],
          .group_log = b[124],
          .directory_log = b[192],
          .fifth = version == 5,
          .label = *b.text_field(108, 12, "")};
  if (s.inodes_log > 8) return fail(Fault::kMalformed, "inodes of a block", b.base() + 123);
  TRY_VOID(check(s, whole, b));
  const uint32_t features = u32(s.fifth ? 216 : 200);
  s.types = s.fifth ? features & 1 : features & 0x200;
  if (s.fifth && features & ~kKnownFeatures)
    return fail(Fault::kUnsupported, "incompatible features " + std::to_string(features), b.base() + 216);
  if (s.fifth && !sums_up(whole.head(s.sector)))
    return fail(Fault::kMalformed, "crc32c of the superblock", b.base() + kCrcAt);
  return s;
}

void Image::claim(Bytes bytes) {
  if (into_) into_->range(Range::kHeader, bytes.base() - whole_.base(), bytes.size());
}

// Inodes are made 64 at a time; those that nobody uses yet are formatted all the same.
void Image::claim_chunk(uint64_t number, uint64_t at) {
  if (!chunks_.insert(number / 64).second) return;
  const uint64_t before = std::min(number % 64 * s_.inode, at);
  for (uint64_t i = 0; i < 64; ++i)
    if (const uint64_t from = at - before + i * s_.inode; whole_.starts_with("IN", from))
      claim(whole_.head(s_.inode, from));
}

void Image::claim_groups() {
  constexpr std::string_view kTrees[] = {"ABTB", "AB3B", "ABTC", "AB3C", "IABT", "IAB3", "FIB3", "RMB3", "R3FC"};
  for (uint64_t g = 0; g < s_.groups; ++g) {
    const uint64_t at = g * s_.group_blocks * s_.block;
    claim(whole_.head(4 * s_.sector, at));
    const Bytes free = whole_.head(s_.sector, at + s_.sector), inodes = whole_.head(s_.sector, at + 2 * s_.sector);
    for (const auto& [sector, field] :
         {std::pair{free, 16}, {free, 20}, {free, 24}, {free, 88}, {inodes, 20}, {inodes, 328}}) {
      const uint64_t root = sector.be<uint32_t>(static_cast<uint64_t>(field), "").value_or(0);
      const Bytes tree = whole_.head(s_.block, at + root * s_.block);
      if (std::ranges::any_of(kTrees, [&](std::string_view magic) { return tree.starts_with(magic); })) claim(tree);
    }
  }
}

Result<bool> Image::claim_log() {
  constexpr uint64_t kUnit = 512, kHeaderCovers = 32768;
  if (s_.log == 0) return true;  // in another volume
  const Bytes log = TRY(blocks(s_.log, s_.log_blocks, "log"));
  uint64_t newest = 0;
  bool unmounted = true;
  for (uint64_t at = 0; at + kUnit <= log.size();) {
    TRY_VOID(into_->step(1));
    const uint64_t heads = std::max<uint64_t>(1, (*log.be<uint32_t>(at + 320, "") + kHeaderCovers - 1) / kHeaderCovers);
    const uint64_t length = (heads + (*log.be<uint32_t>(at + 12, "") + kUnit - 1) / kUnit) * kUnit;
    if (*log.be<uint32_t>(at, "") != 0xfeedbabe || length > log.size() - at) {
      at += kUnit;
      continue;
    }
    claim(log.head(length, at));
    if (const uint64_t number = *log.be<uint64_t>(at + 16, ""); number >= newest) {
      newest = number;
      unmounted = log.be<uint8_t>(at + heads * kUnit + 9, "").value_or(0) & 0x20;
    }
    at += length;
  }
  return unmounted;
}

Result<Inode> Image::inode(uint64_t number) {
  const uint64_t group = number >> (s_.group_log + s_.inodes_log);
  const uint64_t block = number >> s_.inodes_log & ((uint64_t{1} << s_.group_log) - 1);
  const uint64_t index = number & ((uint64_t{1} << s_.inodes_log) - 1);
  if (group >= s_.groups || block >= s_.group_blocks)
    return fail(Fault::kMalformed, "inode number " + std::to_string(number));
  const uint64_t at = (group * s_.group_blocks + block) * s_.block + index * s_.inode;
  Inode i;
  i.bytes = TRY(whole_.slice(at, s_.inode, "inode"));
  const auto bad = [&](const std::string& what) { return fail(Fault::kMalformed, what, i.bytes.base()); };
  if (!i.bytes.starts_with("IN")) return bad("inode " + std::to_string(number) + " has no magic");
  const auto u32 = [&](uint64_t from) { return *i.bytes.be<uint32_t>(from, ""); };
  const uint8_t version = i.bytes[4];
  const bool third = version == 3;
  if (version < 1 || version > 3 || i.bytes[5] > 3) return bad("inode's version or format");
  i.mode = *i.bytes.be<uint16_t>(2, "");
  i.place = static_cast<Place>(i.bytes[5]);
  i.links = version == 1 ? *i.bytes.be<uint16_t>(6, "") : u32(16);
  i.uid = u32(8);
  i.gid = u32(12);
  const uint64_t flags = third ? *i.bytes.be<uint64_t>(120, "") : 0;
  i.mtime = flags & 8 ? static_cast<int64_t>(*i.bytes.be<uint64_t>(40, "") / 1'000'000'000) - (int64_t{1} << 31)
                      : *i.bytes.be<int32_t>(40, "");
  i.size = *i.bytes.be<uint64_t>(56, "");
  i.extents = flags & 16 ? *i.bytes.be<uint64_t>(24, "") : u32(76);
  i.realtime = *i.bytes.be<uint16_t>(90, "") & 1;
  const uint64_t start = third ? 176 : 100, second = i.bytes[82] * uint64_t{8};
  if (second > s_.inode - start) return bad("attributes' place " + std::to_string(second));
  i.data = i.bytes.head(second ? second : s_.inode - start, start);
  if (second) i.attributes = i.bytes.head(s_.inode, start + second);
  i.attributes_inside = i.bytes[83] == 1;
  if (into_) claim_chunk(number, at);
  return i;
}

Result<Bytes> Image::blocks(uint64_t number, uint64_t count, std::string_view what) {
  const uint64_t group = number >> s_.group_log, block = number & ((uint64_t{1} << s_.group_log) - 1);
  if (group >= s_.groups || block >= s_.group_blocks || count > s_.group_blocks - block)
    return fail(Fault::kMalformed, std::string(what) + " at block " + std::to_string(number) + " leaves its group");
  return whole_.slice((group * s_.group_blocks + block) * s_.block, count * s_.block, what);
}

Result<void> Image::add_extents(Bytes records, uint64_t count, std::vector<Run>& out) {
  if (count > records.size() / 16) return fail(Fault::kMalformed, std::to_string(count) + " extents", records.base());
  if (into_) TRY_VOID(into_->step(count));
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t high = *records.be<uint64_t>(i * 16, ""), low = *records.be<uint64_t>(i * 16 + 8, "");
    Run run{.offset = (high & ~(uint64_t{1} << 63)) >> 9, .count = low & 0x1fffff, .bytes = {}};
    const uint64_t after = out.empty() ? 0 : out.back().offset + out.back().count;
    if (run.offset < after || run.count == 0 || out.size() >= kMostRuns)
      return fail(Fault::kMalformed, "extents are not in order", records.base() + i * 16);
    if (!(high >> 63)) run.bytes = TRY(blocks((high & 0x1ff) << 43 | low >> 21, run.count, "extent"));
    out.push_back(run);
  }
  return {};
}

Result<void> Image::add_tree(uint64_t number, unsigned level, std::vector<Run>& out) {
  const Bytes b = TRY(blocks(number, 1, "block of extents"));
  if (into_) TRY_VOID(into_->step(1));
  claim(b);
  const uint64_t header = s_.fifth ? 72 : 24, records = *b.be<uint16_t>(6, "");
  if (!b.starts_with(s_.fifth ? "BMA3" : "BMAP") || *b.be<uint16_t>(4, "") != level)
    return fail(Fault::kMalformed, "magic or level of a block of extents", b.base());
  const uint64_t most = (s_.block - header) / 16;
  if (records > most) return fail(Fault::kMalformed, "records of a block of extents", b.base() + 6);
  if (level == 0) return add_extents(b.head(most * 16, header), records, out);
  for (uint64_t i = 0; i < records; ++i)
    TRY_VOID(add_tree(*b.be<uint64_t>(header + most * 8 + i * 8, ""), level - 1, out));
  return {};
}

Result<std::vector<Run>> Image::runs(const Inode& inode) {
  std::vector<Run> out;
  if (inode.place == Place::kExtents) {
    TRY_VOID(add_extents(inode.data, inode.extents, out));
  } else if (inode.place == Place::kTree) {
    const unsigned level = TRY(inode.data.be<uint16_t>(0, "level"));
    const uint64_t records = TRY(inode.data.be<uint16_t>(2, "records"));
    const uint64_t most = (inode.data.size() - 4) / 16;
    if (level == 0 || level > kDeepest || records > most)
      return fail(Fault::kMalformed, "root of a tree of extents", inode.data.base());
    for (uint64_t i = 0; i < records; ++i)
      TRY_VOID(add_tree(*inode.data.be<uint64_t>(4 + most * 8 + i * 8, ""), level - 1, out));
  }
  return out;
}

Result<std::vector<Listed>> Image::list_inside(const Inode& inode) {
  const Bytes b = inode.data;
  const uint64_t wide = TRY(b.be<uint8_t>(1, "directory")) ? 8 : 4, entries = b[0];
  std::vector<Listed> out;
  for (uint64_t i = 0, at = 2 + wide; i < entries; ++i) {
    const uint64_t length = TRY(b.be<uint8_t>(at, "directory entry")), number_at = at + 3 + length + s_.types;
    const Bytes name = TRY(b.slice(at + 3, length, "name"));
    const uint64_t number =
        wide == 8 ? TRY(b.be<uint64_t>(number_at, "inode")) : TRY(b.be<uint32_t>(number_at, "inode"));
    out.push_back({std::string(name.text()), number, name.base()});
    at = number_at + wide;
  }
  return out;
}

Result<void> Image::list_block(Bytes b, uint64_t at, std::vector<Listed>& out) {
  const bool one = b.starts_with(s_.fifth ? "XDB3" : "XD2B");
  if (!one && !b.starts_with(s_.fifth ? "XDD3" : "XD2D"))
    return fail(Fault::kMalformed, "magic of a directory's block", b.base());
  uint64_t end = b.size();
  if (one) {
    const uint64_t index = *b.be<uint32_t>(b.size() - 8, "");
    if (index > b.size() / 8 - 1) return fail(Fault::kMalformed, "index of a directory", b.base() + b.size() - 8);
    end = b.size() - 8 - index * 8;
  }
  for (uint64_t i = at; i + 12 <= end;) {
    if (*b.be<uint16_t>(i, "") == 0xffff) {
      const uint64_t free = *b.be<uint16_t>(i + 2, "");
      if (free < 8 || free % 8) return fail(Fault::kMalformed, "free room of a directory", b.base() + i);
      i += free;
      continue;
    }
    const uint64_t length = b[i + 8], size = (8 + 1 + length + s_.types + 2 + 7) / 8 * 8;
    if (length == 0 || size > end - i) return fail(Fault::kMalformed, "directory entry", b.base() + i);
    out.push_back({std::string(b.head(length, i + 9).text()), *b.be<uint64_t>(i, ""), b.base() + i});
    i += size;
  }
  return {};
}

Result<std::vector<Listed>> Image::list(const Inode& inode) {
  if (inode.place == Place::kInside) return list_inside(inode);
  const uint64_t header = s_.fifth ? 64 : 16;
  std::vector<Listed> out;
  std::string block;  // a directory's block may lie in several runs
  for (const Run& run : TRY(runs(inode))) {
    claim(run.bytes);
    if (run.offset * s_.block >= kLargestDirectory) continue;
    for (uint64_t at = 0; at < run.bytes.size(); at += s_.block) {
      if (into_) TRY_VOID(into_->step(1));
      if (s_.directory() == s_.block) {
        TRY_VOID(list_block(run.bytes.head(s_.block, at), header, out));
        continue;
      }
      block += run.bytes.head(s_.block, at).text();
      if (block.size() < s_.directory()) continue;
      TRY_VOID(list_block(Bytes(std::as_bytes(std::span(block)), run.bytes.base() + at + s_.block - block.size()),
                          header, out));
      block.clear();
    }
  }
  return out;
}

Result<std::string> Image::target(const Inode& inode) {
  if (inode.size > kLongestTarget)
    return fail(Fault::kMalformed, "size of a link " + std::to_string(inode.size), inode.bytes.base());
  if (inode.place == Place::kInside) return std::string(TRY(inode.data.slice(0, inode.size, "target")).text());
  std::string out;
  const uint64_t header = s_.fifth ? 56 : 0;
  for (const Run& run : TRY(runs(inode))) {
    claim(run.bytes);
    for (uint64_t at = 0; at < run.bytes.size() && out.size() < inode.size; at += s_.block) {
      if (s_.fifth && !run.bytes.starts_with("XSLM", at))
        return fail(Fault::kMalformed, "magic of a link", run.bytes.base() + at);
      out += run.bytes.head(s_.block, at).head(s_.block, header).text().substr(0, inode.size - out.size());
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> Image::attributes(const Inode& inode) {
  std::vector<std::pair<std::string, std::string>> out;
  const Bytes b = inode.attributes;
  const unsigned count = b.be<uint8_t>(2, "").value_or(0);
  for (uint64_t i = 0, at = 4; i < count; ++i) {
    const Bytes head = b.head(3, at);
    if (head.size() < 3) break;
    const uint64_t length = head[0], size = head[1];
    const auto entry = b.slice(at + 3, length + size, "attribute");
    if (!entry) break;
    const char* space = head[2] & 2 ? "trusted." : head[2] & 4 ? "security." : "user.";
    out.emplace_back(space + std::string(entry->text().substr(0, length)), entry->text().substr(length));
    at += 3 + length + size;
  }
  return out;
}

}  // namespace assay::unpack::xfs
