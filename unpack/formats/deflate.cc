// Raw DEFLATE (RFC 1951) without any wrapper: no magic, no length, no checksum. So it is tried only at the start of a
// part, and believed only where the stream ends exactly where the part does (padding aside) and unpacks to more than it
// takes: random bytes do neither.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

namespace assay::unpack::deflate {
namespace {

constexpr uint64_t kShortest = 64, kFirstLook = 4096;

Result<Decoded> decode(Bytes from, Output& into) {
  if (from.size() < kShortest) return fail(Fault::kForeign, "too short to be told from chance", from.base());
  if ((from[0] >> 1 & 3) == 3) return fail(Fault::kForeign, "block type 3 is reserved", from.base());
  if (!decodes(inflate_raw, from, kFirstLook)) return fail(Fault::kForeign, "does not decode", from.base());
  Trial trial;
  const uint64_t used = TRY(inflate_raw(from, trial));
  const Bytes rest = from.head(from.size(), used);
  if (used < kShortest || trial.written() < used + used / 4 || (!rest.empty() && !is_run(rest)))
    return fail(Fault::kForeign, "decodes, but not to the end of the part", from.base());
  TRY_VOID(inflate_raw(from, into));
  return Decoded{.length = used, .verified = false};
}

}  // namespace

extern const Format kDeflate;
const Format kDeflate = {.id = "deflate",
                         .title = "Raw DEFLATE stream",
                         .version = 1,
                         .decode = decode,
                         .carve = false,
                         .limits = "only a part that is one stream from its start to its end",
                         .source = "RFC 1951",
                         .checked = "own builder only: zlib"};

}  // namespace assay::unpack::deflate
