// Binary BCH codes over GF(2^m), as flash controllers and Linux's lib/bch.c use them: a message of bits, the first one
// the highest power of x, and behind it the remainder of message * x^bits by a generator polynomial whose roots are
// a^1 … a^2t. Up to t wrong bits are found. Source: Lin and Costello, Error Control Coding, chapter 6; the convention
// (order of bits, remainder to the left of its bytes) as in Linux lib/bch.c, studied for it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace assay::unpack {

class Bch {
 public:
  static constexpr size_t kWords = 7;              // 448 bits of remainder
  using Remainder = std::array<uint64_t, kWords>;  // the highest power is the first word's top bit

  // `primitive`: a primitive polynomial of degree m; m*t at most 64 * kWords.
  Bch(uint32_t m, uint32_t t, uint32_t primitive);

  uint32_t bits() const { return bits_; }  // of the remainder
  uint32_t bytes() const { return (bits_ + 7) / 8; }
  uint32_t strength() const { return t_; }

  void add(Remainder& r, std::span<const std::byte> message) const;
  void add_bits(Remainder& r, uint32_t value, uint32_t count) const;  // the lowest `count` bits, the highest first

  // What is wrong in a message of `message_bits` and its remainder, from the sum (exclusive or) of the remainder
  // computed and the one stored: positions counted from the message's first bit, the remainder's bits behind it.
  // None: more than t bits are wrong. The message with its remainder has at most 2^m - 1 bits.
  std::optional<std::vector<uint32_t>> wrong_bits(const Remainder& sum, uint32_t message_bits) const;

 private:
  uint32_t product(uint32_t a, uint32_t b) const { return a && b ? power_[log_[a] + log_[b]] : 0; }
  void build_field(uint32_t primitive);
  void build_generator();
  std::vector<uint32_t> syndromes(const Remainder& sum) const;
  std::optional<std::vector<uint32_t>> locator(const std::vector<uint32_t>& syndromes) const;

  uint32_t m_, t_, n_, bits_ = 0;
  std::vector<uint16_t> power_, log_;  // power_ twice over, so that a sum of two logarithms is an index
  Remainder generator_{};
  std::vector<Remainder> table_;  // of each byte
};

}  // namespace assay::unpack
