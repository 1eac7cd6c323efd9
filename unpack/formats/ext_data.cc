// Where the bytes of an ext inode lie, and its extended attributes.
//
//   block map  60 bytes: twelve block numbers, then one block of numbers, one of such blocks, one of those
//   extents    a tree: 12-byte header (magic 0xf30a, entries, most, depth), entries of 12 bytes
//   inline     the 60 bytes themselves, continued in the attribute system.data behind the inode's fields
// Attributes: entries (name length, prefix, value's offset, value's inode, size, hash, name) behind the inode's fields
// or in a block of their own.
// Source: Linux, Documentation/filesystems/ext4/.
#include "core/hash.h"
#include "unpack/formats/ext.h"

namespace assay::unpack::ext {
namespace {

constexpr int kDeepestExtents = 5;
constexpr uint32_t kAttributeMagic = 0xea020000;
constexpr uint32_t kLongestValue = 65536;
constexpr uint8_t kSystem = 7;

std::string_view prefix_of(uint8_t index) {
  switch (index) {
    case 1:
      return "user.";
    case 2:
      return "system.posix_acl_access";
    case 3:
      return "system.posix_acl_default";
    case 4:
      return "trusted.";
    case 6:
      return "security.";
    case kSystem:
      return "system.";
    case 8:
      return "system.richacl";
    default:
      return "";
  }
}

// Adds blocks to the list, joined with the run before where they lie together.
void add(std::vector<Run>& out, uint64_t logical, uint64_t physical, uint64_t count) {
  if (!out.empty()) {
    Run& last = out.back();
    if (last.logical + last.count == logical && last.physical + last.count == physical) {
      last.count += count;
      return;
    }
  }
  out.push_back({logical, physical, count});
}

}  // namespace

Result<void> Image::walk_extents(const Inode& inode, Bytes node, int depth, std::vector<Run>& out) {
  const auto bad = [&](const std::string& what) { return fail(Fault::kMalformed, what, node.base()); };
  const auto entries = TRY(node.le<uint16_t>(2, "extent entries"));
  const auto most = TRY(node.le<uint16_t>(4, "extent capacity")),
             stored_depth = TRY(node.le<uint16_t>(6, "extent depth"));
  if (TRY(node.le<uint16_t>(0, "extent magic")) != 0xf30a) return bad("extent magic");
  if (entries > most || 12 + 12 * uint64_t{most} > node.size()) return bad("extent entries " + std::to_string(entries));
  if (depth >= 0 && stored_depth != depth) return bad("extent depth " + std::to_string(stored_depth));
  if (stored_depth > kDeepestExtents) return bad("extent depth " + std::to_string(stored_depth));
  if (depth >= 0 && super_.checksums()) {
    const uint64_t tail = 12 + 12 * uint64_t{most};
    if (const auto stored = node.le<uint32_t>(tail, "extent checksum");
        stored && !checksum_holds(crc32c(node.head(tail), inode_seed(inode)), *stored)) {
      checksums_hold_ = false;
      complain({Fault::kMalformed,
                "checksum of an extent block of inode " + std::to_string(inode.number) + " does not match",
                node.base()});
    }
  }
  for (uint64_t i = 0; i < entries; ++i) {
    TRY_VOID(charge(1));
    const Bytes entry = TRY(node.slice(12 + 12 * i, 12, "extent"));
    const auto logical = TRY(entry.le<uint32_t>(0, "extent block"));
    if (stored_depth > 0) {
      const uint64_t child = TRY(entry.le<uint32_t>(4, "extent leaf")) |
                             static_cast<uint64_t>(TRY(entry.le<uint16_t>(8, "extent leaf"))) << 32;
      const Bytes below = TRY(block(child, "extent block"));
      claim(below.base(), below.size());
      TRY_VOID(walk_extents(inode, below, stored_depth - 1, out));
      continue;
    }
    auto count = TRY(entry.le<uint16_t>(4, "extent length"));
    const bool unwritten = count > 0x8000;
    if (unwritten) count = static_cast<uint16_t>(count - 0x8000);
    const uint64_t physical = TRY(entry.le<uint32_t>(8, "extent start")) |
                              static_cast<uint64_t>(TRY(entry.le<uint16_t>(6, "extent start"))) << 32;
    if (!out.empty() && logical < out.back().logical + out.back().count) return bad("extents overlap");
    if (unwritten) continue;
    if (physical == 0 || physical >= super_.blocks || count > super_.blocks - physical)
      return bad("extent at block " + std::to_string(physical));
    add(out, logical, physical, count);
  }
  return {};
}

Result<void> Image::walk_map(const Inode& inode, uint64_t number, int level, uint64_t last, uint64_t& at,
                             std::vector<Run>& out) {
  uint64_t covered = 1;
  for (int i = 0; i < level; ++i) covered *= super_.block_size / 4;
  if (number == 0) {
    at += covered;
    return {};
  }
  TRY_VOID(charge(1));
  if (number >= super_.blocks)
    return fail(Fault::kMalformed, "block " + std::to_string(number) + " of inode " + std::to_string(inode.number),
                inode.raw.base() + 40);
  if (level == 0) {
    add(out, at++, number, 1);
    return {};
  }
  const Bytes table = TRY(block(number, "indirect block"));
  claim(table.base(), table.size());
  for (uint64_t i = 0; i < super_.block_size / 4 && at < last; ++i)
    TRY_VOID(walk_map(inode, TRY(table.le<uint32_t>(4 * i, "block number")), level - 1, last, at, out));
  return {};
}

Result<std::vector<Run>> Image::runs(const Inode& inode) {
  std::vector<Run> out;
  const uint64_t last = (inode.size + super_.block_size - 1) / super_.block_size;
  if (inode.flags & kUsesExtents) {
    TRY_VOID(walk_extents(inode, inode.map(), -1, out));
  } else {
    uint64_t at = 0;
    for (uint64_t i = 0; i < 15 && at < last; ++i) {
      const auto number = TRY(inode.map().le<uint32_t>(4 * i, "block number"));
      TRY_VOID(walk_map(inode, number, i < 12 ? 0 : static_cast<int>(i - 11), last, at, out));
    }
  }
  // Blocks behind the end belong to the inode, but not to its content.
  while (!out.empty() && out.back().logical >= last) out.pop_back();
  if (!out.empty()) out.back().count = std::min(out.back().count, last - out.back().logical);
  return out;
}

Result<std::vector<Bytes>> Image::pieces(const Inode& inode, bool& sparse) {
  const uint64_t size = super_.block_size;
  std::vector<Bytes> out;
  sparse = false;
  uint64_t expected = 0;
  for (const Run& run : TRY(runs(inode))) {
    if (run.logical != expected) sparse = true;
    expected = run.logical + run.count;
    const uint64_t length = std::min(run.count * size, inode.size - run.logical * size);
    TRY_VOID(add_pieces(run, length, out));
  }
  if (expected * size < inode.size) sparse = true;
  return out;
}

Result<std::vector<Image::Attribute>> Image::attribute_list(Bytes area, uint64_t entries, uint64_t values) {
  std::vector<Attribute> out;
  for (uint64_t at = entries; at + 4 <= area.size();) {
    if (TRY(area.le<uint32_t>(at, "attribute")) == 0) break;
    TRY_VOID(charge(1));
    const Bytes entry = TRY(area.slice(at, 16, "attribute"));
    Attribute a;
    a.index = entry[1];
    a.name = TRY(area.slice(at + 16, entry[0], "attribute name")).text();
    a.inode = TRY(entry.le<uint32_t>(4, "attribute inode"));
    a.size = TRY(entry.le<uint32_t>(8, "attribute size"));
    const auto offset = TRY(entry.le<uint16_t>(2, "attribute offset"));
    if (a.inode == 0 && a.size > 0) a.value = TRY(area.slice(values + offset, a.size, "attribute value"));
    out.push_back(a);
    at += (16 + uint64_t{entry[0]} + 3) / 4 * 4;
  }
  return out;
}

Result<std::vector<Image::Attribute>> Image::attributes_in_inode(const Inode& inode) {
  const uint64_t at = 128 + uint64_t{inode.extra_size};
  const auto magic = inode.raw.le<uint32_t>(at, "attribute magic");
  if (super_.inode_size <= 128 || !magic || *magic != kAttributeMagic) return std::vector<Attribute>{};
  return attribute_list(inode.raw, at + 4, at + 4);
}

Result<std::string> Image::attribute_value(const Attribute& attribute) {
  if (attribute.size > kLongestValue)
    return fail(Fault::kMalformed, "attribute of " + std::to_string(attribute.size) + " bytes");
  TRY_VOID(charge(1 + attribute.size));
  if (attribute.inode == 0) return std::string(attribute.value.text());
  const Inode holder = TRY(inode(attribute.inode));
  bool sparse = false;
  std::string value;
  for (const Bytes& piece : TRY(pieces(holder, sparse))) {
    claim(piece.base(), piece.size());
    if (value.size() + piece.size() > kLongestValue) return fail(Fault::kMalformed, "attribute inode is too long");
    value += piece.text();
  }
  if (sparse || value.size() != attribute.size)
    return fail(Fault::kMalformed, "attribute inode " + std::to_string(attribute.inode));
  return value;
}

Result<Image::Attributes> Image::attributes(const Inode& inode) {
  auto list = TRY(attributes_in_inode(inode));
  if (inode.attribute_block != 0) {
    const Bytes area = TRY(block(inode.attribute_block, "attribute block"));
    if (TRY(area.le<uint32_t>(0, "attribute magic")) != kAttributeMagic)
      return fail(Fault::kMalformed, "attribute block's magic", area.base());
    claim(area.base(), area.size());
    for (const Attribute& a : TRY(attribute_list(area, 32, 0))) list.push_back(a);
  }
  Attributes out;
  for (const Attribute& a : list) {
    if (a.index == kSystem && a.name == "data") continue;  // inline content
    out.emplace_back(std::string(prefix_of(a.index)) + std::string(a.name), TRY(attribute_value(a)));
  }
  return out;
}

Result<std::vector<Bytes>> Image::inline_pieces(const Inode& inode) {
  std::vector<Bytes> out{inode.map().head(std::min<uint64_t>(inode.size, 60))};
  if (inode.size <= 60) return out;
  for (const Attribute& a : TRY(attributes_in_inode(inode)))
    if (a.index == kSystem && a.name == "data" && a.inode == 0) out.push_back(a.value.head(inode.size - 60));
  if (out.size() != 2 || out[1].size() != inode.size - 60)
    return fail(Fault::kMalformed, "inline data of inode " + std::to_string(inode.number) + " is shorter than its size",
                inode.raw.base());
  return out;
}

}  // namespace assay::unpack::ext
