// The superblocks of SquashFS 1.x to 4.0.
//
//   28  version, major and minor (16 bits each): the one place all versions agree on. Together with the magic's many
//       spellings it tells the byte order: vendors changed the magic, none could change this.
//
// Version 4 (96 bytes): inodes, time, block size, fragments (32 bits); compression, block log, flags, ids, major,
//   minor (16); root inode, bytes used, then the starts of the tables of ids, xattrs, inodes, directories, fragments,
//   exports (64). Versions 1 to 3 (51, 63, 119 bytes) pack 8-bit fields in between and hold table starts in 32 bits
//   until version 3 appended wide ones.
// Source: Linux, fs/squashfs/squashfs_fs.h; squashfs-tools, squashfs_compat.h (layout facts only).
#include "unpack/formats/squashfs.h"

namespace assay::unpack::squashfs {
namespace {

constexpr uint32_t kSizeOf[] = {0, 51, 63, 119, 96};
constexpr uint16_t kLeastBlockLog = 12, kMostBlockLog = 20;

Result<Order> find_order(Bytes image) {
  for (const Order order : {Order::kLittle, Order::kBig}) {
    const auto major = TRY(image.get<uint16_t>(28, order, "version"));
    if (major >= 1 && major <= 4) return order;
  }
  return fail(Fault::kUnsupported, "version is none of 1 to 4", image.base() + 28);
}

Super fields_v4(Bytes raw, Order order) {
  Fields f(raw.span(), order);
  Super s;
  f.take(32);
  s.inodes = f.take32();
  s.created = f.take32();
  s.block_size = f.take32();
  s.fragments = f.take32();
  s.compression = static_cast<uint16_t>(f.take(16));
  s.block_log = static_cast<uint16_t>(f.take(16));
  s.flags = static_cast<uint16_t>(f.take(16));
  s.ids = static_cast<uint32_t>(f.take(16));
  s.major = static_cast<uint16_t>(f.take(16));
  s.minor = static_cast<uint16_t>(f.take(16));
  for (uint64_t* field : {&s.root, &s.bytes_used, &s.id_table, &s.xattr_table, &s.inode_table, &s.directory_table,
                          &s.fragment_table, &s.export_table})
    *field = f.take(64);
  return s;
}

Super fields_v123(Bytes raw, Order order) {
  Fields f(raw.span(), order);
  Super s;
  f.take(32);
  s.inodes = f.take32();
  for (uint64_t* field : {&s.bytes_used, &s.id_table, &s.group_table, &s.inode_table, &s.directory_table})
    *field = f.take(32);
  s.major = static_cast<uint16_t>(f.take(16));
  s.minor = static_cast<uint16_t>(f.take(16));
  s.block_size = static_cast<uint32_t>(f.take(16));
  s.block_log = static_cast<uint16_t>(f.take(16));
  s.flags = static_cast<uint16_t>(f.take(8));
  s.ids = static_cast<uint32_t>(f.take(8));
  s.group_ids = static_cast<uint32_t>(f.take(8));
  s.created = f.take32();
  s.root = f.take(64);
  if (s.major == 1) return s;
  s.block_size = f.take32();
  s.fragments = f.take32();
  s.fragment_table = f.take(32);
  if (s.major == 2) return s;
  for (uint64_t* field : {&s.bytes_used, &s.id_table, &s.group_table, &s.inode_table, &s.directory_table,
                          &s.fragment_table, &s.export_table})
    *field = f.take(64);
  return s;
}

Result<void> check(const Super& s, uint64_t base) {
  const auto bad = [&](std::string what) { return fail(Fault::kMalformed, std::move(what), base); };
  if (s.block_log < kLeastBlockLog || s.block_log > kMostBlockLog || s.block_size != 1u << s.block_log)
    return bad("block size " + std::to_string(s.block_size) + " against its logarithm " + std::to_string(s.block_log));
  if (s.bytes_used < s.size) return bad("bytes used " + std::to_string(s.bytes_used) + " end inside the superblock");
  if (s.inodes == 0) return bad("no inodes");
  const auto inside = [&](uint64_t at) { return at >= s.size && at < s.bytes_used; };
  if (!inside(s.inode_table)) return bad("inode table at " + std::to_string(s.inode_table));
  if (!inside(s.directory_table) || s.directory_table <= s.inode_table)
    return bad("directory table at " + std::to_string(s.directory_table));
  if (s.root >> 16 >= s.directory_table - s.inode_table || (s.root & 0xffff) >= kMetadataSize)
    return bad("root inode at " + std::to_string(s.root));
  if (s.fragments > 0 && s.major > 1 && !inside(s.fragment_table))
    return bad("fragment table at " + std::to_string(s.fragment_table));
  if (s.ids > 0 && !inside(s.id_table)) return bad("id table at " + std::to_string(s.id_table));
  return {};
}

}  // namespace

uint64_t Fields::take(unsigned width) {
  uint64_t value = 0;
  for (unsigned got = 0; got < width;) {
    const uint64_t byte = at_ / 8 < raw_.size() ? static_cast<uint8_t>(raw_[at_ / 8]) : 0;
    const unsigned bit = at_ % 8, count = std::min(8 - bit, width - got), mask = (1u << count) - 1;
    if (order_ == Order::kLittle)
      value |= (byte >> bit & mask) << got;
    else
      value = value << count | (byte >> (8 - bit - count) & mask);
    got += count;
    at_ += count;
  }
  return value;
}

Result<Super> read_super(Bytes image) {
  const Order order = TRY(find_order(image));
  const uint32_t size = kSizeOf[TRY(image.get<uint16_t>(28, order, "version"))];
  const Bytes raw = TRY(image.slice(0, size, "superblock"));
  Super s = size == kSizeOf[4] ? fields_v4(raw, order) : fields_v123(raw, order);
  s.order = order;
  s.size = size;
  s.mixed_lzma = image.starts_with("sqlz") || image.starts_with("zlqs");
  TRY_VOID(check(s, image.base()));
  if (s.bytes_used > image.size())
    return fail(Fault::kTruncated, "bytes used " + std::to_string(s.bytes_used) + " of " + std::to_string(image.size()),
                image.base());
  return s;
}

}  // namespace assay::unpack::squashfs
