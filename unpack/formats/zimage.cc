// zImage, the self-decompressing kernel of 32-bit ARM, in either byte order.
//
//   0     eight times "mov r0, r0", or the header of an EFI stub
//   0x24  0x016F2818 in the order of the kernel; big-endian ones also hold 0x04030201 at 0x30
//   0x28  start address, 0 where it may lie anywhere
//   0x2c  end address: the difference is the length
//
// The decompressor is code of its own; behind or inside it lies the compressed kernel, which nothing points to. Every
// stream inside is tried; one counts when what it decodes to has a kernel's banner, or the size stated behind it.
// Source: Linux, arch/arm/boot/compressed/head.S and vmlinux.lds.S.
#include "unpack/format.h"
#include "unpack/linux_kernel.h"

namespace assay::unpack::zimage {
namespace {

constexpr Magic kMagics[] = {{std::string_view("\x18\x28\x6f\x01", 4), 0x24},
                             {std::string_view("\x01\x6f\x28\x18", 4), 0x24}};
constexpr uint64_t kHeader = 0x30, kSmallest = 4096;

struct Header {
  Order order = Order::kLittle;
  uint32_t start = 0, end = 0;
};

Result<Header> read_header(Bytes b) {
  Header h;
  if (b.starts_with(kMagics[1].bytes, 0x24))
    h.order = Order::kBig;
  else if (!b.starts_with(kMagics[0].bytes, 0x24))
    return fail(Fault::kMalformed, "magic does not match", b.base() + 0x24);
  h.start = TRY(b.get<uint32_t>(0x28, h.order, "start address"));
  h.end = TRY(b.get<uint32_t>(0x2c, h.order, "end address"));
  if (h.end < h.start || h.end - h.start < kSmallest)
    return fail(Fault::kMalformed, "end address " + std::to_string(h.end), b.base() + 0x2c);
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  const Bytes whole = TRY(from.slice(0, h.end - h.start, "image"));
  return Measured{whole.size(), find_kernel_payload(whole, kHeader, h.order).has_value()};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0x24, kHeader - 0x24);
  into.note("byte order", h.order == Order::kBig ? "big" : "little", 0x24);
  into.note("start address", std::to_string(h.start), 0x28);
  const auto payload = find_kernel_payload(whole, kHeader, h.order);
  if (!payload) return fail(Fault::kUnsupported, "no stream inside decodes to a kernel", kHeader);
  TRY_VOID(into.child("decompressor", stored(whole.head(payload->at - kHeader, kHeader))));
  return put_kernel_payload(whole, *payload, "kernel", false, into);
}

}  // namespace

extern const Format kZimage;
const Format kZimage = {.id = "zimage",
                        .title = "Linux zImage (ARM)",
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .reads = "payload of every kernel codec",
                        .source = "Linux arch/arm/boot/compressed/head.S",
                        .checked = "own builder only: payloads packed by gzip, xz, lzma, lz4, lzop"};

}  // namespace assay::unpack::zimage
