// A file system that was not unmounted: blocks that its journal holds newer are read from there. Nothing is written; a
// block's number leads to the bytes that a mount would put in its place. Source: Linux fs/jbd2/recovery.c.
#include "unpack/formats/ext.h"

#include <algorithm>

namespace assay::unpack::ext {

Result<Replay> Image::read_log() {
  if (super_.journal == 0) return fail(Fault::kUnsupported, "it lies on another device", 1024 + 96);
  const Inode file = TRY(inode(super_.journal));
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
  Replay found = TRY(replay(journal, block, super_.blocks, [&] { return charge(1); }));
  for (auto& [number, newer] : found.blocks) newer.at = block(newer.at)->base() / super_.block_size;
  return found;
}

void Image::replay_journal() {
  if (!super_.has(kNeedsRecovery)) return;
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
}

Result<uint64_t> Image::located(uint64_t block) const {
  if (newer_.blocks.empty()) return block;
  const auto found = newer_.blocks.find(block);
  if (found == newer_.blocks.end()) return block;
  if (found->second.altered)
    return fail(Fault::kUnsupported, "block " + std::to_string(block) + " is kept altered in the journal",
                found->second.at * super_.block_size);
  return found->second.at;
}

// One view where nothing of the run is newer, else one for each stretch that lies together.
Result<void> Image::add_pieces(const Run& run, uint64_t length, std::vector<Bytes>& out) {
  const uint64_t size = super_.block_size;
  auto newer = newer_.blocks.lower_bound(run.physical);
  uint64_t done = 0;
  while (done < length) {
    const uint64_t block = run.physical + done / size;
    while (newer != newer_.blocks.end() && newer->first < block) ++newer;
    const bool is_newer = newer != newer_.blocks.end() && newer->first == block;
    uint64_t until = is_newer ? done + size : length;
    if (!is_newer && newer != newer_.blocks.end()) until = std::min(length, (newer->first - run.physical) * size);
    until = std::min(until, length);
    const uint64_t at = TRY(located(block)) * size;
    out.push_back(TRY(whole_.slice(at, until - done, "file blocks")));
    done = until;
  }
  return {};
}

}  // namespace assay::unpack::ext
