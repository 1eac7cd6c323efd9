// Assemblies of .NET as Xamarin packs them into Android packages: one LZ4 block. Little-endian.
//
//   0 "XALZ"  4 number of the assembly  8 bytes decompressed  12 the block, up to the file's end
//
// Source: Xamarin.Android, src/Xamarin.Android.Build.Tasks/Utilities/AssemblyCompression.cs.
#include "unpack/codecs.h"
#include "unpack/format.h"

namespace assay::unpack::xalz {
namespace {

constexpr Magic kMagics[] = {{"XALZ"}};
constexpr uint64_t kHead = 12, kMost = 256 << 20;

Result<Decoded> decode(Bytes from, Output& into) {
  if (!from.starts_with(kMagics[0].bytes)) return fail(Fault::kForeign, "magic", from.base());
  const uint64_t size = TRY(from.le<uint32_t>(8, "size"));
  if (size == 0 || size > kMost) return fail(Fault::kMalformed, "size " + std::to_string(size), from.base() + 8);
  const uint64_t before = into.written();
  TRY_VOID(decode_lz4_block(TRY(from.from(kHead, "block")), size, into));
  if (into.written() - before != size)
    return fail(Fault::kMalformed,
                "block of " + std::to_string(into.written() - before) + " bytes, not " + std::to_string(size),
                from.base() + 8);
  return Decoded{.length = from.size()};
}

}  // namespace

extern const Format kXalz;
const Format kXalz = {.id = "xalz",
                      .title = "Xamarin compressed assembly",
                      .magics = kMagics,
                      .decode = decode,
                      .carve = false,
                      .source = "Xamarin.Android, AssemblyCompression.cs",
                      .checked = "own builder, with liblz4"};

}  // namespace assay::unpack::xalz
