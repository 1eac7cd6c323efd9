// Headers of D-Link's access points and of Cameo's routers: a sum of bytes, sizes and names, without a magic.
//
//   DAP     0 sum, model (20), signature (30), partition, length of the header (64, or 80 with region and version)
//           60 size of the image
//   DAP-2   0 length of the header (72), sum, size of all, size of the kernel, signature (32), version (16), region (8)
//   Cameo   0 sum, size of the image, size of the kernel, model (20), signature (30), region (4), version (12),
//           length of the header (84), whether it is a tar.gz, 4 unused
//
// Numbers are big endian, DAP-2's first one little. The sum, of the image's bytes, tells which of them it is.
// Source: openwrt/firmware-utils, src/mkdapimg.c, src/mkdapimg2.c, src/mkcameofw.c.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::dapfw {
namespace {

struct Field {
  uint64_t at = 0, size = 0;
  const char* name = "";
};

struct Layout {
  const char* name;
  uint64_t sum, size, kernel, header;  // where they stand; kernel 0: not stated; header: its length
  uint64_t length_at;                  // where the header's length stands: one byte
  Field fields[3];
};

constexpr Layout kLayouts[] = {
    {"DAP", 0, 60, 0, 64, 55, {{4, 20, "model"}, {24, 30, "signature"}, {0, 0, ""}}},
    {"DAP", 0, 60, 0, 80, 55, {{4, 20, "model"}, {24, 30, "signature"}, {68, 12, "version"}}},
    {"DAP-2", 4, 8, 12, 72, 0, {{16, 32, "signature"}, {48, 16, "version"}, {64, 8, "region"}}},
    {"Cameo", 0, 4, 8, 84, 78, {{12, 20, "model"}, {32, 30, "signature"}, {66, 12, "version"}}},
};

struct Image {
  const Layout* layout = nullptr;
  uint64_t size = 0, kernel = 0;
};

Result<Image> read_as(Bytes from, const Layout& layout) {
  if (TRY(from.le<uint8_t>(layout.length_at, "header length")) != layout.header)
    return fail(Fault::kForeign, "header length", from.base() + layout.length_at);
  Image image{.layout = &layout};
  image.size = TRY(from.be<uint32_t>(layout.size, "image size"));
  const Bytes bytes = TRY(from.slice(layout.header, image.size, "image"));
  if (bytes.empty() || !checksum_holds(byte_sum(bytes), TRY(from.be<uint32_t>(layout.sum, "sum"))))
    return fail(Fault::kForeign, "sum of the image", from.base() + layout.sum);
  if (layout.kernel) image.kernel = TRY(from.be<uint32_t>(layout.kernel, "kernel size"));
  if (image.kernel > image.size) return fail(Fault::kMalformed, "kernel size", from.base() + layout.kernel);
  return image;
}

Result<Image> read_image(Bytes from) {
  for (const Layout& layout : kLayouts)
    if (auto image = read_as(from, layout)) return image;
  return fail(Fault::kForeign, "none of the layouts fits", from.base());
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.layout->header + image.size, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  const Layout& layout = *image.layout;
  into.range(Range::kHeader, 0, layout.header);
  into.note("layout", layout.name, 0);
  for (const Field& field : layout.fields)
    if (field.size) note_text(whole, field.at, field.size, field.name, into);
  into.integrity(checksum("sum of the image", "sum32", true, layout.sum));
  const uint64_t kernel = image.kernel ? image.kernel : image.size;
  TRY_VOID(into.child(image.kernel ? "kernel" : "image", stored(whole.head(kernel, layout.header))));
  return between(whole, layout.header + kernel, layout.header + image.size, "rootfs", into);
}

}  // namespace

extern const Format kDapFw;
const Format kDapFw = {.id = "dapfw",
                       .title = "D-Link DAP and Cameo firmware image",
                       .measure = measure,
                       .unpack = unpack,
                       .carve = false,
                       .source = "openwrt/firmware-utils src/mkdapimg.c, src/mkdapimg2.c, src/mkcameofw.c",
                       .checked = "output of openwrt's mkdapimg, mkdapimg2, mkcameofw; own builder in the tests"};

}  // namespace assay::unpack::dapfw
