// What formats share while one content is examined: what is computed of the same bytes twice (they check a sum when
// they measure and say how it came out when they unpack), where a text stands, and how much work false starts have
// cost.
#pragma once
#include "core/bytes.h"

#include <functional>
#include <memory>
#include <string_view>

namespace assay::unpack {

// The value of compute(), which must depend on `what` and on the bytes of `range` alone. Computed once for each pair
// while a Remembering of a content that holds the range lives; without one, each time.
uint64_t remembered(std::string_view what, Bytes range, const std::function<uint64_t()>& compute);

// Whether `text` stands in `range`, or in a page that it touches: cheap for any number of ranges, since the content is
// searched once. Without a Remembering the range alone is searched.
bool stands_near(std::string_view text, Bytes range);

// Takes `work` from what one content may spend on `what`, `most` in all: false when no more than that is left. Without
// a Remembering each call may spend `most`.
bool may_spend(std::string_view what, Bytes range, uint64_t work, uint64_t most);

// For the time in which `content` is examined on this thread: its bytes do not change meanwhile.
class Remembering {
 public:
  explicit Remembering(Bytes content);
  ~Remembering();
  Remembering(const Remembering&) = delete;
  Remembering& operator=(const Remembering&) = delete;

 private:
  std::shared_ptr<void> outer_;  // of the content in which this one lies
};

}  // namespace assay::unpack
