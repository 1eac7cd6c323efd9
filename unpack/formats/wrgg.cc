// WRG and WRGG, the headers of Alpha Networks in front of images for D-Link and others.
//
//   0    name of the device (32)
//   WRG:  32  0x20040220 twice
//         40  size of the image, place in flash, device (32), MD5 (16)
//         96  the image
//   WRGG: 32  0x20080321 twice
//         40  version (16), model (16), flags (8), reserved (8), build (16)
//         104 size of the image, place in flash, device (32), MD5 (16)
//         160 the image, plain or encrypted (unpack/alpha_keys.h: the key depends on the name)
//
// The MD5 is taken over place, device and image. Numbers are of either byte order, and WRGG's magic is of its own.
// Source: openwrt/firmware-utils, src/mkwrgimg.c and src/mkwrggimg.c; unblob handlers/archive/dlink/alpha_encimg.py.
#include "unpack/alpha_keys.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::wrgg {
namespace {

constexpr Magic kWrgMagics[] = {{std::string_view("\x20\x02\x04\x20\x20\x02\x04\x20"), 32},
                                {std::string_view("\x20\x04\x02\x20\x20\x04\x02\x20"), 32}};
constexpr Magic kWrggMagics[] = {{std::string_view("\x21\x03\x08\x20\x21\x03\x08\x20"), 32},
                                 {std::string_view("\x20\x08\x03\x21\x20\x08\x03\x21"), 32}};
constexpr uint64_t kBlock = 16;

struct Header {
  uint64_t fields = 0;  // where size, place, device and MD5 stand
  uint64_t size = 0, place = 0;
  uint64_t end_of_header() const { return fields + 56; }
  uint64_t end() const { return end_of_header() + size; }
};

// The smaller reading of the size is the right one: images are far below 16 MiB times 16.
Result<Header> read_header(Bytes from, uint64_t fields) {
  Header h{.fields = fields};
  const uint64_t big = TRY(from.be<uint32_t>(fields, "size")), little = TRY(from.le<uint32_t>(fields, "size"));
  const Order order = big < little ? Order::kBig : Order::kLittle;
  h.size = std::min(big, little);
  h.place = TRY(from.get<uint32_t>(fields + 4, order, "place in flash"));
  TRY(from.slice(h.end_of_header(), h.size, "image"));
  if (h.size == 0) return fail(Fault::kMalformed, "size is 0", from.base() + fields);
  if (from[0] < 'A' || from[0] > 'z') return fail(Fault::kMalformed, "no name", from.base());
  return h;
}

bool md5_holds(Bytes whole, const Header& h, std::string_view image) {
  std::array<uint8_t, 16> digest{};
  std::memcpy(digest.data(), whole.data() + h.fields + 40, digest.size());
  return checksum_holds(md5(Bytes(std::string(whole.head(36, h.fields + 4).text()) + std::string(image))), digest);
}

std::string name_of_image(Bytes whole) { return whole.text_field(0, 32, "name").value_or(""); }

Result<Measured> measure_at(Bytes from, uint64_t fields) {
  const Header h = TRY(read_header(from, fields));
  const Bytes image = from.head(h.size, h.end_of_header());
  const bool sure = md5_holds(from, h, image.text()) || find_alpha_key(image, name_of_image(from));
  return Measured{h.end(), sure};
}

void note_common(Bytes whole, const Header& h, Sink& into) {
  into.range(Range::kHeader, 0, h.end_of_header());
  note_text(whole, 0, 32, "name", into);
  note_text(whole, h.fields + 8, 32, "device", into);
  into.note("flash place", hex_number(h.place), h.fields + 4);
}

Result<void> put_encrypted(Bytes whole, const Header& h, const AlphaKey& key, Sink& into) {
  const Bytes image = whole.head(h.size, h.end_of_header());
  const auto plain = alpha_decrypt(image.head(image.size() / kBlock * kBlock).text(), key, name_of_image(whole));
  if (!plain) return fail(Fault::kMalformed, "decryption failed", h.end_of_header());
  const bool over_plain = md5_holds(whole, h, *plain), over_cipher = md5_holds(whole, h, image.text());
  into.note("md5 over",
            over_plain    ? "the decrypted image"
            : over_cipher ? "the encrypted image"
                          : "neither",
            h.fields + 40);
  state_checksum("md5 of the image", "md5", over_plain || over_cipher, h.fields + 40, into);
  return opened_child("image", image, *plain, "aes-256-cbc", "made from the name in the header, in unblob and delink",
                      into);
}

Result<void> put_plain(Bytes whole, const Header& h, Sink& into) {
  const Bytes image = whole.head(h.size, h.end_of_header());
  state_checksum("md5 of the image", "md5", md5_holds(whole, h, image.text()), h.fields + 40, into);
  return into.child("image", stored(image));
}

Result<Measured> measure_wrg(Bytes from) { return measure_at(from, 40); }
Result<Measured> measure_wrgg(Bytes from) { return measure_at(from, 104); }

Result<void> unpack_wrg(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole, 40));
  note_common(whole, h, into);
  return put_plain(whole, h, into);
}

Result<void> unpack_wrgg(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole, 104));
  note_common(whole, h, into);
  note_text(whole, 40, 16, "version", into);
  note_text(whole, 56, 16, "model", into);
  note_text(whole, 88, 16, "build", into);
  const AlphaKey* key = find_alpha_key(whole.head(h.size, h.end_of_header()), name_of_image(whole));
  return key ? put_encrypted(whole, h, *key, into) : put_plain(whole, h, into);
}

}  // namespace

extern const Format kWrg;
const Format kWrg = {.id = "wrg",
                     .title = "Alpha Networks WRG image",
                     .magics = kWrgMagics,
                     .measure = measure_wrg,
                     .unpack = unpack_wrg,
                     .source = "openwrt/firmware-utils src/mkwrgimg.c",
                     .checked = "output of openwrt's mkwrgimg; own builder in the tests"};

extern const Format kWrgg;
const Format kWrgg = {.id = "wrgg",
                      .title = "Alpha Networks WRGG image, plain or encrypted",
                      .magics = kWrggMagics,
                      .measure = measure_wrgg,
                      .unpack = unpack_wrgg,
                      .reads = "both byte orders; plain, and AES-256-CBC with the documented keys",
                      .limits = "an encrypted image whose key is not known is read as plain, and its MD5 does not hold",
                      .source = "openwrt/firmware-utils src/mkwrggimg.c; unblob handlers/archive/dlink/alpha_encimg.py",
                      .checked = "output of openwrt's mkwrggimg; own builder in the tests"};

}  // namespace assay::unpack::wrgg
