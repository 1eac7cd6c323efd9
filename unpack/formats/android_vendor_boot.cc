// Android vendor_boot: the vendor's ramdisks, device tree and settings beside a generic boot image. Little-endian.
//
//   0  "VNDRBOOT"  8 version of the header: 3, 4  12 page size  16 kernel's address  20 ramdisk's address
//   24 size of the ramdisks  28 command line (2048)  2076 tags' address  2080 name (16)  2096 header's size
//   2100 device tree's size, address (64 bits)
//   4: 2112 size of the table of ramdisks, entries, size of one  2124 size of the boot configuration
//   each from a new page on: ramdisks, device tree, table, boot configuration
//   entry (108)  0 size  4 offset among the ramdisks  8 type: 0 none, 1 platform, 2 recovery, 3 dlkm  12 name (32)
//                44 board id (16 numbers)
//
// Source: AOSP system/tools/mkbootimg, include/bootimg/bootimg.h, mkbootimg.py.
#include "core/text.h"
#include "unpack/android_pages.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <vector>

namespace assay::unpack::android_vendor_boot {
namespace {

constexpr Magic kMagics[] = {{"VNDRBOOT"}};
constexpr uint32_t kMostRamdisks = 1024;
constexpr std::string_view kTypes[] = {"none", "platform", "recovery", "dlkm"};

struct Ramdisk {
  Bytes bytes;
  std::string name;
  uint32_t type = 0;
  uint64_t at = 0;  // of its entry
};

struct Boot {
  uint32_t version = 0;
  uint64_t header = 0, end = 0;
  Bytes ramdisks, dtb, table, configuration;
  std::vector<Ramdisk> list;
};

Result<void> read_table(Bytes b, Boot& boot) {
  const uint32_t count = *b.le<uint32_t>(2116, ""), size = *b.le<uint32_t>(2120, "");
  if (count > kMostRamdisks || (count && size < 108) || uint64_t{count} * size > boot.table.size())
    return fail(Fault::kMalformed, "table of " + std::to_string(count) + " ramdisks", b.base() + 2116);
  for (uint32_t i = 0; i < count; ++i) {
    const Bytes e = TRY(boot.table.slice(uint64_t{i} * size, size, "ramdisk's entry"));
    Ramdisk r;
    r.at = e.base();
    r.bytes = TRY(boot.ramdisks.slice(*e.le<uint32_t>(4, ""), *e.le<uint32_t>(0, ""), "ramdisk"));
    r.type = *e.le<uint32_t>(8, "");
    r.name = *e.text_field(12, 32, "");
    boot.list.push_back(std::move(r));
  }
  return {};
}

Result<Boot> read_boot(Bytes b) {
  Boot boot;
  boot.version = TRY(b.le<uint32_t>(8, "header version"));
  if (boot.version != 3 && boot.version != 4)
    return fail(Fault::kUnsupported, "header version " + std::to_string(boot.version), b.base() + 8);
  boot.header = boot.version == 3 ? 2112 : 2128;
  TRY(b.slice(0, boot.header, "header"));
  AndroidPages pages{b, *b.le<uint32_t>(12, "")};
  if (!is_android_page(pages.page))
    return fail(Fault::kMalformed, "page size " + std::to_string(pages.page), b.base() + 12);
  pages.skip(boot.header);
  boot.ramdisks = TRY(pages.next(*b.le<uint32_t>(24, ""), "ramdisks"));
  boot.dtb = TRY(pages.next(*b.le<uint32_t>(2100, ""), "device tree"));
  if (boot.version == 4) {
    boot.table = TRY(pages.next(*b.le<uint32_t>(2112, ""), "table of ramdisks"));
    boot.configuration = TRY(pages.next(*b.le<uint32_t>(2124, ""), "boot configuration"));
    TRY_VOID(read_table(b, boot));
  }
  boot.end = pages.end();
  return boot;
}

Result<Measured> measure(Bytes from) {
  const Boot boot = TRY(read_boot(from));
  if (boot.ramdisks.empty() && boot.dtb.empty())
    return fail(Fault::kMalformed, "neither ramdisk nor device tree", from.base() + 24);
  return Measured{boot.end, false};
}

Result<void> give_ramdisks(const Boot& boot, uint64_t base, Sink& into) {
  if (boot.list.empty()) return boot.ramdisks.empty() ? Result<void>{} : into.child("ramdisk", stored(boot.ramdisks));
  for (size_t i = 0; i < boot.list.size(); ++i) {
    const Ramdisk& r = boot.list[i];
    std::string name = r.name.empty() ? "ramdisk" + std::to_string(i) : r.name;
    std::ranges::replace(name, '/', '_');
    const std::string type = r.type < 4 ? std::string(kTypes[r.type]) : std::to_string(r.type);
    into.note("ramdisk " + escape(name), "type " + type + ", " + std::to_string(r.bytes.size()) + " bytes",
              r.at - base);
    TRY_VOID(into.step(1 + r.bytes.size() / 4096));
    if (!r.bytes.empty()) TRY_VOID(into.child(name, stored(r.bytes)));
  }
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Boot boot = TRY(read_boot(whole));
  into.range(Range::kHeader, 0, boot.header);
  into.range(Range::kHeader, boot.table.base() - whole.base(), boot.table.size());
  into.note("header version", std::to_string(boot.version), 8);
  note_text(whole, 2080, 16, "name", into);
  note_text(whole, 28, 2048, "kernel command line", into);
  into.note("kernel address", hex_number(*whole.le<uint32_t>(16, "")), 16);
  into.note("ramdisk address", hex_number(*whole.le<uint32_t>(20, "")), 20);
  into.note("device tree address", hex_number(*whole.le<uint64_t>(2104, "")), 2104);
  TRY_VOID(give_ramdisks(boot, whole.base(), into));
  if (!boot.dtb.empty()) TRY_VOID(into.child("dtb", stored(boot.dtb)));
  if (boot.configuration.empty()) return {};
  Node node;
  node.path = "bootconfig";
  return into.node(std::move(node), stored(boot.configuration));
}

}  // namespace

extern const Format kAndroidVendorBoot;
const Format kAndroidVendorBoot = {
    .id = "android-vendor-boot",
    .title = "Android vendor_boot image",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "headers 3 and 4: ramdisks by their table, device tree, boot configuration",
    .limits = "it has no checksum of its own; board ids of ramdisks are not stated",
    .source = "AOSP system/tools/mkbootimg include/bootimg/bootimg.h",
    .checked = "foreign tool: mkbootimg (3); 4 own builder, by hand also AOSP's newer mkbootimg"};

}  // namespace assay::unpack::android_vendor_boot
