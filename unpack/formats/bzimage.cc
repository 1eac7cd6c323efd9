// bzImage, the self-decompressing kernel of x86: a real-mode part of 512-byte sectors, then the protected-mode part,
// which holds the compressed vmlinux, its decoded size (32 bits), and at the very end a CRC-32 of all before it.
//
//   0x1f1  sectors of setup (0 means 4)         0x1fe  0xaa55
//   0x1f4  protected-mode part in 16 bytes      0x202  "HdrS", 0x206 protocol version
//   0x20e  where the version text is, less 512  0x248  payload: offset in the protected-mode part, length (from 2.08)
//
// Source: Linux, Documentation/arch/x86/boot.rst; arch/x86/boot/tools/build.c.
#include "core/hash.h"
#include "unpack/format.h"
#include "unpack/linux_kernel.h"

#include <algorithm>

namespace assay::unpack::bzimage {
namespace {

constexpr Magic kMagics[] = {{"HdrS", 0x202}};
constexpr uint64_t kSector = 512;
constexpr uint16_t kWithPayload = 0x208;

struct Header {
  uint64_t setup = 0, length = 0;  // of the setup part, of everything
  uint64_t payload = 0, payload_length = 0;
  uint16_t protocol = 0, version_text = 0;
};

Result<Header> read_header(Bytes b) {
  if (!b.starts_with("HdrS", 0x202)) return fail(Fault::kMalformed, "magic does not match", b.base() + 0x202);
  if (TRY(b.le<uint16_t>(0x1fe, "boot flag")) != 0xaa55) return fail(Fault::kMalformed, "boot flag", b.base() + 0x1fe);
  Header h;
  const auto sectors = TRY(b.le<uint8_t>(0x1f1, "setup sectors"));
  h.setup = kSector * (1 + (sectors == 0 ? 4 : sectors));
  h.length = h.setup + 16 * uint64_t{TRY(b.le<uint32_t>(0x1f4, "system size"))};
  h.protocol = TRY(b.le<uint16_t>(0x206, "protocol version"));
  h.version_text = TRY(b.le<uint16_t>(0x20e, "kernel version"));
  if (h.protocol < 0x200 || h.protocol > 0x2ff)
    return fail(Fault::kUnsupported, "protocol version " + std::to_string(h.protocol), b.base() + 0x206);
  if (h.protocol < kWithPayload) return h;
  h.payload = h.setup + TRY(b.le<uint32_t>(0x248, "payload offset"));
  h.payload_length = TRY(b.le<uint32_t>(0x24c, "payload length"));
  if (h.payload > h.length || h.payload_length > h.length - h.payload)
    return fail(Fault::kMalformed, "payload lies outside the image", b.base() + 0x248);
  return h;
}

bool sum_holds(Bytes whole) {
  const auto stored = whole.le<uint32_t>(whole.size() - 4, "crc32");
  return stored && checksum_holds(crc32_raw(whole.head(whole.size() - 4)), *stored);
}

std::optional<KernelPayload> payload_of(Bytes whole, const Header& h) {
  if (h.protocol < kWithPayload) return find_kernel_payload(whole, h.setup, Order::kLittle);
  return kernel_payload_at(whole.head(h.payload + h.payload_length), h.payload, Order::kLittle);
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  const Bytes whole = TRY(from.slice(0, h.length, "image"));
  return Measured{h.length, sum_holds(whole) || payload_of(whole, h).has_value()};
}

// Code that runs before the kernel does.
Result<void> put_code(Bytes whole, std::string_view name, uint64_t from, uint64_t to, Sink& into) {
  if (from >= to) return {};
  return into.child(name, stored(TRY(whole.slice(from, to - from, name))));
}

Result<void> unpack(Bytes whole, Sink& into) {
  constexpr uint64_t kHeaderStart = 0x1f1, kLongestVersion = 256;
  const Header h = TRY(read_header(whole));
  const uint64_t header_end = 0x202 + uint64_t{TRY(whole.le<uint8_t>(0x201, "header length"))};
  into.range(Range::kHeader, kHeaderStart, header_end - kHeaderStart);
  into.note("boot protocol", std::to_string(h.protocol >> 8) + "." + std::to_string(h.protocol & 0xff), 0x206);
  if (h.version_text != 0)
    into.note("kernel version", TRY(whole.text_field(h.version_text + kSector, kLongestVersion, "version text")),
              h.version_text + kSector);
  const bool summed = sum_holds(whole);
  if (summed) {
    into.note("crc32 verified", "yes", whole.size() - 4);
    into.range(Range::kHeader, whole.size() - 4, 4);
  }
  TRY_VOID(put_code(whole, "setup", header_end, h.setup, into));
  const auto payload = payload_of(whole, h);
  if (!payload) return fail(Fault::kUnsupported, "the payload does not decode to a kernel", h.payload);
  TRY_VOID(put_code(whole, "startup", h.setup, payload->at, into));
  TRY_VOID(put_kernel_payload(whole, *payload, "vmlinux", true, into));
  const uint64_t code = std::max(h.payload + h.payload_length, payload->at + payload->length);
  return put_code(whole, "decompressor", code, whole.size() - (summed ? 4 : 0), into);
}

}  // namespace

extern const Format kBzimage;
const Format kBzimage = {
    .id = "bzimage",
    .title = "Linux bzImage (x86)",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "setup code, protocol 2.08 and later, payload of every kernel codec, check sum",
    .source = "Linux Documentation/arch/x86/boot.rst",
    .checked = "real images: kernels of other projects' samples (gzip, bzip2, LZ4, LZO); own builder for the rest"};

}  // namespace assay::unpack::bzimage
