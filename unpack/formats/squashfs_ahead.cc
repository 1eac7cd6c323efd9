#include "unpack/formats/squashfs_ahead.h"

#include <new>
#include <tuple>

namespace assay::unpack::squashfs {
namespace {

// Decoded bytes that wait for the walk: more only means more memory that is touched for the first time.
constexpr uint64_t kMostHeld = 2 << 20;
constexpr uint64_t kSmallestShared = 256 << 10;  // bytes of an image; below, waking threads costs more than it saves
// What a walk ahead keeps of the nodes it passed, by estimate; then it ends: the memory is the real walk's.
constexpr uint64_t kMostKept = 32 << 20, kKeptOfOne = 512;
// Of 2 + 3 n blocks the walk itself decodes two and n threads the rest: it also hashes and stores what all decode.
constexpr uint64_t kOwnShare = 2, kShareOfOne = 3;

// Keeps bytes and the pieces they came in, to write them out again in the same pieces.
class Pieces final : public Output {
 public:
  explicit Pieces(uint64_t most) { bytes_.reserve(most); }
  Result<void> write(std::span<const std::byte> piece) override {
    bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    ends_.push_back(bytes_.size());
    return {};
  }
  uint64_t written() const override { return bytes_.size(); }
  Result<void> give(Output& into) const {
    size_t at = 0;
    for (const size_t end : ends_) {
      TRY_VOID(into.write(std::span(bytes_).subspan(at, end - at)));
      at = end;
    }
    return {};
  }

 private:
  std::vector<std::byte> bytes_;
  std::vector<size_t> ends_;
};

// Where a walk goes that is made for its blocks alone.
class Nowhere final : public Sink {
 public:
  explicit Nowhere(const std::atomic<bool>& over) : over_(over) {}
  Output& output() override { return output_; }
  void discard() override {}
  Result<void> child(std::string_view, Content) override { return {}; }
  Result<void> node(Node node, Content) override {
    kept_ += kKeptOfOne + node.path.size();
    return {};
  }
  void range(Range, uint64_t, uint64_t) override {}
  void note(std::string_view, std::string, uint64_t) override {}
  void integrity(Integrity) override {}
  void opened(OpenedWith) override {}
  void problem(Error) override {}
  Result<void> step(uint64_t) override {
    if (over_ || kept_ > kMostKept) return fail(Fault::kLimit, "the walk is over");
    return {};
  }
  Bytes key(std::string_view) const override { return {}; }

 private:
  class Lost final : public Output {
   public:
    Result<void> write(std::span<const std::byte>) override { return {}; }
    uint64_t written() const override { return 0; }
  };
  Lost output_;
  uint64_t kept_ = 0;
  const std::atomic<bool>& over_;
};

}  // namespace

struct Ahead::Slot {
  enum State : uint8_t { kWorking, kDone, kFailed };
  State state = kWorking;
  uint64_t size = 0, most = 0, position = 0;
  std::optional<uint64_t> exact;
  std::optional<Pieces> pieces;
};

// The decoder of a walk ahead: what it decodes lands in a slot, the walk itself gets nothing.
class Ahead::Scout final : public Decoder {
 public:
  explicit Scout(Ahead& owner) : owner_(owner) {}

  Result<void> decode(Bytes raw, uint64_t most, std::optional<uint64_t> exact, uint64_t position, Output&) override {
    const bool own = count_++ % (kOwnShare + kShareOfOne * helper_count()) < kOwnShare;
    std::unique_lock lock(owner_.lock_);
    if (own || !owner_.wanted(lock, raw, most, position)) return {};
    auto& kept = owner_.slots_[raw.data()] = std::make_unique<Slot>();
    Slot& slot = *kept;
    slot.size = raw.size(), slot.most = most, slot.exact = exact, slot.position = position;
    owner_.held_ += most;
    lock.unlock();
    const bool good = fill(slot, raw);
    lock.lock();
    slot.state = good ? Slot::kDone : Slot::kFailed;
    owner_.changed_.notify_all();
    return {};
  }

 private:
  bool fill(Slot& slot, Bytes raw) const {
    try {
      slot.pieces.emplace(slot.exact.value_or(slot.most));
      return decode_block(owner_.packing_, raw, slot.most, slot.exact, *slot.pieces).has_value();
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  Ahead& owner_;
  uint64_t count_ = 0;
};

Ahead::Ahead(const Image& image, Walk walk) : packing_(image.packing()) {
  if (!helpers_free() || image.whole().size() < kSmallestShared) return;
  // However far it came: the real walk decodes the rest itself.
  at_work_.emplace(
      [this, copy = image.copy(nullptr), walk = std::move(walk)] { std::ignore = look_ahead(copy, walk); });
}

Ahead::~Ahead() {
  const std::lock_guard lock(lock_);
  over_ = true;
  changed_.notify_all();
}

Result<void> Ahead::look_ahead(const Image& image, const Walk& walk) {
  try {
    Nowhere nowhere(over_);
    Scout scout(*this);
    return walk(image.copy(&nowhere), nowhere, scout);
  } catch (const std::bad_alloc&) {
    return fail(Fault::kLimit, "out of memory");
  }
}

// Whether nobody has it and the real walk is still to come there; waits for room.
bool Ahead::wanted(std::unique_lock<std::mutex>& lock, Bytes raw, uint64_t most, uint64_t position) {
  const auto open = [&] { return !over_ && position > position_ && !slots_.contains(raw.data()); };
  changed_.wait(lock, [&] { return !open() || held_ + most <= kMostHeld || slots_.empty(); });
  return open();
}

void Ahead::drop_passed() {
  std::erase_if(slots_, [&](const auto& entry) {
    const bool passed = entry.second->position < position_ && entry.second->state != Slot::kWorking;
    if (passed) held_ -= entry.second->most;
    return passed;
  });
}

std::unique_ptr<Ahead::Slot> Ahead::taken(Bytes raw, uint64_t most, std::optional<uint64_t> exact, uint64_t position) {
  std::unique_lock lock(lock_);
  position_ = position;
  const auto found = slots_.find(raw.data());
  std::unique_ptr<Slot> slot;
  if (found != slots_.end()) {
    changed_.wait(lock, [&] { return found->second->state != Slot::kWorking; });
    slot = std::move(found->second);
    slots_.erase(found);
    held_ -= slot->most;
  }
  if (held_ > kMostHeld / 2) drop_passed();
  changed_.notify_all();
  const bool fits =
      slot && slot->state == Slot::kDone && slot->size == raw.size() && slot->most == most && slot->exact == exact;
  return fits ? std::move(slot) : nullptr;
}

Result<void> Ahead::decode(Bytes raw, uint64_t most, std::optional<uint64_t> exact, uint64_t position, Output& into) {
  if (at_work_) {
    const auto slot = taken(raw, most, exact, position);
    if (slot) return slot->pieces->give(into);
  }
  return decode_block(packing_, raw, most, exact, into);
}

}  // namespace assay::unpack::squashfs
