// The self-decompressing images of Cisco's IOS: an ELF program whose last section is the compressed system.
//
//   0   FE ED FA CE
//   4   size decompressed, size compressed, checksum of the compressed bytes, checksum of the decompressed ones
//   20  a ZIP archive with one member, the system (an ELF file)
//
// Numbers are big endian. The checksum adds 32-bit words and adds each carry again. The section alone is read too.
// Source: D. Stevens, Network Appliance Forensic Toolkit, naft_iipf.py.
#include "elf/elf.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::ciscoios {
namespace {

constexpr std::string_view kSectionMagic = "\xfe\xed\xfa\xce";
constexpr Magic kMagics[] = {{kSectionMagic},
                             {"\x7f"
                              "ELF\1\2"}};
constexpr uint64_t kHeader = 20;

uint32_t word_sum(Bytes bytes) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i + 4 <= bytes.size(); i += 4) {
    sum += uint64_t{bytes[i]} << 24 | bytes[i + 1] << 16 | bytes[i + 2] << 8 | bytes[i + 3];
    sum = (sum & 0xffffffff) + (sum >> 32);
  }
  return static_cast<uint32_t>(sum);
}

struct Image {
  uint64_t start = 0, size = 0, end = 0;  // of the section; the end of the whole
  bool holds = false;
};

Result<Image> read_section(Bytes from, uint64_t at) {
  if (!from.starts_with(kSectionMagic, at)) return fail(Fault::kForeign, "section magic", from.base() + at);
  Image image{.start = at};
  image.size = TRY(from.be<uint32_t>(at + 8, "compressed size"));
  const Bytes zip = TRY(from.slice(at + kHeader, image.size, "compressed system"));
  if (!zip.starts_with("PK\3\4")) return fail(Fault::kForeign, "no ZIP archive follows", from.base() + at + kHeader);
  image.holds = checksum_holds(word_sum(zip), TRY(from.be<uint32_t>(at + 12, "checksum")));
  image.end = at + kHeader + image.size;
  return image;
}

Result<Image> read_image(Bytes from) {
  if (from.starts_with(kSectionMagic)) return read_section(from, 0);
  const elf::File file = TRY(elf::read(from));
  for (const elf::Section& section : file.sections) {
    if (!from.starts_with(kSectionMagic, section.offset)) continue;
    Image image = TRY(read_section(from, section.offset));
    image.end = TRY(elf::measure(from)).length;
    return image;
  }
  return fail(Fault::kForeign, "no section with the magic", from.base());
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.end, image.holds};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  const uint64_t zip = image.start + kHeader;
  into.range(Range::kHeader, image.start, kHeader);
  into.range(Range::kContent, 0, image.start);
  state_checksum("checksum of the compressed system", "sum32", image.holds, image.start + 12, into);
  TRY_VOID(into.child("system", stored(whole.head(image.size, zip))));
  into.range(Range::kContent, zip + image.size, whole.size() - zip - image.size);
  return {};
}

}  // namespace

extern const Format kCiscoIos;
const Format kCiscoIos = {.id = "ciscoios",
                          .title = "Cisco IOS self-decompressing image",
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .readable = true,
                          .limits = "the checksum of the decompressed system and the embedded MD5 are not checked",
                          .source = "Network Appliance Forensic Toolkit naft_iipf.py",
                          .checked = "own builder in the tests only"};

}  // namespace assay::unpack::ciscoios
