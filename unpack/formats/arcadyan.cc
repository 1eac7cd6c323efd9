// LZMA streams that Arcadyan scrambled: two blocks of 32 bytes have changed places, and in the first, bytes and
// nibbles too.
//
//   0    4 bytes  4 the block of 0x68  36 …  0x68 the block of 4, of which, once back in its place, every byte's halves
//        and then every pair of bytes are swapped; behind the first four bytes starts an LZMA stream with its header
//
// The scrambled magic stands at 0x68. Known streams have at most 0x1b0000 bytes; more are not looked at.
// Source: ReFirmLabs/binwalk src/extractors/arcadyan.rs; mattimustang/bewan.
#include "unpack/codecs.h"
#include "unpack/format.h"

#include <algorithm>

namespace assay::unpack::arcadyan {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint64_t kFirst = 4, kSecond = 0x68, kBlock = 32;
constexpr uint64_t kLongest = 0x1b0000;  // a stream
constexpr uint32_t kMostDictionary = 64 << 20;
constexpr Magic kMagics[] = {{"\x00\xd5\x08\x00"sv, kSecond}};

std::string restored(Bytes from) {
  std::string bytes(from.text());
  std::swap_ranges(bytes.begin() + kFirst, bytes.begin() + kFirst + kBlock, bytes.begin() + kSecond);
  for (uint64_t i = kFirst; i < kFirst + kBlock; ++i) {
    const auto c = static_cast<uint8_t>(bytes[i]);
    bytes[i] = static_cast<char>(c << 4 | c >> 4);
  }
  for (uint64_t i = kFirst; i < kFirst + kBlock; i += 2) std::swap(bytes[i], bytes[i + 1]);
  return bytes;
}

// What the stream's header becomes, before all of it is copied: default properties, a size that is plausible.
bool may_be_stream(Bytes from) {
  const std::string head = restored(from.head(kSecond + kBlock));
  const Bytes h = Bytes(head).head(13, kFirst);
  const uint64_t size = *h.le<uint64_t>(5, "");
  return h[0] == 0x5d && *h.le<uint32_t>(1, "") <= kMostDictionary && (size == UINT64_MAX || size >> 32 == 0);
}

Result<Decoded> decode(Bytes from, Output& into) {
  if (from.size() < kSecond + kBlock) return fail(Fault::kForeign, "no size of a stream", from.base());
  if (!may_be_stream(from)) return fail(Fault::kForeign, "no LZMA stream in disguise", from.base());
  const std::string bytes = restored(from.head(kLongest));
  const uint64_t used = TRY(decode_lzma_alone(Bytes(bytes).head(bytes.size(), kFirst), into));
  if (kFirst + used < kSecond + kBlock)
    return fail(Fault::kMalformed, "the stream ends before its second block", from.base());
  return Decoded{kFirst + used};
}

}  // namespace

extern const Format kArcadyan;
const Format kArcadyan = {
    .id = "arcadyan",
    .title = "Scrambled LZMA stream (Arcadyan)",
    .version = 2,
    .magics = kMagics,
    .decode = decode,
    .reads = "streams with LZMA's default properties, with and without a size",
    .limits = "streams that are longer than 0x1b0000 bytes, packed; dictionaries above 64 MiB",
    .source = "ReFirmLabs/binwalk src/extractors/arcadyan.rs",
    .checked = "real image: the sample of binwalk's tests, by hand; own builder, its stream by xz, in the tests"};

}  // namespace assay::unpack::arcadyan
