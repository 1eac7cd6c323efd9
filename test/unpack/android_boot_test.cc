// Android boot images, vendor_boot and tables of device trees: against mkbootimg where it writes them, else built here.
#include "test/unpack/avb_build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

#include "core/hash.h"

namespace assay::unpack {
namespace {

const std::string& kernel() {
  static const std::string bytes = HostTree::noise(5000);
  return bytes;
}
const std::string& ramdisk() {
  static const std::string bytes = HostTree::words(3000);
  return bytes;
}
const std::string kTree = "\xd0\x0d\xfe\xed" + big(64) + std::string(56, 't');

std::string paged(const std::string& bytes, size_t page = 2048) { return avb::padded(bytes, page); }

std::string id_of(std::initializer_list<std::string> sections) {
  std::string all;
  for (const std::string& s : sections) all += s + little(s.size());
  const auto sum = sha1(Bytes(all));
  return {reinterpret_cast<const char*>(sum.data()), sum.size()};
}

// Version 1 with a recovery DTBO; version 0 where `field` is above 4: the size of a table of device trees.
std::string old_image(uint32_t field) {
  const std::string extra = kTree;
  std::string h = "ANDROID!" + little(kernel().size()) + little(0x10008000) + little(ramdisk().size()) +
                  little(0x11000000) + little(0) + little(0) + little(0x100) + little(2048) + little(field) +
                  little((13u << 14 | 1u << 7) << 11 | 23u << 4 | 5u) + filled("board", 16) + filled("first ", 512);
  h += filled(id_of({kernel(), ramdisk(), "", extra}), 32) + filled("second", 1024);
  if (field == 1) h += little(extra.size()) + little(0, 8) + little(1648);
  return paged(h) + paged(kernel()) + paged(ramdisk()) + paged(extra);
}

std::string image_v4(const std::string& signature) {
  const std::string h = "ANDROID!" + little(kernel().size()) + little(ramdisk().size()) + little(0) + little(1584) +
                        std::string(16, '\0') + little(4) + filled("line", 1536) + little(signature.size());
  return paged(h, 4096) + paged(kernel(), 4096) + paged(ramdisk(), 4096) + signature;
}

std::string certificate(const std::string& name, const std::string& over) {
  return avb::vbmeta(avb::hash(name, "sha256", over.size(), "s", avb::digest("sha256", "s" + over)), 2048);
}

std::string state(const Collect& got, std::string_view name) {
  for (const Integrity& i : got.integrities)
    if (i.name == name) return i.state;
  return "absent";
}

std::string content(const Collect& got, std::string_view name) {
  const auto* item = got.find(name);
  return item ? item->content : "absent";
}

TEST(AndroidBoot, ReadsVersion1WithARecoveryDtbo) {
  const std::string image = old_image(1);
  const auto length = measured("android-boot", image);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  EXPECT_TRUE(length->verified);
  const Collect got = unpacked("android-boot", image);
  EXPECT_EQ(content(got, "kernel"), kernel());
  EXPECT_EQ(content(got, "ramdisk"), ramdisk());
  EXPECT_EQ(content(got, "recovery_dtbo"), kTree);
  EXPECT_EQ(state(got, "id"), "valid");
  EXPECT_EQ(got.notes.at("os version"), "13.1.0, patch level 2023-05");
  EXPECT_EQ(got.notes.at("kernel command line"), "first second");
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

TEST(AndroidBoot, ReadsATableOfDeviceTreesBehindVersion0) {
  const std::string image = old_image(64);
  const Collect got = unpacked("android-boot", image);
  EXPECT_EQ(content(got, "dt"), kTree);
  EXPECT_EQ(got.notes.at("header version"), "0");
  EXPECT_EQ(state(got, "id"), "valid");
}

TEST(AndroidBoot, HoldsAnIdToMkbootimgsRuleOnly) {
  std::string image = old_image(1);
  image[2048 + 17] = static_cast<char>(image[2048 + 17] ^ 1);
  Collect got = unpacked("android-boot", image);
  EXPECT_EQ(state(got, "id"), "invalid");
  EXPECT_EQ(got.problems.size(), 1u);
  EXPECT_FALSE(measured("android-boot", image)->verified);
  put(image, 576, HostTree::words(32));
  EXPECT_EQ(state(unpacked("android-boot", image), "id"), "not-checkable");
  put(image, 576, std::string(32, '\0'));
  EXPECT_EQ(state(unpacked("android-boot", image), "id"), "absent");
}

TEST(AndroidBoot, ChecksTheCertificatesOfAGenericKernel) {
  const std::string bare = image_v4("");
  const std::string appended = certificate("boot", bare) + certificate("generic_kernel", kernel());
  const std::string image = bare + filled(appended, 16384);
  const auto length = measured("android-boot", image);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  Collect got = unpacked("android-boot", image);
  EXPECT_EQ(state(got, "hash of partition boot"), "valid");
  EXPECT_EQ(state(got, "hash of partition generic_kernel"), "valid");
  EXPECT_EQ(state(got, "vbmeta signature"), "valid");
  EXPECT_EQ(unknown_bytes(image, got), 0u);
  std::string damaged = image;
  damaged[4096 + 9] = static_cast<char>(damaged[4096 + 9] ^ 4);
  got = unpacked("android-boot", damaged);
  EXPECT_EQ(state(got, "hash of partition boot"), "invalid");
  EXPECT_EQ(state(got, "hash of partition generic_kernel"), "invalid");
  const std::string counted = image_v4(filled(certificate("boot", "other bytes"), 4096));
  EXPECT_EQ(measured("android-boot", counted)->length, counted.size());
  EXPECT_EQ(state(unpacked("android-boot", counted), "hash of partition boot"), "not-checkable");
}

TEST(AndroidBoot, RefusesLiesAndTruncations) {
  const std::string image = old_image(1);
  for (size_t length = 0; length < image.size() - 2048; length += 61)
    EXPECT_FALSE(measured("android-boot", image.substr(0, length))) << length;
  const auto lie = [&](size_t at, uint64_t value) {
    std::string lying = image;
    put(lying, at, little(value));
    return measured("android-boot", lying);
  };
  EXPECT_FALSE(lie(36, 3000)) << "page size";
  EXPECT_FALSE(lie(8, 1 << 30)) << "kernel's size";
  EXPECT_FALSE(lie(1632, 1 << 30)) << "recovery DTBO's size";
  expect_survives(format("android-boot"), image, 97);
  expect_survives(format("android-boot"), image_v4(certificate("boot", "x")), 97);
}

TEST(AndroidBoot, EqualsWhatMkbootimgWasGiven) {
  if (!installed("mkbootimg")) GTEST_SKIP() << "mkbootimg is not installed";
  const Scratch scratch;
  std::ofstream(scratch.path() + "/k", std::ios::binary) << kernel();
  std::ofstream(scratch.path() + "/r", std::ios::binary) << ramdisk();
  std::ofstream(scratch.path() + "/d", std::ios::binary) << kTree;
  for (const char* version : {"0 --second d", "2 --dtb d --pagesize 4096", "3"}) {
    ASSERT_TRUE(scratch.run(std::string("mkbootimg --kernel k --ramdisk r --cmdline 'a b' --os_version 11 "
                                        "--os_patch_level 2021-12 -o out --header_version ") +
                            version));
    const std::string image = slurp(scratch.path() + "/out");
    const auto length = measured("android-boot", image);
    ASSERT_TRUE(length) << version << length.error().what;
    EXPECT_EQ(length->length, image.size()) << version;
    const Collect got = unpacked("android-boot", image);
    EXPECT_TRUE(content(got, "kernel") == kernel()) << version;
    EXPECT_TRUE(content(got, "ramdisk") == ramdisk()) << version;
    EXPECT_EQ(got.notes.at("kernel command line"), "a b") << version;
    EXPECT_EQ(got.notes.at("os version"), "11.0.0, patch level 2021-12") << version;
    if (version[0] == '3') continue;
    EXPECT_EQ(state(got, "id"), "valid") << version;
    EXPECT_EQ(content(got, version[0] == '0' ? "second" : "dtb"), kTree) << version;
  }
}

std::string ramdisk_entry(size_t size, size_t offset, int type, const std::string& name) {
  return filled(little(size) + little(offset) + little(static_cast<uint64_t>(type)) + filled(name, 32), 108);
}

std::string vendor_v4() {
  const std::string other = HostTree::words(700), configuration = "androidboot.a=1\n";
  const std::string table =
      ramdisk_entry(ramdisk().size(), 0, 1, "") + ramdisk_entry(other.size(), ramdisk().size(), 3, "dl/km");
  const std::string h = "VNDRBOOT" + little(4) + little(2048) + little(0x8000) + little(0x100000) +
                        little(ramdisk().size() + other.size()) + filled("vendor line", 2048) + little(0) +
                        filled("name", 16) + little(2128) + little(kTree.size()) + little(0x200000, 8) +
                        little(table.size()) + little(2) + little(108) + little(configuration.size());
  return paged(h) + paged(ramdisk() + other) + paged(kTree) + paged(table) + paged(configuration);
}

TEST(AndroidVendorBoot, ReadsTheTableOfRamdisks) {
  const std::string image = vendor_v4();
  const auto length = measured("android-vendor-boot", image);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  const Collect got = unpacked("android-vendor-boot", image);
  EXPECT_EQ(content(got, "ramdisk0"), ramdisk());
  EXPECT_EQ(content(got, "dl_km"), HostTree::words(700));
  EXPECT_EQ(content(got, "dtb"), kTree);
  EXPECT_EQ(content(got, "bootconfig"), "androidboot.a=1\n");
  EXPECT_EQ(got.notes.at("ramdisk dl_km"), "type dlkm, 700 bytes");
  EXPECT_EQ(got.notes.at("kernel command line"), "vendor line");
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

TEST(AndroidVendorBoot, RefusesLiesAndTruncations) {
  const std::string image = vendor_v4();
  for (size_t length = 0; length < image.size() - 2048; length += 61)
    EXPECT_FALSE(measured("android-vendor-boot", image.substr(0, length))) << length;
  std::string lying = image;
  put(lying, 2116, little(3));
  EXPECT_FALSE(measured("android-vendor-boot", lying)) << "more entries than the table has";
  lying = image;
  put(lying, 8, little(5));
  EXPECT_EQ(measured("android-vendor-boot", lying).error().fault, Fault::kUnsupported);
  lying = image;
  put(lying, lying.find("dl/km") - 8, little(4000));
  EXPECT_FALSE(measured("android-vendor-boot", lying)) << "a ramdisk beyond the ramdisks";
  expect_survives(format("android-vendor-boot"), image, 97);
}

TEST(AndroidVendorBoot, EqualsWhatMkbootimgWasGiven) {
  if (!installed("mkbootimg")) GTEST_SKIP() << "mkbootimg is not installed";
  const Scratch scratch;
  std::ofstream(scratch.path() + "/r", std::ios::binary) << ramdisk();
  std::ofstream(scratch.path() + "/d", std::ios::binary) << kTree;
  ASSERT_TRUE(scratch.run("mkbootimg --header_version 3 --vendor_boot out --vendor_ramdisk r --dtb d"));
  const std::string image = slurp(scratch.path() + "/out");
  ASSERT_TRUE(measured("android-vendor-boot", image));
  EXPECT_EQ(measured("android-vendor-boot", image)->length, image.size());
  const Collect got = unpacked("android-vendor-boot", image);
  EXPECT_EQ(content(got, "ramdisk"), ramdisk());
  EXPECT_EQ(content(got, "dtb"), kTree);
}

std::string dt_table(uint32_t version) {
  const std::string other = "\xd0\x0d\xfe\xed" + big(40) + std::string(32, 'o');
  const auto entry = [](size_t size, size_t at, uint32_t id) {
    return big(size) + big(at) + big(id) + big(1) + big(0) + big(0) + big(0) + big(0);
  };
  const std::string entries = entry(64, 128, 16) + entry(40, 192, 17) + entry(64, 128, 18);
  return "\xd7\xb7\xab\x1e" + big(128 + 64 + 40) + big(32) + big(32) + big(3) + big(32) + big(2048) + big(version) +
         entries + kTree + other;
}

TEST(DtTable, GivesEachTreeOnce) {
  for (const uint32_t version : {0, 1}) {
    const std::string image = dt_table(version);
    const auto length = measured("dt-table", image);
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(length->length, image.size());
    EXPECT_TRUE(length->verified);
    const Collect got = unpacked("dt-table", image);
    ASSERT_EQ(got.items.size(), 2u);
    EXPECT_EQ(content(got, "dt0"), kTree);
    EXPECT_TRUE(got.notes.at("dt2").starts_with("id 0x12, revision 0x1"));
    EXPECT_EQ(unknown_bytes(image, got), 0u);
  }
}

TEST(DtTable, RefusesLiesAndTruncations) {
  const std::string image = dt_table(0);
  for (size_t length = 0; length < image.size(); ++length) EXPECT_FALSE(measured("dt-table", image.substr(0, length)));
  std::string lying = image;
  put(lying, 32 + 4, big(230));
  EXPECT_FALSE(measured("dt-table", lying)) << "a tree beyond the table";
  lying = image;
  put(lying, 28, big(2));
  EXPECT_EQ(measured("dt-table", lying).error().fault, Fault::kUnsupported);
  lying = image;
  put(lying, 128, "x");
  EXPECT_FALSE(measured("dt-table", lying)->verified) << "no tree begins there";
  survives("dt-table", image);
}

std::string qcdt(uint32_t version) {
  const size_t size = version == 1 ? 20 : version == 2 ? 24 : 40;
  std::string out = "QCDT" + little(version) + little(2);
  for (const uint32_t at : {2048, 2112}) {
    std::string entry(size - 8, '\1');
    out += entry + little(at) + little(64);
  }
  return filled(out, 2048) + kTree + kTree;
}

TEST(Qcdt, ReadsThreeVersions) {
  for (const uint32_t version : {1, 2, 3}) {
    const std::string image = qcdt(version);
    const auto length = measured("qcdt", image);
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(length->length, image.size());
    EXPECT_TRUE(length->verified);
    const Collect got = unpacked("qcdt", image);
    EXPECT_EQ(content(got, "dt1"), kTree);
    EXPECT_EQ(unknown_bytes(image, got), 0u);
  }
  std::string lying = qcdt(3);
  put(lying, 8, little(5000));
  EXPECT_FALSE(measured("qcdt", lying));
  for (size_t length = 0; length < lying.size(); length += 13)
    EXPECT_FALSE(measured("qcdt", qcdt(3).substr(0, length)));
  survives("qcdt", qcdt(2));
}

}  // namespace
}  // namespace assay::unpack
