// TRX, the image format of Broadcom-based home routers.
//
//   0   "HDR0"
//   4   length of the whole image, header included
//   8   CRC-32 without the final inversion, of everything from byte 12
//   12  flags (16 bits), version (16 bits): 1 or 2
//   16  offsets of the partitions, 0 if absent: three in version 1, four in version 2
//
// Partitions have no length: each ends where the next begins. Version 2 keeps 32 bytes of header.
// Source: openwrt/firmware-utils, src/trx.c; Linux, drivers/mtd/parsers/parser_trx.c.
#include "core/hash.h"
#include "unpack/format.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr Magic kMagics[] = {{"HDR0"}};

struct Header {
  uint32_t length = 0, crc = 0, size = 0;
  uint16_t version = 0;
  std::vector<uint32_t> partitions;
};

Result<Header> read_header(Bytes b) {
  Header h;
  h.length = TRY(b.le<uint32_t>(4, "length"));
  h.crc = TRY(b.le<uint32_t>(8, "crc32"));
  h.version = TRY(b.le<uint16_t>(14, "version"));
  if (h.version != 1 && h.version != 2)
    return fail(Fault::kUnsupported, "version " + std::to_string(h.version), b.base() + 14);
  h.size = h.version == 1 ? 28 : 32;
  for (uint32_t i = 0; i < 2u + h.version; ++i)
    if (const auto at = TRY(b.le<uint32_t>(16 + 4 * i, "partition offset"))) h.partitions.push_back(at);
  std::ranges::sort(h.partitions);
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  if (h.length < h.size) return fail(Fault::kMalformed, "length is below the header's size", from.base() + 4);
  const Bytes body = TRY(from.slice(12, h.length - 12, "image"));
  if (!checksum_holds(crc32_raw(body), h.crc)) return fail(Fault::kMalformed, "crc32 does not match", from.base() + 8);
  for (const uint32_t at : h.partitions)
    if (at < h.size || at > h.length)
      return fail(Fault::kMalformed, "partition offset " + std::to_string(at) + " is outside the image",
                  from.base() + 16);
  return Measured{h.length, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, h.size);
  into.note("version", std::to_string(h.version), 14);
  h.partitions.push_back(h.length);
  for (size_t i = 0; i + 1 < h.partitions.size(); ++i) {
    const uint64_t from = h.partitions[i], to = h.partitions[i + 1];
    TRY_VOID(into.child("part" + std::to_string(i), stored(TRY(whole.slice(from, to - from, "partition")))));
  }
  return {};
}

}  // namespace

extern const Format kTrx;
const Format kTrx = {.id = "trx",
                     .title = "Broadcom TRX firmware image",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "versions 1 and 2",
                     .source = "openwrt/firmware-utils src/trx.c; Linux drivers/mtd/parsers/parser_trx.c",
                     .checked = "real images: shared/firmware (Linksys and OpenWrt WRT54G)"};

}  // namespace assay::unpack
