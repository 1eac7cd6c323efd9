#include "code/array.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace assay::code {

namespace {

// What is smaller comes and goes often, and pages are cleared anew each time.
// AddressSanitizer watches what the allocator gave.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kWatched = true;
#elif defined(__has_feature)
constexpr bool kWatched = __has_feature(address_sanitizer);
#else
constexpr bool kWatched = false;
#endif
constexpr size_t kLarge = kWatched ? SIZE_MAX : size_t{256} << 10;
constexpr size_t kLeastPage = 4096;  // of some systems it is larger, never smaller

size_t in_pages(size_t bytes) { return (bytes + kLeastPage - 1) / kLeastPage * kLeastPage; }

void* pages(void* p, size_t before, size_t bytes) {
  void* const to = p == nullptr ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                : mremap(p, in_pages(before), bytes, MREMAP_MAYMOVE);
  if (to == MAP_FAILED) throw std::bad_alloc();
  return to;
}

}  // namespace

void* resize_memory(void* p, size_t before, size_t& bytes, bool& paged) {
  if (paged) return pages(p, before, bytes = in_pages(bytes));
  if (bytes < kLarge) {
    void* const to = std::realloc(p, bytes);
    if (to == nullptr) throw std::bad_alloc();
    return to;
  }
  void* const to = pages(nullptr, 0, bytes = in_pages(bytes));
  if (p != nullptr) std::memcpy(to, p, before);
  std::free(p);
  paged = true;
  return to;
}

void free_memory(void* p, size_t bytes, bool paged) {
  if (paged)
    munmap(p, in_pages(bytes));
  else
    std::free(p);
}

}  // namespace assay::code
