// Gemtek's images (Linksys WRT100, Airlink, Asante).
//
//   0   "GMTK" or "A600", version (4), product, size of all, CRC-32 of all while both checksums are 0, second checksum,
//       build (4), language (4)
//   32  the image
//
// Numbers are little endian. Source: openwrt/firmware-utils, src/mkheader_gemtek.c.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::gemtek {
namespace {

constexpr Magic kMagics[] = {{"GMTK"}, {"A600"}};
constexpr uint64_t kHeader = 32, kSums = 16;

Result<uint64_t> read_size(Bytes from) {
  const uint64_t size = TRY(from.le<uint32_t>(12, "size"));
  if (size <= kHeader) return fail(Fault::kMalformed, "size", from.base() + 12);
  TRY(from.slice(0, size, "image"));
  return size;
}

bool crc_holds(Bytes from, uint64_t size) {
  const uint32_t front = crc32(from.head(kSums));
  const uint32_t sums = crc32(Bytes(std::string_view("\0\0\0\0\0\0\0\0", 8)), front);
  const auto stored_crc = from.le<uint32_t>(kSums, "crc32");
  return stored_crc && checksum_holds(crc32(from.head(size - 24, 24), sums), *stored_crc);
}

Result<Measured> measure(Bytes from) {
  const uint64_t size = TRY(read_size(from));
  if (!crc_holds(from, size)) return fail(Fault::kMalformed, "crc32 does not match", from.base() + kSums);
  return Measured{size, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const uint64_t size = TRY(read_size(whole));
  into.range(Range::kHeader, 0, kHeader);
  note_text(whole, 4, 4, "version", into);
  into.note("product", hex_number(TRY(whole.le<uint32_t>(8, "product"))), 8);
  state_checksum("crc32", "crc32", crc_holds(whole, size), kSums, into);
  return into.child("image", stored(whole.head(size - kHeader, kHeader)));
}

}  // namespace

extern const Format kGemtek;
const Format kGemtek = {.id = "gemtek",
                        .title = "Gemtek firmware image",
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .limits = "the second (\"fast\") checksum is not checked",
                        .source = "openwrt/firmware-utils src/mkheader_gemtek.c",
                        .checked = "output of openwrt's mkheader_gemtek; own builder in the tests"};

}  // namespace assay::unpack::gemtek
