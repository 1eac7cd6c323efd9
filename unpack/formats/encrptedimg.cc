// encrpted_img, D-Link's encrypted UBI images (DIR-X1560 and relatives).
//
//   0   "encrpted_img"
//   12  size of what follows the header, big endian
//   16  the image, AES-256 in CBC mode, begun anew with the same vector every 128 KiB (one erase block)
//
// Key and vector are documented; nothing in the format confirms them but the UBI header they lay open.
// Source: onekey-sec/unblob handlers/archive/dlink/encrpted_img.py; devttys0/delink src/encrpted.rs.
#include "unpack/crypt.h"
#include "unpack/vendor.h"

namespace assay::unpack::encrptedimg {
namespace {

constexpr Magic kMagics[] = {{"encrpted_img"}};
constexpr uint64_t kHeader = 16, kEraseBlock = 0x20000, kBlock = 16;
constexpr std::string_view kKey = "he9-4+M!)d6=m~we1,q2a3d1n&2*Z^%8", kVector = "J%1iQl8$=lm-;8AE";

Result<uint64_t> read_size(Bytes from) {
  const uint64_t size = TRY(from.be<uint32_t>(12, "size"));
  if (size == 0 || size % kBlock)
    return fail(Fault::kMalformed, "size " + std::to_string(size) + " is no number of AES blocks", from.base() + 12);
  TRY(from.slice(kHeader, size, "encrypted image"));
  return size;
}

bool yields_ubi(Bytes from) {
  const auto first = aes_cbc_decrypt(from.head(kBlock, kHeader).text(), kKey, kVector);
  return first && first->starts_with("UBI#");
}

Result<Measured> measure(Bytes from) {
  const uint64_t size = TRY(read_size(from));
  return Measured{kHeader + size, yields_ubi(from)};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Bytes cipher = whole.head(TRY(read_size(whole)), kHeader);
  into.range(Range::kHeader, 0, kHeader);
  into.note("confirmed by",
            yields_ubi(whole) ? "the UBI header" : "nothing: the decrypted bytes begin with no UBI header", kHeader);
  std::string plain;
  for (uint64_t at = 0; at < cipher.size(); at += kEraseBlock) {
    const auto block = aes_cbc_decrypt(cipher.head(kEraseBlock, at).text(), kKey, kVector);
    if (!block) return fail(Fault::kMalformed, "decryption failed", kHeader + at);
    plain += *block;
  }
  return opened_child("image", cipher, plain, "aes-256-cbc", "the key of all encrpted_img images, in unblob and delink",
                      into);
}

}  // namespace

extern const Format kEncrptedImg;
const Format kEncrptedImg = {.id = "encrptedimg",
                             .title = "D-Link encrpted_img firmware image",
                             .magics = kMagics,
                             .measure = measure,
                             .unpack = unpack,
                             .source = "unblob handlers/archive/dlink/encrpted_img.py; delink src/encrpted.rs",
                             .checked = "the sample of fact_extractor; own builder in the tests"};

}  // namespace assay::unpack::encrptedimg
