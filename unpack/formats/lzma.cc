// LZMA-alone, the format of lzma-utils and of the LZMA SDK's lzma program.
//
//   0   properties: (pb * 5 + lp) * 9 + lc
//   1   dictionary size (32 bits)
//   5   uncompressed size (64 bits), all ones when an end marker stands after the last byte
//   13  range coder: its first byte is always zero
//
// There is no magic and no checksum. What tells it apart: encoders write dictionaries of 2^n or 2^n + 2^(n-1) bytes;
// the size is plausible; and after exactly that size the range coder must stand at zero, 32 bits that chance seldom
// meets. Source: liblzma, doc/lzma-file-format.txt; LZMA SDK, lzma.txt.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

#include <array>

namespace assay::unpack::lzma {
namespace {

constexpr uint64_t kHeader = 13, kUnknownSize = ~uint64_t{0}, kLargest = uint64_t{4} << 30, kSmallest = 32;
constexpr uint64_t kFirst = 64 << 10;  // bytes decoded on trial before anything is written

constexpr bool plausible_properties(unsigned byte) { return byte % 9 + byte / 9 % 5 <= 4 && byte / 45 == 2; }
constexpr bool plausible_dictionary(uint32_t size) {
  if (size < 1 << 12 || size > 1u << 28) return false;
  const uint32_t low = size & -size, rest = size ^ low;
  return rest == 0 || (rest == low << 1 && low >= 1 << 15);
}

// The first five bytes of the headers that are looked for anywhere: those with pb 2, which nearly all encoders choose.
// With the others, tables of small numbers would look like headers; lzma_vendor.cc reads them at the start of a part.
constexpr auto make_patterns() {
  constexpr size_t kProperties = 15, kDictionaries = 29;
  std::array<std::array<char, 5>, kProperties * kDictionaries> all{};
  size_t next = 0;
  for (unsigned byte = 0; byte < 225; ++byte)
    for (unsigned n = 12; plausible_properties(byte) && n <= 28; ++n)
      for (const uint32_t size : {1u << n, 3u << (n - 1)})
        if (plausible_dictionary(size))
          all.at(next++) = {static_cast<char>(byte), static_cast<char>(size), static_cast<char>(size >> 8),
                            static_cast<char>(size >> 16), static_cast<char>(size >> 24)};
  if (next != all.size()) throw "the counts above are wrong";
  return all;
}
constexpr auto kPatterns = make_patterns();

constexpr auto make_magics() {
  std::array<Magic, kPatterns.size()> all{};
  for (size_t i = 0; i < all.size(); ++i) all[i] = {std::string_view(kPatterns[i].data(), 5)};
  return all;
}
constexpr auto kMagics = make_magics();

Result<void> check_header(Bytes from) {
  if (!plausible_properties(TRY(from.le<uint8_t>(0, "properties"))))
    return fail(Fault::kMalformed, "properties " + std::to_string(from[0]), from.base());
  if (!plausible_dictionary(TRY(from.le<uint32_t>(1, "dictionary size"))))
    return fail(Fault::kMalformed, "dictionary size", from.base() + 1);
  const auto size = TRY(from.le<uint64_t>(5, "uncompressed size"));
  if (size != kUnknownSize && (size < kSmallest || size > kLargest))
    return fail(Fault::kMalformed, "uncompressed size " + std::to_string(size), from.base() + 5);
  if (TRY(from.le<uint8_t>(kHeader, "range coder")) != 0)
    return fail(Fault::kMalformed, "range coder does not start with zero", from.base() + kHeader);
  if (TRY(from.le<uint32_t>(kHeader + 1, "range coder")) == 0)  // zeros decode to zeros, and mean nothing
    return fail(Fault::kMalformed, "range coder starts at zero", from.base() + kHeader);
  return {};
}

Result<Decoded> decode(Bytes from, Output& into) {
  TRY_VOID(check_header(from));
  Trial trial(kFirst);
  const auto tried = decode_lzma_alone(from, trial);
  if (!tried && tried.error().fault != Fault::kLimit) return std::unexpected(tried.error());
  if (tried && trial.written() < kSmallest) return fail(Fault::kMalformed, "stream is too short", from.base());
  return Decoded{.length = TRY(decode_lzma_alone(from, into))};
}

}  // namespace

extern const Format kLzma;
const Format kLzma = {.id = "lzma",
                      .title = "LZMA stream",
                      .magics = kMagics,
                      .decode = decode,
                      .reads = "the 13-byte header with known or unknown size",
                      .limits = "streams of less than 32 bytes; pb other than 2; lc + lp above 4",
                      .source = "liblzma doc/lzma-file-format.txt",
                      .checked = "foreign tool: xz --format=lzma"};

}  // namespace assay::unpack::lzma
