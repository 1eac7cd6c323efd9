// Senao's container, used by EnGenius, D-Link, Luxul and others: the image is XORed with eight bytes made from a magic.
//
//   First kind                               Second kind, short; long stands in brackets
//   4     vendor, product                    4    type                [0    vendor (8), model (32)]
//   12    version (16)                       25   version             [40]
//   28    type                               42   hardware, 46 "3047" [98, 102 "3047"]
//   32    length of the image                62   length of the image [118]
//   40    MD5 of the image                   70   MD5                 [126]
//   88    sum of all bytes of the header     124  magic               [180]
//   92    magic                              128  the image           [184]
//   96    the image; or, where type is 0:
//         "all", …, length of the model's name at 132, the name, the image
//
// Zeros may follow, XORed likewise. Byte i of the image is XORed with the lowest eight bits of magic >> (i mod 8).
// Numbers are big endian. Where the second kind's magic does not begin with 3047, the text "3047" does instead; the
// magic is then the key all the same. Source: openwrt/firmware-utils, src/mksenaofw.c; fkie-cad/fact_extractor
// plugins/unpacking/senao/code/senao.py and firmware-magic-database.
#include "unpack/describe.h"
#include "unpack/vendor.h"

namespace assay::unpack::senao {
namespace {

constexpr Magic kMagics[] = {{std::string_view("\x12\x34\x56\x78"), 92},
                             {std::string_view("\x30\x47\x16\x88"), 124},
                             {std::string_view("\x30\x47\x16\x88"), 180},
                             {"3047", 46},
                             {"3047", 102}};
constexpr uint64_t kModelSize = 132, kModel = 136, kLongestModel = 64;

struct Layout {
  uint64_t version = 0, version_size = 0, length = 0, digest = 0, magic = 0, image = 0;
};
constexpr Layout kFirst{12, 16, 32, 40, 92, 96};
constexpr Layout kShort{25, 16, 62, 70, 124, 128};
constexpr Layout kLong{40, 16, 118, 126, 180, 184};

struct Header {
  Layout at;
  uint64_t length = 0;
  std::string key;
};

std::string key_of(uint32_t magic) {
  std::string key;
  for (int i = 0; i < 8; ++i) key.push_back(static_cast<char>(magic >> i));
  return key;
}

Result<Layout> layout_of(Bytes from) {
  if (from.starts_with(kMagics[0].bytes, 92)) {
    Layout first = kFirst;
    if (!from.starts_with("all", 96)) return first;
    const uint64_t model = TRY(from.be<uint32_t>(kModelSize, "model's length"));
    if (model > kLongestModel) return fail(Fault::kMalformed, "model's length", from.base() + kModelSize);
    first.image = kModel + model;
    return first;
  }
  if (from.starts_with(kMagics[1].bytes, 124) || from.starts_with("3047", 46)) return kShort;
  return kLong;
}

Result<Header> read_header(Bytes from) {
  Header h;
  h.at = TRY(layout_of(from));
  h.key = key_of(TRY(from.be<uint32_t>(h.at.magic, "magic")));
  h.length = TRY(from.be<uint32_t>(h.at.length, "length"));
  if (h.length == 0) return fail(Fault::kMalformed, "length is 0", from.base() + h.at.length);
  TRY(from.slice(h.at.image, h.length, "image"));
  return h;
}

bool md5_holds(Bytes from, const Header& h, const std::string& plain) {
  std::array<uint8_t, 16> digest{};
  std::memcpy(digest.data(), from.data() + h.at.digest, digest.size());
  return checksum_holds(md5(Bytes(plain)), digest);
}

std::string decode(Bytes from, const Header& h) { return xor_with(from.head(h.length, h.at.image), h.key); }

// Builders fill up with zeros to a block of the flash, and XOR them like the image.
uint64_t end_with_padding(Bytes from, const Header& h) {
  uint64_t end = h.at.image + h.length;
  while (end < from.size() && from[end] == static_cast<uint8_t>(h.key[(end - h.at.image) % h.key.size()])) ++end;
  return end == from.size() ? end : h.at.image + h.length;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{end_with_padding(from, h), md5_holds(from, h, decode(from, h))};
}

void note_header(Bytes whole, const Header& h, Sink& into) {
  into.range(Range::kHeader, 0, h.at.image);
  note_text(whole, h.at.version, h.at.version_size, "version", into);
  if (h.at.magic == kLong.magic) {
    note_text(whole, 0, 8, "vendor", into);
    note_text(whole, 8, 32, "model", into);
  }
  if (h.at.image > kModel && h.at.magic == kFirst.magic) note_text(whole, kModel, h.at.image - kModel, "model", into);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  note_header(whole, h, into);
  const std::string plain = decode(whole, h);
  state_checksum("md5 of the image", "md5", md5_holds(whole, h, plain), h.at.digest, into);
  return opened_child("image", whole.head(end_with_padding(whole, h) - h.at.image, h.at.image), plain, "xor",
                      "the key is the magic in the header", into);
}

}  // namespace

extern const Format kSenao;
const Format kSenao = {.id = "senao",
                       .title = "Senao (EnGenius) firmware image",
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .carve = false,
                       .reads = "first kind with and without model; second kind, short and long header",
                       .source = "openwrt/firmware-utils src/mksenaofw.c; fact_extractor senao.py",
                       .checked = "output of openwrt's mksenaofw; the sample of fact_extractor; own builder"};

}  // namespace assay::unpack::senao
