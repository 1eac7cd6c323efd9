// Memory that processes share: the input, and what workers decoded from it. Each arena is a file without a name; one
// process appends, all others see it read-only. What is decoded from large images lies in files on disk, which the
// kernel may write back and drop from memory; what is decoded from others in memory files.
#pragma once
#include "engine/likeness.h"
#include "unpack/examine.h"

#include <vector>

namespace assay::engine {

constexpr uint64_t kArenaRoom = uint64_t{64} << 30;  // address space reserved per arena, and its largest size

class SharedArena final : public unpack::Arena {
 public:
  // Empty: an unlinked file in `folder`, or in memory (memfd) where that is "" or refuses.
  static Result<SharedArena> create(uint32_t id, const std::string& folder = {});
  static Result<SharedArena> open(uint32_t id, int fd, uint64_t size);  // the input, read-only; takes the descriptor
  SharedArena(SharedArena&& other) noexcept;
  SharedArena& operator=(SharedArena&&) = delete;
  ~SharedArena() override;

  uint32_t id() const override { return id_; }
  uint64_t size() const override { return size_; }
  Result<void> append(std::span<const std::byte> piece) override;
  void truncate(uint64_t size) override;
  Bytes view(uint64_t at, uint64_t size) const override;
  Bytes recent(uint64_t at, uint64_t size) const override;
  Digest digest(Bytes bytes) const override { return likeness_ ? likeness_->of(bytes) : sha256(bytes); }

  void make_readonly();          // this process will only read: writing becomes impossible
  void flush() const;            // others see what was appended only after it
  void set_size(uint64_t size);  // another process appended up to here
  // What is appended waits in memory up to so many bytes, and is never written where it is truncated before.
  void hold_back(uint64_t most) { held_back_ = most; }
  void tell_apart_by(std::shared_ptr<Likeness> likeness) { likeness_ = std::move(likeness); }  // instead of digests
  // Whether a place that a worker reported really is in the file.
  bool holds(uint64_t at, uint64_t size) const;

 private:
  Result<void> write_all(std::span<const std::byte> bytes) const;
  Result<void> write_pending() const;
  void forget(uint64_t from);
  void allocate(uint64_t end) const;
  SharedArena(uint32_t id, int fd, std::byte* base, uint64_t room, uint64_t size, bool writable)
      : id_(id), fd_(fd), base_(base), room_(room), size_(size), written_(size), writable_(writable) {}

  uint32_t id_;
  int fd_;
  std::byte* base_;
  uint64_t room_, size_;
  mutable uint64_t written_;  // bytes that are in the file; those behind wait in pending_
  mutable std::vector<std::byte> pending_;
  mutable uint64_t allocated_ = 0;  // room that a file on disk has already
  mutable bool on_disk_ = false;    // and may be given more
  uint64_t held_back_ = 0;
  bool writable_;
  std::shared_ptr<Likeness> likeness_;
};

}  // namespace assay::engine
