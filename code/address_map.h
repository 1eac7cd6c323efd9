// What is known of addresses, asked for one at a time and never walked: open addressing, one place an address.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace assay::code {

template <class T>
class AddressMap {
 public:
  // nullptr: nothing is known of it.
  T* find(uint64_t address) {
    if (places_.empty()) return nullptr;
    Place& p = places_[place(address)];
    return p.used ? &p.value : nullptr;
  }
  // What is known of `address`, `value` where nothing was; whether that is so. Valid until the next call.
  std::pair<T*, bool> try_emplace(uint64_t address, const T& value) {
    if (2 * (count_ + 1) > places_.size()) grow();
    Place& p = places_[place(address)];
    if (p.used) return {&p.value, false};
    p = {address, value, true};
    ++count_;
    return {&p.value, true};
  }
  void clear() {
    if (bits_ > kMostKept) bits_ = kMostKept;
    places_.assign(bits_ == 0 ? 0 : size_t{1} << bits_, Place{});
    count_ = 0;
  }

 private:
  static constexpr uint8_t kFirstBits = 4, kMostKept = 6;
  struct Place {
    uint64_t address = 0;
    T value{};
    bool used = false;
  };
  size_t place(uint64_t address) const {
    size_t at = static_cast<size_t>((address * 0x9e3779b97f4a7c15) >> (64 - bits_));
    while (places_[at].used && places_[at].address != address) at = (at + 1) & (places_.size() - 1);
    return at;
  }
  void grow() {
    bits_ = bits_ == 0 ? kFirstBits : static_cast<uint8_t>(bits_ + 1);
    std::vector<Place> before(size_t{1} << bits_);
    before.swap(places_);
    for (const Place& p : before)
      if (p.used) places_[place(p.address)] = p;
  }
  std::vector<Place> places_;
  size_t count_ = 0;
  uint8_t bits_ = 0;
};

}  // namespace assay::code
