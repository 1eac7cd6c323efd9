// QNAP firmware images, encrypted with PC1: the first bytes are a cipher text, the rest is plain.
//
//   e-74  "icpnas"  4 number of encrypted bytes, little endian  16 device  16 version  16 date  16 revision
//
// The key is public: of a NAS "QNAPNASVERSION" and the version's first character, of other devices the device's name.
// PC1 (Alexander Pukall, 1991) works on pairs of key bytes; every plain byte is added to the key for the next. As the
// stream that comes out is a gzip archive in every image known, its first bytes tell whether the key fits.
// Source: onekey-sec/unblob handlers/archive/qnap; neodyme.io, Pwn2Own Ireland 2024.
#include "unpack/vendor.h"

#include <array>

namespace assay::unpack::qnap {
namespace {

constexpr uint64_t kFooter = 74;
constexpr Magic kMagics[] = {{"icpnas", uint64_t{0} - kFooter}};

struct Footer {
  uint64_t at = 0;
  uint32_t encrypted = 0;
  std::string device, version;
};

Result<Footer> read_footer(Bytes b) {
  if (b.size() <= kFooter) return fail(Fault::kForeign, "no footer", b.base());
  Footer f;
  f.at = b.size() - kFooter;
  if (!b.starts_with("icpnas", f.at)) return fail(Fault::kForeign, "no footer", b.base() + f.at);
  f.encrypted = *b.le<uint32_t>(f.at + 6, "");
  f.device = *b.text_field(f.at + 10, 16, "");
  f.version = *b.text_field(f.at + 26, 16, "");
  if (f.encrypted == 0 || f.encrypted > f.at)
    return fail(Fault::kMalformed, "number of encrypted bytes", b.base() + f.at + 6);
  // A key of one character has no pair: it would encrypt nothing, and no device has such a name.
  if (f.device.size() < 2 || f.version.empty())
    return fail(Fault::kForeign, "no device or version", b.base() + f.at + 10);
  return f;
}

class Pc1 {
 public:
  explicit Pc1(std::string key) : key_(std::move(key)) {}  // an odd last byte is not used

  uint8_t plain(uint8_t cipher) {
    uint32_t x = 0, out = 0;
    for (size_t i = 0; i < key_.size() / 2; ++i) {
      x ^= pair(i);
      out ^= step(x, static_cast<uint32_t>(i));
    }
    const auto byte = static_cast<uint8_t>(cipher ^ (out >> 8) ^ out);
    added_ ^= byte;
    return byte;
  }

 private:
  // Of a byte from 0x80 on, the original adds 255 too little to the upper half: its characters are signed.
  uint32_t pair(size_t i) const {
    const uint32_t high = static_cast<uint8_t>(key_[2 * i] ^ added_),
                   low = static_cast<uint8_t>(key_[2 * i + 1] ^ added_);
    return (((high < 0x80 ? high : high - 0x101) << 8) + low) & 0xffff;
  }
  uint32_t step(uint32_t& x, uint32_t i) {
    constexpr uint32_t kFactor = 0x4e35, kOther = 0x15a;
    const uint32_t before = y_;
    const uint32_t z = kOther * x;
    x = (kFactor * x + 1) & 0xffff;
    y_ = z & 0xffff;
    z_ = (y_ + before + kFactor * (z_ + i)) & 0xffff;
    return x ^ z_;
  }

  std::string key_;
  uint8_t added_ = 0;
  uint32_t y_ = 0, z_ = 0;
};

std::string key_of(const Footer& f) {
  return f.device.starts_with("QNAPNAS") || f.device.starts_with("qnapnas") ? "QNAPNASVERSION" + f.version.substr(0, 1)
                                                                            : f.device;
}

bool starts_gzip(Bytes whole, const Footer& f) {
  Pc1 cipher(key_of(f));
  std::array<uint8_t, 3> first{};
  for (size_t i = 0; i < first.size() && i < f.encrypted; ++i) first[i] = cipher.plain(whole[i]);
  return first[0] == 0x1f && first[1] == 0x8b && first[2] == 8;
}

Result<Measured> measure(Bytes from) {
  const Footer f = TRY(read_footer(from));
  return Measured{from.size(), starts_gzip(from, f)};
}

Result<void> write_plain(Bytes whole, const Footer& f, Sink& into) {
  Pc1 cipher(key_of(f));
  std::array<std::byte, 4096> piece{};
  for (uint64_t at = 0; at < f.encrypted; at += piece.size()) {
    const Bytes from = whole.head(std::min<uint64_t>(piece.size(), f.encrypted - at), at);
    TRY_VOID(into.step(from.size()));
    for (uint64_t i = 0; i < from.size(); ++i) piece[i] = static_cast<std::byte>(cipher.plain(from[i]));
    TRY_VOID(into.output().write(std::span(piece).first(from.size())));
  }
  return into.output().write(whole.head(f.at - f.encrypted, f.encrypted).span());
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Footer f = TRY(read_footer(whole));
  into.range(Range::kHeader, f.at, kFooter);
  note_text(whole, f.at + 10, 16, "device", into);
  note_text(whole, f.at + 26, 16, "version", into);
  note_text(whole, f.at + 42, 16, "date", into);
  note_text(whole, f.at + 58, 16, "revision", into);
  if (!starts_gzip(whole, f)) {
    leave_encrypted(whole.head(f.encrypted), "encrypted with PC1; the documented keys do not fit", into);
    return f.at == f.encrypted ? Result<void>{}
                               : into.child("image", stored(whole.head(f.at - f.encrypted, f.encrypted)));
  }
  TRY_VOID(write_plain(whole, f, into));
  into.opened({"pc1", "onekey-sec/unblob handlers/archive/qnap", 0, f.encrypted});
  return into.child("image", {{whole.head(f.at)}, "pc1"});
}

}  // namespace

extern const Format kQnap;
const Format kQnap = {.id = "qnap",
                      .title = "QNAP firmware image",
                      .version = 2,
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .carve = false,
                      .reads = "images of NAS and of network devices, opened with the documented keys",
                      .limits =
                          "an image that ends in further bytes; nothing but the first three bytes of a gzip "
                          "stream tells whether a key fits",
                      .source = "onekey-sec/unblob handlers/archive/qnap",
                      .checked = "own builder only: a second writer of the cipher in the tests"};

}  // namespace assay::unpack::qnap
