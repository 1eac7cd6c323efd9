// What is computed of the same bytes twice while one content is examined: formats check a sum when they measure and say
// how it came out when they unpack.
#pragma once
#include "core/bytes.h"

#include <functional>
#include <string_view>

namespace assay::unpack {

// The value of compute(), which must depend on `what` and on the bytes of `range` alone. Computed once for each pair
// while a Remembering of a content that holds the range lives; without one, each time.
uint64_t remembered(std::string_view what, Bytes range, const std::function<uint64_t()>& compute);

// For the time in which `content` is examined on this thread: its bytes do not change meanwhile.
class Remembering {
 public:
  explicit Remembering(Bytes content);
  ~Remembering();
  Remembering(const Remembering&) = delete;
  Remembering& operator=(const Remembering&) = delete;
};

}  // namespace assay::unpack
