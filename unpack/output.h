// Where codecs write what they decode. The writer behind it charges the budget, so a codec needs no limit of its own.
#pragma once
#include "core/bytes.h"

#include <vector>

namespace assay::unpack {

class Output {
 public:
  virtual ~Output() = default;
  // kLimit when the budget is used up; then nothing of `piece` may have been kept.
  virtual Result<void> write(std::span<const std::byte> piece) = 0;
  // A run of zeros (holes of sparse files), charged like any other bytes.
  Result<void> zeros(uint64_t length);
  virtual uint64_t written() const = 0;
};

// Keeps what is written in memory, up to `limit` bytes.
class MemoryOutput final : public Output {
 public:
  explicit MemoryOutput(uint64_t limit) : limit_(limit) {}
  Result<void> write(std::span<const std::byte> piece) override;
  uint64_t written() const override { return bytes_.size(); }
  Bytes bytes() const { return Bytes(std::span<const std::byte>(bytes_)); }
  std::vector<std::byte>& vector() { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  uint64_t limit_;
  std::vector<std::byte> bytes_;
};

}  // namespace assay::unpack
