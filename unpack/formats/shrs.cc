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
//   1756   the image, AES-128 in CBC mode
//
// Numbers are big endian. All devices share one key, which is documented. The two lengths differ by padding only; which
// is the longer one differs between descriptions, so each digest is taken over the length that belongs to it.
// Source: D-Link GPL release of DIR-3060 (imgdecrypt), onekey-sec/unblob handlers/archive/dlink/shrs.py.
#include "unpack/crypt.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr Magic kMagics[] = {{"SHRS"}};
constexpr uint64_t kHeader = 1756, kBlock = 16;
constexpr std::string_view kKey("\xc0\x5f\xbf\x19\x36\xc9\x94\x29\xce\x2a\x07\x81\xf0\x8d\x6a\xd8", 16);
constexpr std::string_view kDocumented = "the key of all SHRS images, in the maker's GPL source and in unblob";

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
  return Measured{kHeader + h.stored, digest_holds(from.head(h.cipher, kHeader), from, 156)};
}

void state_signatures(Bytes whole, Sink& into) {
  for (const uint64_t at : {uint64_t{732}, uint64_t{1244}}) {
    const Bytes signature = whole.head(512, at);
    if (is_run(signature)) continue;
    into.integrity(unchecked_signature("signature at " + std::to_string(at), "rsa4096", at));
  }
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  const Bytes cipher = whole.head(h.stored, kHeader);
  into.range(Range::kHeader, 0, kHeader);
  state_checksum("digest of the encrypted image", "sha512", digest_holds(whole.head(h.cipher, kHeader), whole, 156),
                 156, into);
  state_signatures(whole, into);
  auto plain = aes_cbc_decrypt(cipher.text(), kKey, whole.head(16, 12).text());
  if (!plain) return fail(Fault::kMalformed, "decryption failed", kHeader);
  plain->resize(h.plain);
  const bool right = digest_holds(Bytes(*plain), whole, 92);
  into.integrity(checksum("digest of the decrypted image", "sha512", right, 92));
  into.integrity(checksum("digest of the decrypted image and the key", "sha512",
                          digest_holds(Bytes(*plain + std::string(kKey)), whole, 28), 28));
  if (!right) {
    leave_encrypted(cipher, "encrypted with AES-128-CBC; the documented key does not yield the stored digest", into);
    return {};
  }
  return opened_child("image", cipher, *plain, "aes-128-cbc", kDocumented, into);
}

}  // namespace

extern const Format kShrs;
const Format kShrs = {.id = "shrs",
                      .title = "D-Link SHRS encrypted firmware image",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .limits = "the two RSA signatures are not checked: their public keys are in the devices",
                      .source = "imgdecrypt in D-Link's GPL releases; unblob handlers/archive/dlink/shrs.py",
                      .checked = "the sample of fact_extractor; own builder in the tests"};

}  // namespace assay::unpack
