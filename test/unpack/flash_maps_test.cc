// Partition maps of disks and flash chips (MBR against sfdisk; FIS, SafeLoader by our own builder), and what boot
// loaders keep in flash: Broadcom's NVRAM and CFE; MiniFS with chunks by xz.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"
#include "unpack/examine.h"

#include "core/hash.h"

namespace assay::unpack {
namespace {

const std::string kPath = "PATH=$PATH:/sbin:/usr/sbin; ";

std::string state_of(const Collect& got, std::string_view name) {
  for (const Integrity& i : got.integrities)
    if (i.name == name) return i.state;
  return "";
}

std::string disk(const std::string& label) {
  const Scratch scratch;
  scratch.run(kPath + "truncate -s 1M out; printf '" + label + "' | sfdisk -q out");
  return slurp(scratch.path() + "/out");
}

TEST(Mbr, ReadsWhatSfdiskWrote) {
  if (!installed("sfdisk")) GTEST_SKIP() << "sfdisk is not installed";
  std::string image = disk(
      "label: dos\\nlabel-id: 0x12345678\\nstart=64,size=64,type=83,bootable\\nstart=128,size=64,type=b\\n"
      "start=256,size=1024,type=5\\nstart=320,size=64,type=83\\nstart=512,size=128,type=82\\n");
  ASSERT_FALSE(image.empty());
  put(image, 64 * 512, HostTree::noise(64 * 512));
  put(image, 320 * 512, HostTree::words(64 * 512));
  put(image, 512 * 512, HostTree::noise(128 * 512));
  const auto length = measured("mbr", image);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  Collect got = unpacked("mbr", image);
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  ASSERT_TRUE(got.find("part1") && got.find("part5") && got.find("part6"));
  EXPECT_FALSE(got.find("part2")) << "all zeros are padding";
  EXPECT_TRUE(got.find("part1")->content == HostTree::noise(64 * 512));
  EXPECT_TRUE(got.find("part5")->content == HostTree::words(64 * 512));
  EXPECT_TRUE(got.find("part6")->content == HostTree::noise(128 * 512));
  EXPECT_EQ(got.notes["disk signature"], "0x12345678");
  EXPECT_EQ(unknown_bytes(image, got), 0u);
  expect_survives(format("mbr"), image, 40'009);
}

TEST(Mbr, LeavesOthersAlone) {
  if (!installed("sfdisk")) GTEST_SKIP() << "sfdisk is not installed";
  const std::string gpt = disk("label: gpt\\nstart=64,size=128,name=kernel\\n");
  ASSERT_TRUE(measured("gpt", gpt));
  EXPECT_FALSE(measured("mbr", gpt)) << "the record that protects a GUID table";
  std::string image = disk("label: dos\\nstart=64,size=64,type=83\\nstart=128,size=64,type=83\\n");
  EXPECT_TRUE(measured("mbr", image));
  image[446 + 16 + 8] = 70;  // the second begins inside the first
  EXPECT_FALSE(measured("mbr", image));
  image[510] = 0;
  EXPECT_FALSE(measured("mbr", image));
  const Scratch scratch;
  if (!scratch.run(kPath + "truncate -s 1M fat; mkfs.fat fat")) return;
  const std::string fat = slurp(scratch.path() + "/fat");
  EXPECT_FALSE(measured("mbr", fat)) << "a boot sector of FAT";
}

TEST(Mbr, CirclesAndCutDisksAreSaid) {
  if (!installed("sfdisk")) GTEST_SKIP() << "sfdisk is not installed";
  std::string image = disk("label: dos\\nstart=256,size=1024,type=5\\nstart=320,size=64,type=83\\n");
  put(image, 256 * 512 + 446 + 16, std::string("\0\0\0\0\5\0\0\0", 8) + little(0) + little(1024));
  const Collect circle = unpacked("mbr", image);
  ASSERT_EQ(circle.problems.size(), 1u);
  EXPECT_NE(circle.problems[0].what.find("circle"), std::string::npos);
  std::string plain = disk("label: dos\\nstart=64,size=640,type=83\\n");
  put(plain, 64 * 512, HostTree::noise(640 * 512));
  const Collect cut = unpacked("mbr", plain.substr(0, 200 * 512));
  ASSERT_EQ(cut.problems.size(), 1u);
  EXPECT_EQ(cut.problems[0].fault, Fault::kTruncated);
}

std::string fis_flash(bool big_endian, bool with_crc) {
  const auto number = [&](uint64_t value) { return big_endian ? big(value) : little(value); };
  std::string flash(256 << 10, '\xff');
  constexpr uint64_t kBase = 0x50000000;
  const std::string kernel = HostTree::noise(30'000), root = HostTree::words(60'000);
  put(flash, 0, HostTree::noise(0x10000));
  put(flash, 0x10000, kernel);
  put(flash, 0x20000, root);
  uint64_t at = 0x3f000;
  const auto entry = [&](const std::string& name, uint64_t from, uint64_t size, const std::string& data) {
    const uint32_t crc = with_crc && !data.empty() ? crc32_raw(Bytes(data), 0) : 0;
    put(flash, at,
        filled(name, 16) + number(kBase + from) + number(0x80041000) + number(size) + number(0x80041000) +
            number(data.size()) + std::string(256 - 44, '\0') + number(0) + number(crc));
    at += 256;
  };
  entry("RedBoot", 0, 0x10000, "");
  entry("vmlinux", 0x10000, 0x10000, kernel);
  entry("rootfs", 0x20000, 0x1f000, root);
  entry("FIS directory", 0x3f000, 0x1000, "");
  return flash;
}

TEST(Fis, MapsTheFlash) {
  for (const bool big_endian : {false, true}) {
    const std::string flash = fis_flash(big_endian, true);
    const auto length = measured("fis", flash);
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(length->length, flash.size());
    EXPECT_TRUE(length->verified);
    Collect got = unpacked("fis", flash);
    for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
    ASSERT_TRUE(got.find("RedBoot") && got.find("vmlinux") && got.find("rootfs"));
    EXPECT_TRUE(got.find("vmlinux")->content.starts_with(HostTree::noise(30'000)));
    EXPECT_EQ(got.find("vmlinux")->content.size(), 0x10000u);
    EXPECT_EQ(state_of(got, "crc of vmlinux"), "valid");
    EXPECT_EQ(got.notes["flash address"], "0x50000000");
    EXPECT_EQ(unknown_bytes(flash, got), 0u);
    std::string damaged = flash;
    damaged[0x10010] ^= 1;
    EXPECT_EQ(state_of(unpacked("fis", damaged), "crc of vmlinux"), "invalid");
  }
}

TEST(Fis, RefusesLies) {
  std::string flash = fis_flash(true, false);
  EXPECT_TRUE(measured("fis", flash));
  put(flash, 0x3f000 + 256 + 24, big(0x7fffffff));
  EXPECT_FALSE(measured("fis", flash));
  EXPECT_FALSE(measured("fis", fis_flash(true, false).substr(0, 0x3f200)));
  EXPECT_FALSE(measured("fis", fis_flash(true, false).substr(0, 0x20000)));
  expect_survives(format("fis"), fis_flash(false, true), 60'013);
}

constexpr uint8_t kSalt[16] = {0x7a, 0x2b, 0x15, 0xed, 0x9b, 0x98, 0x59, 0x6d,
                               0xe5, 0x04, 0xab, 0x44, 0xac, 0x2a, 0x9f, 0x4e};

std::string meta(const std::string& data) { return big(data.size()) + big(0) + data + "\xff"; }

const std::string kFlashTable = std::string("\0\4\0\0", 4) +
                                "partition fs-uboot base 0x00000 size 0x20000\n"
                                "partition partition-table base 0x20000 size 0x02000\n"
                                "partition os-image base 0x40000 size 0x80000\n";

std::string safeloader_image() {
  const std::pair<std::string, std::string> parts[] = {
      {"partition-table", filled(kFlashTable + std::string(1, '\0'), 0x800, '\xff')},
      {"soft-version", meta(std::string("\xff\1\2\3\x20\x21\x03\x04", 8) + big(77))},
      {"support-list", meta("SupportList:\r\nCPE210(TP-LINK|UN|N300-2):1.0\r\n")},
      {"os-image", HostTree::noise(5000)},
      {"file-system", HostTree::words(9001)}};
  std::string table, data;
  for (const auto& [name, content] : parts) {
    char line[96];
    std::snprintf(line, sizeof line, "fwup-ptn %s base 0x%05zx size 0x%05zx\t\r\n", name.c_str(), 0x800 + data.size(),
                  content.size());
    table += line;
    data += content;
  }
  const std::string vendor = "CPE510(TP-LINK|UN|N300-5):1.0\r\n";
  std::string image = big(0x1814 + data.size()) + std::string(16, '\0') + big(vendor.size()) +
                      filled(vendor, 0x1014 - 24, '\xff') + filled(table + std::string(1, '\0'), 0x800, '\xff') + data;
  const auto digest = md5(Bytes(std::string(reinterpret_cast<const char*>(kSalt), 16) + image.substr(20)));
  put(image, 4, std::string(digest.begin(), digest.end()));
  return image;
}

TEST(SafeLoader, ReadsPartitionsAndWhatTheySay) {
  const std::string image = safeloader_image();
  const auto length = measured("safeloader", image + "tail");
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  EXPECT_TRUE(length->verified);
  Collect got = unpacked("safeloader", image);
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  ASSERT_TRUE(got.find("os-image") && got.find("file-system") && got.find("support-list"));
  EXPECT_TRUE(got.find("os-image")->content == HostTree::noise(5000));
  EXPECT_TRUE(got.find("file-system")->content == HostTree::words(9001));
  EXPECT_TRUE(got.find("support-list")->content.starts_with("SupportList:"));
  EXPECT_EQ(got.notes["software version"], "1.2.3, 2021-03-04, revision 77");
  EXPECT_EQ(got.notes["supported"], "CPE210(TP-LINK|UN|N300-2):1.0");
  EXPECT_EQ(got.notes["vendor"], "CPE510(TP-LINK|UN|N300-5):1.0");
  EXPECT_EQ(got.notes["flash partition"], "os-image 0x40000+0x80000");
  EXPECT_EQ(state_of(got, "md5"), "valid");
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

TEST(SafeLoader, SaysWhatDoesNotHold) {
  std::string image = safeloader_image();
  image[image.size() - 1] ^= 1;
  const auto length = measured("safeloader", image);
  ASSERT_TRUE(length);
  EXPECT_FALSE(length->verified);
  EXPECT_EQ(state_of(unpacked("safeloader", image), "md5"), "invalid");
  EXPECT_FALSE(measured("safeloader", image.substr(0, image.size() - 1)));
  std::string lying = safeloader_image();
  put(lying, lying.find("size 0x00800"), "size 0xfffff");
  EXPECT_FALSE(measured("safeloader", lying));
  expect_survives(format("safeloader"), safeloader_image(), 997);
}

TEST(SafeLoaderFlash, MapsAWholeChip) {
  std::string flash(1 << 20, '\xff');
  put(flash, 0, HostTree::noise(0x10000));
  put(flash, 0x20000, kFlashTable + std::string(1, '\0'));
  put(flash, 0x40000, HostTree::words(0x80000));
  ASSERT_TRUE(measured("safeloader-flash", flash));
  const Collect got = unpacked("safeloader-flash", flash);
  ASSERT_TRUE(got.find("fs-uboot") && got.find("os-image"));
  EXPECT_TRUE(got.find("os-image")->content == HostTree::words(0x80000));
  put(flash, 0x20000, std::string(64, '\xff'));
  put(flash, 0x30000, kFlashTable + std::string(1, '\0'));
  EXPECT_FALSE(measured("safeloader-flash", flash)) << "the table is not where it says itself";
}

uint8_t nvram_crc(std::string_view bytes) {  // the bits of the polynomial one by one, from the other end
  uint32_t crc = 0xff;
  for (const char byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const uint32_t in = (static_cast<uint8_t>(byte) >> bit & 1) ^ (crc & 1);
      crc >>= 1;
      if (in) crc ^= 0xab;
    }
  return static_cast<uint8_t>(crc);
}

std::string nvram(const std::string& variables) {
  const std::string text = variables + std::string(4 - variables.size() % 4, '\0');
  std::string out = "FLSH" + little(20 + text.size()) + std::string(1, '\0') + "\1" + little(0x1234, 2) +
                    little(0x80000062) + little(0x55) + text;
  out[8] = static_cast<char>(nvram_crc(std::string_view(out).substr(9)));
  return out;
}

TEST(BcmNvram, ReadsVariables) {
  EXPECT_EQ(nvram_crc(""), 0xff);
  const std::string image = nvram(std::string("http_username=admin\0http_passwd=se=cret\0empty=\0", 47));
  const auto length = measured("bcmnvram", image + std::string(100, '\xff'));
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  EXPECT_TRUE(length->verified);
  Collect got = unpacked("bcmnvram", image);
  EXPECT_EQ(got.notes["nvram http_username"], "admin");
  EXPECT_EQ(got.notes["nvram http_passwd"], "se=cret");
  EXPECT_EQ(got.notes["nvram empty"], "");
  EXPECT_EQ(state_of(got, "crc8"), "valid");
  std::string damaged = image;
  damaged[24] ^= 2;
  EXPECT_EQ(state_of(unpacked("bcmnvram", damaged), "crc8"), "invalid");
  EXPECT_FALSE(measured("bcmnvram", image.substr(0, image.size() - 1)));
  EXPECT_FALSE(measured("bcmnvram", nvram(std::string("no value\0", 9))));
  survives("bcmnvram", image);
}

std::string cfe(uint32_t version) {
  std::string image(64 << 10, '\xff');
  put(image, 0, HostTree::noise(0x4e0));
  put(image, 0x4e0, "CFE1CFE1");
  put(image, 0x570, std::string("cfe-v\1\0\x26\0\x65", 10));
  std::string board = big(version) + filled("e=192.168.1.1:ffffff00 h=192.168.1.100 g= r=f f=vmlinux", 256) +
                      filled("96328avng", 16) + big(0) + big(24) + big(11) + std::string("\0\x11\x22\x33\x44\x55", 6) +
                      std::string(2, '\0') + big(0);
  board.resize(1024, '\0');
  put(board, 592, big(0) + big(128) + std::string(12, '\0') + big(128) + big(4096) + std::string(12, '\0'));
  const size_t size = version <= 4 ? 300 : 1024;
  put(board, size - 4, big(crc32_raw(Bytes(board).head(size))));
  put(image, 0x580, board);
  put(image, 0x2000, HostTree::words(0x4000));
  return image;
}

TEST(Cfe, ReadsTheBoardsData) {
  for (const uint32_t version : {4u, 6u}) {
    const std::string image = cfe(version);
    const auto length = measured("cfe", image + "next");
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(length->length, image.size());
    EXPECT_TRUE(length->verified);
    Collect got = unpacked("cfe", image);
    for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
    EXPECT_EQ(got.notes["board"], "96328avng");
    EXPECT_EQ(got.notes["MAC addresses"], "11 from 00:11:22:33:44:55");
    EXPECT_EQ(got.notes["version"], "1.0.38-0.101");
    EXPECT_EQ(got.notes["NAND partition"], version == 6 ? "1: 128+4096 KiB" : "");
    EXPECT_EQ(state_of(got, "crc of board data"), "valid");
    ASSERT_TRUE(got.find("code"));
    std::string damaged = image;
    damaged[0x590] ^= 1;
    EXPECT_EQ(state_of(unpacked("cfe", damaged), "crc of board data"), "invalid");
  }
  EXPECT_FALSE(measured("cfe", cfe(6).substr(0, 0x700)));
  expect_survives(format("cfe"), cfe(6).substr(0, 8192), 2003);
}

TEST(MiniFs, ReadsFilesThatShareChunks) {
  const std::string text = HostTree::words(5000), page = "<html></html>", zero;
  const std::string one = through("xz --format=lzma -c", text + page), two = through("xz --format=lzma -c", "second");
  if (one.empty()) GTEST_SKIP() << "xz is not installed";
  const std::string names = std::string("/web\0index.htm\0words\0/conf/\0key.pem\0", 36);
  const auto entry = [](uint32_t directory, uint32_t name, uint32_t chunk, uint32_t at, size_t size) {
    return big(directory) + big(name) + big(chunk) + big(at) + big(size);
  };
  const std::string image = filled("MINIFS", 16) + big(3) + big(3) + big(one.size()) + big(names.size()) + names +
                            entry(0, 5, 0, 5000, page.size()) + entry(0, 15, 0, 0, 5000) + entry(21, 28, 1, 0, 6) +
                            big(0) + big(one.size()) + big(5000 + page.size()) + big(one.size()) + big(two.size()) +
                            big(6) + one + two;
  const auto length = measured("minifs", image + "tail");
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  EXPECT_TRUE(length->verified);
  Collect got = unpacked("minifs", image);
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  ASSERT_TRUE(got.find("/web/index.htm") && got.find("/web/words") && got.find("/conf/key.pem"));
  EXPECT_EQ(got.find("/web/index.htm")->content, page);
  EXPECT_EQ(got.find("/web/words")->content, text);
  EXPECT_EQ(got.find("/conf/key.pem")->content, "second");
  EXPECT_EQ(unknown_bytes(image, got), 0u);
  EXPECT_FALSE(measured("minifs", image.substr(0, image.size() - 1)));
  std::string lying = image;
  put(lying, 32 + names.size() + 16, big(6000));
  EXPECT_EQ(unpacked("minifs", lying).problems.size(), 1u);
  lying = image;
  put(lying, 32 + names.size() + 8, big(0xffff));
  EXPECT_FALSE(measured("minifs", lying));
  survives("minifs", image);
}

}  // namespace
}  // namespace assay::unpack
