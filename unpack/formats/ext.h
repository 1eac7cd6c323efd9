// Private to the ext2/3/4 reader: what its files share.
//   ext.cc        measure, unpack: the walk through the tree
//   ext_image.cc  superblock, group descriptors, inodes, their checksums
//   ext_data.cc   where the bytes of an inode lie: block map, extents, inline data; extended attributes
//   ext_replay.cc what the journal holds that is newer: read in place of the blocks it replaces
#pragma once
#include "unpack/format.h"
#include "unpack/formats/ext_journal.h"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace assay::unpack::ext {

constexpr uint64_t kSuperAt = 1024;

struct Super {
  uint64_t at = kSuperAt;  // where it was read
  uint64_t blocks = 0;
  uint32_t inodes = 0, first_block = 0, block_size = 0, blocks_per_group = 0, inodes_per_group = 0;
  uint32_t inode_size = 128, first_inode = 11, descriptor_size = 32, reserved_descriptors = 0, first_meta_group = 0;
  uint32_t compatible = 0, incompatible = 0, read_only = 0;
  uint32_t journal = 0, backup_groups[2] = {0, 0};
  uint64_t multi_mount_block = 0;
  uint32_t seed = 0;  // of metadata checksums
  std::string uuid, label;
  std::string outer_journal;  // uuid of the device that holds the journal, where no inode does

  bool has(uint32_t incompatible_bit) const { return (incompatible & incompatible_bit) != 0; }
  bool checksums() const { return (read_only & 0x400) != 0; }
  uint64_t groups() const { return (blocks - first_block + blocks_per_group - 1) / blocks_per_group; }
  uint64_t length() const { return blocks * block_size; }
};

enum Incompatible : uint32_t {
  kFileType = 0x2,
  kNeedsRecovery = 0x4,
  kJournalDevice = 0x8,
  kMetaGroups = 0x10,
  kExtents = 0x40,
  k64Bit = 0x80,
  kMultiMount = 0x100,
  kFlexibleGroups = 0x200,
  kAttributeInodes = 0x400,
  kChecksumSeed = 0x2000,
  kLargeDirectories = 0x4000,
  kInlineData = 0x8000,
  kEncrypt = 0x10000,
  kCasefold = 0x20000,
};
Result<Super> read_super(Bytes image);
Result<Super> parse_super(Bytes raw, uint64_t image_size);  // of its 1024 bytes

struct Inode {
  uint32_t number = 0;
  Bytes raw;
  uint16_t mode = 0;
  uint32_t uid = 0, gid = 0, links = 0, flags = 0, generation = 0;
  uint64_t size = 0, attribute_block = 0;
  int64_t mtime = 0;
  uint32_t extra_size = 0;  // of the fields behind the first 128 bytes

  Bytes map() const { return raw.head(60, 40); }
  bool is_directory() const { return (mode & 0170000) == 0040000; }
};
enum InodeFlag : uint32_t { kEncrypted = 0x800, kUsesExtents = 0x80000, kInline = 0x10000000 };

struct Run {  // blocks of a file that lie together; physical 0: a hole
  uint64_t logical = 0, physical = 0, count = 0;
};

class Image {
 public:
  static Result<Image> open(Bytes whole, Sink* sink);
  const Super& super() const { return super_; }
  Bytes whole() const { return whole_; }
  Result<void> charge(uint64_t steps) {
    if (sink_) return sink_->step(steps);
    if (steps > left_) return fail(Fault::kLimit, "measuring takes more steps than the file system has blocks for");
    left_ -= steps;
    return {};
  }
  void complain(Error error) {
    if (sink_) sink_->problem(std::move(error));
  }

  Result<Inode> inode(uint32_t number);
  // The blocks of an inode in order, up to its size; what lies between two runs is a hole.
  Result<std::vector<Run>> runs(const Inode& inode);
  // Views of an inode's bytes, without holes; a hole makes the second member true (then runs() must be used).
  Result<std::vector<Bytes>> pieces(const Inode& inode, bool& sparse);
  using Attributes = std::vector<std::pair<std::string, std::string>>;
  Result<Attributes> attributes(const Inode& inode);
  Result<std::vector<Bytes>> inline_pieces(const Inode& inode);

  void verify_directory(const Inode& inode, Bytes blocks);  // whole blocks of one

  bool needs_replay() const { return needs_replay_; }
  bool replayed() const { return replayed_; }
  const Replay& newer() const { return newer_; }

  void claim(uint64_t offset, uint64_t length);
  // Blocks that the layout has in this place; of one that the journal holds newer, the newer bytes.
  void claim_blocks(uint64_t first, uint64_t count);
  void claim_block(uint64_t block) { claim_blocks(block, 1); }
  void claim_groups();   // what the layout itself needs: superblocks, descriptors, bitmaps
  void claim_written();  // blocks of the journal that are in their places already; other old bytes nobody knows
  const std::map<uint64_t, uint64_t>& claimed() const { return claimed_; }
  bool checksums_hold() const { return checksums_hold_; }

 private:
  Image(Bytes whole, Super super, Sink* sink)
      : whole_(whole), super_(std::move(super)), sink_(sink), left_(4 * super_.blocks + 65536) {}
  void replay_journal();
  void replay_super();
  Result<Super> super_in(uint64_t number);
  Result<Replay> read_log();
  // The newest bytes of a block, which say by their base where they are stored.
  Result<Bytes> newest(uint64_t number, std::string_view what);
  Result<Bytes> restored(uint64_t number, Bytes stored);
  Result<void> add_pieces(const Run& run, uint64_t length, std::vector<Bytes>& out);
  bool has_backup(uint64_t group) const;
  Result<Bytes> descriptor(uint64_t group);
  Result<uint64_t> descriptor_field(uint64_t group, uint32_t low, uint32_t high);
  void verify_descriptor(uint64_t group, Bytes raw);
  void verify_inode(const Inode& inode);
  uint32_t inode_seed(const Inode& inode) const;
  Result<Bytes> block(uint64_t number, std::string_view what);
  Result<void> walk_extents(const Inode& inode, Bytes node, int depth, std::vector<Run>& out);
  Result<void> walk_map(const Inode& inode, uint64_t block, int level, uint64_t last, uint64_t& at,
                        std::vector<Run>& out);
  struct Attribute {
    uint8_t index = 0;
    std::string_view name;
    Bytes value;
    uint32_t inode = 0, size = 0;
  };
  Result<std::vector<Attribute>> attribute_list(Bytes area, uint64_t entries, uint64_t values);
  Result<std::vector<Attribute>> attributes_in_inode(const Inode& inode);
  Result<std::string> attribute_value(const Attribute& attribute);

  Bytes whole_;
  Super super_;
  Sink* sink_;
  uint64_t left_;                         // steps, where no sink counts them: when measuring
  std::map<uint64_t, uint64_t> claimed_;  // start -> end
  std::set<uint64_t> verified_groups_;
  Replay newer_;
  std::map<uint64_t, std::string> restored_;  // copies of altered blocks, by number
  bool needs_replay_ = false, replayed_ = false;
  bool checksums_hold_ = true;
};

}  // namespace assay::unpack::ext
