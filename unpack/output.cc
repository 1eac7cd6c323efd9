#include "unpack/output.h"

#include <algorithm>
#include <array>

namespace assay::unpack {

Result<void> Output::zeros(uint64_t length) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  while (length > 0) {
    const uint64_t now = std::min<uint64_t>(length, kZeros.size());
    TRY_VOID(write(std::span(kZeros).first(now)));
    length -= now;
  }
  return {};
}

Result<void> MemoryOutput::write(std::span<const std::byte> piece) {
  if (piece.size() > limit_ - bytes_.size())
    return fail(Fault::kLimit, "decoded size exceeds " + std::to_string(limit_) + " bytes");
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
  return {};
}

}  // namespace assay::unpack
