// What Linux kernels carry inside: the banner that names them, a compressed kernel behind a decompressor, the
// configuration (CONFIG_IKCONFIG) and the built-in initramfs. Used by the formats of kernel images.
#pragma once
#include "unpack/format.h"

#include <optional>

namespace assay::unpack {

struct KernelBanner {
  uint64_t offset = 0;
  std::string text;  // "Linux version 5.4.72 (…) #2 …", without the end of line
};

// linux_banner as the kernel holds it: a line, then a NUL. A printed log has no NUL behind the line.
std::optional<KernelBanner> find_kernel_banner(Bytes kernel);

struct KernelPayload {
  const Format* format = nullptr;  // the stream it is compressed with
  uint64_t at = 0, length = 0;     // of the stream
  uint64_t size = 0;               // decoded
  bool size_confirmed = false;     // the build appends the decoded size (32 bits), and it agrees
};

// The first stream from `from` on that decodes to a kernel: to one with a banner, or of the size stated behind it.
std::optional<KernelPayload> find_kernel_payload(Bytes whole, uint64_t from, Order order);

// The stream that starts at `at`, if there is one of a kind kernels are compressed with.
std::optional<KernelPayload> kernel_payload_at(Bytes whole, uint64_t at, Order order);

// Decodes the payload and hands it over as the child `name`. `inner`: whether the configuration and the initramfs in
// it are handed over too, because no format will look for them in it (a vmlinux is an ELF file).
Result<void> put_kernel_payload(Bytes whole, const KernelPayload& payload, std::string_view name, bool inner,
                                Sink& into);

// Notes the banner and hands over "ikconfig" and "initramfs" of a kernel that is not compressed.
Result<void> put_kernel_parts(Bytes kernel, Sink& into);

}  // namespace assay::unpack
