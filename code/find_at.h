// What begins at an address, among what is sorted by where it begins.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace assay::code {

// The first such element; nullptr: none. What is looked for comes at random: no branch depends on it (a binary search
// as Knuth's "uniform" one, The Art of Computer Programming 3, 6.2.1).
template <class T, class Begin>
T* find_at(std::span<T> sorted, uint64_t address, Begin begin) {
  if (sorted.empty()) return nullptr;
  T* at = sorted.data();
  for (size_t left = sorted.size(); left > 1;) {
    const size_t half = left / 2;
    at += std::invoke(begin, at[half]) <= address ? half : 0;
    left -= half;
  }
  if (std::invoke(begin, *at) != address) return nullptr;
  while (at != sorted.data() && std::invoke(begin, at[-1]) == address) --at;
  return at;
}

}  // namespace assay::code
