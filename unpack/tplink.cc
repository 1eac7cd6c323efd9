// See tplink.h.
#include "unpack/tplink.h"

#include "core/hash.h"
#include "unpack/remember.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr uint64_t kHeaderSize = 512;
constexpr uint64_t kSameStart = 16;  // bytes in which the second header starts like the first

struct Header {
  uint64_t length = 0, kernel = 0, kernel_size = 0, rootfs = 0, rootfs_size = 0, boot_size = 0;
  std::array<uint8_t, 16> md5{};
  bool has_md5 = false;
  uint64_t kernel_end() const { return kernel + kernel_size; }
  uint64_t rootfs_end() const { return rootfs + rootfs_size; }
};

Result<Header> read_header(Bytes b, const TplinkLayout& layout) {
  TRY(b.slice(0, kHeaderSize, "header"));
  if (TRY(b.be<uint32_t>(0, "version")) != layout.version_word)
    return fail(Fault::kMalformed, "header version", b.base());
  Header h;
  h.length = TRY(b.be<uint32_t>(layout.length, "length"));
  h.kernel = TRY(b.be<uint32_t>(layout.kernel, "kernel offset"));
  h.kernel_size = TRY(b.be<uint32_t>(layout.kernel + 4, "kernel length"));
  h.rootfs = TRY(b.be<uint32_t>(layout.kernel + 8, "rootfs offset"));
  h.rootfs_size = TRY(b.be<uint32_t>(layout.kernel + 12, "rootfs length"));
  h.boot_size = TRY(b.be<uint32_t>(layout.boot + 4, "boot loader length"));
  std::memcpy(h.md5.data(), b.data() + layout.md5, h.md5.size());
  h.has_md5 = std::ranges::any_of(h.md5, [](uint8_t byte) { return byte != 0; });
  return h;
}

// Where the second header of an image with a boot loader lies: it starts with the same bytes as the first.
std::optional<uint64_t> second_header(Bytes b, const Header& h) {
  if (h.boot_size == 0 || h.boot_size > b.size() - kHeaderSize) return std::nullopt;
  const std::string_view text = b.text();
  const size_t at = text.find(text.substr(0, kSameStart), kHeaderSize + h.boot_size);
  if (at == text.npos || b.size() - at < kHeaderSize) return std::nullopt;
  return at;
}

// Offsets and lengths that contradict one another or the size. The parts lie behind their header, kernel first.
Result<void> check(Bytes b, const Header& h, const TplinkLayout& layout) {
  if (h.length < kHeaderSize)
    return fail(Fault::kMalformed, "length is below the header's size", b.base() + layout.length);
  if (h.kernel < kHeaderSize || h.kernel_size == 0)
    return fail(Fault::kMalformed, "kernel offset or length", b.base() + layout.kernel);
  if (h.kernel_end() > b.size() || h.rootfs_end() > std::max(h.length, b.size()))
    return fail(Fault::kTruncated, "kernel or rootfs runs past the end", b.base() + layout.kernel);
  if (h.boot_size > b.size() - kHeaderSize)
    return fail(Fault::kTruncated, "boot loader runs past the end", b.base() + layout.boot + 4);
  return {};
}

bool md5_holds(Bytes image, const Header& h, const TplinkLayout& layout) {
  const auto compute = [&] {
    const auto salt = std::as_bytes(std::span(h.boot_size ? layout.with_boot : layout.plain));
    const Bytes pieces[] = {image.head(layout.md5), Bytes(salt), image.head(image.size(), layout.md5 + salt.size())};
    return uint64_t{checksum_holds(md5_together(pieces), h.md5)};
  };
  return remembered(h.boot_size ? "md5 with boot loader" : "md5", image, compute) != 0;
}

// MIPS kernels are linked above 0x80000000: where only the little endian reading lies there, it is the address.
Result<std::string> address_at(Bytes b, uint64_t at) {
  const auto big = TRY(b.be<uint32_t>(at, "address"));
  const auto little = TRY(b.le<uint32_t>(at, "address"));
  if (big < 0x80000000 && little >= 0x80000000) return hex_number(little) + ", stored in little endian";
  return hex_number(big);
}

// Builders may strip the padding behind the last part: then the image is shorter than its header says.
Bytes image_of(Bytes b, const Header& h) { return b.head(h.length); }

Result<void> parts(Bytes image, const Header& h, Sink& into) {
  const bool rootfs_there = h.rootfs_size > 0 && h.rootfs >= h.kernel_end() && h.rootfs_end() <= image.size();
  TRY_VOID(between(image, kHeaderSize, h.kernel, "before-kernel", into));
  TRY_VOID(into.child("kernel", stored(TRY(image.slice(h.kernel, h.kernel_size, "kernel")))));
  // Some builders write the layout's rootfs offset and yet append the file system to the kernel.
  if (!rootfs_there || !is_run(image.head(h.rootfs - h.kernel_end(), h.kernel_end()))) {
    if (rootfs_there && h.rootfs > h.kernel_end())
      into.note("rootfs offset", "the header's does not hold: content starts behind the kernel", h.kernel_end());
    if (!rootfs_there || h.rootfs > h.kernel_end()) return between(image, h.kernel_end(), image.size(), "rootfs", into);
  }
  TRY_VOID(between(image, h.kernel_end(), h.rootfs, "before-rootfs", into));
  TRY_VOID(into.child("rootfs", stored(TRY(image.slice(h.rootfs, h.rootfs_size, "rootfs")))));
  return between(image, h.rootfs_end(), image.size(), "rest", into);
}

}  // namespace

Result<Measured> measure_tplink(Bytes from, const TplinkLayout& layout) {
  const Header h = TRY(read_header(from, layout));
  TRY_VOID(check(from, h, layout));
  const Bytes image = image_of(from, h);
  if (h.has_md5 && md5_holds(image, h, layout)) return Measured{image.size(), true};
  return Measured{image.size(), false};
}

Result<void> unpack_tplink(Bytes whole, const TplinkLayout& layout, Sink& into) {
  const Header h = TRY(read_header(whole, layout));
  TRY_VOID(check(whole, h, layout));
  const Bytes image = image_of(whole, h);
  into.range(Range::kHeader, 0, kHeaderSize);
  into.note("kernel load", TRY(address_at(whole, layout.load)), layout.load);
  into.note("kernel entry", TRY(address_at(whole, layout.load + 4)), layout.load + 4);
  const bool holds = h.has_md5 && md5_holds(image, h, layout);
  into.note("md5", !h.has_md5 ? "none: 16 bytes 0" : holds ? "valid" : "invalid", layout.md5);
  if (h.has_md5 && !holds) into.problem({Fault::kMalformed, "md5 of the image does not match", layout.md5});
  if (image.size() < h.length)
    into.problem(
        {Fault::kTruncated,
         "the image ends " + std::to_string(h.length - image.size()) + " bytes before the length in its header",
         layout.length});
  if (h.boot_size == 0) return parts(image, h, into);
  TRY_VOID(into.child("boot", stored(TRY(image.slice(kHeaderSize, h.boot_size, "boot loader")))));
  const uint64_t boot_end = kHeaderSize + h.boot_size;
  const auto second = second_header(image, h);
  if (!second) return between(image, boot_end, image.size(), "rest", into);
  TRY_VOID(between(image, boot_end, *second, "after-boot", into));
  return into.child("firmware", stored(TRY(image.from(*second, "second header"))));
}

}  // namespace assay::unpack
