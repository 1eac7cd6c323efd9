// TRX, the image format of Broadcom-based home routers.
//
//   0   "HDR0"
//   4   length of the whole image, header included
//   8   CRC-32 without the final inversion, of everything from byte 12
//   12  flags (16 bits), version (16 bits): 1 or 2
//   16  offsets of the partitions, 0 if absent: three in version 1, four in version 2
//
// Partitions have no length: each ends where the next begins. Version 2 keeps 32 bytes of header.
// ASUS writes its own tail over the last 64 bytes: version (4), product (12), 48 bytes of zeros.
// Source: openwrt/firmware-utils, src/trx.c, src/asustrx.c; Linux, drivers/mtd/parsers/parser_trx.c.
#include "core/hash.h"
#include "unpack/format.h"

#include <algorithm>

namespace assay::unpack::trx {
namespace {

constexpr Magic kMagics[] = {{"HDR0"}};
constexpr uint64_t kTail = 64;

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

// Nothing but its shape tells the tail: a product's name of capitals and digits, and zeros on both sides of it.
bool has_tail(Bytes tail) {
  const std::string_view product = tail.head(12, 4).text();
  const size_t length = std::min(product.find('\0'), product.size());
  const auto in_name = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return tail.size() == kTail && length >= 4 && std::ranges::all_of(product.substr(0, length), in_name) &&
         std::ranges::all_of(product.substr(length), [](char c) { return c == '\0'; }) && tail[16] == 0 &&
         is_run(tail.head(48, 16));
}

void state_tail(Bytes tail, uint64_t at, Sink& into) {
  std::string version = std::to_string(tail[0]);
  for (uint64_t i = 1; i < 4; ++i) version += "." + std::to_string(tail[i]);
  into.note("product", *tail.text_field(4, 12, ""), at + 4);
  into.note("product version", version, at);
  into.range(Range::kHeader, at, kTail);
}

Result<void> unpack(Bytes whole, Sink& into) {
  Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, h.size);
  into.note("version", std::to_string(h.version), 14);
  const Bytes tail = whole.head(kTail, h.length - kTail);
  const bool tailed = !h.partitions.empty() && h.length >= h.partitions.back() + kTail && has_tail(tail);
  if (tailed) state_tail(tail, h.length - kTail, into);
  h.partitions.push_back(tailed ? h.length - kTail : h.length);
  for (size_t i = 0; i + 1 < h.partitions.size(); ++i) {
    const uint64_t from = h.partitions[i], to = h.partitions[i + 1];
    TRY_VOID(into.child("part" + std::to_string(i), stored(TRY(whole.slice(from, to - from, "partition")))));
  }
  return {};
}

}  // namespace

extern const Format kTrx;
const Format kTrx = {
    .id = "trx",
    .title = "Broadcom TRX firmware image",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "versions 1 and 2; the CRC-32; the tail of ASUS, told by its shape: a product's name of capitals and digits "
        "between zeros",
    .limits = "flags; a tail whose name is written otherwise stays at the end of the last part",
    .source = "openwrt/firmware-utils src/trx.c, src/asustrx.c; Linux drivers/mtd/parsers/parser_trx.c",
    .checked =
        "real images: shared/firmware (Linksys and OpenWrt WRT54G); own builder for version 2 and the tail of ASUS"};

}  // namespace assay::unpack::trx
