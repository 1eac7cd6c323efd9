// Edimax's images: a header of its own, and Realtek's older one that it uses for small devices.
//
//   eDiMaX   0 "eDiMaX" (16), model (32), force, sum of the header, sum of the data, size, start and end in flash,
//            version (14), type, name of the flash partition (16); 94: the data. The sums are sums of bytes with B9
//            xored in; the header's is taken while its own byte is 0. Big endian.
//   CSYS     0 "CSYS" or "RN67" and others, start, place in flash, model (4), size (with the checksum)
//            20 the data, 2 bytes that make its 16-bit words add up to 0. Either byte order.
//
// Source: openwrt/firmware-utils, src/edimax_fw_header.c and src/mkedimaximg.c.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::edimax {
namespace {

constexpr Magic kEdimaxMagics[] = {{std::string_view("eDiMaX\0\0", 8)}};
constexpr Magic kCsysMagics[] = {{"CSYS"}, {"RN67"}, {"WB4K"}, {"HS\0\0"}};
constexpr uint64_t kEdimaxHeader = 94, kCsysHeader = 20, kHeaderSum = 49, kDataSum = 50;

uint8_t sum_of(uint32_t bytes) { return static_cast<uint8_t>(bytes ^ 0xb9); }

Result<uint64_t> read_edimax(Bytes from) {
  const uint64_t size = TRY(from.be<uint32_t>(51, "data size"));
  TRY(from.slice(kEdimaxHeader, size, "data"));
  const uint8_t sum = sum_of(byte_sum(from.head(kEdimaxHeader)) - from[kHeaderSum]);
  if (size == 0 || !checksum_holds(sum, from[kHeaderSum]))
    return fail(Fault::kMalformed, "sum of the header does not match", from.base() + kHeaderSum);
  return size;
}

bool edimax_holds(Bytes from, uint64_t size) {
  return checksum_holds(sum_of(byte_sum(from.head(size, kEdimaxHeader))), from[kDataSum]);
}

Result<Measured> measure_edimax(Bytes from) {
  const uint64_t size = TRY(read_edimax(from));
  return Measured{kEdimaxHeader + size, edimax_holds(from, size)};
}

Result<void> unpack_edimax(Bytes whole, Sink& into) {
  const uint64_t size = TRY(read_edimax(whole));
  into.range(Range::kHeader, 0, kEdimaxHeader);
  note_text(whole, 16, 32, "model", into);
  note_text(whole, 63, 14, "version", into);
  note_text(whole, 78, 16, "flash partition", into);
  into.integrity(checksum("sum of the header", "sum8", true, kHeaderSum));
  state_checksum("sum of the data", "sum8", edimax_holds(whole, size), kDataSum, into);
  return into.child("image", stored(whole.head(size, kEdimaxHeader)));
}

// Whether words add up to 0 depends on their byte order. Both sums come of those of the bytes at even and odd places:
// data of many MiB begins at many a false start.
bool adds_up(Bytes bytes) {
  uint32_t even = 0, odd = 0;
  for (uint64_t i = 0; i + 1 < bytes.size(); i += 2) even += bytes[i], odd += bytes[i + 1];
  return checksum_holds(static_cast<uint16_t>((even << 8) + odd), uint16_t{0}) ||
         checksum_holds(static_cast<uint16_t>((odd << 8) + even), uint16_t{0});
}

Result<uint64_t> read_csys(Bytes from) {
  for (const Order order : {Order::kLittle, Order::kBig}) {
    const uint64_t size = TRY(from.get<uint32_t>(16, order, "size"));
    const auto data = from.slice(kCsysHeader, size, "data");
    if (!data || size < 4 || size % 2) continue;
    if (adds_up(*data)) return size;
  }
  return fail(Fault::kMalformed, "the words of the data do not add up to 0", from.base() + 16);
}

Result<Measured> measure_csys(Bytes from) { return Measured{kCsysHeader + TRY(read_csys(from)), true}; }

Result<void> unpack_csys(Bytes whole, Sink& into) {
  const uint64_t size = TRY(read_csys(whole));
  into.range(Range::kHeader, 0, kCsysHeader);
  note_text(whole, 12, 4, "model", into);
  into.integrity(checksum("sum of the words", "sum16", true, kCsysHeader + size - 2));
  return into.child("image", stored(whole.head(size, kCsysHeader)));
}

}  // namespace

extern const Format kCsys;
const Format kCsys = {.id = "csys",
                      .title = "CSYS image (Realtek, Edimax)",
                      .magics = kCsysMagics,
                      .measure = measure_csys,
                      .unpack = unpack_csys,
                      .source = "openwrt/firmware-utils src/mkedimaximg.c",
                      .checked = "output of openwrt's mkedimaximg; own builder in the tests"};

extern const Format kEdimax;
const Format kEdimax = {.id = "edimax",
                        .title = "Edimax firmware image",
                        .magics = kEdimaxMagics,
                        .measure = measure_edimax,
                        .unpack = unpack_edimax,
                        .source = "openwrt/firmware-utils src/edimax_fw_header.c",
                        .checked = "output of openwrt's edimax_fw_header; own builder in the tests"};

}  // namespace assay::unpack::edimax
