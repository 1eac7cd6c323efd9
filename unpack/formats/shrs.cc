// SHRS, D-Link's encrypted image (DIR-1960, DIR-2660, DIR-3060 and others).
//
//   0      "SHRS"
//   4      length of the decrypted image
//   8      length of the encrypted image
//   12     initial vector (16)
//   28     SHA-512 of the decrypted image followed by the key
//   92     SHA-512 of the decrypted image
//   156    SHA-512 of the encrypted image
//   220    512 bytes, unused
//   732    two RSA signatures of 512 bytes
//   1756   the image, AES-128 in CBC mode; some builders append 00 00 00 00 30
//
// Numbers are big endian. Most devices share one key, three have their own; all four are in the maker's sources, and so
// are the private keys of the signatures. The two lengths differ by padding only; which
// is the longer one differs between descriptions, so each digest is taken over the length that belongs to it.
// Source: openwrt/firmware-utils, src/dlink-sge-image.c; onekey-sec/unblob, handlers/archive/dlink/shrs.py.
#include "unpack/crypt.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::shrs {
namespace {

constexpr Magic kMagics[] = {{"SHRS"}};
constexpr uint64_t kHeader = 1756, kBlock = 16;
constexpr std::string_view kKeys[] = {
    {"\xc0\x5f\xbf\x19\x36\xc9\x94\x29\xce\x2a\x07\x81\xf0\x8d\x6a\xd8", 16},  // most devices
    "he9-4+M!)d6=m~#$",                                                        // COVR-X1860
    "he9-4+M8-80!)d6=",                                                        // DIR-X1860 B1
    "rt9-4%^+M!)d6=m~",                                                        // DIR-X3260
};
constexpr std::string_view kDocumented = "a key that several devices share, in the maker's GPL source and in unblob";
constexpr std::string_view kFooter("\0\0\0\0\x30", 5);  // some builders append it

struct Header {
  uint64_t plain = 0, cipher = 0, stored = 0;  // stored: whole blocks
};

bool digest_holds(Bytes over, Bytes whole, uint64_t at) {
  std::array<uint8_t, 64> stored{};
  std::memcpy(stored.data(), whole.data() + at, stored.size());
  return checksum_holds(sha512(over), stored);
}

Result<Header> read_header(Bytes from) {
  Header h;
  h.plain = TRY(from.be<uint32_t>(4, "decrypted length"));
  h.cipher = TRY(from.be<uint32_t>(8, "encrypted length"));
  h.stored = (std::max(h.plain, h.cipher) + kBlock - 1) / kBlock * kBlock;
  if (h.plain == 0 || h.stored >= std::min(h.plain, h.cipher) + 2 * kBlock)
    return fail(Fault::kMalformed, "lengths " + std::to_string(h.plain) + " and " + std::to_string(h.cipher),
                from.base() + 4);
  TRY(from.slice(kHeader, h.stored, "encrypted image"));
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  const uint64_t end = kHeader + h.stored;
  return Measured{from.starts_with(kFooter, end) ? end + kFooter.size() : end,
                  digest_holds(from.head(h.cipher, kHeader), from, 156)};
}

void state_signatures(Bytes whole, Sink& into) {
  for (const uint64_t at : {uint64_t{732}, uint64_t{1244}}) {
    const Bytes signature = whole.head(512, at);
    if (is_run(signature)) continue;
    into.integrity(unchecked_signature("signature at " + std::to_string(at), "rsa4096", at));
  }
}

struct Opened {
  std::optional<std::string> plain;
  std::string_view key;
};

// The digest of the decrypted image tells which key is right.
Opened decrypt(Bytes whole, const Header& h) {
  const std::string_view cipher = whole.head(h.stored, kHeader).text(), vector = whole.head(16, 12).text();
  for (const std::string_view key : kKeys) {
    auto plain = aes_cbc_decrypt(cipher, key, vector);
    if (!plain) continue;
    plain->resize(h.plain);
    if (digest_holds(Bytes(*plain), whole, 92)) return {std::move(plain), key};
  }
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  const Bytes cipher = whole.head(h.stored, kHeader);
  into.range(Range::kHeader, 0, kHeader);
  state_checksum("digest of the encrypted image", "sha512", digest_holds(whole.head(h.cipher, kHeader), whole, 156),
                 156, into);
  state_signatures(whole, into);
  into.range(Range::kHeader, kHeader + h.stored, whole.size() - kHeader - h.stored);
  const Opened opened = decrypt(whole, h);
  if (!opened.plain) {
    leave_encrypted(cipher, "encrypted with AES-128-CBC; none of the documented keys yields the stored digest", into);
    return {};
  }
  const std::string with_key = *opened.plain + std::string(opened.key);
  into.integrity(checksum("digest of the decrypted image", "sha512", true, 92));
  into.integrity(
      checksum("digest of the decrypted image and the key", "sha512", digest_holds(Bytes(with_key), whole, 28), 28));
  return opened_child("image", cipher, *opened.plain, "aes-128-cbc", kDocumented, into);
}

}  // namespace

extern const Format kShrs;
const Format kShrs = {
    .id = "shrs",
    .title = "D-Link SHRS encrypted firmware image",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .limits = "the two RSA signatures are not checked: their public keys are in the devices",
    .source = "openwrt/firmware-utils src/dlink-sge-image.c; unblob handlers/archive/dlink/shrs.py",
    .checked = "output of openwrt's dlink-sge-image; the sample of fact_extractor; own builder in the tests"};

}  // namespace assay::unpack::shrs
