// Every format, in alphabetical order; the order means nothing (a verified parse wins, then the one that covers more).
// Adding one: its file in formats/, its two lines here, its cases in test/cases/unpack/. A test counts all three.
#include "unpack/format.h"

namespace assay::unpack {

// clang-format off
extern const Format kTrx;

constexpr const Format* kFormats[] = {
    &kTrx,
};
// clang-format on

std::span<const Format* const> formats() { return kFormats; }

const Format* find_format(std::string_view id) {
  for (const Format* format : kFormats)
    if (format->id == id) return format;
  return nullptr;
}

}  // namespace assay::unpack
