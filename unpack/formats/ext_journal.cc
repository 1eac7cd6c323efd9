// The log of jbd2, big endian whatever the processor.
//
//   every block of its own  0 0xc03b3998  4 kind  8 sequence number of the transaction
//   kind 3, 4  superblock: 12 block size  16 blocks  20 first block of the log  24 first sequence expected  28 block
//              where the log starts, 0: empty  (4: 36 compatible, 40 incompatible, 44 read-only features  48 UUID
//              80 kind of checksum  84 blocks of fast commits at the end  252 checksum)
//   kind 1     descriptor: a tag for each of the blocks that follow it: number (32), checksum (16), flags (16),
//              number's upper half (32, with 64 bits); with checksums 3: number, flags, upper half, checksum (32 each).
//              Flags: 1 the block's first word was the magic and is stored as 0, 2 no UUID follows, 8 the last tag
//   kind 2     commit: ends the transaction; 16 checksum
//   kind 5     revoked: 12 bytes used, then numbers of blocks that no transaction up to this one may write
//
// The log is a ring. It ends at the first block that is not of the sequence expected; a transaction without its commit
// never happened. Source: Linux Documentation/filesystems/ext4/journal.rst, include/linux/jbd2.h, fs/jbd2/recovery.c.
#include "unpack/formats/ext_journal.h"

#include "core/hash.h"

#include <algorithm>
#include <set>
#include <utility>

namespace assay::unpack::ext {
namespace {

constexpr uint32_t kMagic = 0xc03b3998;
constexpr uint32_t kDescriptor = 1, kCommit = 2, kRevoke = 5;
enum Feature : uint32_t { kRevokes = 1, k64 = 2, kAsynchronous = 4, kChecksums2 = 8, kChecksums3 = 0x10, kFast = 0x20 };
constexpr uint32_t kKnown = kRevokes | k64 | kAsynchronous | kChecksums2 | kChecksums3 | kFast;
enum Flag : uint32_t { kAltered = 1, kSameUuid = 2, kLastTag = 8 };

uint32_t word(Bytes b, uint64_t at) { return b.be<uint32_t>(at, "").value_or(0); }

uint32_t sum_with_zeros_at(Bytes b, uint64_t at, uint32_t seed) {
  static constexpr std::byte kZeros[4] = {};
  const uint32_t before = crc32c(Bytes(std::span<const std::byte>(kZeros)), crc32c(b.head(at), seed));
  return crc32c(b.head(b.size(), at + 4), before);
}

struct Tag {
  uint64_t block = 0, at = 0;  // of the file system, of the journal's file
  uint32_t flags = 0, checksum = 0;
};

class Reader {
 public:
  Reader(const Journal& journal, const LogBlock& block, uint64_t blocks, const Charge& charge)
      : journal_(journal),
        block_(block),
        charge_(charge),
        blocks_(blocks),
        left_(std::min<uint64_t>(blocks, journal.last)) {}

  Result<Replay> run() {
    next_ = journal_.start;
    sequence_ = journal_.sequence;
    while (left_ > 0) {
      const auto block = block_(next_);
      if (!block || word(*block, 0) != kMagic || word(*block, 8) != sequence_) break;
      const uint32_t kind = word(*block, 4);
      if (kind != kDescriptor && kind != kCommit && kind != kRevoke) break;
      if (!holds(*block, kind == kCommit ? 16 : journal_.block_size - 4)) {
        say(*block, "checksum of the journal's transaction " + std::to_string(sequence_) + " does not match");
        break;
      }
      TRY_VOID(step());
      if (kind == kDescriptor) TRY_VOID(descriptor(*block));
      if (kind == kRevoke) TRY_VOID(revoke(*block));
      if (kind == kCommit) commit();
    }
    apply();
    return std::move(out_);
  }

 private:
  struct Pending {
    Tag tag;
    uint32_t sequence = 0;
  };

  Result<void> step() {
    next_ = next_ + 1 >= journal_.last ? journal_.first : next_ + 1;
    --left_;
    return charge_(1);
  }
  void say(Bytes at, std::string what) { out_.problems.push_back({Fault::kMalformed, std::move(what), at.base()}); }
  bool holds(Bytes block, uint64_t at) const {
    return !journal_.checksums() || checksum_holds(sum_with_zeros_at(block, at, journal_.seed), word(block, at));
  }

  uint64_t tag_size() const {
    if (journal_.has(kChecksums3)) return 16;
    return 8 + (journal_.has(k64) ? 4 : 0) + (journal_.has(kChecksums2) ? 2 : 0);
  }

  Tag tag_at(Bytes block, uint64_t at) const {
    const uint64_t upper = journal_.has(k64) ? uint64_t{word(block, at + 8)} << 32 : 0;
    if (journal_.has(kChecksums3)) return {word(block, at) | upper, next_, word(block, at + 4), word(block, at + 12)};
    return {word(block, at) | upper, next_, word(block, at + 4) & 0xffff, word(block, at + 4) >> 16};
  }

  bool data_holds(const Tag& tag, Bytes data) const {
    if (!journal_.checksums()) return true;
    std::byte number[4];
    for (int i = 0; i < 4; ++i) number[i] = static_cast<std::byte>(sequence_ >> (24 - 8 * i));
    const uint32_t sum = crc32c(data, crc32c(Bytes(std::span<const std::byte>(number)), journal_.seed));
    return checksum_holds(journal_.has(kChecksums3) ? sum : sum & 0xffff, tag.checksum);
  }

  const char* refusal(const Tag& tag, const std::optional<Bytes>& data) const {
    if (tag.block >= blocks_) return " lies behind the file system's end";
    if (!data) return " is missing";
    return data_holds(tag, *data) ? nullptr : ": checksum does not match";
  }

  Result<void> descriptor(Bytes block) {
    const uint64_t end = journal_.block_size - (journal_.checksums() ? 4 : 0);
    for (uint64_t at = 12; at + tag_size() <= end && left_ > 0;) {
      const Tag tag = tag_at(block, at);
      if (const char* why = refusal(tag, block_(next_)))
        say(block,
            "block " + std::to_string(tag.block) + " of the journal's transaction " + std::to_string(sequence_) + why);
      else
        open_.push_back({tag, sequence_});
      TRY_VOID(step());
      at += tag_size() + (tag.flags & kSameUuid ? 0 : 16);
      if (tag.flags & kLastTag) break;
    }
    return {};
  }

  Result<void> revoke(Bytes block) {
    const uint64_t size = journal_.has(k64) ? 8 : 4, used = std::min<uint64_t>(word(block, 12), journal_.block_size);
    TRY_VOID(charge_(used / size));
    bool said = false;  // once a block
    for (uint64_t at = 16; at + size <= used; at += size) {
      const uint64_t number = size == 8 ? block.be<uint64_t>(at, "").value_or(0) : word(block, at);
      if (number < blocks_)
        revoking_.insert(number);
      else if (!std::exchange(said, true))
        say(block, "block " + std::to_string(number) + ", revoked by the journal's transaction " +
                       std::to_string(sequence_) + ", lies behind the file system's end");
    }
    return {};
  }

  void commit() {
    pending_.insert(pending_.end(), open_.begin(), open_.end());
    for (const uint64_t block : revoking_) revoked_[block] = sequence_;
    open_.clear();
    revoking_.clear();
    ++sequence_;
    ++out_.transactions;
  }

  // What was revoked in a later transaction, or in the same, is not written.
  void apply() {
    for (const Pending& p : pending_) {
      const auto revoked = revoked_.find(p.tag.block);
      if (revoked != revoked_.end() && static_cast<int32_t>(p.sequence - revoked->second) <= 0)
        ++out_.revoked;
      else
        out_.blocks[p.tag.block] = {p.tag.at, (p.tag.flags & kAltered) != 0};
    }
  }

  const Journal& journal_;
  const LogBlock& block_;
  const Charge& charge_;
  const uint64_t blocks_;  // of the file system
  uint64_t left_;          // of the ring, which a whole turn ends
  uint64_t next_ = 0;
  uint32_t sequence_ = 0;
  std::vector<Pending> open_, pending_;   // of the transaction being read, of those that are committed
  std::set<uint64_t> revoking_;           // by the transaction being read
  std::map<uint64_t, uint32_t> revoked_;  // by which
  Replay out_;
};

}  // namespace

Result<Journal> read_journal(Bytes super) {
  const Bytes b = TRY(super.slice(0, 1024, "journal's superblock"));
  const uint32_t kind = word(b, 4);
  if (word(b, 0) != kMagic || (kind != 3 && kind != 4)) return fail(Fault::kMalformed, "journal's magic", b.base());
  Journal j{.block_size = word(b, 12),
            .first = word(b, 20),
            .last = word(b, 16),
            .start = word(b, 28),
            .sequence = word(b, 24)};
  if (kind == 4) j.features = word(b, 40);
  if (j.features & ~kKnown)
    return fail(Fault::kUnsupported, "journal's features " + std::to_string(j.features), b.base() + 40);
  if (j.has(kFast)) {
    const uint32_t fast = word(b, 84) ? word(b, 84) : 256;
    j.last = fast < j.last ? j.last - fast : 0;
  }
  if (j.block_size < 1024 || j.first == 0 || j.first >= j.last || (j.start && (j.start < j.first || j.start >= j.last)))
    return fail(Fault::kMalformed, "journal's size", b.base() + 12);
  if (j.checksums() && !checksum_holds(sum_with_zeros_at(b, 252, ~uint32_t{0}), word(b, 252)))
    return fail(Fault::kMalformed, "checksum of the journal's superblock does not match", b.base() + 252);
  j.seed = crc32c(b.head(16, 48));
  return j;
}

Result<Replay> replay(const Journal& journal, const LogBlock& block, uint64_t blocks, const Charge& charge) {
  return Reader(journal, block, blocks, charge).run();
}

}  // namespace assay::unpack::ext
