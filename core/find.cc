#include "core/find.h"

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace assay {

size_t find_text(std::string_view text, std::string_view needle, size_t from) {
#if defined(__SSE2__)
  if (needle.size() >= 2) {
    const __m128i first = _mm_set1_epi8(needle.front()), last = _mm_set1_epi8(needle.back());
    const auto load = [&](size_t at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at)); };
    const size_t end = needle.size() - 1;
    for (; from <= text.size() && text.size() - from >= end + 16; from += 16) {
      const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(load(from), first), _mm_cmpeq_epi8(load(from + end), last));
      for (auto hits = static_cast<unsigned>(_mm_movemask_epi8(both)); hits != 0; hits &= hits - 1) {
        const size_t at = from + static_cast<size_t>(std::countr_zero(hits));
        if (std::memcmp(text.data() + at, needle.data(), needle.size()) == 0) return at;
      }
    }
  }
#endif
  return text.find(needle, from);
}

}  // namespace assay
