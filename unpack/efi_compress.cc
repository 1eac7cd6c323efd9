// Blocks of codes, highest bit first. Each block: the number of codes (16 bits), then three tables of code lengths:
//   extra set   19 symbols, count in 5 bits, a length in 3 bits or, from 7 on, one bit more each
//               after the third length two bits tell how many zeros follow
//   characters  510 symbols, count in 9 bits, lengths coded by the extra set: 0, 1 and 2 are runs of zeros, n is n - 2
//   positions   as the extra set without its third-length rule; count in 4 bits (EFI) or 5 (Tiano)
// A count of 0: one symbol of that many bits stands for all. Characters below 256 are bytes; others are copies of
// c - 253 bytes whose distance is a position symbol p: p if below 2, else 1 << (p - 1) and p - 1 more bits; plus 1.
// Source: UEFI specification 2.10, chapter 19 (Compression Algorithm Specification).
#include "unpack/efi_compress.h"

#include <algorithm>
#include <vector>

namespace assay::unpack {
namespace {

constexpr uint32_t kCharacters = 510, kExtra = 19, kPositionCodes = 31, kLongestCode = 16;
constexpr uint64_t kMostDecoded = 256 << 20;

class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}
  uint32_t peek(uint32_t count) const {  // zeros behind the end: a code may be shorter than the look
    uint64_t value = 0;
    for (uint64_t i = 0; i < 4; ++i) value = value << 8 | (bit_ / 8 + i < bytes_.size() ? bytes_[bit_ / 8 + i] : 0);
    return count == 0 ? 0 : static_cast<uint32_t>(value >> (32 - bit_ % 8 - count) & ((uint64_t{1} << count) - 1));
  }
  Result<void> skip(uint32_t count) {
    bit_ += count;
    if (bit_ > bytes_.size() * 8)
      return fail(Fault::kTruncated, "codes run past the end", bytes_.base() + bytes_.size());
    return {};
  }
  Result<uint32_t> take(uint32_t count) {
    const uint32_t value = peek(count);
    TRY_VOID(skip(count));
    return value;
  }
  uint64_t at() const { return bytes_.base() + bit_ / 8; }

 private:
  Bytes bytes_;
  uint64_t bit_ = 0;
};

// Canonical codes: shorter first, symbols in order.
class Codes {
 public:
  explicit Codes(uint32_t symbols) : lengths(symbols, 0) {}
  std::vector<uint8_t> lengths;
  uint32_t only = 0;  // where all lengths are zero, the one symbol

  bool build() {
    std::fill(std::begin(counts_), std::end(counts_), 0);
    sorted_.clear();
    for (const uint8_t length : lengths) ++counts_[length];
    counts_[0] = 0;
    uint32_t left = 1;
    for (uint32_t i = 1; i <= kLongestCode; ++i) {
      left <<= 1;
      if (counts_[i] > left) return false;
      left -= counts_[i];
    }
    for (uint32_t length = 1; length <= kLongestCode; ++length)
      for (uint32_t s = 0; s < lengths.size(); ++s)
        if (lengths[s] == length) sorted_.push_back(static_cast<uint16_t>(s));
    return true;
  }

  Result<uint32_t> read(BitReader& bits) const {
    if (sorted_.empty()) return only;
    uint32_t code = 0, first = 0, index = 0;
    const uint32_t ahead = bits.peek(kLongestCode);
    for (uint32_t length = 1; length <= kLongestCode; ++length) {
      code = ahead >> (kLongestCode - length);
      if (code < first + counts_[length]) {
        TRY_VOID(bits.skip(length));
        return sorted_[index + code - first];
      }
      index += counts_[length];
      first = (first + counts_[length]) << 1;
    }
    return fail(Fault::kMalformed, "no code", bits.at());
  }

 private:
  uint32_t counts_[kLongestCode + 1] = {};
  std::vector<uint16_t> sorted_;
};

Result<Codes> finished(Codes codes, const BitReader& bits) {
  if (!codes.build()) return fail(Fault::kMalformed, "more codes than bits allow", bits.at());
  return codes;
}

Result<Codes> read_lengths(BitReader& bits, uint32_t symbols, uint32_t count_bits, uint32_t special) {
  Codes codes(symbols);
  const uint32_t count = TRY(bits.take(count_bits));
  if (count == 0) {
    codes.only = TRY(bits.take(count_bits));
    if (codes.only >= symbols) return fail(Fault::kMalformed, "symbol", bits.at());
    return finished(std::move(codes), bits);
  }
  for (uint32_t i = 0; i < count;) {
    uint32_t length = TRY(bits.take(3));
    while (length >= 7 && TRY(bits.take(1)) == 1)
      if (++length > kLongestCode) return fail(Fault::kMalformed, "code length", bits.at());
    if (i >= symbols) return fail(Fault::kMalformed, "number of codes", bits.at());
    codes.lengths[i++] = static_cast<uint8_t>(length);
    if (i == special) i += TRY(bits.take(2));
  }
  return finished(std::move(codes), bits);
}

Result<Codes> read_characters(BitReader& bits, const Codes& extra) {
  Codes codes(kCharacters);
  const uint32_t count = TRY(bits.take(9));
  if (count == 0) {
    codes.only = TRY(bits.take(9));
    if (codes.only >= kCharacters) return fail(Fault::kMalformed, "symbol", bits.at());
    return finished(std::move(codes), bits);
  }
  for (uint32_t i = 0; i < count;) {
    const uint32_t symbol = TRY(extra.read(bits));
    if (symbol > 2) {
      if (i >= kCharacters) return fail(Fault::kMalformed, "number of codes", bits.at());
      codes.lengths[i++] = static_cast<uint8_t>(symbol - 2);
      continue;
    }
    i += symbol == 0 ? 1 : symbol == 1 ? TRY(bits.take(4)) + 3 : TRY(bits.take(9)) + 20;
  }
  return finished(std::move(codes), bits);
}

struct Tables {
  Codes extra{kExtra}, characters{kCharacters}, positions{kPositionCodes};
};

Result<Tables> read_tables(BitReader& bits, EfiVariant variant) {
  Tables t;
  t.extra = TRY(read_lengths(bits, kExtra, 5, 3));
  t.characters = TRY(read_characters(bits, t.extra));
  t.positions = TRY(read_lengths(bits, kPositionCodes, variant == EfiVariant::kTiano ? 5 : 4, ~0u));
  return t;
}

Result<void> copy_match(BitReader& bits, const Tables& t, uint32_t character, uint64_t size, std::string& out) {
  uint64_t distance = TRY(t.positions.read(bits));
  if (distance > 1) {
    const auto more = static_cast<uint32_t>(distance - 1);
    const uint32_t high = more > 16 ? TRY(bits.take(more - 16)) : 0;
    distance = (uint64_t{1} << more) + (uint64_t{high} << 16 | 0);
    const uint32_t low = TRY(bits.take(std::min(more, 16u)));
    distance += low;
  }
  ++distance;
  if (distance > out.size()) return fail(Fault::kMalformed, "distance reaches before the start", bits.at());
  for (uint64_t n = std::min<uint64_t>(character - 253, size - out.size()); n > 0; --n)
    out.push_back(out[out.size() - distance]);
  return {};
}

}  // namespace

Result<uint64_t> decode_efi_compressed(Bytes from, EfiVariant variant, Output& into) {
  const uint64_t packed = TRY(from.le<uint32_t>(0, "packed size")), size = TRY(from.le<uint32_t>(4, "size"));
  BitReader bits(TRY(from.slice(8, packed, "packed data")));
  if (size > kMostDecoded || size / 8192 > packed)
    return fail(Fault::kMalformed, "size " + std::to_string(size), from.base() + 4);
  std::string out;
  out.reserve(size);
  while (out.size() < size) {
    const uint32_t codes = TRY(bits.take(16));
    if (codes == 0) return fail(Fault::kMalformed, "an empty block", bits.at());
    const Tables t = TRY(read_tables(bits, variant));
    for (uint32_t i = 0; i < codes && out.size() < size; ++i) {
      const uint32_t character = TRY(t.characters.read(bits));
      if (character < 256)
        out.push_back(static_cast<char>(character));
      else
        TRY_VOID(copy_match(bits, t, character, size, out));
    }
  }
  TRY_VOID(into.write(Bytes(out).span()));
  return 8 + packed;
}

}  // namespace assay::unpack
