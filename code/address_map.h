// What is known of addresses, asked for one at a time and never walked: open addressing, one place an address. A
// program may choose its addresses so that they collide: what finds no place near its own goes to a tree, so that no
// address costs more than so many places and the logarithm of how many there are.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace assay::code {

template <class T>
class AddressMap {
 public:
  // nullptr: nothing is known of it.
  T* find(uint64_t address) {
    if (places_.empty()) return nullptr;
    Place* p = place(address);
    if (p) return p->used ? &p->value : nullptr;
    const auto found = crowded_out_.find(address);
    return found == crowded_out_.end() ? nullptr : &found->second;
  }
  // What is known of `address`, `value` where nothing was; whether that is so. Valid until the next call.
  std::pair<T*, bool> try_emplace(uint64_t address, const T& value) {
    if (2 * (count_ + 1) > places_.size()) grow();
    Place* p = place(address);
    if (!p) {
      const auto [known, fresh] = crowded_out_.try_emplace(address, value);
      return {&known->second, fresh};
    }
    if (p->used) return {&p->value, false};
    *p = {address, value, true};
    ++count_;
    return {&p->value, true};
  }
  void clear() {
    if (bits_ > kMostKept) bits_ = kMostKept;
    places_.assign(bits_ == 0 ? 0 : size_t{1} << bits_, Place{});
    crowded_out_.clear();
    count_ = 0;
  }

 private:
  static constexpr uint8_t kFirstBits = 4, kMostKept = 6;
  static constexpr size_t kMostPlaces = 64;  // asked one after the other; half full, few addresses need as many
  struct Place {
    uint64_t address = 0;
    T value{};
    bool used = false;
  };
  // Where `address` is or would go; nullptr: the places it may have are taken, and none is ever given back.
  Place* place(uint64_t address) {
    size_t at = static_cast<size_t>((address * 0x9e3779b97f4a7c15) >> (64 - bits_));
    for (size_t asked = 0; asked < kMostPlaces; ++asked, at = (at + 1) & (places_.size() - 1))
      if (!places_[at].used || places_[at].address == address) return &places_[at];
    return nullptr;
  }
  void put(uint64_t address, const T& value) {
    if (Place* p = place(address)) {
      *p = {address, value, true};
      ++count_;
    } else {
      crowded_out_.emplace(address, value);
    }
  }
  void grow() {
    bits_ = bits_ == 0 ? kFirstBits : static_cast<uint8_t>(bits_ + 1);
    std::vector<Place> before(size_t{1} << bits_);
    before.swap(places_);
    std::map<uint64_t, T> crowded;
    crowded.swap(crowded_out_);
    count_ = 0;
    for (const Place& p : before)
      if (p.used) put(p.address, p.value);
    for (const auto& [address, value] : crowded) put(address, value);
  }
  std::vector<Place> places_;
  std::map<uint64_t, T> crowded_out_;
  size_t count_ = 0;  // in places_
  uint8_t bits_ = 0;
};

}  // namespace assay::code
