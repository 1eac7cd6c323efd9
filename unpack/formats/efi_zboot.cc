// EFI zboot, the self-decompressing kernel of arm64, RISC-V and LoongArch: a PE program around a compressed image.
//
//   0   "MZ" 00 00 "zimg"
//   8   payload offset, payload size (32 bits each, little-endian); the size counts the decoded size appended to it
//   24  name of the compression, NUL-terminated
//   60  where the PE header is: its section table says how long the file is
//
// Source: Linux, drivers/firmware/efi/libstub/zboot-header.S.
#include "unpack/format.h"
#include "unpack/linux_kernel.h"

#include <algorithm>

namespace assay::unpack::efi_zboot {
namespace {

constexpr std::string_view kStart("MZ\0\0zimg", 8);
constexpr Magic kMagics[] = {{kStart}};
constexpr uint64_t kHeader = 64;

struct Header {
  uint64_t payload = 0, payload_size = 0;
  std::string compression;
};

Result<Header> read_header(Bytes b) {
  if (!b.starts_with(kStart)) return fail(Fault::kMalformed, "magic does not match", b.base());
  Header h;
  h.payload = TRY(b.le<uint32_t>(8, "payload offset"));
  h.payload_size = TRY(b.le<uint32_t>(12, "payload size"));
  h.compression = TRY(b.text_field(24, 32, "compression"));
  TRY(b.slice(h.payload, h.payload_size, "payload"));
  return h;
}

// The end of the last section of the PE file.
Result<uint64_t> end_of_sections(Bytes b) {
  constexpr uint64_t kSection = 40;
  const uint64_t pe = TRY(b.le<uint32_t>(60, "PE offset"));
  if (!b.starts_with(std::string_view("PE\0\0", 4), pe)) return fail(Fault::kMalformed, "no PE header", b.base() + pe);
  const auto count = TRY(b.le<uint16_t>(pe + 6, "sections"));
  const uint64_t table = pe + 24 + TRY(b.le<uint16_t>(pe + 20, "optional header size"));
  uint64_t end = table + kSection * count;
  for (uint64_t at = table; at < table + kSection * count; at += kSection) {
    const uint64_t size = TRY(b.le<uint32_t>(at + 16, "section size"));
    if (size != 0) end = std::max(end, size + TRY(b.le<uint32_t>(at + 20, "section offset")));
  }
  return end;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  const uint64_t end = std::max(h.payload + h.payload_size, TRY(end_of_sections(from)));
  const Bytes whole = TRY(from.slice(0, end, "image"));
  return Measured{end, kernel_payload_at(whole, h.payload, Order::kLittle).has_value()};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, kHeader);
  into.note("compression stated", h.compression, 24);
  const auto payload = kernel_payload_at(whole, h.payload, Order::kLittle);
  if (!payload) return fail(Fault::kUnsupported, "the payload does not decode to a kernel", h.payload);
  return put_kernel_payload(whole, *payload, "kernel", false, into);
}

}  // namespace

extern const Format kEfiZboot;
const Format kEfiZboot = {.id = "efi-zboot",
                          .title = "Linux EFI zboot image",
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .reads = "payload of gzip, LZ4, LZMA, LZO, XZ and zstd",
                          .source = "Linux drivers/firmware/efi/libstub/zboot-header.S",
                          .checked = "own builder only"};

}  // namespace assay::unpack::efi_zboot
