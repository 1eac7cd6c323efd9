// A stream is literals and copies. A bit 1 announces a literal byte; a bit 0 a copy:
//
//   distance  2B: bits in pairs (value, last?) behind a leading one; 2D and 2E: value, last?, then value again
//             2 stands for the distance before; else (it - 3) * 256 + a byte, plus one; all ones end the stream
//             2D and 2E: the lowest bit, inverted, belongs to the length
//   length    2B and 2D: two bits, or after zeros a number coded like 2B's distance, plus 2
//             2E: 1 and a bit, or 01 and a bit plus 3, or such a number plus 3
//             one more beyond a distance of 0xd00 (2B) or 0x500, and one in any case
//
// Source: UCL 1.03 src/n2b_d.c, n2d_d.c, n2e_d.c.
#include "unpack/nrv.h"

namespace assay::unpack {
namespace {

class Bits {
 public:
  Bits(Bytes from, unsigned word) : from_(from), word_(word) {}

  Result<uint32_t> bit() {
    if (left_ == 0) {
      const Bytes word = TRY(from_.slice(at_, word_, "bits"));
      value_ = 0;
      for (unsigned i = 0; i < word_; ++i) value_ |= static_cast<uint32_t>(word[i]) << (8 * i);
      at_ += word_;
      left_ = 8 * word_;
    }
    return value_ >> --left_ & 1;
  }
  Result<uint8_t> byte() {
    const uint8_t value = TRY(from_.le<uint8_t>(at_, "byte"));
    ++at_;
    return value;
  }
  uint64_t used() const { return at_; }
  Error wrong(std::string what) const { return {Fault::kMalformed, std::move(what), from_.base() + at_}; }

 private:
  Bytes from_;
  unsigned word_, left_ = 0;
  uint32_t value_ = 0;
  uint64_t at_ = 0;
};

constexpr uint32_t kMostNumber = 1u << 30;  // no number of a stream we accept is larger, its end marker aside

// A number behind a leading one: value and "last?" in turn.
Result<uint32_t> number(Bits& bits) {
  uint32_t value = 1;
  for (uint32_t last = 0; !last;) {
    if (value >= kMostNumber) return std::unexpected(bits.wrong("number is too large"));
    value = value * 2 + TRY(bits.bit());
    last = TRY(bits.bit());
  }
  return value;
}

// The same, with a further value bit between two numbers.
Result<uint32_t> wide_number(Bits& bits) {
  uint32_t value = 1;
  for (;;) {
    if (value >= kMostNumber) return std::unexpected(bits.wrong("number is too large"));
    value = value * 2 + TRY(bits.bit());
    if (TRY(bits.bit())) return value;
    value = (value - 1) * 2 + TRY(bits.bit());
  }
}

struct Copy {
  uint32_t distance = 1, length = 0;
  bool end = false;
};

Result<uint32_t> length_of(Bits& bits, Nrv kind, uint32_t first) {
  if (kind == Nrv::kE) {
    if (first) return 1 + TRY(bits.bit());
    if (TRY(bits.bit())) return 3 + TRY(bits.bit());
    return TRY(number(bits)) + 3;
  }
  const uint32_t length = first * 2 + TRY(bits.bit());
  return length ? length : TRY(number(bits)) + 2;
}

Result<Copy> read_copy(Bits& bits, Nrv kind, uint32_t before) {
  Copy copy{.distance = before};
  uint32_t first = 0;
  const uint32_t high = kind == Nrv::kB ? TRY(number(bits)) : TRY(wide_number(bits));
  if (high == 2) {
    first = TRY(bits.bit());
  } else {
    const uint32_t low = TRY(bits.byte());
    const uint32_t value = (high - 3) * 256 + low;
    if (value == UINT32_MAX) return Copy{.end = true};
    if (high - 3 >= 1u << 23) return std::unexpected(bits.wrong("distance is too large"));
    copy.distance = (kind == Nrv::kB ? value : value / 2) + 1;
    first = kind == Nrv::kB ? TRY(bits.bit()) : ~value & 1;
  }
  copy.length = TRY(length_of(bits, kind, first)) + 1;
  if (copy.distance > (kind == Nrv::kB ? 0xd00u : 0x500u)) ++copy.length;
  return copy;
}

}  // namespace

Result<uint64_t> decode_nrv(Bytes from, Nrv kind, unsigned word, uint64_t most, Output& into) {
  Bits bits(from, word);
  std::vector<std::byte> out;
  uint32_t before = 1;
  for (;;) {
    while (TRY(bits.bit())) {
      if (out.size() == most) return std::unexpected(bits.wrong("decodes to more than stated"));
      out.push_back(static_cast<std::byte>(TRY(bits.byte())));
    }
    const Copy copy = TRY(read_copy(bits, kind, before));
    if (copy.end) break;
    before = copy.distance;
    if (copy.distance > out.size()) return std::unexpected(bits.wrong("copy from before the start"));
    if (copy.length > most - out.size()) return std::unexpected(bits.wrong("decodes to more than stated"));
    for (uint32_t i = 0; i < copy.length; ++i) out.push_back(out[out.size() - copy.distance]);
  }
  TRY_VOID(into.write(out));
  return bits.used();
}

}  // namespace assay::unpack
