// Firmware of Hikvision (and Ezviz) cameras and recorders, "digicap.dav". Little-endian; the header is obfuscated: byte
// i is combined (exclusive or) with byte (i + i/16) mod 16 of a fixed key.
//
//   0  "SWKH"   4 sum of the header's bytes from 12   8 header's length   12 files   16 language (1 English, 2 Chinese)
//   20 class of device   24 OEM code   28 firmware version   32 feature   64 files, 44 bytes each:
//   0  name (32)   32 offset   36 size   40 sum of its bytes
//
// Source: unpacking scripts for "SWKH" headers that circulate (ezviz/hikvision unpack and repack); hiktools fmod.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::hikvision {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint8_t kKey[16] = {0xba, 0xcd, 0xbc, 0xfe, 0xd6, 0xca, 0xdd, 0xd3,
                              0xba, 0xb9, 0xa3, 0xab, 0xbf, 0xcb, 0xb5, 0xbe};
constexpr Magic kMagics[] = {{"\xe9\x9a\xf7\xb6"sv}};  // "SWKH" under the key
constexpr uint64_t kFixed = 64, kEntry = 44;
constexpr uint32_t kMostFiles = 1024;

std::string plain(Bytes header) {
  std::string out(header.text());
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ kKey[(i + i / 16) % 16]);
  return out;
}

struct File {
  std::string name;
  uint64_t at = 0, size = 0, entry = 0;
  uint32_t sum = 0;
};

struct Image {
  std::string header;  // in the clear
  std::vector<File> files;
  uint64_t length = 0;
  bool sum_holds = false;
};

Result<Image> read_image(Bytes b) {
  const std::string start = plain(TRY(b.slice(0, kFixed, "header")));
  if (!start.starts_with("SWKH")) return fail(Fault::kForeign, "no SWKH", b.base());
  const Bytes fixed(start);
  const uint32_t length = *fixed.le<uint32_t>(8, ""), count = *fixed.le<uint32_t>(12, "");
  if (count == 0 || count > kMostFiles || length < kFixed + count * kEntry || length > kFixed + kMostFiles * kEntry)
    return fail(Fault::kMalformed, std::to_string(count) + " files in a header of " + std::to_string(length) + " bytes",
                b.base() + 8);
  Image image;
  image.header = plain(TRY(b.slice(0, length, "header")));
  const Bytes h(image.header);
  image.sum_holds = checksum_holds(byte_sum(h.head(length, 12)), *h.le<uint32_t>(4, ""));
  image.length = length;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t at = kFixed + i * kEntry;
    File file = {TRY(h.text_field(at, 32, "name")), *h.le<uint32_t>(at + 32, ""), *h.le<uint32_t>(at + 36, ""), at,
                 *h.le<uint32_t>(at + 40, "")};
    if (file.name.empty() || !looks_like_text(file.name))
      return fail(Fault::kMalformed, "a file's name", b.base() + at);
    if (file.at < length) return fail(Fault::kMalformed, file.name + " overlaps the header", b.base() + at + 32);
    TRY(b.slice(file.at, file.size, file.name));
    image.length = std::max(image.length, file.at + file.size);
    std::ranges::replace(file.name, '/', '_');
    image.files.push_back(std::move(file));
  }
  std::ranges::stable_sort(image.files, {}, &File::at);
  return image;
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.length, image.sum_holds};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  const Bytes h(image.header);
  into.range(Range::kHeader, 0, h.size());
  into.note("header", "obfuscated with a fixed key that is public", 0);
  state_checksum("sum of the header", "sum32", image.sum_holds, 4, into);
  const auto number = [&](std::string_view name, uint64_t at) {
    into.note(name, hex_number(*h.le<uint32_t>(at, "")), at);
  };
  number("language", 16);
  number("class of device", 20);
  number("OEM code", 24);
  number("firmware version", 28);
  for (const File& file : image.files) {
    TRY_VOID(into.step());
    const Bytes bytes = whole.head(file.size, file.at);
    state_checksum("sum of " + file.name, "sum32", checksum_holds(byte_sum(bytes), file.sum), file.entry + 40, into);
    TRY_VOID(into.child(file.name, stored(bytes)));
  }
  return {};
}

}  // namespace

extern const Format kHikvision;
const Format kHikvision = {.id = "hikvision",
                           .title = "Hikvision firmware image (digicap.dav)",
                           .version = 1,
                           .magics = kMagics,
                           .measure = measure,
                           .unpack = unpack,
                           .reads = "SWKH headers with files stored as they are; sums",
                           .limits = "files that newer devices encrypt (AES); headers with other keys",
                           .source = "hiktools fmod; unpacking scripts for SWKH headers",
                           .checked = "own builder only"};

}  // namespace assay::unpack::hikvision
