#include "lift/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

// What glibc's own are called where a program has others of the usual names.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* p, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* p);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

thread_local size_t g_now = 0, g_peak = 0;

void* held(void* p) {
  g_now += malloc_usable_size(p);
  g_peak = std::max(g_peak, g_now);
  return p;
}

// What has pages of its own is moved by moving them (mremap), not copied: the second lowest bit of the size before it.
bool has_pages(void* p) {
  size_t size = 0;
  std::memcpy(&size, static_cast<std::byte*>(p) - sizeof size, sizeof size);
  return (size & 2) != 0;
}

}  // namespace

extern "C" {
void* malloc(size_t size) { return held(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return held(__libc_calloc(count, size)); }
void* memalign(size_t alignment, size_t size) { return held(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** out, size_t alignment, size_t size) {
  *out = memalign(alignment, size);
  return *out == nullptr ? 12 : 0;
}
void free(void* p) {
  g_now -= malloc_usable_size(p);
  __libc_free(p);
}
// What is moved is there twice while it is copied.
void* realloc(void* p, size_t size) {
  const size_t before = malloc_usable_size(p);
  const bool pages = p != nullptr && has_pages(p);
  const auto old = reinterpret_cast<uintptr_t>(p);
  void* const to = __libc_realloc(p, size);
  if (to == nullptr && size != 0) return nullptr;
  const bool copied = reinterpret_cast<uintptr_t>(to) != old && !pages;
  if (!copied) g_now -= before;
  held(to);
  if (copied) g_now -= before;
  return to;
}
// Pages that the allocator did not take for itself.
// NOLINTBEGIN(performance-no-int-to-ptr)
void* mmap(void* at, size_t size, int protection, int flags, int file, off_t offset) {
  void* const to = reinterpret_cast<void*>(syscall(SYS_mmap, at, size, protection, flags, file, offset));
  if (to != MAP_FAILED) g_peak = std::max(g_peak, g_now += size);
  return to;
}
void* mremap(void* from, size_t before, size_t size, int flags, ...) {
  void* const to = reinterpret_cast<void*>(syscall(SYS_mremap, from, before, size, flags));
  if (to != MAP_FAILED) g_peak = std::max(g_peak, g_now += size - before);
  return to;
}
// NOLINTEND(performance-no-int-to-ptr)
int munmap(void* at, size_t size) {
  g_now -= size;
  return static_cast<int>(syscall(SYS_munmap, at, size));
}
}

namespace assay::code::lift {

size_t memory_now() { return g_now; }
void memory_mark() { g_peak = g_now; }
size_t memory_peak() { return g_peak; }

}  // namespace assay::code::lift
