// GIF: "GIF87a" or "GIF89a", screen descriptor, colour table, then blocks: extensions (0x21) and pictures (0x2c), whose
// data are sub-blocks that carry their length and end with an empty one; 0x3b ends the file.
// Source: CompuServe, Graphics Interchange Format, version 89a.
#include "unpack/format.h"

namespace assay::unpack::gif {
namespace {

constexpr Magic kMagics[] = {{"GIF87a"}, {"GIF89a"}};
constexpr uint8_t kExtension = 0x21, kPicture = 0x2c, kEnd = 0x3b;

uint64_t colour_table(uint8_t flags) { return flags & 0x80 ? uint64_t{3} << ((flags & 7) + 1) : 0; }

Result<uint64_t> skip_sub_blocks(Bytes b, uint64_t at) {
  while (const auto length = TRY(b.le<uint8_t>(at, "sub-block"))) at += 1 + length;
  return at + 1;
}

Result<Measured> measure(Bytes from) {
  uint64_t at = 13 + colour_table(TRY(from.le<uint8_t>(10, "screen descriptor")));
  for (bool picture = false;;) {
    const auto type = TRY(from.le<uint8_t>(at, "block"));
    if (type == kEnd && picture) return Measured{at + 1, true};
    if (type == kExtension) {
      at = TRY(skip_sub_blocks(from, at + 2));
    } else if (type == kPicture) {
      picture = true;
      at += 10 + colour_table(TRY(from.le<uint8_t>(at + 9, "picture descriptor")));
      at = TRY(skip_sub_blocks(from, at + 1));
    } else {
      return fail(Fault::kMalformed, "block type " + std::to_string(type), from.base() + at);
    }
  }
}

}  // namespace

extern const Format kGif;
const Format kGif = {.id = "gif",
                     .title = "GIF picture",
                     .magics = kMagics,
                     .measure = measure,
                     .source = "Graphics Interchange Format, version 89a",
                     .checked = "own builder only"};

}  // namespace assay::unpack::gif
