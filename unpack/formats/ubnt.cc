// UBNT, the image of Ubiquiti's access points and bridges; "OPEN" marks images of others, "GEOS" is an old name.
//
//   0    "UBNT", "OPEN" or "GEOS"
//   4    version (256)
//   260  CRC-32 of the 260 bytes before, 4 bytes unused
//   268  parts: "PART" or "EXEC", name (16), 12 unused, load address, index, base address in flash, entry point,
//        size of the data, size of the partition; the data; CRC-32 of header and data, 4 unused
//        "END.", CRC-32 of everything before it, 4 unused; or "ENDS", an RSA-2048 signature, 4 unused
//
// Numbers are big endian. Source: openwrt/firmware-utils, src/fw.h and src/mkfwimage.c; Ubiquiti's fwsplit.
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::ubnt {
namespace {

constexpr Magic kMagics[] = {{"UBNT"}, {"OPEN"}, {"GEOS"}};
constexpr uint64_t kHeader = 268, kPartHeader = 56, kCrc = 8, kEnd = 12, kSignedEnd = 264;
constexpr size_t kMostParts = 256;

struct Part {
  uint64_t at = 0, size = 0;
  std::string name;
  bool intact = false;
  uint64_t data() const { return at + kPartHeader; }
  uint64_t crc() const { return data() + size; }
  uint64_t end() const { return crc() + kCrc; }
};

struct Image {
  std::vector<Part> parts;
  uint64_t tail = 0, end = 0;
  bool is_signed = false, intact = false;
};

Result<Part> read_part(Bytes from, uint64_t at) {
  Part p{.at = at};
  p.name = TRY(from.text_field(at + 4, 16, "part name"));
  p.size = TRY(from.be<uint32_t>(at + 48, "part size"));
  const Bytes covered = TRY(from.slice(at, kPartHeader + p.size, "part"));
  p.intact = checksum_holds(crc32(covered), TRY(from.be<uint32_t>(p.crc(), "part crc32")));
  TRY(from.slice(p.crc(), kCrc, "part crc32"));
  return p;
}

Result<void> check_header(Bytes from) {
  if (!checksum_holds(crc32(TRY(from.slice(0, 260, "header"))), TRY(from.be<uint32_t>(260, "header crc32"))))
    return fail(Fault::kMalformed, "crc32 of the header does not match", from.base() + 260);
  return {};
}

Result<Image> read_image(Bytes from) {
  TRY_VOID(check_header(from));
  Image image;
  uint64_t at = kHeader;
  while ((from.starts_with("PART", at) || from.starts_with("EXEC", at)) && image.parts.size() < kMostParts) {
    image.parts.push_back(TRY(read_part(from, at)));
    at = image.parts.back().end();
  }
  image.tail = at;
  image.is_signed = from.starts_with("ENDS", at);
  if (!image.is_signed && !from.starts_with("END.", at))
    return fail(Fault::kMalformed, "neither part nor end", from.base() + at);
  image.end = at + (image.is_signed ? kSignedEnd : kEnd);
  TRY(from.slice(at, image.end - at, "end"));
  image.intact = image.is_signed || checksum_holds(crc32(from.head(at)), TRY(from.be<uint32_t>(at + 4, "image crc32")));
  return image;
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  return Measured{image.end, image.intact && std::ranges::all_of(image.parts, &Part::intact)};
}

void note_part(Bytes whole, const Part& p, Sink& into) {
  into.range(Range::kHeader, p.at, kPartHeader);
  into.range(Range::kHeader, p.crc(), kCrc);
  state_checksum("crc32 of " + p.name, "crc32", p.intact, p.crc(), into);
  constexpr std::pair<const char*, uint64_t> kFields[] = {
      {"load address", 32}, {"flash address", 40}, {"entry point", 44}};
  for (const auto& [name, at] : kFields)
    if (const auto value = whole.be<uint32_t>(p.at + at, name); value && *value)
      into.note(std::string(name) + " of " + p.name, hex_number(*value), p.at + at);
  if (whole.starts_with("EXEC", p.at)) into.note("runs at the upgrade", p.name, p.at);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  into.range(Range::kHeader, 0, kHeader);
  note_text(whole, 4, 256, "version", into);
  into.integrity(checksum("header crc32", "crc32", true, 260));
  for (const Part& p : image.parts) {
    TRY_VOID(into.step());
    note_part(whole, p, into);
    TRY_VOID(into.child(p.name.empty() ? "part" : p.name, stored(TRY(whole.slice(p.data(), p.size, "part")))));
  }
  into.range(Range::kHeader, image.tail, image.end - image.tail);
  if (image.is_signed) {
    into.integrity(unchecked_signature("signature", "rsa2048", image.tail + 4));
  } else {
    state_checksum("image crc32", "crc32", image.intact, image.tail + 4, into);
  }
  return {};
}

}  // namespace

extern const Format kUbnt;
const Format kUbnt = {.id = "ubnt",
                      .title = "Ubiquiti firmware image (UBNT, OPEN)",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .reads = "UBNT, OPEN, GEOS; parts PART and EXEC; ends END. and ENDS",
                      .limits = "the RSA signature is not checked: its public key is in the device",
                      .source = "openwrt/firmware-utils src/fw.h, src/mkfwimage.c",
                      .checked = "output of openwrt's mkfwimage; own builder in the tests"};

}  // namespace assay::unpack::ubnt
