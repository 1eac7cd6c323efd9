// Decoding on trial: to learn whether bytes decode before anything is written where it cannot be taken back.
#pragma once
#include "unpack/output.h"

namespace assay::unpack {

// Counts what is written and keeps nothing; kLimit beyond `most`.
class Trial final : public Output {
 public:
  explicit Trial(uint64_t most = 256 << 20) : most_(most) {}
  Result<void> write(std::span<const std::byte> piece) override {
    if (piece.size() > most_ - count_) return fail(Fault::kLimit, "trial output exceeds " + std::to_string(most_));
    count_ += piece.size();
    return {};
  }
  uint64_t written() const override { return count_; }

 private:
  uint64_t most_, count_ = 0;
};

// Decodes `from` on trial: true if it decodes, or decodes well for `most` bytes.
template <class Decode>
bool decodes(Decode decode, Bytes from, uint64_t most = 256 << 20) {
  Trial trial(most);
  const auto used = decode(from, trial);
  return used || used.error().fault == Fault::kLimit;
}

}  // namespace assay::unpack
