// Tells contents apart in less time than SHA-256 takes: Poly1305 (RFC 8439, through libcrypto) under a key that is
// random and of this run, so that no image can hold two that look the same. What it yields is compared, never kept nor
// shown.
#pragma once
#include "core/hash.h"

#include <memory>

namespace assay::engine {

class Likeness {
 public:
  static std::shared_ptr<Likeness> of_this_run();  // none where there is no randomness, or no Poly1305
  ~Likeness();
  Likeness(const Likeness&) = delete;
  Likeness& operator=(const Likeness&) = delete;
  Digest of(Bytes bytes);

 private:
  Likeness() = default;
  std::array<uint8_t, 32> key_{};
  void* context_ = nullptr;
};

}  // namespace assay::engine
