#include "lift/memory.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {
size_t g_now = 0, g_peak = 0;  // one thread
}

void* operator new(size_t size) {
  void* p = std::malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  g_now += malloc_usable_size(p);
  g_peak = std::max(g_peak, g_now);
  return p;
}
void operator delete(void* p) noexcept {
  g_now -= malloc_usable_size(p);
  std::free(p);
}
void operator delete(void* p, size_t) noexcept { operator delete(p); }

namespace assay::code::lift {

size_t memory_now() { return g_now; }
void memory_mark() { g_peak = g_now; }
size_t memory_peak() { return g_peak; }

}  // namespace assay::code::lift
