// LZO1X: byte-aligned LZ77 without entropy coding, as Linux, UBIFS, JFFS2, SquashFS and lzop use it.
//
// An instruction is one byte, perhaps a longer length (zero bytes count 255 each, then one that is not zero), perhaps
// 1 or 2 bytes of distance. The last two bits of what carries the distance say how many literals (0..3) follow; that
// number, or 4 after a long run of literals, is the state that gives the instructions 0..15 their meaning:
//   0000LLLL  state 0: 3+L literals    0000DDSS  state 1..3: 2 bytes, within 1 KiB    state 4: 3 bytes, 2..3 KiB back
//   0001HLLL  2+L bytes, 16..48 KiB back; a distance of exactly 16 KiB ends the stream
//   001LLLLL  2+L bytes, within 16 KiB    01LDDDSS  3..4 bytes    1LLDDDSS  5..8 bytes, within 2 KiB
// A first byte above 17 is a number of literals; 17 and a version byte announce LZO-RLE (runs of zeros).
// Source: Linux, Documentation/staging/lzo.rst, the description of the stream format.
#include "unpack/codecs.h"

namespace assay::unpack {
namespace {

class LzoDecoder {
 public:
  LzoDecoder(Bytes from, uint64_t most) : from_(from), most_(most) {}

  Result<void> run() {
    TRY_VOID(begin());
    while (!ended_) TRY_VOID(instruction(TRY(byte())));
    if (at_ != from_.size()) return fail(Fault::kMalformed, "LZO stream ends before its block does", here());
    return {};
  }
  std::span<const std::byte> bytes() const { return out_; }

 private:
  uint64_t here() const { return from_.base() + at_; }

  Result<uint32_t> byte() {
    if (at_ >= from_.size()) return fail(Fault::kTruncated, "LZO block ends within the stream", here());
    return from_[at_++];
  }
  Result<uint32_t> pair() {
    const uint32_t low = TRY(byte());
    return low | TRY(byte()) << 8;
  }
  // A length whose field of the instruction is `field`; 0 there means it goes on in the bytes that follow.
  Result<uint64_t> length(uint32_t field, uint32_t largest) {
    if (field != 0) return field;
    uint64_t sum = largest;
    uint32_t next = TRY(byte());
    for (; next == 0; next = TRY(byte())) sum += 255;
    return sum + next;
  }

  Result<void> room_for(uint64_t count) const {
    if (count > most_ - out_.size())
      return fail(Fault::kMalformed, "LZO yields more than " + std::to_string(most_) + " bytes", here());
    return {};
  }
  Result<void> literals(uint64_t count) {
    const Bytes piece = TRY(from_.slice(at_, count, "LZO literals"));
    TRY_VOID(room_for(count));
    out_.insert(out_.end(), piece.span().begin(), piece.span().end());
    at_ += count;
    return {};
  }
  Result<void> copy(uint64_t distance, uint64_t count) {
    if (distance > out_.size())
      return fail(Fault::kMalformed, "LZO distance " + std::to_string(distance) + " lies before the output", here());
    TRY_VOID(room_for(count));
    for (size_t source = out_.size() - distance; count > 0; --count) {
      const std::byte value = out_[source++];
      out_.push_back(value);
    }
    return {};
  }
  Result<void> follow(uint32_t count) {
    state_ = count;
    return literals(count);
  }
  Result<void> long_literals(uint64_t count) {
    state_ = 4;
    return literals(count);
  }

  Result<void> begin() {
    if (from_.size() >= 5 && from_[0] == 17) {
      run_lengths_ = from_[1] != 0;
      if (from_[1] > 1)
        return fail(Fault::kUnsupported, "LZO stream version " + std::to_string(from_[1]), from_.base() + 1);
      at_ = 2;
      return {};
    }
    if (from_.empty() || from_[0] <= 17) return {};
    const uint32_t count = from_[0] - 17u;
    at_ = 1;
    return count < 4 ? follow(count) : long_literals(count);
  }

  Result<void> instruction(uint32_t op) {
    if (op >= 64) return near_match(op);
    if (op >= 32) return middle_match(op);
    if (op >= 16) return far_match(op);
    if (state_ == 0) return long_literals(3 + TRY(length(op, 15)));
    const uint32_t distance = (TRY(byte()) << 2) + (op >> 2) + 1;
    TRY_VOID(state_ == 4 ? copy(distance + 2048, 3) : copy(distance, 2));
    return follow(op & 3);
  }
  Result<void> near_match(uint32_t op) {
    const uint32_t count = op >= 128 ? 5 + (op >> 5 & 3) : 3 + (op >> 5 & 1);
    const uint32_t distance = (TRY(byte()) << 3) + (op >> 2 & 7) + 1;
    TRY_VOID(copy(distance, count));
    return follow(op & 3);
  }
  Result<void> middle_match(uint32_t op) {
    const uint64_t count = 2 + TRY(length(op & 31, 31));
    const uint32_t tail = TRY(pair());
    TRY_VOID(copy((tail >> 2) + 1, count));
    return follow(tail & 3);
  }
  bool is_zero_run(uint32_t op) const {
    return run_lengths_ && (op & 0xf8) == 0x18 && from_.size() - at_ >= 3 && from_[at_ + 1] == 0xff &&
           (from_[at_] & 0xfc) == 0xfc;
  }
  Result<void> far_match(uint32_t op) {
    if (is_zero_run(op)) {
      const uint32_t tail = TRY(pair());
      const uint64_t count = (TRY(byte()) << 3 | (op & 7)) + 4;
      TRY_VOID(room_for(count));
      out_.resize(out_.size() + count);
      return follow(tail & 3);
    }
    const uint64_t count = 2 + TRY(length(op & 7, 7));
    const uint32_t tail = TRY(pair());
    const uint32_t distance = ((op & 8) << 11) + (tail >> 2);
    if (distance == 0) {
      if (count != 3) return fail(Fault::kMalformed, "LZO end marker has length " + std::to_string(count), here());
      ended_ = true;
      return {};
    }
    TRY_VOID(copy(distance + 16384, count));
    return follow(tail & 3);
  }

  Bytes from_;
  uint64_t most_, at_ = 0;
  uint32_t state_ = 0;
  bool run_lengths_ = false, ended_ = false;
  std::vector<std::byte> out_;
};

}  // namespace

Result<void> decode_lzo1x(Bytes from, uint64_t most, Output& into) {
  LzoDecoder decoder(from, most);
  TRY_VOID(decoder.run());
  return into.write(decoder.bytes());
}

}  // namespace assay::unpack
