// LZMA as vendors' boot loaders take it: the properties and dictionary of LZMA-alone, then a size of 32 bits, or none,
// or a size that is wrong, and often properties that no public encoder chooses.
//
//   0   properties, dictionary size (32 bits)
//   5   uncompressed size: 64 bits, 32 bits, or absent
//   .   raw LZMA, whose first byte is zero
//
// Nothing names the length. It is found by decoding: to the end marker, or to where the range coder stands at zero and
// padding or the end follows. So weak a format is tried only at the start of a part.
// Source: observed on Broadcom and D-Link images; LZMA SDK, lzma-specification.txt.
#include "unpack/format.h"
#include "unpack/lzma_open.h"
#include "unpack/probe.h"

namespace assay::unpack::lzma_vendor {
namespace {

constexpr uint64_t kSizes[] = {13, 9, 5};  // of the header
constexpr uint64_t kFirst = 64 << 10, kSmallest = 4096;

bool is_plausible_dictionary(uint32_t size) {
  const uint32_t low = size & -size, rest = size ^ low;
  return size >= 1 << 12 && size <= 1u << 28 && (rest == 0 || rest == low << 1);
}

// Whether the range coder could start at `at`: a zero, and then not zeros, which would decode to zeros.
bool may_start(Bytes from, uint64_t at) {
  const auto first = from.le<uint8_t>(at, "range coder");
  const auto next = from.le<uint32_t>(at + 1, "range coder");
  return first && next && *first == 0 && *next != 0;
}

bool is_plain(Bytes from) { return from.size() > 13 && from[0] / 45 == 2 && decodes(decode_lzma_alone, from); }

Result<uint64_t> decode_after(Bytes from, uint64_t header, LzmaProperties properties, Output& into) {
  return TRY(decode_lzma_open(from.head(from.size(), header), properties, into)) + header;
}

// A trial from each header length; the first that decodes to something of a size worth believing.
std::optional<uint64_t> header_length(Bytes from, LzmaProperties properties) {
  for (const uint64_t header : kSizes) {
    if (!may_start(from, header)) continue;
    Trial trial(kFirst);
    const auto used = decode_after(from, header, properties, trial);
    if ((used && trial.written() >= kSmallest) || (!used && used.error().fault == Fault::kLimit)) return header;
  }
  return std::nullopt;
}

Result<Decoded> decode(Bytes from, Output& into) {
  const auto first = TRY(from.le<uint8_t>(0, "properties"));
  const auto dictionary = TRY(from.le<uint32_t>(1, "dictionary size"));
  const auto properties = lzma_properties(first, dictionary);
  if (!properties || first == 0) return fail(Fault::kMalformed, "properties " + std::to_string(first), from.base());
  if (!is_plausible_dictionary(dictionary)) return fail(Fault::kMalformed, "dictionary size", from.base() + 1);
  const auto header = header_length(from, *properties);
  if (!header) return fail(Fault::kMalformed, "no LZMA follows the properties", from.base() + 5);
  if (is_plain(from)) return fail(Fault::kMalformed, "a plain LZMA stream", from.base());
  return Decoded{.length = TRY(decode_after(from, *header, *properties, into))};
}

}  // namespace

extern const Format kLzmaVendor;
const Format kLzmaVendor = {.id = "lzma-vendor",
                            .title = "LZMA stream without a trustworthy size",
                            .decode = decode,
                            .carve = false,
                            .reads = "headers with a wrong or missing size, properties alone, vendors' markers",
                            .limits =
                                "only at the start of a part; zeros at the very end of what was compressed may be "
                                "missing when no end marker stands there",
                            .source = "LZMA SDK lzma-specification.txt",
                            .checked = "own builder only: liblzma"};

}  // namespace assay::unpack::lzma_vendor
