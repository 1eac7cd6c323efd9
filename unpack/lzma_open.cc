// Source: LZMA SDK, lzma-specification.txt (LZMA Specification, Igor Pavlov, public domain).
#include "unpack/lzma_open.h"

#include <algorithm>
#include <array>
#include <memory>

namespace assay::unpack {
namespace {

constexpr uint64_t kEndRun = 16;  // bytes of one value that count as the end
constexpr size_t kFlush = 64 << 10;
constexpr unsigned kStates = 12, kPositions = 16;

struct Probability {
  uint16_t value = 1024;
};

class RangeDecoder {
 public:
  explicit RangeDecoder(Bytes from) : from_(from) {
    for (int i = 0; i < 5; ++i) shift();
  }
  unsigned bit(Probability& p) {
    const uint32_t bound = (range_ >> 11) * p.value;
    const bool one = code_ >= bound;
    if (one) {
      range_ -= bound, code_ -= bound;
      p.value = static_cast<uint16_t>(p.value - (p.value >> 5));
    } else {
      range_ = bound;
      p.value = static_cast<uint16_t>(p.value + ((2048 - p.value) >> 5));
    }
    normalise();
    return one;
  }
  uint32_t direct(unsigned count) {
    uint32_t value = 0;
    while (count-- > 0) {
      range_ >>= 1;
      const bool one = code_ >= range_;
      if (one) code_ -= range_;
      normalise();
      value = value << 1 | one;
    }
    return value;
  }
  uint32_t tree(Probability* p, unsigned bits) {
    uint32_t at = 1;
    for (unsigned i = 0; i < bits; ++i) at = at << 1 | bit(p[at]);
    return at - (1u << bits);
  }
  uint32_t reverse_tree(Probability* p, unsigned bits) {
    uint32_t at = 1, value = 0;
    for (unsigned i = 0; i < bits; ++i) {
      const uint32_t one = bit(p[at]);
      at = at << 1 | one;
      value |= one << i;
    }
    return value;
  }
  bool starved() const { return at_ > from_.size(); }
  bool finished() const { return code_ == 0; }
  uint64_t used() const { return std::min(at_, from_.size()); }
  bool end_follows() const {
    const Bytes rest = from_.head(kEndRun, at_);
    return rest.empty() || is_run(rest);
  }

 private:
  void normalise() {
    if (range_ >= 1u << 24) return;
    range_ <<= 8;
    shift();
  }
  void shift() {
    code_ = code_ << 8 | (at_ < from_.size() ? from_[at_] : 0);
    ++at_;
  }
  Bytes from_;
  uint64_t at_ = 0;
  uint32_t range_ = 0xffffffff, code_ = 0;
};

struct LengthCoder {
  Probability choice, longer;
  Probability low[kPositions][8], mid[kPositions][8], high[256];

  uint32_t read(RangeDecoder& rc, unsigned position) {
    if (!rc.bit(choice)) return rc.tree(low[position], 3);
    if (!rc.bit(longer)) return 8 + rc.tree(mid[position], 3);
    return 16 + rc.tree(high, 8);
  }
};

class Decoder {
 public:
  Decoder(Bytes from, LzmaProperties properties, Output& into)
      : from_(from),
        rc_(from),
        properties_(properties),
        into_(into),
        size_(std::clamp<uint64_t>(properties.dictionary, 4096, kMaxDictionary)),
        window_(std::make_unique_for_overwrite<std::byte[]>(size_)),
        literals_(std::make_unique<Probability[]>(0x300u << (properties.lc + properties.lp))) {}

  Result<uint64_t> run() {
    for (;;) {
      if (rc_.starved()) return fail(Fault::kTruncated, "lzma stream ends early", from_.base() + from_.size());
      if (total_ > 0 && rc_.finished() && rc_.end_follows()) return finish();
      const unsigned position = total_ & ((1u << properties_.pb) - 1);
      if (!rc_.bit(is_match_[state_][position])) {
        TRY_VOID(literal());
        continue;
      }
      if (rc_.bit(is_rep_[state_])) {
        if (!TRY(repeat(position))) continue;
      } else if (!read_match(position)) {
        if (!rc_.finished()) return fail(Fault::kMalformed, "lzma end marker is early", from_.base() + rc_.used());
        return finish();
      }
      TRY_VOID(copy());
    }
  }

 private:
  Result<void> flush() {
    const uint64_t start = flushed_ % size_, length = std::min(total_ - flushed_, size_ - start);
    if (length > 0) TRY_VOID(into_.write(std::span<const std::byte>(window_.get() + start, length)));
    flushed_ += length;
    return {};
  }
  Result<uint64_t> finish() {
    TRY_VOID(flush());
    return rc_.used();
  }
  Result<void> put(std::byte byte) {
    window_[total_ % size_] = byte;
    ++total_;
    if (total_ % size_ == 0 || total_ - flushed_ >= kFlush) return flush();
    return {};
  }
  bool reaches(uint64_t distance) const { return distance < std::min(total_, size_); }
  std::byte back(uint64_t distance) const { return window_[(total_ - 1 - distance) % size_]; }

  Result<void> literal() {
    const auto before = total_ > 0 ? static_cast<uint8_t>(back(0)) : uint8_t{0};
    const uint64_t context =
        ((total_ & ((1u << properties_.lp) - 1)) << properties_.lc) + (before >> (8 - properties_.lc));
    Probability* p = literals_.get() + 0x300 * context;
    uint32_t symbol = 1;
    if (state_ >= 7) {
      if (!reaches(reps_[0])) return bad_distance();
      auto match = static_cast<uint32_t>(back(reps_[0]));
      while (symbol < 0x100) {
        const uint32_t expected = match >> 7 & 1;
        match <<= 1;
        const uint32_t one = rc_.bit(p[((1 + expected) << 8) + symbol]);
        symbol = symbol << 1 | one;
        if (one != expected) break;
      }
    }
    while (symbol < 0x100) symbol = symbol << 1 | rc_.bit(p[symbol]);
    state_ = state_ < 4 ? 0 : state_ < 10 ? state_ - 3 : state_ - 6;
    return put(static_cast<std::byte>(symbol));
  }

  // A match at one of the last four distances. False: it was a single byte, already put.
  Result<bool> repeat(unsigned position) {
    if (!rc_.bit(is_rep0_[state_])) {
      if (!rc_.bit(is_rep0_long_[state_][position])) {
        state_ = state_ < 7 ? 9 : 11;
        if (!reaches(reps_[0])) return std::unexpected(bad_distance().error());
        TRY_VOID(put(back(reps_[0])));
        return false;
      }
    } else {
      size_t which = 1;
      if (rc_.bit(is_rep1_[state_])) which = rc_.bit(is_rep2_[state_]) ? 3 : 2;
      std::rotate(reps_.begin(), reps_.begin() + which, reps_.begin() + which + 1);
    }
    length_ = 2 + rep_length_.read(rc_, position);
    state_ = state_ < 7 ? 8 : 11;
    return true;
  }

  // A match with a distance of its own. False: it is the end marker.
  bool read_match(unsigned position) {
    std::rotate(reps_.begin(), reps_.begin() + 3, reps_.end());
    length_ = 2 + match_length_.read(rc_, position);
    state_ = state_ < 7 ? 7 : 10;
    reps_[0] = distance();
    return reps_[0] != 0xffffffff;
  }

  uint32_t distance() {
    const uint32_t slot = rc_.tree(slots_[std::min(length_ - 2, 3u)], 6);
    if (slot < 4) return slot;
    const unsigned bits = (slot >> 1) - 1;
    const uint32_t base = (2 | (slot & 1)) << bits;
    if (slot < 14) return base + rc_.reverse_tree(special_ + base - slot, bits);
    const uint32_t high = rc_.direct(bits - 4) << 4;
    return base + high + rc_.reverse_tree(align_, 4);
  }

  Result<void> copy() {
    if (!reaches(reps_[0])) return bad_distance();
    for (uint32_t i = 0; i < length_; ++i) TRY_VOID(put(back(reps_[0])));
    return {};
  }
  std::unexpected<Error> bad_distance() const {
    return fail(Fault::kMalformed, "lzma distance reaches before the start", from_.base() + rc_.used());
  }

  Bytes from_;
  RangeDecoder rc_;
  LzmaProperties properties_;
  Output& into_;
  uint64_t size_, total_ = 0, flushed_ = 0;
  std::unique_ptr<std::byte[]> window_;
  std::unique_ptr<Probability[]> literals_;
  Probability is_match_[kStates][kPositions], is_rep0_long_[kStates][kPositions];
  Probability is_rep_[kStates], is_rep0_[kStates], is_rep1_[kStates], is_rep2_[kStates];
  Probability slots_[4][64], special_[128], align_[16];
  LengthCoder match_length_, rep_length_;
  std::array<uint32_t, 4> reps_{};
  uint32_t length_ = 0;
  unsigned state_ = 0;
};

}  // namespace

Result<uint64_t> decode_lzma_open(Bytes from, LzmaProperties properties, Output& into) {
  if (properties.lc > 8 || properties.lp > 4 || properties.pb > 4)
    return fail(Fault::kMalformed, "lzma properties", from.base());
  const auto decoder = std::make_unique<Decoder>(from, properties, into);
  return decoder->run();
}

}  // namespace assay::unpack
