#include "unpack/nand_ecc.h"

#include "core/result.h"

#include <algorithm>
#include <bit>
#include <cstdio>

namespace assay::unpack {
namespace {

uint8_t reversed(uint8_t byte) {
  uint32_t out = 0;
  for (int i = 0; i < 8; ++i) out = out << 1 | (byte >> i & 1);
  return static_cast<uint8_t>(out);
}

// Parities of a block of 256 or 512 bytes. Of every address bit two are kept: over the bytes (bits) whose address
// has it clear and over those that have it set, side by side.
struct Hamming {
  uint32_t lines = 0;    // 2 bits an address bit of the byte: clear, set
  uint32_t columns = 0;  // the same for the 3 address bits of a bit in its byte
};

uint32_t spread(uint32_t clear, uint32_t set, uint32_t count) {
  uint32_t out = 0;
  for (uint32_t i = 0; i < count; ++i) out |= (clear >> i & 1) << (2 * i) | (set >> i & 1) << (2 * i + 1);
  return out;
}

Hamming hamming(std::span<const std::byte> message) {
  uint32_t all = 0, set = 0, odd = 0;
  for (uint32_t i = 0; i < message.size(); ++i) {
    const auto byte = static_cast<uint32_t>(message[i]);
    all ^= byte;
    if (std::popcount(byte) & 1) {
      set ^= i;
      odd ^= 1;
    }
  }
  uint32_t column = 0;
  for (uint32_t bit = 0; bit < 8; ++bit)
    if (all >> bit & 1) column ^= bit;
  const uint32_t parity = odd ? ~0u : 0;
  const auto address_bits = static_cast<uint32_t>(std::bit_width(message.size() - 1));
  return {spread(set ^ parity, set, address_bits), spread(column ^ parity, column, 3)};
}

// Stored inverted: erased flash is valid. Of 512 bytes the ninth pair of lines fills the last byte.
std::vector<uint8_t> hamming_bytes(std::span<const std::byte> message, bool swapped) {
  const Hamming h = hamming(message);
  const auto low = static_cast<uint8_t>(~h.lines), high = static_cast<uint8_t>(~(h.lines >> 8));
  const auto last = static_cast<uint8_t>(~(h.columns << 2 | h.lines >> 16));
  if (swapped) return {low, high, last};
  return {high, low, last};
}

uint32_t every_second(uint32_t pairs, uint32_t count) {
  uint32_t out = 0;
  for (uint32_t i = 0; i < count; ++i) out |= (pairs >> (2 * i + 1) & 1) << i;
  return out;
}

}  // namespace

Ecc::Ecc(const EccKind& kind, size_t message, std::shared_ptr<const Bch> bch)
    : kind_(kind), message_(message), bytes_(3), bch_(std::move(bch)) {
  if (kind.m && !bch_) bch_ = std::make_shared<const Bch>(kind.m, kind.t, kind.polynomial);
  if (kind.m) bytes_ = kind.nibble ? (bch_->bits() + 11) / 8 : bch_->bytes();
  if (kind.mask == EccKind::Mask::kInverted) mask_.assign(bytes_, 0xff);
  if (kind.mask != EccKind::Mask::kErased) return;
  mask_ = unmasked(std::vector<std::byte>(message, std::byte{0xff}), 0xff);
  for (uint8_t& byte : mask_) byte = static_cast<uint8_t>(~byte);
}

std::string Ecc::name() const {
  char text[96];
  if (!kind_.m)
    std::snprintf(text, sizeof text, "hamming, 1 bit in %zu bytes", message_);
  else
    std::snprintf(text, sizeof text, "bch, %u bits in %zu bytes, GF(2^%u) 0x%x%s%s", kind_.t, message_, kind_.m,
                  kind_.polynomial, kind_.reversed ? ", bits reversed" : "",
                  kind_.mask == EccKind::Mask::kErased     ? ", masked"
                  : kind_.mask == EccKind::Mask::kInverted ? ", inverted"
                                                           : "");
  return text;
}

Bch::Remainder Ecc::remainder(std::span<const std::byte> message, uint8_t first) const {
  Bch::Remainder r{};
  if (kind_.reversed) {
    std::vector<std::byte> turned(message.begin(), message.end());
    for (std::byte& byte : turned) byte = static_cast<std::byte>(reversed(static_cast<uint8_t>(byte)));
    bch_->add(r, turned);
  } else {
    bch_->add(r, message);
  }
  if (kind_.nibble) bch_->add_bits(r, first >> 4, 4);
  return r;
}

std::vector<uint8_t> Ecc::unmasked(std::span<const std::byte> message, uint8_t first) const {
  if (!kind_.m) return hamming_bytes(message, kind_.swapped);
  const Bch::Remainder r = remainder(message, first);
  std::vector<uint8_t> out(bytes_);
  const auto bits_at = [&](size_t at) { return static_cast<uint8_t>(r[at / 64] >> (56 - at % 64)); };
  for (size_t i = 0; i < bytes_; ++i) {
    const auto byte = bits_at(8 * i);
    if (!kind_.nibble) {
      out[i] = kind_.reversed ? reversed(byte) : byte;
      continue;
    }
    const auto before = i == 0 ? first >> 4 : bits_at(8 * (i - 1)) & 0xf;
    out[i] = static_cast<uint8_t>(before << 4 | byte >> 4);
  }
  return out;
}

std::vector<uint8_t> Ecc::computed(std::span<const std::byte> message, uint8_t first) const {
  std::vector<uint8_t> out = unmasked(message, first);
  for (size_t i = 0; i < mask_.size(); ++i) out[i] ^= mask_[i];
  return out;
}

std::optional<uint32_t> Ecc::correct(std::span<std::byte> message, std::span<uint8_t> stored) const {
  ASSAY_CHECK(message.size() == message_ && stored.size() == bytes_);
  return kind_.m ? correct_bch(message, stored) : correct_hamming(message, stored);
}

std::optional<uint32_t> Ecc::correct_hamming(std::span<std::byte> message, std::span<uint8_t> stored) const {
  const std::vector<uint8_t> should = computed(message);
  const auto sum = [&](size_t i) { return static_cast<uint32_t>(should[i] ^ stored[i]); };
  uint32_t high = sum(0), low = sum(1);
  if (kind_.swapped) std::swap(high, low);
  const bool wide = message_ == 512;
  const uint32_t columns = sum(2) >> 2, lines = low | high << 8 | (wide ? (sum(2) & 3) << 16 : 0);
  const uint32_t pairs = wide ? 0x15555 : 0x5555;
  const int wrong = std::popcount(lines) + std::popcount(columns);
  if (wrong == 0) return 0;
  if (((lines ^ lines >> 1) & pairs) == pairs && ((columns ^ columns >> 1) & 0x15) == 0x15) {
    const uint32_t byte = every_second(lines, wide ? 9 : 8), bit = every_second(columns, 3);
    message[byte] ^= static_cast<std::byte>(1u << bit);
    return 1;
  }
  if (wrong != 1) return std::nullopt;
  std::ranges::copy(should, stored.begin());
  return 1;
}

std::optional<uint32_t> Ecc::correct_bch(std::span<std::byte> message, std::span<uint8_t> stored) const {
  const std::vector<uint8_t> should = computed(message, stored[0]);
  Bch::Remainder sum{};
  const uint32_t late = kind_.nibble ? 4 : 0;  // bits of the first byte before the remainder
  for (uint32_t i = 0; i < bch_->bits(); ++i) {
    const uint32_t at = i + late, byte = should[at / 8] ^ stored[at / 8];
    const uint32_t bit = kind_.reversed ? byte >> at % 8 : byte >> (7 - at % 8);
    if (bit & 1) sum[i / 64] |= uint64_t{1} << (63 - i % 64);
  }
  const auto message_bits = static_cast<uint32_t>(8 * message.size());
  const auto wrong = bch_->wrong_bits(sum, message_bits + late);
  if (!wrong) return std::nullopt;
  for (const uint32_t at : *wrong) {
    const uint32_t from = at < message_bits ? at : at - message_bits;
    const auto mask = static_cast<uint8_t>(kind_.reversed ? 1u << from % 8 : 0x80u >> from % 8);
    if (at < message_bits)
      message[from / 8] ^= static_cast<std::byte>(mask);
    else
      stored[from / 8] ^= mask;
  }
  return static_cast<uint32_t>(wrong->size());
}

}  // namespace assay::unpack
