// A vector of plain data that grows and shrinks where it lies, if the allocator can: what is large is moved page by
// page, is never there twice, and grows by a quarter alone.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace assay::code {

template <class T>
class Array {
 public:
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignof(std::max_align_t));

  Array() = default;
  Array(std::initializer_list<T> all) { append(all.begin(), all.size()); }
  Array(const Array& o) { append(o.data(), o.size()); }
  Array(Array&& o) noexcept
      : data_(std::move(o.data_)), size_(std::exchange(o.size_, 0)), capacity_(std::exchange(o.capacity_, 0)) {}
  Array& operator=(Array o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
    return *this;
  }
  ~Array() = default;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  void push_back(T value) {
    if (size_ == capacity_) allocate(size_ + size_ / (size_ < kLarge ? 1 : 4) + kFirst);
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
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  void allocate(size_t capacity) {
    if (capacity > SIZE_MAX / sizeof(T)) throw std::bad_alloc();
    void* p = std::realloc(static_cast<void*>(data_.get()), capacity * sizeof(T));
    if (p == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(static_cast<T*>(p));
    capacity_ = capacity;
  }

  std::unique_ptr<T[], Free> data_;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace assay::code
