// A view of bytes that knows where it lies in its artifact, and readers that cannot run off its end.
// The bytes belong to whoever made the view: an arena of the engine, or a test's string.
#pragma once
#include "core/result.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace assay {

enum class Order : uint8_t { kLittle, kBig };

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string_view text) : data_(std::as_bytes(std::span(text))) {}
  explicit Bytes(std::span<const std::byte> data, uint64_t base = 0) : data_(data), base_(base) {}

  uint64_t size() const { return data_.size(); }
  bool empty() const { return data_.empty(); }
  uint64_t base() const { return base_; }  // offset of the first byte in the artifact
  const std::byte* data() const { return data_.data(); }
  std::span<const std::byte> span() const { return data_; }
  uint8_t operator[](uint64_t at) const { return static_cast<uint8_t>(data_[at]); }  // at < size(), unchecked
  std::string_view text() const { return {reinterpret_cast<const char*>(data_.data()), data_.size()}; }

  // The same bytes, said to start at offset `base`: for a child that is its own artifact.
  Bytes rebased(uint64_t base) const { return Bytes(data_, base); }

  Result<Bytes> slice(uint64_t at, uint64_t length, std::string_view field) const {
    if (at > size() || length > size() - at) [[unlikely]]
      return fail(Fault::kTruncated, std::string(field) + " runs past the end", base_ + at);
    return Bytes(data_.subspan(at, length), base_ + at);
  }
  Result<Bytes> from(uint64_t at, std::string_view field) const {
    if (at > size()) [[unlikely]]
      return fail(Fault::kTruncated, std::string(field) + " lies past the end", base_ + at);
    return Bytes(data_.subspan(at), base_ + at);
  }
  // At most `length` bytes from `at`; fewer or none at the end. Never fails.
  Bytes head(uint64_t length, uint64_t at = 0) const {
    if (at > size()) at = size();
    return Bytes(data_.subspan(at, length < size() - at ? length : size() - at), base_ + at);
  }
  bool starts_with(std::string_view text, uint64_t at = 0) const {
    return at <= size() && text.size() <= size() - at && std::memcmp(data_.data() + at, text.data(), text.size()) == 0;
  }

  template <class T>
    requires std::is_integral_v<T>
  Result<T> get(uint64_t at, Order order, std::string_view field) const {
    if (at > size() || sizeof(T) > size() - at) [[unlikely]]
      return fail(Fault::kTruncated, std::string(field) + " runs past the end", base_ + at);
    T value;
    std::memcpy(&value, data_.data() + at, sizeof value);
    if ((order == Order::kLittle) != (std::endian::native == std::endian::little)) value = std::byteswap(value);
    return value;
  }
  template <class T>
  Result<T> le(uint64_t at, std::string_view field) const {
    return get<T>(at, Order::kLittle, field);
  }
  template <class T>
  Result<T> be(uint64_t at, std::string_view field) const {
    return get<T>(at, Order::kBig, field);
  }

  // Text up to the first NUL within `length` bytes of `at`.
  Result<std::string> text_field(uint64_t at, uint64_t length, std::string_view field) const {
    auto part = slice(at, length, field);
    if (!part) return std::unexpected(std::move(part).error());
    const std::string_view whole = part->text();
    return std::string(whole.substr(0, whole.find('\0')));
  }

 private:
  std::span<const std::byte> data_;
  uint64_t base_ = 0;
};

// True when every byte has the value of the first; an empty view is no run.
bool is_run(Bytes bytes);
// As flash is after erasing: not empty, and 0xff throughout.
inline bool is_erased(Bytes bytes) { return !bytes.empty() && bytes[0] == 0xff && is_run(bytes); }

}  // namespace assay
