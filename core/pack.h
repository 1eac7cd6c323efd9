// Canonical bytes of a struct with FIELDS: what the store keeps, what workers send, what a key hashes.
// Integers are LEB128 (signed ones zigzag), strings and vectors carry their length. Reading checks every length:
// the bytes may come from a damaged store or from a worker that a hostile image took over.
#pragma once
#include "core/fields.h"
#include "core/hash.h"

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace assay {

class Packer {
 public:
  std::string out;

  template <class T>
  void operator()(std::string_view, const T& value) {
    put(value);
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      number(value.size());
      out += value;
    } else if constexpr (std::is_same_v<T, Digest>) {
      out.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
    } else if constexpr (std::is_enum_v<T>) {
      number(static_cast<uint64_t>(value));
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      const auto wide = static_cast<int64_t>(value);
      number((static_cast<uint64_t>(wide) << 1) ^ static_cast<uint64_t>(wide >> 63));
    } else if constexpr (std::is_integral_v<T>) {
      number(value);
    } else {
      T::fields(value, *this);
    }
  }
  template <class T>
  void put(const std::optional<T>& value) {
    number(value.has_value());
    if (value) put(*value);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    number(values.size());
    for (const T& value : values) put(value);
  }
  template <class A, class B>
  void put(const std::pair<A, B>& value) {
    put(value.first);
    put(value.second);
  }

 private:
  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
  }
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : left_(bytes) {}

  template <class T>
  void operator()(std::string_view, T& value) {
    get(value);
  }

  template <class T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      value = take(number());
    } else if constexpr (std::is_same_v<T, Digest>) {
      const std::string_view bytes = take(value.bytes.size());
      if (bytes.size() == value.bytes.size()) std::memcpy(value.bytes.data(), bytes.data(), bytes.size());
    } else if constexpr (std::is_enum_v<T>) {
      const uint64_t raw = number();
      if (raw > 255) good_ = false;
      value = static_cast<T>(raw & 255);
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      const uint64_t raw = number();
      narrow(value, static_cast<int64_t>((raw >> 1) ^ (0 - (raw & 1))));
    } else if constexpr (std::is_integral_v<T>) {
      narrow(value, number());
    } else {
      T::fields(value, *this);
    }
  }
  template <class T>
  void get(std::optional<T>& value) {
    if (number() == 0) return value.reset();
    get(value.emplace());
  }
  template <class T>
  void get(std::vector<T>& values) {
    const uint64_t count = number();
    if (count > left_.size()) good_ = false;  // every element takes a byte at least
    values.clear();
    for (uint64_t i = 0; good_ && i < count; ++i) get(values.emplace_back());
  }
  template <class A, class B>
  void get(std::pair<A, B>& value) {
    get(value.first);
    get(value.second);
  }

  bool whole() const { return good_ && left_.empty(); }

 private:
  template <class T, class Wide>
  void narrow(T& value, Wide wide) {
    value = static_cast<T>(wide);
    if (static_cast<Wide>(value) != wide) good_ = false;
  }
  std::string_view take(uint64_t length) {
    if (length > left_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view part = left_.substr(0, length);
    left_.remove_prefix(length);
    return part;
  }
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::string_view byte = take(1);
      if (byte.empty()) return 0;
      value |= static_cast<uint64_t>(byte[0] & 0x7f) << shift;
      if (!(byte[0] & 0x80)) return value;
    }
    good_ = false;
    return 0;
  }

  std::string_view left_;
  bool good_ = true;
};

template <class T>
std::string pack(const T& value) {
  Packer packer;
  packer.put(value);
  return std::move(packer.out);
}

template <class T>
Result<T> unpack_as(std::string_view bytes) {
  T value{};
  Unpacker unpacker(bytes);
  unpacker.get(value);
  if (!unpacker.whole()) return fail(Fault::kMalformed, "packed bytes do not have the expected shape");
  return value;
}

}  // namespace assay
