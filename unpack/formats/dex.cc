// Dalvik executable: what Android runs. Little-endian, or all of it the other way round (not met in the field).
//
//   0  "dex\n", three digits, 0  8 Adler-32 of what follows  12 SHA-1 of what follows  32 size of the file
//   36 size of this header: 112  40 0x12345678
//
// Source: Android Open Source Project, Dalvik executable format.
#include "core/hash.h"
#include "unpack/format.h"

#include <zlib.h>

namespace assay::unpack::dex {
namespace {

constexpr Magic kMagics[] = {{"dex\n0"}};
constexpr uint32_t kLeast = 112, kOrder = 0x12345678;

Result<Measured> measure(Bytes from) {
  const auto stored = TRY(from.le<uint32_t>(8, "checksum"));
  const auto size = TRY(from.le<uint32_t>(32, "size of the file"));
  const auto header = TRY(from.le<uint32_t>(36, "size of the header"));
  const auto order = TRY(from.le<uint32_t>(40, "byte order"));
  if (order != kOrder || header < kLeast || size < header)
    return fail(Fault::kMalformed, "header of " + std::to_string(header) + " bytes", from.base() + 36);
  const Bytes covered = TRY(from.slice(12, size - 12, "file"));
  const auto sum = static_cast<uint32_t>(adler32_z(1, reinterpret_cast<const Bytef*>(covered.data()), covered.size()));
  if (!checksum_holds(sum, stored)) return fail(Fault::kMalformed, "checksum does not match", from.base() + 8);
  return Measured{size, true};
}

}  // namespace

extern const Format kDex;
const Format kDex = {.id = "dex",
                     .title = "Dalvik executable",
                     .magics = kMagics,
                     .measure = measure,
                     .carve = false,
                     .limits = "big-endian files; what it holds is not searched",
                     .source = "source.android.com, Dalvik executable format",
                     .checked = "own builder only"};

}  // namespace assay::unpack::dex
