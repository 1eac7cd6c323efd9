// Metadata blocks of a SquashFS image and the tables made of them.
//
// A metadata block is a 16-bit length (bit 15: stored as is), then at most 8,192 bytes when decoded; tables are chains
// of them. A small table of positions leads into the tables of fragments, ids, xattrs and exports.
#include "unpack/formats/squashfs.h"

#include <algorithm>
#include <array>

namespace assay::unpack::squashfs {
namespace {

constexpr size_t kCachedBlocks = 256;  // 2 MiB of decoded metadata
constexpr uint32_t kLongestXattr = 65536, kMostXattrBytes = 128 << 10;
constexpr uint32_t kProbedEntries = 16;

uint64_t index_width(const Super& super) { return super.major <= 2 ? 4 : 8; }

}  // namespace

Result<Image::Block> Image::decode_metadata(uint64_t at) {
  const auto header = TRY(whole_.get<uint16_t>(at, super_.order, "metadata block length"));
  const uint64_t start = at + (super_.metadata_is_marked() ? 3 : 2), length = header & 0x7fff;
  const Bytes raw = TRY(whole_.slice(start, length, "metadata block"));
  if (length == 0) return fail(Fault::kMalformed, "metadata block is empty", at);
  Block block;
  block.next = start + length;
  if (header & 0x8000) {
    if (length > kMetadataSize)
      return fail(Fault::kMalformed, "metadata block of " + std::to_string(length) + " bytes", at);
    block.data.assign(raw.span().begin(), raw.span().end());
    return block;
  }
  TRY_VOID(charge(1 + kMetadataSize / 16));
  MemoryOutput out(kMetadataSize);
  out.vector().reserve(kMetadataSize);
  TRY_VOID(decode_block(packing_, raw, kMetadataSize, std::nullopt, out));
  if (out.vector().empty()) return fail(Fault::kMalformed, "metadata block decodes to nothing", at);
  block.data = std::move(out.vector());
  return block;
}

Result<const Image::Block*> Image::block(uint64_t at) {
  if (const auto found = cache_.find(at); found != cache_.end()) {
    found->second.last_use = ++uses_;
    return &found->second;
  }
  if (cache_.size() >= kCachedBlocks)
    cache_.erase(std::ranges::min_element(cache_, {}, [](const auto& entry) { return entry.second.last_use; }));
  Block& kept = cache_[at] = TRY(decode_metadata(at));
  kept.last_use = ++uses_;
  used_[at] = kept.next;
  return &kept;
}

Result<void> Image::read(Position& at, std::span<std::byte> into) {
  while (true) {
    const Block* from = TRY(block(at.block));
    if (at.offset > from->data.size())
      return fail(Fault::kMalformed, "offset " + std::to_string(at.offset) + " in a metadata block", at.block);
    const size_t now = std::min(into.size(), from->data.size() - at.offset);
    if (now > 0) std::memcpy(into.data(), from->data.data() + at.offset, now);
    at.offset += static_cast<uint32_t>(now);
    into = into.subspan(now);
    if (into.empty()) return {};
    at = {from->next, 0};
  }
}

Result<std::string> Image::text(Position& at, uint64_t length) {
  if (length > kLongestXattr) return fail(Fault::kMalformed, "text of " + std::to_string(length) + " bytes", at.block);
  TRY_VOID(charge(1 + length));
  std::string text(length, '\0');
  TRY_VOID(read(at, std::as_writable_bytes(std::span(text))));
  return text;
}

Result<uint64_t> Image::number(Position& at, unsigned bytes) {
  std::array<std::byte, 8> raw{};
  TRY_VOID(read(at, std::span(raw).first(bytes)));
  return Fields(raw, super_.order).take(8 * bytes);
}

Result<Position> Image::indexed(uint64_t index_start, uint64_t index, uint64_t entries, uint32_t width,
                                std::string_view what) {
  const std::string name(what);
  if (index >= entries)
    return fail(Fault::kMalformed, name + " " + std::to_string(index) + " of " + std::to_string(entries));
  const uint64_t per_block = kMetadataSize / width, wide = index_width(super_);
  const uint64_t slot = index / per_block * wide;
  if (index_start > whole_.size()) return fail(Fault::kTruncated, name + " table", index_start);
  const Bytes raw = TRY(whole_.slice(index_start + slot, wide, name + " index"));
  const uint64_t block = Fields(raw.span(), super_.order).take(static_cast<unsigned>(8 * wide));
  used_[index_start + slot] = index_start + slot + wide;
  return Position{block, static_cast<uint32_t>(index % per_block * width)};
}

Result<uint32_t> Image::id(uint32_t index, bool group) {
  if (super_.major == 4) {
    Position at = TRY(indexed(super_.id_table, index, super_.ids, 4, "id"));
    return static_cast<uint32_t>(TRY(number(at, 4)));
  }
  const uint64_t table = group ? super_.group_table : super_.id_table, count = group ? super_.group_ids : super_.ids;
  if (index >= count)
    return fail(Fault::kMalformed, std::string(group ? "group" : "user") + " index " + std::to_string(index), table);
  const Bytes raw = TRY(whole_.slice(table + 4 * index, 4, "id"));
  used_[table + 4 * index] = table + 4 * index + 4;
  return Fields(raw.span(), super_.order).take32();
}

Result<Fragment> Image::fragment(uint32_t index) {
  const bool narrow = super_.major <= 2;
  Position at = TRY(indexed(super_.fragment_table, index, super_.fragments, narrow ? 8 : 16, "fragment"));
  std::array<std::byte, 16> raw{};
  TRY_VOID(read(at, std::span(raw).first(narrow ? 8 : 12)));
  Fields f(raw, super_.order);
  const uint64_t start = f.take(narrow ? 32 : 64);
  const uint32_t size = f.take32();
  return Fragment{start, size & 0xffffff, (size & 1 << 24) != 0};
}

Result<uint32_t> Image::block_size_entry(Position& at) {
  if (super_.major > 1) return static_cast<uint32_t>(TRY(number(at, 4)));
  // Version 1: 16 bits; bit 15 says stored, as bit 24 does later.
  const auto size = static_cast<uint32_t>(TRY(number(at, 2)));
  const uint32_t length = size & 0x7fff ? size & 0x7fff : 0x8000;
  return length | (size & 0x8000) << 9;
}

Result<Inode> Image::inode(uint64_t reference) {
  const Position at{super_.inode_table + (reference >> 16), static_cast<uint32_t>(reference & 0xffff)};
  return super_.major == 4 ? read_inode_v4(*this, at) : read_inode_v123(*this, at);
}

Result<std::vector<std::pair<std::string, std::string>>> Image::xattrs(uint32_t index) {
  constexpr std::string_view kPrefixes[] = {"user.", "trusted.", "security."};
  std::vector<std::pair<std::string, std::string>> out;
  const Bytes header = TRY(whole_.slice(super_.xattr_table, 16, "xattr table"));
  Fields h(header.span(), super_.order);
  const uint64_t start = h.take(64), ids = h.take(32);
  used_[super_.xattr_table] = super_.xattr_table + 16;
  Position entry = TRY(indexed(super_.xattr_table + 16, index, ids, 16, "xattr"));
  const uint64_t reference = TRY(number(entry, 8)), count = TRY(number(entry, 4));
  Position at{start + (reference >> 16), static_cast<uint32_t>(reference & 0xffff)};
  for (uint64_t i = 0, bytes = 0; i < count && bytes <= kMostXattrBytes; ++i) {
    const auto type = TRY(number(at, 2));
    if ((type & 0xff) > 2) return fail(Fault::kMalformed, "xattr type " + std::to_string(type), at.block);
    const auto name_length = TRY(number(at, 2));
    const std::string name = TRY(text(at, name_length));
    Position elsewhere;
    Position* value_at = &at;
    auto length = TRY(number(at, 4));
    if (type & 0x100) {
      const auto place = TRY(number(at, 8));
      elsewhere = {start + (place >> 16), static_cast<uint32_t>(place & 0xffff)};
      value_at = &elsewhere;
      length = TRY(number(elsewhere, 4));
    }
    out.emplace_back(std::string(kPrefixes[type & 0xff]) + name, TRY(text(*value_at, length)));
    bytes += out.back().first.size() + out.back().second.size();
  }
  return out;
}

Result<void> Image::read_tables() {
  used_[0] = super_.size;
  if (super_.has_options()) TRY_VOID(block(super_.size));
  const auto touch = [&](uint64_t start, uint64_t entries, uint32_t width, std::string_view what) -> Result<void> {
    for (uint64_t i = 0; i < entries; i += kMetadataSize / width) {
      TRY_VOID(charge(1));
      TRY_VOID(block(TRY(indexed(start, i, entries, width, what)).block));
    }
    return {};
  };
  if (super_.major > 1)
    TRY_VOID(touch(super_.fragment_table, super_.fragments, super_.major == 2 ? 8 : 16, "fragment"));
  for (uint32_t i = 0; i < super_.ids; ++i) TRY_VOID(id(i, false));
  for (uint32_t i = 0; super_.major < 4 && i < super_.group_ids; ++i) TRY_VOID(id(i, true));
  if (super_.export_table != kNone64 && super_.major > 2)
    TRY_VOID(touch(super_.export_table, super_.inodes, 8, "export"));
  if (super_.xattr_table != kNone64) {
    const Bytes header = TRY(whole_.slice(super_.xattr_table, 16, "xattr table"));
    used_[super_.xattr_table] = super_.xattr_table + 16;
    const uint64_t ids = Fields(header.span().subspan(8), super_.order).take(32);
    TRY_VOID(touch(super_.xattr_table + 16, ids, 16, "xattr"));
  }
  return {};
}

// Whether the root directory, and the inodes of its first entries, make sense.
Result<void> Image::try_root() {
  cache_.clear();
  used_.clear();
  const Block* first = TRY(block(super_.inode_table + (super_.root >> 16)));
  if (first->next < super_.directory_table && first->data.size() != kMetadataSize)
    return fail(Fault::kMalformed, "inode block decodes to " + std::to_string(first->data.size()) + " bytes");
  const Inode root = TRY(inode(super_.root));
  if (root.kind != Kind::kDirectory) return fail(Fault::kMalformed, "root inode is no directory", super_.inode_table);
  Listing listing = list(root);
  for (uint32_t i = 0; i < kProbedEntries && listing.left > 0; ++i) TRY_VOID(inode(TRY(next(listing)).inode));
  return {};
}

Result<Image> Image::open(Bytes whole, Sink* sink) {
  const Super super = TRY(read_super(whole));
  Image image(whole.head(super.bytes_used).rebased(0), super, sink);
  // Stored metadata says nothing about the packing: then the next compressed block of the table has to.
  uint64_t at = super.inode_table + (super.root >> 16);
  const auto header = TRY(image.whole_.get<uint16_t>(at, super.order, "metadata block length"));
  if (header & 0x8000) at = super.inode_table;
  Bytes sample;
  for (int i = 0; i < 64 && at < super.directory_table; ++i) {
    const auto length = TRY(image.whole_.get<uint16_t>(at, super.order, "metadata block length"));
    const uint64_t start = at + (super.metadata_is_marked() ? 3 : 2);
    if (!(length & 0x8000)) {
      sample = image.whole_.head(length, start);
      break;
    }
    at = start + (length & 0x7fff);
  }
  Error why{Fault::kUnsupported, "no known compression fits the root directory", super.inode_table};
  bool first = true;
  for (const Packing& packing : candidates(super, sample)) {
    image.packing_ = packing;
    TRY_VOID(image.charge(16));
    auto good = image.try_root();
    if (good && !sample.empty()) {
      MemoryOutput out(kMetadataSize);
      good = decode_block(packing, sample, kMetadataSize, std::nullopt, out);
    }
    if (good) return image;
    if (first) why.what += " (" + describe(packing) + ": " + good.error().what + ")";
    first = false;
  }
  return std::unexpected(std::move(why));
}

}  // namespace assay::unpack::squashfs
