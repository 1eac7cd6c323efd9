// rtime: pairs of a byte and a repeat count; the repeat copies from where that byte value stood last.
// Rubin: an arithmetic coder with a 16-bit register; bit i of every byte has one fixed probability of being set,
// counted in 1/256 (stored in the stream's first 8 bytes) or 1/1043 (constants).
// Source: Linux fs/jffs2/compr_rtime.c and compr_rubin.c, studied for the format.
#include "unpack/formats/jffs2_codecs.h"

#include <array>

namespace assay::unpack {
namespace {

constexpr uint32_t kTop = 1 << 15, kLow = kTop - 1;
constexpr uint32_t kRegisterBits = 16;
constexpr uint32_t kMipsDivider = 1043;
constexpr std::array<uint32_t, 8> kMipsOnes = {277, 249, 290, 267, 229, 341, 212, 241};

class Rubin {
 public:
  Rubin(Bytes from, uint32_t divider, std::array<uint32_t, 8> ones) : from_(from), divider_(divider), ones_(ones) {
    for (uint32_t i = 0; i < kRegisterBits; ++i) value_ = value_ << 1 | bit();
  }

  uint8_t byte() {
    uint32_t result = 0;
    for (uint32_t i = 0; i < 8; ++i) result |= symbol(ones_[i]) << i;
    return static_cast<uint8_t>(result);
  }
  uint64_t bytes_used() const { return (used_ + 7) / 8; }

 private:
  uint32_t bit() {
    const uint64_t at = used_++;
    return at / 8 < from_.size() ? from_[at / 8] >> (7 - at % 8) & 1 : 0;
  }
  void normalise() {
    while (base_ >= kTop || range_ + base_ <= kTop) {
      base_ = (base_ & kLow) << 1;
      range_ <<= 1;
      value_ = (value_ & kLow) << 1 | bit();
    }
  }
  uint32_t symbol(uint32_t ones) {
    normalise();
    uint64_t zero = uint64_t{divider_ - ones} * range_ / divider_;
    if (zero == 0) zero = 1;
    if (zero >= range_) zero = range_ - 1;
    const bool set = value_ >= base_ + zero;
    if (set) {
      base_ += zero;
      range_ -= zero;
    } else {
      range_ = zero;
    }
    return set;
  }

  Bytes from_;
  uint32_t divider_;
  std::array<uint32_t, 8> ones_;
  uint64_t range_ = 2 * kTop, base_ = 0, value_ = 0;
  uint64_t used_ = 0;
};

}  // namespace

Result<void> decode_rtime(Bytes from, uint32_t size, Output& into) {
  std::array<uint32_t, 256> last{};
  std::vector<std::byte> out;
  out.reserve(std::min<uint64_t>(size, from.size() * 128));
  uint64_t at = 0;
  while (out.size() < size) {
    const Bytes pair = TRY(from.slice(at, 2, "rtime pair"));
    at += 2;
    uint32_t source = last[pair[0]];
    const uint64_t repeat = pair[1];
    out.push_back(pair.span()[0]);
    last[pair[0]] = static_cast<uint32_t>(out.size());
    if (repeat > size - out.size())
      return fail(Fault::kMalformed, "rtime repeat runs past the end", from.base() + at - 1);
    for (uint64_t i = 0; i < repeat; ++i) {
      const std::byte value = out[source++];
      out.push_back(value);
    }
  }
  return into.write(out);
}

Result<void> decode_rubin(Bytes from, uint32_t size, bool dynamic, Output& into) {
  std::array<uint32_t, 8> ones = kMipsOnes;
  if (dynamic) {
    const Bytes table = TRY(from.slice(0, 8, "Rubin probabilities"));
    for (size_t i = 0; i < 8; ++i) {
      ones[i] = table[i];
      if (ones[i] == 0) return fail(Fault::kMalformed, "Rubin probability is 0", table.base() + i);
    }
    from = TRY(from.from(8, "Rubin stream"));
  }
  Rubin rubin(from, dynamic ? 256 : kMipsDivider, ones);
  std::vector<std::byte> out;
  while (out.size() < size) {
    out.push_back(static_cast<std::byte>(rubin.byte()));
    if (rubin.bytes_used() > from.size()) return fail(Fault::kMalformed, "Rubin stream is too short", from.base());
  }
  if (rubin.bytes_used() != from.size())
    return fail(Fault::kMalformed, "Rubin stream goes on after its last byte", from.base());
  return into.write(out);
}

}  // namespace assay::unpack
