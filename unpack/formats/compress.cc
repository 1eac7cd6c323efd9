// compress (.Z): LZW with codes of 9 to up to 16 bits.
//
//   0  1f 9d
//   2  flags: low five bits the longest code, 0x80 code 256 clears the table; 0x60 are reserved and zero
//   3  codes, lowest bit first. Codes of one length come in groups of eight: where the length changes, the rest of the
//      group is skipped.
//
// Nothing marks the end: the stream ends with the content it starts, so it is read at the start of a content only.
// Source: ncompress, compress42.c (the layout); POSIX, compress.
#include "unpack/format.h"

#include <algorithm>
#include <optional>

namespace assay::unpack::compress {
namespace {

constexpr std::string_view kStart("\x1f\x9d", 2);
constexpr Magic kMagics[] = {{kStart}};
constexpr size_t kPiece = 64 << 10;
constexpr uint32_t kClear = 256, kShortest = 9, kLongest = 16;

class Lzw {
 public:
  Lzw(Bytes codes, uint32_t longest, bool block_mode, Output& into)
      : codes_(codes),
        longest_(longest),
        block_mode_(block_mode),
        into_(into),
        parents_(1u << longest),
        last_bytes_(1u << longest) {
    for (uint32_t i = 0; i < 256; ++i) last_bytes_[i] = static_cast<std::byte>(i);
    clear();
  }

  Result<void> run() {
    while (const auto code = next_code()) {
      if (block_mode_ && *code == kClear) {
        start_group();
        width_ = kShortest;
        clear();
        continue;
      }
      TRY_VOID(put(*code));
    }
    return into_.write(decoded_);
  }

 private:
  static constexpr uint32_t kNone = ~0u;

  Result<void> flush() {
    TRY_VOID(into_.write(decoded_));
    decoded_.clear();
    return {};
  }

  void clear() {
    next_free_ = block_mode_ ? 257 : 256;
    before_ = kNone;
  }

  // The rest of a group of eight codes is unused where the length of codes changes.
  void start_group() {
    const uint64_t group = width_ * 8;
    const uint64_t used = bit_ - group_start_;
    bit_ = group_start_ + (used + group - 1) / group * group;
    group_start_ = bit_;
  }

  std::optional<uint32_t> next_code() {
    if (next_free_ >= (1u << width_) && width_ < longest_) {
      start_group();
      ++width_;
    }
    if (bit_ + width_ > codes_.size() * 8) return std::nullopt;
    uint32_t code = 0;
    for (uint32_t i = 0; i < 3; ++i) {
      const uint64_t at = bit_ / 8 + i;
      if (at < codes_.size()) code |= static_cast<uint32_t>(codes_[at]) << (8 * i);
    }
    code = code >> (bit_ % 8) & ((1u << width_) - 1);
    bit_ += width_;
    return code;
  }

  Result<void> put(uint32_t code) {
    if (before_ == kNone ? code > 255 : code > next_free_ || (code == next_free_ && next_free_ >= parents_.size()))
      return fail(Fault::kMalformed, "code " + std::to_string(code) + " is not in the table", codes_.base() + bit_ / 8);
    const auto start = static_cast<std::ptrdiff_t>(decoded_.size());
    uint32_t at = code;
    if (code == next_free_) decoded_.push_back(first_), at = before_;  // the string of the code being made
    for (; at > 255; at = parents_[at]) decoded_.push_back(last_bytes_[at]);
    decoded_.push_back(last_bytes_[at]);
    first_ = decoded_.back();
    std::reverse(decoded_.begin() + start, decoded_.end());
    if (decoded_.size() >= kPiece) TRY_VOID(flush());
    if (before_ != kNone && next_free_ < parents_.size()) {
      parents_[next_free_] = before_;
      last_bytes_[next_free_++] = first_;
    }
    before_ = code;
    return {};
  }

  Bytes codes_;
  uint32_t longest_;
  bool block_mode_;
  Output& into_;
  std::vector<uint32_t> parents_;
  std::vector<std::byte> last_bytes_, decoded_;
  uint32_t width_ = kShortest, next_free_ = 0, before_ = kNone;
  std::byte first_{};
  uint64_t bit_ = 0, group_start_ = 0;
};

Result<Decoded> decode(Bytes from, Output& into) {
  if (!from.starts_with(kStart)) return fail(Fault::kMalformed, "magic does not match", from.base());
  const auto flags = TRY(from.le<uint8_t>(2, "flags"));
  const uint32_t longest = flags & 0x1f;
  if ((flags & 0x60) != 0 || longest <= kShortest || longest > kLongest)
    return fail(Fault::kMalformed, "flags " + std::to_string(flags), from.base() + 2);
  if (from.size() < 5) return fail(Fault::kTruncated, "no code", from.base() + 3);
  TRY_VOID(Lzw(from.head(from.size(), 3), longest, (flags & 0x80) != 0, into).run());
  return Decoded{.length = from.size(), .verified = false};
}

}  // namespace

extern const Format kCompress;
const Format kCompress = {.id = "compress",
                          .title = "compress (.Z) stream",
                          .magics = kMagics,
                          .decode = decode,
                          .carve = false,
                          .reads = "codes of up to 10 to 16 bits, with and without block mode",
                          .limits =
                              "nothing in the format confirms what was decoded, nor where it ends: read at the "
                              "start of a content only, to its end",
                          .source = "ncompress compress42.c",
                          .checked = "foreign tool: compress"};

}  // namespace assay::unpack::compress
