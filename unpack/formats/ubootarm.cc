// The code of U-Boot for 32-bit ARM as it stands in flash. It has no header; its exception vectors and the words behind
// them pin where it is linked to and how long it is:
//
//   0x00  b reset; 7 × ldr pc, [pc, #20] for the other vectors
//   0x20  7 addresses of the handlers, then 0x12345678 or 0xdeadbeef as filling
//   0x40  _TEXT_BASE, then until 2010: _armboot_start (= _TEXT_BASE), _bss_start, _bss_end; ends at _bss_start
//                     then from 2010: _bss_start_ofs, _image_copy_end_ofs, _bss_end_ofs
//
// Everything must agree before it is claimed: the instructions, all handlers inside the image, the order of the words,
// and the text "U-Boot 1" or "U-Boot 2" inside it. Images of 2010 and later end at _image_copy_end or with their
// relocations behind it: the words do not say how long these are, so they are walked (each is R_ARM_RELATIVE of a word
// in the image) and what follows is not claimed. Source: U-Boot, arch/arm/cpu/arm926ejs/start.S (v1.1.4, v2012.10).
#include "unpack/describe.h"

#include <algorithm>

namespace assay::unpack::ubootarm {
namespace {

constexpr Magic kMagics[] = {{std::string_view("\x14\xf0\x9f\xe5\x14\xf0\x9f\xe5\x14\xf0\x9f\xe5", 12), 4}};
constexpr uint32_t kLoadVector = 0xe59ff014, kRelative = 23;
constexpr uint64_t kMostSize = 4 << 20;

struct Boot {
  uint64_t base = 0, size = 0, relocations = 0;
};

uint32_t word(Bytes b, uint64_t at) { return b.le<uint32_t>(at, "word").value_or(0); }

// Relocations behind the copied image, up to the first word that is none.
uint64_t relocations_from(Bytes b, const Boot& boot) {
  uint64_t count = 0;
  for (uint64_t at = boot.size; at + 8 <= b.size(); at += 8, ++count) {
    const uint64_t place = word(b, at);
    if (word(b, at + 4) != kRelative || place < boot.base || place >= boot.base + boot.size) break;
  }
  return count;
}

Result<Boot> read_boot(Bytes from) {
  const Bytes b = from.head(kMostSize);
  if (TRY(b.le<uint32_t>(0x4c, "words")) == 0) return fail(Fault::kMalformed, "fourth word", b.base() + 0x4c);
  if (word(b, 0) >> 24 != 0xea || (word(b, 0) & 0x800000))
    return fail(Fault::kMalformed, "no branch to reset", b.base());
  for (uint64_t at = 4; at < 0x20; at += 4)
    if (word(b, at) != kLoadVector) return fail(Fault::kMalformed, "vector", b.base() + at);
  const uint64_t reset = 8 + 4 * uint64_t{word(b, 0) & 0x7fffff};
  Boot boot;
  boot.base = word(b, 0x40);
  const uint64_t second = word(b, 0x44), third = word(b, 0x48), fourth = word(b, 0x4c);
  const bool old = second == boot.base && third > boot.base && fourth >= third;
  const bool offsets = second >= third && third > 0x50 && fourth >= second && fourth < (64 << 20);
  if (!old && !offsets) return fail(Fault::kMalformed, "words behind the vectors", b.base() + 0x40);
  boot.size = old ? third - boot.base : third;
  if (boot.size > b.size() || boot.size < 4096) return fail(Fault::kTruncated, "image end", b.base() + 0x48);
  for (uint64_t at = 0x20; at < 0x3c; at += 4)
    if (word(b, at) < boot.base || word(b, at) >= boot.base + boot.size)
      return fail(Fault::kMalformed, "handler outside the image", b.base() + at);
  if (reset >= boot.size) return fail(Fault::kMalformed, "reset outside the image", b.base());
  const std::string_view text = b.head(boot.size).text();
  if (text.find("U-Boot 1") == text.npos && text.find("U-Boot 2") == text.npos)
    return fail(Fault::kMalformed, "no U-Boot version", b.base());
  if (offsets && !old) {
    boot.relocations = relocations_from(b, boot);
    boot.size += 8 * boot.relocations;
  }
  return boot;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_boot(from)).size, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Boot boot = TRY(read_boot(whole));
  into.range(Range::kContent, 0, boot.size);
  const std::string_view text = whole.text();
  const size_t at = std::min(text.find("U-Boot 1"), text.find("U-Boot 2"));
  const size_t end = std::min(text.find_first_of(std::string_view("\0\n\r", 3), at), std::min(text.size(), at + 100));
  into.note("banner", std::string(text.substr(at, end - at)), at);
  into.note("arch", "arm, little endian", 0);
  into.note("base", hex_number(boot.base), 0x40);
  if (boot.relocations) into.note("relocations", std::to_string(boot.relocations), boot.size - 8 * boot.relocations);
  return {};
}

}  // namespace

extern const Format kUBootArm;
const Format kUBootArm = {.id = "uboot-arm",
                          .title = "U-Boot for ARM, as stored in flash",
                          .version = 1,
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .readable = true,
                          .limits = "32-bit little endian builds with a vector table up to 2014",
                          .source = "U-Boot arch/arm/cpu/arm926ejs/start.S",
                          .checked = "real images: shared/firmware"};

}  // namespace assay::unpack::ubootarm
