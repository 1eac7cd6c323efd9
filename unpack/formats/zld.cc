// ZLD, the firmware of ZyXEL's USG firewalls and NWA access points.
//
//   0    checksum, 4: 0xDEADBEAF, 8: version, number of files, number of models (16 bits each), models (5 of 16 bits)
//   24   total length, 28: where the files start, 32: size of a file's record (16 bits each)
//   40   CAPWAP version (32), model (32)
//   104  up to the files: records of 272 bytes: type, flags (16 bits each), length, checksum, place in flash,
//        name (64), target (128), revision (32), date (32)
//        the files, in the order of their records; a kernel (type 2) has a header of 512 bytes of its own in front
//
// Numbers are big endian, little on some devices. A checksum is the sum of the four words of an MD5, 1 in place of 0;
// that of a file is taken over the file, a kernel's without its header; that of the image over bytes 4 to the kernel,
// 512 zeros, and what follows the kernel's header. Source: openwrt/firmware-utils, src/mkzyxelzldfw.c.
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::zld {
namespace {

constexpr Magic kMagics[] = {{"\xde\xad\xbe\xaf", 4}, {"\xaf\xbe\xad\xde", 4}};
constexpr uint64_t kFixed = 104, kKernelHeader = 512, kLeastRecord = 272;
constexpr uint16_t kKernel = 2, kMostFiles = 64;

struct File {
  uint64_t record = 0, at = 0, size = 0;
  uint16_t type = 0;
  std::string name;
  bool holds = false;
  uint64_t inner() const { return type == kKernel ? std::min(size, kKernelHeader) : 0; }
};

struct Image {
  Order order = Order::kBig;
  uint64_t files_at = 0, total = 0;
  std::vector<File> files;
};

uint32_t folded(const std::array<uint8_t, 16>& digest) {
  uint32_t sum = 0;
  for (size_t i = 0; i < 16; i += 4)
    sum += static_cast<uint32_t>(digest[i]) << 24 | digest[i + 1] << 16 | digest[i + 2] << 8 | digest[i + 3];
  return sum ? sum : 1;
}

Result<File> read_file(Bytes from, uint64_t record, uint64_t at, Order order) {
  File f{.record = record, .at = at};
  f.type = TRY(from.get<uint16_t>(record, order, "file type"));
  f.size = TRY(from.get<uint32_t>(record + 4, order, "file length"));
  f.name = TRY(from.text_field(record + 16, 64, "file name"));
  const Bytes bytes = TRY(from.slice(at, f.size, "file"));
  const uint32_t sum = folded(md5(bytes.head(bytes.size(), f.inner())));
  f.holds = checksum_holds(sum, TRY(from.get<uint32_t>(record + 8, order, "file checksum")));
  if (f.name.empty()) return fail(Fault::kMalformed, "file without a name", from.base() + record + 16);
  return f;
}

Result<Image> read_image(Bytes from) {
  Image image;
  if (from.starts_with("\xaf", 4)) image.order = Order::kLittle;
  const Order order = image.order;
  const uint16_t count = TRY(from.get<uint16_t>(10, order, "number of files"));
  const uint64_t record = TRY(from.get<uint16_t>(32, order, "record size"));
  image.total = TRY(from.get<uint32_t>(24, order, "total length"));
  image.files_at = TRY(from.get<uint16_t>(28, order, "start of the files"));
  if (count == 0 || count > kMostFiles || record < kLeastRecord || image.files_at < kFixed + count * record)
    return fail(Fault::kMalformed, "number of files or size of a record", from.base() + 10);
  TRY(from.slice(0, image.total, "image"));
  uint64_t at = image.files_at;
  const uint64_t first = image.files_at - count * record;
  for (uint16_t i = 0; i < count; ++i) {
    image.files.push_back(TRY(read_file(from, first + i * record, at, order)));
    at += image.files.back().size;
  }
  if (at > image.total) return fail(Fault::kMalformed, "files reach beyond the image", from.base() + 24);
  return image;
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.total, std::ranges::all_of(image.files, &File::holds)};
}

void state_image(Bytes whole, const Image& image, Sink& into) {
  for (const File& f : image.files) {
    if (f.type != kKernel || f.size < kKernelHeader) continue;
    std::string covered(whole.head(f.at - 4, 4).text());
    covered += std::string(kKernelHeader, '\0');
    covered += whole.head(image.total - f.at - kKernelHeader, f.at + kKernelHeader).text();
    const auto stored = whole.be<uint32_t>(0, "checksum");
    const auto other = whole.le<uint32_t>(0, "checksum");
    const uint32_t sum = folded(md5(Bytes(covered)));
    const bool holds = stored && (checksum_holds(sum, *stored) || checksum_holds(sum, *other));
    return state_checksum("image checksum", "md5-folded", holds, 0, into);
  }
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  into.range(Range::kHeader, 0, image.files_at);
  note_text(whole, 72, 32, "model", into);
  state_image(whole, image, into);
  for (const File& f : image.files) {
    TRY_VOID(into.step());
    into.range(Range::kHeader, f.at, f.inner());
    state_checksum("checksum of " + escape(f.name), "md5-folded", f.holds, f.record + 8, into);
    note_text(whole, f.record + 208, 32, "revision of " + f.name, into);
    TRY_VOID(into.child(f.name, stored(whole.head(f.size - f.inner(), f.at + f.inner()))));
  }
  return {};
}

}  // namespace

extern const Format kZld;
const Format kZld = {.id = "zld",
                     .title = "ZyXEL ZLD firmware image",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .limits = "the fields of the kernel's own header are not read",
                     .source = "openwrt/firmware-utils src/mkzyxelzldfw.c",
                     .checked = "output of openwrt's mkzyxelzldfw; own builder in the tests"};

}  // namespace assay::unpack::zld
