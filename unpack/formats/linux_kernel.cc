// A Linux kernel as the processor runs it: decompressed, without a header ("linux-kernel"), or with the 64-byte header
// of arm64 and RISC-V ("linux-image").
//
//   Without a header only the banner tells: "Linux version x.y.z (…) …", end of line, NUL. Where the content also
//   holds another large structure that checks out (a file system), it is an image with a kernel in it, not a kernel.
//
//   With one:  8 offset from the start of memory, 16 size in memory (bss included), 24 flags,
//              56 "ARM\x64" or "RSC\x05"
//
// Source: Linux, init/version.c; Documentation/arch/arm64/booting.rst, Documentation/arch/riscv/boot-image-header.rst.
#include "unpack/linux_kernel.h"
#include "core/text.h"
#include "unpack/format.h"
#include "unpack/scan.h"

#include <algorithm>

namespace assay::unpack::linux_kernel {
namespace {

constexpr Magic kMagics[] = {{"ARM\x64", 56}, {"RSC\x05", 56}};
constexpr uint64_t kSmallest = 256 << 10, kLargest = 128 << 20, kLargePart = 64 << 10;

// An initramfs belongs into a kernel; a file system or firmware container does not.
bool holds_another_structure(Bytes content) {
  static const Scanner containers([](const Format& f) { return f.unpack && f.id != "cpio"; });
  return std::ranges::any_of(containers.find(content), [&](const Hit& hit) {
    const Bytes from = content.head(content.size(), hit.start);
    const auto measured = hit.format->measure(from);
    return measured && measured->verified && measured->length >= kLargePart && measured->length <= from.size();
  });
}

Result<Measured> measure_bare(Bytes from) {
  if (from.size() < kSmallest) return fail(Fault::kMalformed, "too small for a kernel", from.base());
  if (from.size() > kLargest) return fail(Fault::kForeign, "too large for a kernel", from.base());
  if (from.starts_with("\x7f"
                       "ELF"))
    return fail(Fault::kMalformed, "an ELF file, not a bare kernel", from.base());
  if (!find_kernel_banner(from)) return fail(Fault::kMalformed, "no banner", from.base());
  if (holds_another_structure(from)) return fail(Fault::kMalformed, "an image with a kernel in it", from.base());
  return Measured{from.size(), false};
}

Result<void> unpack_bare(Bytes whole, Sink& into) {
  TRY_VOID(put_kernel_parts(whole, into));
  into.range(Range::kContent, 0, whole.size());
  return {};
}

Result<Measured> measure_image(Bytes from) {
  if (!from.starts_with("ARM\x64", 56) && !from.starts_with("RSC\x05", 56))
    return fail(Fault::kMalformed, "magic does not match", from.base() + 56);
  const auto size = TRY(from.le<uint64_t>(16, "image size"));
  if (size != 0 && size < kSmallest)
    return fail(Fault::kMalformed, "image size " + std::to_string(size), from.base() + 16);
  const bool banner = find_kernel_banner(from.head(size == 0 ? from.size() : size)).has_value();
  return Measured{size == 0 ? from.size() : std::min(size, from.size()), banner};
}

Result<void> unpack_image(Bytes whole, Sink& into) {
  constexpr uint64_t kHeader = 64;
  into.note("load offset", std::to_string(TRY(whole.le<uint64_t>(8, "text offset"))), 8);
  into.note("size in memory", std::to_string(TRY(whole.le<uint64_t>(16, "image size"))), 16);
  into.note("flags", std::to_string(TRY(whole.le<uint64_t>(24, "flags"))), 24);
  TRY_VOID(put_kernel_parts(whole, into));
  into.range(Range::kContent, kHeader, whole.size() - kHeader);
  into.range(Range::kHeader, 0, kHeader);
  return {};
}

}  // namespace

extern const Format kLinuxKernel;
const Format kLinuxKernel = {
    .id = "linux-kernel",
    .title = "Linux kernel, bare",
    .version = 2,
    .measure = measure_bare,
    .unpack = unpack_bare,
    .readable = true,
    .carve = false,
    .reads = "banner, IKCONFIG, built-in initramfs of every codec",
    .limits = "128 MiB at most; where the kernel ends is not known: it is taken to fill its part",
    .source = "Linux init/version.c",
    .checked = "foreign tool: cpio, gzip, xz, lzma and lz4 inside a made kernel; real images: shared/firmware"};

extern const Format kLinuxImage;
const Format kLinuxImage = {
    .id = "linux-image",
    .title = "Linux kernel image (arm64, RISC-V)",
    .magics = kMagics,
    .measure = measure_image,
    .unpack = unpack_image,
    .readable = true,
    .carve = false,
    .reads = "arm64 and RISC-V headers",
    .limits = "the size in memory bounds it; where less is stored, it is taken to fill its part",
    .source = "Linux Documentation/arch/arm64/booting.rst",
    .checked = "own builder only"};

}  // namespace assay::unpack::linux_kernel
