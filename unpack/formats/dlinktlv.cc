// D-Link's images with a TLV header whose key follows from the header itself.
//
//   0    64 80 19 40, model (32), board (32), an MD5 in hexadecimal (32), type, length of the data
//   116  the data: "Salted__", 8 bytes of salt, AES-256-CBC as `openssl enc -md md5` writes it
//
// The passphrase is the HMAC-SHA1, in hexadecimal, of the model's name with the board's as key.
// Source: devttys0/delink, src/tlv.rs.
#include "unpack/crypt.h"
#include "unpack/vendor.h"

namespace assay::unpack::dlinktlv {
namespace {

constexpr Magic kMagics[] = {{"\x64\x80\x19\x40"}};
constexpr std::string_view kSalted = "Salted__";
constexpr uint64_t kModel = 4, kBoard = 36, kDigest = 76, kName = 32, kHeader = 116, kSalt = 16, kBlock = 16;

Result<Bytes> read_cipher(Bytes from) {
  if (!from.starts_with(kSalted, kHeader)) return fail(Fault::kForeign, "no Salted__", from.base() + kHeader);
  const Bytes cipher = TRY(from.from(kHeader + kSalt, "data"));
  if (cipher.empty() || cipher.size() % kBlock)
    return fail(Fault::kMalformed, "data is not made of whole blocks", cipher.base());
  return cipher;
}

Result<Measured> measure(Bytes from) {
  TRY(read_cipher(from));
  return Measured{from.size(), false};
}

std::string_view name_at(Bytes whole, uint64_t at) {
  const std::string_view field = whole.text().substr(at, kName);
  return field.substr(0, field.find('\0'));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Bytes cipher = TRY(read_cipher(whole));
  TRY_VOID(into.step(1 + cipher.size() / 4096));
  into.range(Range::kHeader, 0, kHeader + kSalt);
  note_text(whole, kModel, kName, "model", into);
  note_text(whole, kBoard, kName, "board", into);
  note_text(whole, kDigest, kName, "md5", into);
  const std::string passphrase = hmac_sha1_hex(name_at(whole, kBoard), name_at(whole, kModel));
  const auto plain =
      openssl_aes256_decrypt(cipher.text(), whole.text().substr(kHeader + 8, 8), passphrase, KeyHash::kMd5);
  if (plain)
    return opened_child("image", cipher, *plain, "aes-256-cbc", "derived from the names in the header, delink tlv.rs",
                        into);
  leave_encrypted(cipher, "encrypted with aes-256-cbc; the key of the names in the header does not open it", into);
  return {};
}

}  // namespace

extern const Format kDlinkTlv;
const Format kDlinkTlv = {.id = "dlinktlv",
                          .title = "D-Link TLV firmware image",
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .carve = false,
                          .limits = "what the MD5 is taken of is not documented: stated as a note",
                          .source = "devttys0/delink src/tlv.rs",
                          .checked = "own builder only"};

}  // namespace assay::unpack::dlinktlv
