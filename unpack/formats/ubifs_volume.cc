#include "unpack/formats/ubifs_volume.h"

#include <algorithm>
#include <set>

namespace assay::unpack {
namespace {

constexpr uint32_t kMasterBlock = 1, kLogBlock = 3;
constexpr uint32_t kDeepestIndex = 512;  // levels, as the format's definition allows
constexpr std::string_view kShortPadding = "\xce\xce\xce\xce\xce\xce\xce\xce";  // where no padding node fits
constexpr uint64_t kBranchSize = 20;                                            // place and length (12), key (8)

class State {
 public:
  UbifsVolume volume;

  void apply(const UbifsNode& node) {
    switch (node.type) {
      case UbifsType::kInode:
        return apply_inode(node);
      case UbifsType::kData:
        volume.data[node.key_inode()].insert_or_assign(node.key_block(), node);
        return;
      case UbifsType::kEntry:
        return apply_entry(volume.entries[node.key_inode()], node);
      case UbifsType::kXattrEntry:
        return apply_entry(volume.xattrs[node.key_inode()], node);
      case UbifsType::kTruncation:
        return apply_truncation(node);
      default:
        return;
    }
  }

 private:
  // An inode without links was deleted, with all that belongs to it.
  void apply_inode(const UbifsNode& node) {
    const uint32_t inode = node.key_inode();
    if (node.word(92) != 0) {
      volume.inodes.insert_or_assign(inode, node);
      return;
    }
    volume.inodes.erase(inode);
    volume.data.erase(inode);
    volume.xattrs.erase(inode);
  }
  // An entry for inode 0 removes the name.
  static void apply_entry(std::map<std::string, UbifsEntry>& names, const UbifsNode& node) {
    const uint64_t length = std::min<uint64_t>(node.half(50), node.bytes.size() - 56);
    std::string name(node.bytes.text().substr(56, length));
    if (node.wide(40) == 0)
      names.erase(name);
    else
      names.insert_or_assign(std::move(name), UbifsEntry{node.wide(40), node.bytes[49], node.bytes.base()});
  }
  void apply_truncation(const UbifsNode& node) {
    const auto data = volume.data.find(node.word(24));
    if (data == volume.data.end()) return;
    const uint64_t kept = (node.wide(48) + kUbifsBlock - 1) / kUbifsBlock;
    if (kept <= 0x1fffffff)
      data->second.erase(data->second.lower_bound(static_cast<uint32_t>(kept)), data->second.end());
  }
};

class UbifsReader {
 public:
  UbifsReader(Bytes whole, const UbifsSuper& super, Sink& into) : whole_(whole), super_(super), into_(into) {}

  Result<UbifsVolume> run() {
    TRY_VOID(scan());
    auto indexed = follow_index();
    if (!indexed && indexed.error().fault == Fault::kLimit) return std::unexpected(indexed.error());
    if (indexed) {
      TRY_VOID(replay_journal());
      return std::move(state_.volume);
    }
    into_.problem({indexed.error().fault,
                   "the index cannot be followed (" + indexed.error().what + "): every node " +
                       "counts in the order of sequence numbers; removed files may reappear",
                   indexed.error().offset});
    state_ = {};
    for (const auto& blocks : nodes_)
      for (const UbifsNode& node : blocks) all_.push_back(&node);
    std::ranges::stable_sort(all_, {}, &UbifsNode::sequence);
    for (const UbifsNode* node : all_) {
      TRY_VOID(into_.step());
      state_.apply(*node);
    }
    return std::move(state_.volume);
  }

 private:
  uint64_t place(uint32_t block, uint32_t offset) const { return uint64_t{block} * super_.block + offset; }

  Result<void> scan() {
    const uint64_t blocks = (whole_.size() + super_.block - 1) / super_.block;
    nodes_.resize(blocks);
    for (uint64_t block = 0; block < blocks; ++block) {
      const Bytes bytes = whole_.head(super_.block, block * super_.block);
      for (uint64_t at = 0; at + kUbifsHeaderSize <= bytes.size();) {
        if (!bytes.starts_with("\x31\x18\x10\x06", at)) {
          if (bytes.starts_with(kShortPadding, at)) take_padding(bytes.head(8, at));
          at += 8;
          continue;
        }
        TRY_VOID(into_.step());
        auto node = read_ubifs_node(bytes, at);
        if (!node && !take_odd_node(bytes, at, node.error())) into_.problem(node.error());
        if (!node) {
          at += 8;
          continue;
        }
        into_.range(Range::kHeader, node->bytes.base(), node->bytes.size());
        const uint64_t end = at + node->bytes.size();
        const uint64_t padding = node->type == UbifsType::kPadding ? node->word(24) : 0;
        at = (end + padding + 7) & ~uint64_t{7};
        take_padding(bytes.head(at - end, end));
        nodes_[block].push_back(std::move(*node));
      }
    }
    return {};
  }

  // mkfs.ubifs leaves a node of 64 zeros and type 0 behind the superblock, with a good checksum.
  bool take_odd_node(Bytes block, uint64_t at, const Error& error) {
    if (block.base() != whole_.base() || error.fault != Fault::kUnsupported) return false;
    into_.range(Range::kHeader, at, *block.le<uint32_t>(at + 16, "len"));
    return true;
  }
  void take_padding(Bytes padding) {
    if (is_run(padding)) into_.range(Range::kPadding, padding.base() - whole_.base(), padding.size());
  }

  const UbifsNode* newest_master() const {
    const UbifsNode* best = nullptr;
    for (uint64_t block = kMasterBlock; block < kLogBlock && block < nodes_.size(); ++block)
      for (const UbifsNode& node : nodes_[block])
        if (node.type == UbifsType::kMaster && (!best || node.sequence > best->sequence)) best = &node;
    return best;
  }

  struct Branch {
    uint64_t at;
    uint32_t block, offset, length, level;  // level: the highest the node there may have
  };

  Result<void> follow_index() {
    master_ = newest_master();
    if (!master_) return fail(Fault::kMalformed, "no master node", place(kMasterBlock, 0));
    std::vector<Branch> left;
    add(left, master_->word(48), master_->word(52), master_->word(56), kDeepestIndex);
    std::set<uint64_t> seen;
    while (!left.empty()) {
      const Branch branch = left.back();
      left.pop_back();
      TRY_VOID(into_.step());
      if (!seen.insert(branch.at).second) return fail(Fault::kMalformed, "an index node has two parents", branch.at);
      const UbifsNode node = TRY(read_at(branch.block, branch.offset, branch.length));
      if (node.type != UbifsType::kIndex) return fail(Fault::kMalformed, "not an index node", branch.at);
      TRY_VOID(take_branches(node, branch, left));
    }
    return {};
  }
  void add(std::vector<Branch>& left, uint32_t block, uint32_t offset, uint32_t length, uint32_t level) const {
    left.push_back({place(block, offset), block, offset, length, level});
  }

  Result<UbifsNode> read_at(uint32_t block, uint32_t offset, uint32_t length) const {
    const uint64_t at = place(block, offset);
    if (offset >= super_.block || length > super_.block - offset)
      return fail(Fault::kMalformed, "a branch leaves its logical block", at);
    UbifsNode node = TRY(read_ubifs_node(whole_, at));
    if (node.bytes.size() != length) return fail(Fault::kMalformed, "a branch has another length than its node", at);
    return node;
  }

  Result<void> take_branches(const UbifsNode& node, const Branch& branch, std::vector<Branch>& left) {
    const uint32_t count = node.half(24), level = node.half(26);
    if (level > branch.level) return fail(Fault::kMalformed, "level " + std::to_string(level), branch.at + 26);
    if (count == 0) return {};
    const uint64_t each = super_.flags & kUbifsAuthenticated ? (node.bytes.size() - 28) / count : kBranchSize;
    if (each < kBranchSize || 28 + each * count > node.bytes.size())
      return fail(Fault::kMalformed, "child_cnt " + std::to_string(count), branch.at + 24);
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t at = 28 + each * i;
      const uint32_t block = node.word(at), offset = node.word(at + 4), length = node.word(at + 8);
      if (level > 0) {
        add(left, block, offset, length, level - 1);
        continue;
      }
      TRY_VOID(into_.step());
      auto leaf = read_at(block, offset, length);
      if (!leaf)
        into_.problem(
            {leaf.error().fault, "a node that the index names is lost: " + leaf.error().what, leaf.error().offset});
      else
        state_.apply(*leaf);
    }
    return {};
  }

  // The log names the blocks written since the commit that the master knows, and from where in each of them.
  Result<void> replay_journal() {
    const uint64_t end = std::min<uint64_t>(kLogBlock + uint64_t{super_.log_blocks}, nodes_.size());
    uint64_t begun = kNowhere;
    for (uint64_t block = kLogBlock; block < end; ++block)
      for (const UbifsNode& node : nodes_[block])
        if (node.type == UbifsType::kCommitStart && node.wide(24) == master_->wide(32)) begun = node.sequence;
    if (begun == kNowhere) {
      into_.problem(
          {Fault::kMalformed,
           "the log has no start of commit " + std::to_string(master_->wide(32)) + "; the journal is not replayed",
           place(kLogBlock, 0)});
      return {};
    }
    std::map<uint32_t, uint32_t> buds;
    for (uint64_t block = kLogBlock; block < end; ++block)
      for (const UbifsNode& node : nodes_[block])
        if (node.type == UbifsType::kReference && node.sequence > begun) {
          const auto [bud, fresh] = buds.try_emplace(node.word(24), node.word(28));
          if (!fresh) bud->second = std::min(bud->second, node.word(28));
        }
    std::vector<const UbifsNode*> written;
    for (const auto& [block, offset] : buds) {
      if (block >= nodes_.size()) {
        into_.problem({Fault::kTruncated, "block " + std::to_string(block) + " of the journal is not in the image",
                       place(kLogBlock, 0)});
        continue;
      }
      for (const UbifsNode& node : nodes_[block])
        if (node.bytes.base() - whole_.base() >= place(block, offset)) written.push_back(&node);
    }
    std::ranges::stable_sort(written, {}, &UbifsNode::sequence);
    for (const UbifsNode* node : written) {
      TRY_VOID(into_.step());
      state_.apply(*node);
    }
    if (!written.empty())
      into_.note("journal", std::to_string(written.size()) + " nodes replayed", place(kLogBlock, 0));
    return {};
  }

  Bytes whole_;
  const UbifsSuper& super_;
  Sink& into_;
  std::vector<std::vector<UbifsNode>> nodes_;  // by logical block
  std::vector<const UbifsNode*> all_;
  const UbifsNode* master_ = nullptr;
  State state_;
};

}  // namespace

Result<UbifsVolume> read_ubifs_volume(Bytes whole, const UbifsSuper& super, Sink& into) {
  return UbifsReader(whole, super, into).run();
}

}  // namespace assay::unpack
