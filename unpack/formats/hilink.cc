// Encrypted uImages of Hi-Link modules (HLK-RM04 and relatives).
//
// The whole image is DES in ECB mode, twice with one key: from byte 0, then from byte 3, each over whole blocks of 8.
// All images share the key, so equal plain text gives equal bytes: the name "HLK-RM02" those at 0x23, the 0 behind a
// short name those at 0x2b. And the fill at the end of the image, one value, becomes one block repeated: what ECB
// cannot hide. Both are asked for here. The key is no part of the image: the laboratory supplies it (8 bytes, a
// newline at the end is ignored); the magic of the uImage header says whether it is right, its CRCs confirm it.
// Source: hlkcrypt.c (J. Kent, 2013), binwalk 2 (signature at 0x23); checked on an image.
#include "unpack/crypt.h"
#include "unpack/describe.h"

namespace assay::unpack::hilink {
namespace {

constexpr Magic kMagics[] = {{"\x4a\x52\xca\xda", 0x23}, {"\x58\x14\x3b\x9a\x6c\x0e\xf4\xf2", 0x2b}};
constexpr uint64_t kBlock = 8, kShift = 3, kHeaderSize = 64, kLeastRepeats = 4;

struct Repeats {
  uint64_t at = 0, count = 0;  // the longest row of equal blocks
};

Repeats longest_row(Bytes b) {
  Repeats best, row{0, 1};
  for (uint64_t at = kBlock; at + kBlock <= b.size(); at += kBlock) {
    if (std::memcmp(b.data() + at, b.data() + row.at, kBlock) == 0) {
      ++row.count;
    } else {
      row = {at, 1};
    }
    if (row.count > best.count) best = row;
  }
  return best;
}

Result<Measured> measure(Bytes from) {
  TRY(from.slice(0, kHeaderSize, "encrypted header"));
  if (longest_row(from).count < kLeastRepeats)
    return fail(Fault::kMalformed, "no row of equal 8-byte blocks, as ECB leaves it", from.base());
  return Measured{from.size(), false};
}

std::optional<std::string> decrypt(std::string_view bytes, std::string_view key) {
  const auto outer = des_ecb_decrypt(bytes.substr(kShift), key);
  if (!outer) return std::nullopt;
  return des_ecb_decrypt(std::string(bytes.substr(0, kShift)) + *outer, key);
}

Result<void> give_up(Bytes whole, std::string why, Sink& into) {
  into.range(Range::kEncrypted, 0, whole.size());
  into.problem({Fault::kEncrypted, std::move(why), 0});
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Repeats row = longest_row(whole);
  into.note("scheme", "DES-ECB, from byte 0 and again from byte 3", 0);
  into.note("ground",
            "an 8-byte block repeats " + std::to_string(row.count) + " times in a row at " + hex_number(row.at) +
                "; the encrypted name field is that of other images of the scheme",
            row.at);
  std::string_view key = into.key("hilink").text();
  if (key.ends_with('\n')) key.remove_suffix(1);
  if (key.empty()) return give_up(whole, "encrypted with DES-ECB; no key was supplied (--key hilink=FILE)", into);
  if (key.size() != kBlock) return give_up(whole, "the supplied key is not 8 bytes long", into);
  const auto head = decrypt(whole.head(kHeaderSize + kBlock).text(), key);
  if (!head || !head->starts_with("\x27\x05\x19\x56"))
    return give_up(whole, "the supplied key does not decrypt the image to a uImage", into);
  const auto plain = decrypt(whole.text(), key);
  if (!plain) return give_up(whole, "decryption failed", into);
  TRY_VOID(into.output().write(Bytes(*plain).span()));
  into.note("key", "the supplied key yields a uImage", 0);
  return into.child("uimage", {{whole}, "des-ecb"});
}

}  // namespace

extern const Format kHiLink;
const Format kHiLink = {
    .id = "hilink",
    .title = "Encrypted Hi-Link uImage",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .carve = false,
    .reads = "headers in the clear are recognised; decrypted with the laboratory's key",
    .limits = "needs the key from the laboratory",
    .source = "hlkcrypt.c, J. Kent 2013; binwalk 2.3 src/binwalk/magic/firmware",
    .checked = "real image: shared/firmware (Hi-Link RM04, recognised); own builder for decryption"};

}  // namespace assay::unpack::hilink
