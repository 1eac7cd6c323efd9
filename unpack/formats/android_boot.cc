// Android boot image: kernel and ramdisk as a boot loader loads them, each from a new page on. Little-endian.
//
//   0  "ANDROID!"   40  version of the header
//   0 to 2   8 kernel's size, address  16 ramdisk's  24 second stage's  32 tags' address  36 page size  44 OS version
//            48 name (16)  64 command line (512)  576 id (32)  608 more of the command line (1024)
//      1     1632 recovery DTBO's size, offset (64 bits)  1644 header's size
//      2     1648 device tree's size, address (64 bits)
//      0     with a number above 4 as version: the size of a table of device trees behind the second stage
//   3, 4     8 kernel's size  12 ramdisk's size  16 OS version  20 header's size  44 command line (1536); pages of 4096
//      4     1580 size of the signature, which is one or two vbmeta structures behind the ramdisk
//   id       sha1 over each section and its size (32 bits) in turn, as mkbootimg makes it
//
// Source: AOSP system/tools/mkbootimg, include/bootimg/bootimg.h, mkbootimg.py, gki/certify_bootimg.py.
#include "core/freed.h"
#include "unpack/android_pages.h"
#include "unpack/avb.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include "core/hash.h"

#include <openssl/evp.h>

#include <array>
#include <bit>
#include <memory>
#include <optional>
#include <vector>

namespace assay::unpack::android_boot {
namespace {

constexpr Magic kMagics[] = {{"ANDROID!"}};
constexpr uint32_t kPageOfV3 = 4096, kIdAt = 576, kMostSizedSignature = 4 << 20;
constexpr uint64_t kMostSignature = 16 << 10;

struct Section {
  std::string_view name;
  Bytes bytes;
};

struct Boot {
  uint32_t version = 0, os_version_at = 0;
  uint64_t header = 0, end = 0;
  std::vector<Section> sections;  // as stored; empty ones are kept: the id covers their size
  Bytes signature;
};

Result<void> add(Boot& boot, AndroidPages& pages, std::string_view name, uint64_t size) {
  boot.sections.push_back({name, TRY(pages.next(size, name))});
  return {};
}

Result<Boot> read_old(Bytes b, uint32_t version) {
  Boot boot;
  const bool table = version > 4;
  boot.version = table ? 0 : version;
  boot.os_version_at = 44;
  AndroidPages pages{b, TRY(b.le<uint32_t>(36, "page size"))};
  if (!is_android_page(pages.page))
    return fail(Fault::kMalformed, "page size " + std::to_string(pages.page), b.base() + 36);
  boot.header = boot.version == 0 ? 1632 : boot.version == 1 ? 1648 : 1660;
  TRY(b.slice(0, boot.header, "header"));
  pages.skip(boot.header);
  TRY_VOID(add(boot, pages, "kernel", *b.le<uint32_t>(8, "")));
  TRY_VOID(add(boot, pages, "ramdisk", *b.le<uint32_t>(16, "")));
  TRY_VOID(add(boot, pages, "second", *b.le<uint32_t>(24, "")));
  if (table) TRY_VOID(add(boot, pages, "dt", version));
  if (boot.version >= 1) TRY_VOID(add(boot, pages, "recovery_dtbo", *b.le<uint32_t>(1632, "")));
  if (boot.version == 2) TRY_VOID(add(boot, pages, "dtb", *b.le<uint32_t>(1648, "")));
  boot.end = pages.end();
  return boot;
}

// Since Android 13 the certificates are appended without a word in the header: 16 KiB that begin with a vbmeta.
Bytes appended_certificates(const AndroidPages& pages) {
  const Bytes rest = pages.whole.head(kMostSignature, pages.end());
  return rest.starts_with("AVB0") && read_avb(rest) ? rest : Bytes();
}

Result<Boot> read_new(Bytes b, uint32_t version) {
  Boot boot;
  boot.version = version;
  boot.os_version_at = 16;
  boot.header = version == 3 ? 1580 : 1584;
  TRY(b.slice(0, boot.header, "header"));
  AndroidPages pages{b, kPageOfV3};
  pages.skip(boot.header);
  TRY_VOID(add(boot, pages, "kernel", *b.le<uint32_t>(8, "")));
  TRY_VOID(add(boot, pages, "ramdisk", *b.le<uint32_t>(12, "")));
  const uint32_t size = version == 4 ? *b.le<uint32_t>(1580, "") : 0;
  if (size > kMostSizedSignature)
    return fail(Fault::kMalformed, "signature of " + std::to_string(size) + " bytes", b.base() + 1580);
  boot.signature = size ? TRY(pages.next(size, "signature")) : appended_certificates(pages);
  boot.end = boot.signature.empty() || size ? pages.end() : pages.end() + boot.signature.size();
  return boot;
}

Result<Boot> read_boot(Bytes b) {
  const auto version = TRY(b.le<uint32_t>(40, "header version"));
  return version == 3 || version == 4 ? read_new(b, version) : read_old(b, version);
}

using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

std::string id_of(const Boot& boot, const EVP_MD* kind) {
  const DigestContext context(EVP_MD_CTX_new());
  ASSAY_CHECK(context && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1);
  for (const Section& s : boot.sections) {
    const auto size = static_cast<uint32_t>(s.bytes.size());
    const std::array<uint8_t, 4> little = {uint8_t(size), uint8_t(size >> 8), uint8_t(size >> 16), uint8_t(size >> 24)};
    EVP_DigestUpdate(context.get(), s.bytes.data(), s.bytes.size());
    EVP_DigestUpdate(context.get(), little.data(), little.size());
  }
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  ASSAY_CHECK(EVP_DigestFinal_ex(context.get(), out, &length) == 1);
  return {reinterpret_cast<const char*>(out), length};
}

// The header calls the id "timestamp, checksum, sha1, etc.": only what looks like mkbootimg's can be held to it.
std::optional<Integrity> check_id(Bytes whole, const Boot& boot) {
  if (boot.version > 2) return std::nullopt;
  const Bytes id = whole.head(32, kIdAt);
  if (is_run(id)) return std::nullopt;
  const bool is_sha1 = is_run(id.head(12, 20)) && id[20] == 0;
  const std::string computed = id_of(boot, is_sha1 ? EVP_sha1() : EVP_sha256());
  Integrity i = checksum("id", is_sha1 ? "sha1" : "sha256",
                         checksum_holds(std::string_view(computed), id.head(computed.size()).text()), kIdAt);
  if (!is_sha1 && i.state == "invalid") {
    i.state = "not-checkable";
    i.detail = "it is not made by mkbootimg's rule; what it covers is not documented";
  }
  return i;
}

Result<Measured> measure(Bytes from) {
  const Boot boot = TRY(read_boot(from));
  if (boot.sections[0].bytes.empty() && boot.sections[1].bytes.empty())
    return fail(Fault::kMalformed, "neither kernel nor ramdisk", from.base() + 8);
  const auto id = check_id(from, boot);
  return Measured{boot.end, id && id->state == "valid"};
}

void note_fields(Bytes whole, const Boot& boot, Sink& into) {
  into.note("header version", std::to_string(boot.version), 40);
  const uint32_t os = *whole.le<uint32_t>(boot.os_version_at, "");
  if (os) into.note("os version", android_version(os), boot.os_version_at);
  if (boot.version > 2) return note_text(whole, 44, 1536, "kernel command line", into);
  note_text(whole, 48, 16, "name", into);
  const std::string line = *whole.text_field(64, 512, "") + *whole.text_field(608, 1024, "");
  if (!line.empty()) into.note("kernel command line", line, 64);
  into.note("kernel address", hex_number(*whole.le<uint32_t>(12, "")), 12);
  into.note("ramdisk address", hex_number(*whole.le<uint32_t>(20, "")), 20);
}

// The certificates of a generic kernel image: each is a vbmeta with one hash, of everything before them or of the
// kernel alone.
Result<void> state_signature(Bytes whole, const Boot& boot, Sink& into) {
  const Bytes s = boot.signature;
  const Bytes before = whole.head(s.base() - whole.base());
  for (uint64_t at = 0; at < s.size();) {
    const auto image = read_avb(s.head(s.size(), at));
    if (!image) break;
    TRY_VOID(into.step(1 + whole.size() / 4096));
    into.range(Range::kHeader, s.base() - whole.base() + at, image->size);
    state_avb(*image, whole.base(), into);
    for (const AvbDescriptor& d : image->descriptors) {
      if (d.tag != AvbTag::kHash) continue;
      const Bytes covered = d.name == "generic_kernel" ? boot.sections[0].bytes : before;
      TRY_VOID(into.step(1 + covered.size() / 4096));
      if (d.image_size == covered.size())
        state_integrity(check_avb_image_hash(d, covered, whole.base()), into);
      else
        into.integrity(avb_not_checkable(d, whole.base(), "it covers other bytes than image or kernel"));
    }
    at += image->size;
  }
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Boot boot = TRY(read_boot(whole));
  into.range(Range::kHeader, 0, boot.header);
  note_fields(whole, boot, into);
  TRY_VOID(into.step(1 + whole.size() / 4096));
  if (const auto id = check_id(whole, boot)) state_integrity(*id, into);
  if (!boot.signature.empty()) TRY_VOID(state_signature(whole, boot, into));
  for (const Section& s : boot.sections)
    if (!s.bytes.empty()) TRY_VOID(into.child(s.name, stored(s.bytes)));
  return {};
}

}  // namespace

extern const Format kAndroidBoot;
const Format kAndroidBoot = {
    .id = "android-boot",
    .title = "Android boot image",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "headers 0 to 4, tables of device trees in header 0, the certificates of generic kernel images (hash and "
        "signature)",
    .limits = "an id that is not made by mkbootimg's rule is not compared",
    .source = "AOSP system/tools/mkbootimg include/bootimg/bootimg.h",
    .checked = "foreign tool: mkbootimg (0, 2, 3); 1 and 4 own builder, by hand also AOSP's newer mkbootimg"};

}  // namespace assay::unpack::android_boot

namespace assay::unpack {

bool is_android_page(uint32_t size) { return std::has_single_bit(size) && size >= 2048 && size <= (128u << 10); }

std::string android_version(uint32_t value) {
  if (value == 0) return {};
  const uint32_t version = value >> 11, level = value & 0x7ff;
  const std::string month = std::to_string(level & 15);
  return std::to_string(version >> 14) + "." + std::to_string(version >> 7 & 127) + "." +
         std::to_string(version & 127) + ", patch level " + std::to_string(2000 + (level >> 4)) + "-" +
         (month.size() < 2 ? "0" : "") + month;
}

}  // namespace assay::unpack
