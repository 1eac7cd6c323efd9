// The header of GrainMedia GM8126 images in serial flash.
//
//   0    80 5A 'G' 'M'
//   4    checksum (mostly 0), 8: length of the image, 16: its name (64); big endian
//   256  the image
//
// Source: fkie-cad/fact_extractor, plugins/unpacking/grain_media/code/gm8126.py; firmware-magic-database.
#include "unpack/vendor.h"

namespace assay::unpack::gm8126 {
namespace {

constexpr Magic kMagics[] = {{"\x80\x5aGM"}};
constexpr uint64_t kHeader = 256;

Result<uint64_t> read_size(Bytes from) {
  const uint64_t size = TRY(from.be<uint32_t>(8, "image length"));
  if (size == 0) return fail(Fault::kMalformed, "image length is 0", from.base() + 8);
  TRY(from.slice(kHeader, size, "image"));
  return size;
}

Result<Measured> measure(Bytes from) { return Measured{kHeader + TRY(read_size(from)), false}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const uint64_t size = TRY(read_size(whole));
  into.range(Range::kHeader, 0, kHeader);
  note_text(whole, 16, 64, "name", into);
  if (const auto stored_sum = whole.be<uint32_t>(4, "checksum"); stored_sum && *stored_sum)
    into.integrity({.kind = "checksum",
                    .name = "image checksum",
                    .algorithm = "unknown",
                    .state = "not-checkable",
                    .detail = "what it is taken over is not documented",
                    .offset = 4});
  return into.child("image", stored(whole.head(size, kHeader)));
}

}  // namespace

extern const Format kGm8126;
const Format kGm8126 = {.id = "gm8126",
                        .title = "GrainMedia GM8126 flash image",
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .limits = "the checksum, where it is not 0, is not checked",
                        .source = "fact_extractor gm8126.py; firmware-magic-database",
                        .checked = "the sample of fact_extractor; own builder in the tests"};

}  // namespace assay::unpack::gm8126
