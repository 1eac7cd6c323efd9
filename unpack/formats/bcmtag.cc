// The image tag of Broadcom's BCM63xx DSL routers (ZyXEL, Comtrend, Huawei, Sagem and others): all its fields are text.
//
//   0    version of the tag ("6", "7", …), 4: company (20), 24: second line (14), 38: chip (6), 44: board (16)
//   60   byte order (2), 62: total length (10)
//   72   boot loader's address (12), length (10); 94: place of the image (12), length of the root file system (10)
//   116  kernel's address (12), length (10)
//   216  CRC-32 of what follows the tag, 220: of the root file system, 224: of the kernel
//   236  CRC-32 of the tag's first 236 bytes
//   256  the parts, in the order of their addresses
//
// The CRCs are binary, big endian, without the final inversion. ZyXEL moves a few fields that are not read here.
// Source: openwrt/firmware-utils, src/bcm_tag.h, src/imagetag.c and src/zyxbcm.c.
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <charconv>

namespace assay::unpack::bcmtag {
namespace {

constexpr Magic kMagics[] = {{"Broadcom Corporatio", 4},
                             {"BroadcomCorporatio", 4},
                             {"ZyXEL", 4},
                             {"gwdsl", 4},
                             {"AVM", 4},
                             {"Comtrend", 4},
                             {"Sagem", 4},
                             {"Alice", 4},
                             {"OpenWRT", 4},
                             {"Huawei", 4},
                             {"Telsey", 4},
                             {"eGate", 4}};
constexpr uint64_t kTag = 256;

struct Part {
  std::string name;
  uint64_t address = 0, size = 0, offset = 0;
  bool summed = false;  // the tag's CRC of it is taken over just these bytes
};

struct Tag {
  uint64_t total = 0;
  std::vector<Part> parts;
  bool image_holds = false;
};

Result<uint64_t> number(Bytes from, uint64_t at, uint64_t length, std::string_view field) {
  const std::string text(trim(TRY(from.text_field(at, length, field))));
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return fail(Fault::kMalformed, std::string(field) + " is no number", from.base() + at);
  return value;
}

struct Fields {
  uint64_t cfe = 0, rootfs_address = 0, rootfs = 0, kernel_address = 0, kernel = 0;
};

Result<Fields> read_fields(Bytes from) {
  Fields f;
  f.cfe = TRY(number(from, 84, 10, "length of the boot loader"));
  f.rootfs_address = TRY(number(from, 94, 12, "place of the image"));
  f.rootfs = TRY(number(from, 106, 10, "length of the root file system"));
  f.kernel_address = TRY(number(from, 116, 12, "kernel's address"));
  f.kernel = TRY(number(from, 128, 10, "length of the kernel"));
  return f;
}

// Makers put the root file system first, and its length is its own. OpenWrt puts the kernel first, gives both the same
// address, and its "root file system" is everything.
void place(const Fields& f, Tag& tag) {
  uint64_t at = kTag;
  const auto add = [&](const char* name, uint64_t address, uint64_t size, bool summed) {
    if (size) tag.parts.push_back({name, address, size, at, summed});
    at += size;
  };
  add("cfe", 0, f.cfe, false);
  if (f.rootfs_address < f.kernel_address) {
    add("rootfs", f.rootfs_address, f.rootfs, true);
    at = std::max(at, kTag + f.cfe + f.kernel_address - f.rootfs_address);
    add("kernel", f.kernel_address, f.kernel, true);
  } else {
    add("kernel", f.kernel_address, f.kernel, true);
    const uint64_t end = kTag + tag.total;
    add("rootfs", f.rootfs_address, end > at ? end - at : 0, false);
  }
}

Result<Tag> read_tag(Bytes from) {
  if (!checksum_holds(crc32_raw(TRY(from.slice(0, 236, "tag"))), TRY(from.be<uint32_t>(236, "tag crc32"))))
    return fail(Fault::kMalformed, "crc32 of the tag does not match", from.base() + 236);
  Tag tag;
  tag.total = TRY(number(from, 62, 10, "total length"));
  const Bytes body = TRY(from.slice(kTag, tag.total, "image"));
  tag.image_holds = checksum_holds(crc32_raw(body), TRY(from.be<uint32_t>(216, "image crc32")));
  place(TRY(read_fields(from)), tag);
  for (const Part& p : tag.parts) {
    if (p.offset + p.size > kTag + tag.total)
      return fail(Fault::kMalformed, p.name + " reaches beyond the total length", from.base() + 62);
    TRY(from.slice(p.offset, p.size, p.name));
  }
  return tag;
}

Result<Measured> measure(Bytes from) {
  const Tag tag = TRY(read_tag(from));
  return Measured{kTag + tag.total, true};
}

void state_part(Bytes whole, const Part& p, Sink& into) {
  const uint64_t at = p.name == "rootfs" ? 220 : 224;
  const auto stored = whole.be<uint32_t>(at, "crc32");
  if (!p.summed || !stored || *stored == 0 || *stored == 0xffffffff) return;
  into.integrity(
      checksum(p.name + " crc32", "crc32", checksum_holds(crc32_raw(whole.head(p.size, p.offset)), *stored), at));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Tag tag = TRY(read_tag(whole));
  into.range(Range::kHeader, 0, kTag);
  note_text(whole, 4, 20, "company", into);
  note_text(whole, 38, 6, "chip", into);
  note_text(whole, 44, 16, "board", into);
  into.integrity(checksum("tag crc32", "crc32", true, 236));
  state_checksum("image crc32", "crc32", tag.image_holds, 216, into);
  uint64_t at = kTag;
  for (const Part& p : tag.parts) {
    TRY_VOID(into.step());
    TRY_VOID(between(whole, at, p.offset, "gap", into));
    into.note("address of " + p.name, hex_number(p.address), p.name == "cfe" ? 72 : p.name == "rootfs" ? 94 : 116);
    state_part(whole, p, into);
    TRY_VOID(into.child(p.name, stored(whole.head(p.size, p.offset))));
    at = p.offset + p.size;
  }
  return between(whole, at, kTag + tag.total, "rest", into);
}

}  // namespace

extern const Format kBcmTag;
const Format kBcmTag = {.id = "bcmtag",
                        .title = "Broadcom BCM63xx image tag",
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .limits = "companies that are not in the list of magics",
                        .source = "openwrt/firmware-utils src/bcm_tag.h, src/imagetag.c, src/zyxbcm.c",
                        .checked = "output of openwrt's imagetag and zyxbcm; own builder in the tests"};

}  // namespace assay::unpack::bcmtag
