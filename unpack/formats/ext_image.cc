// Superblock, group descriptors and inodes of ext2, ext3 and ext4, with their checksums.
//
// The disk is cut into groups of equal size; each has a bitmap of its blocks, one of its inodes, and a piece of the
// inode table, whose places stand in the group's descriptor. Descriptors lie behind the superblock, or, with meta_bg,
// in the first group of every meta group. Source: Linux, Documentation/filesystems/ext4/.
#include "core/hash.h"
#include "unpack/formats/ext.h"

namespace assay::unpack::ext {
namespace {

constexpr uint32_t kReadable = kFileType | kNeedsRecovery | kMetaGroups | kExtents | k64Bit | kMultiMount |
                               kFlexibleGroups | kAttributeInodes | kChecksumSeed | kLargeDirectories | kInlineData |
                               kEncrypt | kCasefold;
constexpr uint32_t kSparseSuper = 0x1, kGroupChecksums = 0x10, kBigAllocation = 0x200, kSparseSuper2 = 0x200;

template <class T>
T field(Bytes raw, uint64_t at) {  // of a record whose size was checked
  const auto value = raw.le<T>(at, "");
  return value ? *value : T{0};
}

uint32_t crc_of_number(uint32_t number, uint32_t seed) {
  std::byte raw[4];
  for (int i = 0; i < 4; ++i) raw[i] = static_cast<std::byte>(number >> 8 * i);
  return crc32c(Bytes(std::span<const std::byte>(raw)), seed);
}

// A record's checksum with `length` bytes at `hole` taken as zeros.
uint32_t crc_with_hole(Bytes raw, uint64_t hole, uint64_t length, uint32_t seed) {
  static constexpr std::byte kZeros[4] = {};
  seed = crc32c(raw.head(hole), seed);
  seed = crc32c(Bytes(std::span<const std::byte>(kZeros, length)), seed);
  return crc32c(raw.head(raw.size(), hole + length), seed);
}

uint16_t crc16(Bytes bytes, uint16_t value) {  // polynomial 0x8005, reflected (gdt_csum)
  for (uint64_t i = 0; i < bytes.size(); ++i) {
    value = static_cast<uint16_t>(value ^ bytes[i]);
    for (int bit = 0; bit < 8; ++bit) value = static_cast<uint16_t>(value >> 1 ^ (value & 1 ? 0xa001 : 0));
  }
  return value;
}

Super read_fields(Bytes raw) {
  Super s;
  s.inodes = field<uint32_t>(raw, 0);
  s.blocks = field<uint32_t>(raw, 4);
  s.first_block = field<uint32_t>(raw, 20);
  s.block_size = 1024u << (field<uint32_t>(raw, 24) & 15);
  s.blocks_per_group = field<uint32_t>(raw, 32);
  s.inodes_per_group = field<uint32_t>(raw, 40);
  if (field<uint32_t>(raw, 76) == 0) return s;
  s.first_inode = field<uint32_t>(raw, 84);
  s.inode_size = field<uint16_t>(raw, 88);
  s.compatible = field<uint32_t>(raw, 92);
  s.incompatible = field<uint32_t>(raw, 96);
  s.read_only = field<uint32_t>(raw, 100);
  s.uuid = raw.head(16, 104).text();
  s.label = raw.head(16, 120).text().substr(0, raw.head(16, 120).text().find('\0'));
  s.reserved_descriptors = s.compatible & 0x10 ? field<uint16_t>(raw, 206) : 0;
  s.journal = s.compatible & 0x4 ? field<uint32_t>(raw, 224) : 0;
  if (s.compatible & 0x4 && s.journal == 0) s.outer_journal = raw.head(16, 208).text();
  s.first_meta_group = field<uint32_t>(raw, 260);
  if (s.has(kMultiMount)) s.multi_mount_block = field<uint64_t>(raw, 360);
  if (s.has(k64Bit)) {
    s.blocks |= static_cast<uint64_t>(field<uint32_t>(raw, 336)) << 32;
    s.descriptor_size = field<uint16_t>(raw, 254);
  }
  s.backup_groups[0] = field<uint32_t>(raw, 0x24c);
  s.backup_groups[1] = field<uint32_t>(raw, 0x250);
  s.seed = s.has(kChecksumSeed) ? field<uint32_t>(raw, 0x270) : crc32c(raw.head(16, 104));
  return s;
}

Result<void> check(const Super& s, uint64_t at) {
  const auto bad = [&](const std::string& what) { return fail(Fault::kMalformed, what, at); };
  const auto is_power = [](uint32_t n) { return n != 0 && (n & (n - 1)) == 0; };
  if (s.blocks_per_group == 0 || s.blocks_per_group > 8 * s.block_size)
    return bad("blocks per group " + std::to_string(s.blocks_per_group));
  if (s.inodes_per_group == 0 || s.inodes_per_group > 8 * s.block_size)
    return bad("inodes per group " + std::to_string(s.inodes_per_group));
  if (s.first_block != (s.block_size == 1024 ? 1u : 0u))
    return bad("first data block " + std::to_string(s.first_block));
  if (!is_power(s.inode_size) || s.inode_size < 128 || s.inode_size > s.block_size)
    return bad("inode size " + std::to_string(s.inode_size));
  if (!is_power(s.descriptor_size) || s.descriptor_size < 32 || s.descriptor_size > 1024)
    return bad("descriptor size " + std::to_string(s.descriptor_size));
  if (s.blocks <= s.first_block || s.blocks >= uint64_t{1} << 48) return bad("blocks " + std::to_string(s.blocks));
  if (s.groups() * s.inodes_per_group != s.inodes)
    return bad("inodes " + std::to_string(s.inodes) + " in " + std::to_string(s.groups()) + " groups");
  if (const uint32_t unknown = s.incompatible & ~kReadable)
    return fail(Fault::kUnsupported, "incompatible features " + std::to_string(unknown), at + 96);
  if (s.read_only & kBigAllocation) return fail(Fault::kUnsupported, "bigalloc", at + 100);
  return {};
}

}  // namespace

Result<Super> read_super(Bytes image) {
  return parse_super(TRY(image.slice(kSuperAt, 1024, "superblock")), image.size());
}

Result<Super> parse_super(Bytes raw, uint64_t image_size) {
  if (field<uint16_t>(raw, 56) != 0xef53) return fail(Fault::kMalformed, "magic", raw.base() + 56);
  if (field<uint32_t>(raw, 24) > 6) return fail(Fault::kMalformed, "block size's logarithm", raw.base() + 24);
  if (field<uint32_t>(raw, 76) > 1) return fail(Fault::kUnsupported, "revision", raw.base() + 76);
  if (field<uint32_t>(raw, 76) == 1 && field<uint32_t>(raw, 96) & kJournalDevice)
    return fail(Fault::kUnsupported, "the journal of another file system, on a device of its own", raw.base() + 96);
  if (field<uint16_t>(raw, 90) != 0 && field<uint32_t>(raw, 76) == 1)
    return fail(Fault::kMalformed, "superblock is the copy in group " + std::to_string(field<uint16_t>(raw, 90)),
                raw.base() + 90);
  Super s = read_fields(raw);
  TRY_VOID(check(s, raw.base()));
  if (s.checksums() && !checksum_holds(crc32c(raw.head(1020)), field<uint32_t>(raw, 1020)))
    return fail(Fault::kMalformed, "superblock checksum does not match", raw.base() + 1020);
  if (s.length() > image_size)
    return fail(Fault::kTruncated,
                "file system of " + std::to_string(s.length()) + " bytes in " + std::to_string(image_size),
                raw.base() + 4);
  return s;
}

Result<Image> Image::open(Bytes whole, Sink* sink) {
  Super super = TRY(read_super(whole));
  const Bytes own = whole.head(super.length()).rebased(0);
  Image image(own, std::move(super), sink);
  image.replay_journal();
  return image;
}

void Image::claim(uint64_t offset, uint64_t length) {
  if (offset >= whole_.size() || length == 0) return;
  uint64_t& end = claimed_[offset];
  end = std::max(end, offset + std::min(length, whole_.size() - offset));
}

Result<Bytes> Image::block(uint64_t number, std::string_view what) {
  if (number == 0 || number >= super_.blocks)
    return fail(Fault::kMalformed, std::string(what) + " in block " + std::to_string(number));
  return newest(number, what);
}

// With sparse_super, only groups 0, 1 and powers of 3, 5 and 7 hold copies of superblock and descriptors.
bool Image::has_backup(uint64_t group) const {
  if (group == 0) return true;
  if (super_.compatible & kSparseSuper2) return group == super_.backup_groups[0] || group == super_.backup_groups[1];
  if (!(super_.read_only & kSparseSuper) || group == 1) return true;
  for (const uint64_t base : {3, 5, 7}) {
    uint64_t power = base;
    while (power < group) power *= base;
    if (power == group) return true;
  }
  return false;
}

Result<Bytes> Image::descriptor(uint64_t group) {
  const uint64_t per_block = super_.block_size / super_.descriptor_size, meta = group / per_block;
  uint64_t at = super_.first_block + 1 + meta;
  if (super_.has(kMetaGroups) && meta >= super_.first_meta_group) {
    const uint64_t first = meta * per_block;
    at = super_.first_block + first * super_.blocks_per_group + (has_backup(first) ? 1 : 0);
  }
  const Bytes table = TRY(block(at, "group descriptors"));
  const Bytes raw =
      TRY(table.slice(group % per_block * super_.descriptor_size, super_.descriptor_size, "group descriptor"));
  if (verified_groups_.insert(group).second) verify_descriptor(group, raw);
  return raw;
}

void Image::verify_descriptor(uint64_t group, Bytes raw) {
  const auto number = static_cast<uint32_t>(group);
  const auto stored = field<uint16_t>(raw, 30);
  uint16_t computed = stored;
  if (super_.checksums()) {
    computed = static_cast<uint16_t>(crc_with_hole(raw, 30, 2, crc_of_number(number, super_.seed)));
  } else if (super_.read_only & kGroupChecksums) {
    std::byte le[4];
    for (int i = 0; i < 4; ++i) le[i] = static_cast<std::byte>(number >> 8 * i);
    computed = crc16(Bytes(super_.uuid), 0xffff);
    computed = crc16(Bytes(std::span<const std::byte>(le)), computed);
    computed = crc16(raw.head(30), computed);
    if (super_.has(k64Bit)) computed = crc16(raw.head(raw.size(), 32), computed);
  }
  if (checksum_holds(computed, stored)) return;
  checksums_hold_ = false;
  complain(
      {Fault::kMalformed, "checksum of group descriptor " + std::to_string(group) + " does not match", raw.base()});
}

Result<uint64_t> Image::descriptor_field(uint64_t group, uint32_t low, uint32_t high) {
  const Bytes raw = TRY(descriptor(group));
  uint64_t value = field<uint32_t>(raw, low);
  if (super_.has(k64Bit) && super_.descriptor_size >= 64)
    value |= static_cast<uint64_t>(field<uint32_t>(raw, high)) << 32;
  return value;
}

Result<Inode> Image::inode(uint32_t number) {
  if (number == 0 || number > super_.inodes) return fail(Fault::kMalformed, "inode number " + std::to_string(number));
  const uint64_t group = (number - 1) / super_.inodes_per_group, index = (number - 1) % super_.inodes_per_group;
  const uint64_t table = TRY(descriptor_field(group, 8, 40));
  if (table == 0 || table >= super_.blocks)
    return fail(Fault::kMalformed, "inode table in block " + std::to_string(table));
  Inode i;
  i.number = number;
  const uint64_t within = index * super_.inode_size;
  const Bytes holder = TRY(block(table + within / super_.block_size, "inode"));
  i.raw = TRY(holder.slice(within % super_.block_size, super_.inode_size, "inode"));
  i.mode = field<uint16_t>(i.raw, 0);
  i.uid = field<uint16_t>(i.raw, 2) | static_cast<uint32_t>(field<uint16_t>(i.raw, 120)) << 16;
  i.gid = field<uint16_t>(i.raw, 24) | static_cast<uint32_t>(field<uint16_t>(i.raw, 122)) << 16;
  i.links = field<uint16_t>(i.raw, 26);
  i.flags = field<uint32_t>(i.raw, 32);
  i.generation = field<uint32_t>(i.raw, 100);
  i.size = field<uint32_t>(i.raw, 4) | static_cast<uint64_t>(field<uint32_t>(i.raw, 108)) << 32;
  i.attribute_block = field<uint32_t>(i.raw, 104);
  if (super_.has(k64Bit)) i.attribute_block |= static_cast<uint64_t>(field<uint16_t>(i.raw, 118)) << 32;
  i.mtime = static_cast<int32_t>(field<uint32_t>(i.raw, 16));
  if (super_.inode_size > 128) i.extra_size = field<uint16_t>(i.raw, 128);
  if (i.extra_size > super_.inode_size - 128)
    return fail(Fault::kMalformed, "extra size of inode " + std::to_string(number), i.raw.base() + 128);
  if (i.extra_size >= 12) i.mtime += static_cast<int64_t>(field<uint32_t>(i.raw, 136) & 3) << 32;
  claim(i.raw.base(), i.raw.size());
  verify_inode(i);
  return i;
}

uint32_t Image::inode_seed(const Inode& inode) const {
  return crc_of_number(inode.generation, crc_of_number(inode.number, super_.seed));
}

void Image::verify_inode(const Inode& inode) {
  if (!super_.checksums() || inode.mode == 0) return;
  static constexpr std::byte kZeros[2] = {};
  const Bytes zeros(std::span<const std::byte>(kZeros, 2));
  const bool wide = inode.extra_size >= 4;
  uint32_t computed = crc32c(inode.raw.head(124), inode_seed(inode));
  computed = crc32c(zeros, computed);
  computed = crc32c(inode.raw.head(2, 126), computed);
  if (wide) {
    computed = crc32c(inode.raw.head(2, 128), computed);
    computed = crc32c(zeros, computed);
    computed = crc32c(inode.raw.head(inode.raw.size(), 132), computed);
  } else {
    computed = crc32c(inode.raw.head(inode.raw.size(), 128), computed) & 0xffff;
  }
  uint32_t stored = field<uint16_t>(inode.raw, 124);
  if (wide) stored |= static_cast<uint32_t>(field<uint16_t>(inode.raw, 130)) << 16;
  if (checksum_holds(wide ? computed : computed & 0xffff, stored)) return;
  checksums_hold_ = false;
  complain({Fault::kMalformed, "checksum of inode " + std::to_string(inode.number) + " does not match",
            inode.raw.base() + 124});
}

// A block of names ends with 12 bytes that look like an unused entry and hold its checksum; a block of a hash tree does
// not.
void Image::verify_directory(const Inode& inode, Bytes blocks) {
  if (!super_.checksums()) return;
  for (uint64_t at = 0; at + super_.block_size <= blocks.size(); at += super_.block_size) {
    const Bytes block = blocks.head(super_.block_size, at), tail = block.head(12, super_.block_size - 12);
    if (field<uint32_t>(tail, 0) != 0 || field<uint32_t>(tail, 4) != 0xde00000c) continue;
    if (checksum_holds(crc32c(block.head(super_.block_size - 12), inode_seed(inode)), field<uint32_t>(tail, 8)))
      continue;
    checksums_hold_ = false;
    complain({Fault::kMalformed,
              "checksum of a directory block of inode " + std::to_string(inode.number) + " does not match",
              block.base()});
  }
}

void Image::claim_groups() {
  claim(kSuperAt, 1024);
  const uint64_t per_block = super_.block_size / super_.descriptor_size, groups = super_.groups();
  const uint64_t tables = (groups + per_block - 1) / per_block;
  for (uint64_t group = 0; group < groups; ++group) {
    if (!charge(1)) return;
    const uint64_t first = super_.first_block + group * super_.blocks_per_group;
    const bool copy = has_backup(group);
    if (copy && group > 0) claim_block(first);
    const uint64_t meta = group / per_block, place = group % per_block;
    if (super_.has(kMetaGroups) && meta >= super_.first_meta_group) {
      if (place == 0 || place == 1 || place == per_block - 1) claim_block(first + (copy ? 1 : 0));
    } else if (copy) {
      const uint64_t own = super_.has(kMetaGroups) ? std::min<uint64_t>(tables, super_.first_meta_group) : tables;
      claim_blocks(first + 1, own);
    }
    for (const auto& [low, high] : {std::pair{0u, 32u}, std::pair{4u, 36u}})
      if (const auto at = descriptor_field(group, low, high); at && *at != 0 && *at < super_.blocks) claim_block(*at);
  }
  if (super_.multi_mount_block) claim_block(super_.multi_mount_block);
}

}  // namespace assay::unpack::ext
