// A file system that was not unmounted: blocks that its journal holds newer are read from there. Nothing is written; a
// block's number leads to the bytes that a mount would put in its place, the superblock's too. A block that begins with
// the journal's magic is stored with zeros there: a copy has them put back. Source: Linux fs/jbd2/recovery.c.
#include "unpack/formats/ext.h"

#include <algorithm>

namespace assay::unpack::ext {
namespace {

constexpr uint64_t kMostRestored = 16 << 20;

}  // namespace

Result<Replay> Image::read_log() {
  if (super_.journal == 0) return fail(Fault::kUnsupported, "it lies on another device", 1024 + 96);
  const Inode file = TRY(inode(super_.journal));
  if (file.size > super_.length())
    return fail(Fault::kMalformed, "its size " + std::to_string(file.size), file.raw.base() + 4);
  const std::vector<Run> runs = TRY(this->runs(file));
  const LogBlock block = [&](uint64_t logical) -> std::optional<Bytes> {
    const auto after = std::ranges::upper_bound(runs, logical, {}, &Run::logical);
    if (after == runs.begin()) return std::nullopt;
    const Run& run = *std::prev(after);
    if (logical - run.logical >= run.count) return std::nullopt;
    const auto bytes = whole_.slice((run.physical + logical - run.logical) * super_.block_size, super_.block_size, "");
    return bytes ? std::optional(*bytes) : std::nullopt;
  };
  const auto first = block(0);
  if (!first) return fail(Fault::kMalformed, "it has no superblock", 1024 + 96);
  const Journal journal = TRY(read_journal(*first));
  if (journal.block_size != super_.block_size) return fail(Fault::kMalformed, "its block size", first->base() + 12);
  if (journal.has(0x20))
    complain({Fault::kUnsupported, "fast commits of the journal are not applied", first->base() + 40});
  if (journal.start == 0) return Replay{};
  Replay found = TRY(replay(journal, block, super_.blocks, [&](uint64_t steps) { return charge(steps); }));
  for (auto& [number, newer] : found.blocks) newer.at = block(newer.at)->base() / super_.block_size;
  return found;
}

void Image::replay_journal() {
  needs_replay_ = super_.has(kNeedsRecovery);
  if (!needs_replay_) return;
  auto found = read_log();
  if (!found) {
    complain({found.error().fault, "journal: " + found.error().what + "; its changes are not applied",
              found.error().offset});
    return;
  }
  for (Error& problem : found->problems) complain(std::move(problem));
  newer_ = *std::move(found);
  replayed_ = true;
  verified_groups_.clear();
  replay_super();
}

void Image::replay_super() {
  const uint64_t number = kSuperAt / super_.block_size;
  if (!newer_.blocks.contains(number)) return;
  auto newer = super_in(number);
  if (newer)
    super_ = *std::move(newer);
  else
    complain({newer.error().fault, "journal: " + newer.error().what + "; the superblock in its place is used",
              newer.error().offset});
}

Result<Super> Image::super_in(uint64_t number) {
  const Bytes block = TRY(newest(number, "superblock")), raw = block.head(1024, kSuperAt % super_.block_size);
  Super newer = TRY(parse_super(raw, whole_.size()));
  newer.at = raw.base();
  if (newer.block_size != super_.block_size || newer.blocks != super_.blocks)
    return fail(Fault::kUnsupported,
                "superblock of a file system of " + std::to_string(newer.blocks) + " blocks of " +
                    std::to_string(newer.block_size),
                newer.at + 4);
  return newer;
}

Result<Bytes> Image::newest(uint64_t number, std::string_view what) {
  const uint64_t size = super_.block_size;
  const auto newer = newer_.blocks.find(number);
  const bool own = newer == newer_.blocks.end();
  const Bytes stored = TRY(whole_.slice((own ? number : newer->second.at) * size, size, what));
  return own || !newer->second.altered ? stored : restored(number, stored);
}

Result<Bytes> Image::restored(uint64_t number, Bytes stored) {
  auto copy = restored_.find(number);
  if (copy == restored_.end()) {
    if ((restored_.size() + 1) * stored.size() > kMostRestored)
      return fail(Fault::kUnsupported,
                  "block " + std::to_string(number) + " and more than " + std::to_string(restored_.size()) +
                      " others are stored altered in the journal",
                  stored.base());
    copy = restored_.emplace(number, stored.text()).first;
    copy->second.replace(0, 4, "\xc0\x3b\x39\x98");
  }
  return Bytes(std::as_bytes(std::span(copy->second)), stored.base());
}

// One view where nothing of the run is newer, else one for each stretch that lies together.
Result<void> Image::add_pieces(const Run& run, uint64_t length, std::vector<Bytes>& out) {
  const uint64_t size = super_.block_size;
  auto newer = newer_.blocks.lower_bound(run.physical);
  for (uint64_t done = 0; done < run.count && done * size < length;) {
    const uint64_t block = run.physical + done, left = length - done * size;
    if (newer != newer_.blocks.end() && newer->first == block) {
      out.push_back(TRY(newest(block, "file blocks")).head(left));
      ++newer;
      ++done;
      continue;
    }
    uint64_t count = run.count - done;
    if (newer != newer_.blocks.end()) count = std::min(count, newer->first - block);  // behind `block`: not 0
    out.push_back(TRY(whole_.slice(block * size, std::min(left, count * size), "file blocks")));
    done += count;
  }
  return {};
}

void Image::claim_blocks(uint64_t first, uint64_t count) {
  if (first >= super_.blocks) return;
  const uint64_t size = super_.block_size, end = first + std::min(count, super_.blocks - first);
  for (auto newer = newer_.blocks.lower_bound(first); newer != newer_.blocks.end() && newer->first < end; ++newer) {
    if (!charge(1)) return;
    claim(first * size, (newer->first - first) * size);
    claim(newer->second.at * size, size);
    first = newer->first + 1;
  }
  claim(first * size, (end - first) * size);
}

void Image::claim_written() {
  const uint64_t size = super_.block_size;
  for (const auto& [number, newer] : newer_.blocks)
    if (!newer.altered && whole_.head(size, number * size).text() == whole_.head(size, newer.at * size).text())
      claim(number * size, size);
}

}  // namespace assay::unpack::ext
