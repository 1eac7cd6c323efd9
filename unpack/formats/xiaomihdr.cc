// HDR1 and HDR2, the images of Xiaomi routers.
//
//   0   "HDR1" or "HDR2"
//   4   offset of the signature
//   8   CRC-32 without the final inversion, of everything from byte 12
//   12  HDR1: 16 unused bits, device id (16 bits); HDR2: 4 unused, device id (8), region (8), 16 unused
//   16  (HDR2: 48) offsets of up to 8 blobs, 0 behind the last
//
//   A blob: 0000BABE, place in flash, size, type (16), unused (16), name (32), the bytes.
//   The signature: its size, 12 bytes unused, then the bytes; its place is 256 bytes long at least.
//
// Numbers are little endian. Source: openwrt/firmware-utils, src/xiaomifw.c; unblob handlers/archive/xiaomi/hdr.py.
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::xiaomihdr {
namespace {

constexpr Magic kMagics[] = {{"HDR1"}, {"HDR2"}};
constexpr uint64_t kBlobs = 8, kBlobHeader = 48, kSignatureHeader = 16, kSignature = 256;
constexpr uint32_t kBlobMagic = 0xbabe;

struct Blob {
  uint64_t at = 0, size = 0, flash = 0;
  uint16_t type = 0;
  std::string name;
};

struct Header {
  uint64_t size = 0, signature = 0, signature_size = 0, end = 0;
  bool holds = false;
  std::vector<Blob> blobs;
};

Result<Blob> read_blob(Bytes from, uint64_t at, uint64_t end) {
  Blob b{.at = at};
  if (TRY(from.le<uint32_t>(at, "blob magic")) != kBlobMagic)
    return fail(Fault::kMalformed, "blob has no magic", from.base() + at);
  b.flash = TRY(from.le<uint32_t>(at + 4, "place in flash"));
  b.size = TRY(from.le<uint32_t>(at + 8, "blob size"));
  b.type = TRY(from.le<uint16_t>(at + 12, "blob type"));
  b.name = TRY(from.text_field(at + 16, 32, "blob name"));
  if (at + kBlobHeader + b.size > end)
    return fail(Fault::kMalformed, "blob reaches beyond the signature", from.base() + at + 8);
  return b;
}

// The place of the signature is 256 bytes long; a longer one is believed where the checksum holds with it.
Result<void> find_end(Bytes from, Header& h) {
  const uint32_t stored = TRY(from.le<uint32_t>(8, "crc32"));
  for (const uint64_t size : {h.signature_size, kSignature}) {
    h.end = h.signature + kSignatureHeader + std::max(size, kSignature);
    if (h.end > from.size()) continue;
    h.holds = checksum_holds(crc32_raw(from.head(h.end - 12, 12)), stored);
    if (h.holds) break;
  }
  TRY(from.slice(0, h.end, "signature"));
  return {};
}

Result<Header> read_header(Bytes from) {
  Header h;
  const uint64_t table = from.starts_with("HDR1") ? 16 : 48;
  h.size = table + 4 * kBlobs;
  h.signature = TRY(from.le<uint32_t>(4, "signature offset"));
  if (h.signature < h.size) return fail(Fault::kMalformed, "signature offset lies in the header", from.base() + 4);
  h.signature_size = TRY(from.le<uint32_t>(h.signature, "signature size"));
  TRY_VOID(find_end(from, h));
  for (uint64_t i = 0; i < kBlobs; ++i) {
    const uint64_t at = TRY(from.le<uint32_t>(table + 4 * i, "blob offset"));
    if (at == 0) break;
    h.blobs.push_back(TRY(read_blob(from, at, h.signature)));
  }
  if (h.blobs.empty()) return fail(Fault::kMalformed, "no blob", from.base() + table);
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{h.end, h.holds};
}

void note_header(Bytes whole, const Header& h, Sink& into) {
  into.range(Range::kHeader, 0, h.size);
  if (h.size == 48) {
    into.note("device", hex_number(whole[14] | whole[15] << 8), 14);
  } else {
    note_text(whole, 16, 8, "device", into);
    note_text(whole, 24, 8, "region", into);
  }
  state_checksum("crc32", "crc32", h.holds, 8, into);
  into.range(Range::kHeader, h.signature, h.end - h.signature);
  const Bytes signature = whole.head(h.end - h.signature - kSignatureHeader, h.signature + kSignatureHeader);
  if (!is_run(signature)) into.integrity(unchecked_signature("signature", "rsa", h.signature));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  note_header(whole, h, into);
  for (const Blob& b : h.blobs) {
    TRY_VOID(into.step());
    into.range(Range::kHeader, b.at, kBlobHeader);
    const std::string name = b.name.empty() ? "blob" : b.name;
    if (b.flash != 0xffffffff) into.note("flash place of " + name, hex_number(b.flash), b.at + 4);
    TRY_VOID(into.child(name, stored(TRY(whole.slice(b.at + kBlobHeader, b.size, "blob")))));
  }
  return {};
}

}  // namespace

extern const Format kXiaomiHdr;
const Format kXiaomiHdr = {.id = "xiaomihdr",
                           .title = "Xiaomi HDR1/HDR2 firmware image",
                           .magics = kMagics,
                           .measure = measure,
                           .unpack = unpack,
                           .reads = "HDR1 and HDR2",
                           .limits = "the signature is not checked: its public key is in the device",
                           .source = "openwrt/firmware-utils src/xiaomifw.c; unblob handlers/archive/xiaomi/hdr.py",
                           .checked = "output of openwrt's xiaomifw; the sample of fact_extractor; own builder"};

}  // namespace assay::unpack::xiaomihdr
