// A vector of plain data that grows and shrinks where it lies. What is large has pages of its own, which are moved, not
// copied: it is never there twice, and grows by an eighth alone.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>

namespace assay::code {

// Memory of at least `bytes`, which becomes what there is, instead of `p`, which had `before` and keeps its content;
// `paged`: it is pages of its own, and stays so.
void* resize_memory(void* p, size_t before, size_t& bytes, bool& paged);
void free_memory(void* p, size_t bytes, bool paged);

template <class T>
class Array {
 public:
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignof(std::max_align_t));

  Array() = default;
  Array(std::initializer_list<T> all) { append(all.begin(), all.size()); }
  Array(const Array& o) { append(o.data(), o.size()); }
  Array(Array&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)),
        size_(std::exchange(o.size_, 0)),
        capacity_(std::exchange(o.capacity_, 0)),
        paged_(std::exchange(o.paged_, false)) {}
  Array& operator=(Array o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
    std::swap(paged_, o.paged_);
    return *this;
  }
  ~Array() { free_memory(data_, capacity_ * sizeof(T), paged_); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  void push_back(T value) {
    if (size_ == capacity_) allocate(size_ + size_ / (size_ < kLarge ? 1 : paged_ ? 8 : 4) + kFirst);
    data()[size_++] = value;
  }
  void append(const T* from, size_t count) {
    reserve(size_ + count);
    std::copy_n(from, count, end());
    size_ += count;
  }
  void resize(size_t size) {
    reserve(size);
    if (size > size_) std::fill(end(), data() + size, T{});
    size_ = size;
  }
  void reserve(size_t capacity) {
    if (capacity > capacity_) allocate(capacity);
  }
  void shrink_to_fit() { shrink_to(size_); }
  void shrink_to(size_t capacity) {
    capacity = std::max(capacity, size_);
    if (capacity < capacity_ && capacity != 0) allocate(capacity);
  }
  void clear() { size_ = 0; }

 private:
  static constexpr size_t kFirst = 16, kLarge = 16'384 / sizeof(T);
  void allocate(size_t capacity) {
    if (capacity > SIZE_MAX / 2 / sizeof(T)) throw std::bad_alloc();
    size_t bytes = capacity * sizeof(T);
    data_ = static_cast<T*>(resize_memory(data_, capacity_ * sizeof(T), bytes, paged_));
    capacity_ = bytes / sizeof(T);
  }

  T* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
  bool paged_ = false;
};

}  // namespace assay::code
