// LZMA streams behind Qualcomm Atheros' own header, in firmware of power-line adapters. Little-endian.
//
//   0  literal context bits 3 (16 bits)  2 position bits 2 (16 bits)  4 dictionary size 0x1000  8 size packed
//   12 size  16 raw LZMA
//
// Source: onekey-sec/unblob handlers/compression/qca_lzma.py; qca/open-plc-utils.
#include "unpack/codecs.h"
#include "unpack/format.h"

namespace assay::unpack::qca_lzma {
namespace {

using std::string_view_literals::operator""sv;

constexpr Magic kMagics[] = {{"\x03\x00\x02\x00\x00\x10\x00\x00"sv}};
constexpr uint64_t kHeader = 16;

Result<Decoded> decode(Bytes from, Output& into) {
  const Bytes h = TRY(from.slice(0, kHeader, "header"));
  const uint32_t packed = *h.le<uint32_t>(8, ""), size = *h.le<uint32_t>(12, "");
  if (packed < 5 || size < packed) return fail(Fault::kForeign, "sizes", h.base() + 8);
  const Bytes data = TRY(from.slice(kHeader, packed, "stream"));
  const uint64_t used = TRY(decode_lzma_raw(data, {.lc = 3, .lp = 0, .pb = 2, .dictionary = 4096}, size, into));
  // A stream that ends before the stated size would hide what follows it.
  if (used != packed)
    return fail(Fault::kMalformed, "the stream has " + std::to_string(used) + " bytes, not the stated", h.base() + 8);
  return Decoded{kHeader + packed};
}

}  // namespace

extern const Format kQcaLzma;
const Format kQcaLzma = {.id = "qca-lzma",
                         .title = "LZMA stream of Qualcomm Atheros' power-line firmware",
                         .version = 2,
                         .magics = kMagics,
                         .decode = decode,
                         .reads = "the one set of properties that is known; the stream must fill the stated size",
                         .source = "onekey-sec/unblob handlers/compression/qca_lzma.py",
                         .checked = "own builder only, its stream by xz, with an end marker"};

}  // namespace assay::unpack::qca_lzma
