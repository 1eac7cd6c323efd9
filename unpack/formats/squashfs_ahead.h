// Decoding the blocks of a SquashFS image ahead of the walk through it, on the worker's other threads
// (unpack/helpers.h).
//
// Each of them makes the same walk on its own and instead of giving out files decodes the blocks that the real walk
// will come to. The real walk takes what is there and decodes the rest itself, so the result is the same with any
// number of threads: bytes, budgets (the pieces in which a codec wrote are kept) and errors (a block that failed is
// decoded again).
#pragma once
#include "unpack/formats/squashfs.h"
#include "unpack/helpers.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace assay::unpack::squashfs {

// What a walk has its blocks decoded by; decode_block, with the place of the block in the walk: how many bytes of files
// come before it.
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual Result<void> decode(Bytes raw, uint64_t most, std::optional<uint64_t> exact, uint64_t position,
                              Output& into) = 0;
};

class Ahead final : public Decoder {
 public:
  using Walk = std::function<Result<void>(Image, Sink&, Decoder&)>;

  Ahead(const Image& image, Walk walk);
  ~Ahead() override;
  Result<void> decode(Bytes raw, uint64_t most, std::optional<uint64_t> exact, uint64_t position,
                      Output& into) override;

 private:
  class Scout;
  struct Slot;
  Result<void> look_ahead(const Image& image, const Walk& walk);
  bool wanted(std::unique_lock<std::mutex>& lock, Bytes raw, uint64_t most, uint64_t position);
  std::unique_ptr<Slot> taken(Bytes raw, uint64_t most, std::optional<uint64_t> exact, uint64_t position);
  void drop_passed();

  const Packing packing_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::map<const std::byte*, std::unique_ptr<Slot>>
      slots_;              // by the block's first byte; looked up, its order is not used
  uint64_t held_ = 0;      // bytes that the slots may come to hold
  uint64_t position_ = 0;  // of the real walk
  std::atomic<bool> over_ = false;
  std::optional<HelpersAtWork> at_work_;  // last: it ends first
};

}  // namespace assay::unpack::squashfs
