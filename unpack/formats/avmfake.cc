// A file system of AVM's (FRITZ!Box) behind 256 bytes that pass for a SquashFS: the magic "sqsh", then zeros. Behind
// them stands an ext2 file system.
// Source: fact_extractor plugins/unpacking/avm_sqfs_fake and its sample.
#include "unpack/format.h"

namespace assay::unpack::avmfake {
namespace {

constexpr Magic kMagics[] = {{"sqsh"}};
constexpr uint64_t kHeader = 256;

Result<Measured> measure(Bytes from) {
  const Bytes rest = TRY(from.slice(4, kHeader - 4, "header"));
  if (rest[0] != 0 || !is_run(rest)) return fail(Fault::kForeign, "no header of zeros", rest.base());
  if (from.size() == kHeader) return fail(Fault::kTruncated, "nothing behind the header", from.base() + kHeader);
  return Measured{from.size(), false};
}

Result<void> unpack(Bytes whole, Sink& into) {
  into.range(Range::kHeader, 0, kHeader);
  return into.child("data", stored(TRY(whole.from(kHeader, "data"))));
}

}  // namespace

extern const Format kAvmFake;
const Format kAvmFake = {.id = "avmfake",
                         .title = "AVM file system behind a false SquashFS header",
                         .version = 1,
                         .magics = kMagics,
                         .measure = measure,
                         .unpack = unpack,
                         .carve = false,
                         .source = "fact_extractor plugins/unpacking/avm_sqfs_fake",
                         .checked = "real image: sample of fact_extractor"};

}  // namespace assay::unpack::avmfake
