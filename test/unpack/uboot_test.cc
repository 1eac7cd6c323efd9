// What U-Boot reads and is: uImage, FIT, device trees, environments, its own code, flash maps. Samples come from
// mkimage, dtc and mkenvimage where these are installed, and from builders here.
#include "test/unpack/build.h"

#include "core/hash.h"

namespace assay::unpack {
namespace {

std::string uimage(const std::string& data, uint8_t type, uint32_t stated_size) {
  std::string h = big(0x27051956) + big(0) + big(1496377731) + big(stated_size) + big(0x80010000) + big(0x80010400) +
                  big(crc32(Bytes(data))) + std::string("\x05\x05", 2) + static_cast<char>(type) +
                  std::string(1, '\1') + filled("Linux-3.10.14", 32);
  put(h, 4, big(crc32(Bytes(h))));
  return h + data;
}

TEST(UImage, SingleImage) {
  const std::string sample = uimage("the kernel", 2, 10);
  const auto m = measured("uimage", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, 74u);
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("uimage", sample);
  EXPECT_EQ(got.find("kernel")->content, "the kernel");
  EXPECT_EQ(got.notes.at("time"), "2017-06-02 04:28:51 UTC");
  EXPECT_EQ(got.notes.at("load"), "0x80010000");
  EXPECT_EQ(got.notes.at("arch"), "mips");
  EXPECT_EQ(got.notes.at("compression"), "gzip");
  survives("uimage", sample);
  unpack_survives("uimage", sample);
}

TEST(UImage, DataThatRunPastTheEndAreAProblem) {
  const std::string sample = uimage("short", 2, 1000);
  const auto m = measured("uimage", sample);
  ASSERT_TRUE(m);
  EXPECT_FALSE(m->verified);
  const Collect got = unpacked("uimage", sample);
  EXPECT_EQ(got.find("kernel")->content, "short");
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].fault, Fault::kTruncated);
}

TEST(UImage, DamageShowsInTheRightChecksum) {
  std::string sample = uimage("the kernel", 2, 10);
  sample[70] = 'X';
  EXPECT_FALSE(measured("uimage", sample)->verified);
  EXPECT_EQ(unpacked("uimage", sample).notes.at("data crc"), "invalid");
  sample[40] = 'X';
  EXPECT_FALSE(measured("uimage", sample));
}

TEST(UImage, MultiFromMkimage) {
  const std::string made =
      made_by("printf kernel > k; printf ramdisk0 > r; mkimage -A arm -O linux -T multi -C none -n multi -d k:r out");
  if (made.empty()) GTEST_SKIP() << "mkimage is not installed";
  ASSERT_TRUE(measured("uimage", made)->verified);
  const Collect got = unpacked("uimage", made);
  EXPECT_EQ(got.find("part0")->content, "kernel");
  EXPECT_EQ(got.find("part1")->content, "ramdisk0");
  EXPECT_EQ(got.notes.at("arch"), "arm");
  survives("uimage", made);
}

TEST(UImage, ScriptFromMkimage) {
  const std::string made = made_by("echo 'run bootcmd' > s; mkimage -A arm -T script -C none -n boot -d s out");
  if (made.empty()) GTEST_SKIP() << "mkimage is not installed";
  EXPECT_EQ(unpacked("uimage", made).find("script")->content, "run bootcmd\n");
}

TEST(UImage, TypesFromMkimage) {
  for (const auto& [type, child] : {std::pair{"ramdisk", "ramdisk"},
                                    {"firmware", "firmware"},
                                    {"filesystem", "filesystem"},
                                    {"standalone", "data"}}) {
    const std::string made =
        made_by(std::string("printf content > d; mkimage -A mips -T ") + type + " -C none -n n -d d out");
    if (made.empty()) GTEST_SKIP() << "mkimage is not installed";
    ASSERT_TRUE(unpacked("uimage", made).find(child)) << type;
  }
  EXPECT_TRUE(unpacked("uimage", uimage("tree", 8, 4)).find("fdt"));  // mkimage makes a FIT of this type
}

const char kTreeSource[] =
    "cat > t.dts <<'X'\n/dts-v1/;\n/ { model = \"Board\"; compatible = \"a,b\", \"c,d\"; "
    "chosen { bootargs = \"console=ttyS0\"; }; flash { partitions { compatible = \"fixed-partitions\"; "
    "#address-cells = <1>; #size-cells = <1>; partition@0 { label = \"boot\"; reg = <0 0x40000>; read-only; }; }; }; "
    "};\n"
    "X\n";

TEST(Dtb, NotesWhatItSays) {
  const std::string made = made_by(std::string(kTreeSource) + "dtc -o out t.dts");
  if (made.empty()) GTEST_SKIP() << "dtc is not installed";
  const auto m = measured("dtb", made + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, made.size());
  EXPECT_FALSE(measured("fit", made));
  const Collect got = unpacked("dtb", made);
  EXPECT_EQ(got.notes.at("model"), "Board");
  EXPECT_EQ(got.notes.at("compatible"), "a,b, c,d");
  EXPECT_EQ(got.notes.at("bootargs"), "console=ttyS0");
  EXPECT_EQ(got.notes.at("partition"), "boot 0x0+0x40000 read-only");
  uint64_t covered = 0;
  for (const Span& span : got.spans) covered += span.length;
  EXPECT_EQ(covered, made.size());
  survives("dtb", made);
  unpack_survives("dtb", made);
}

std::string fit_source(const char* flags) {
  return std::string(
             "printf KERNELDATA > k; printf ROOT > r; cat > f.its <<'X'\n/dts-v1/;\n/ { description = \"d\"; images { "
             "kernel { data = /incbin/(\"k\"); type = \"kernel\"; arch = \"mips\"; os = \"linux\"; "
             "compression = \"none\"; load = <0x80000000>; entry = <0x80000400>; hash-1 { algo = \"crc32\"; }; "
             "hash-2 { algo = \"md5\"; }; hash-3 { algo = \"sha1\"; }; hash-4 { algo = \"sha256\"; }; }; "
             "ramdisk { data = /incbin/(\"r\"); type = \"ramdisk\"; arch = \"mips\"; os = \"linux\"; "
             "compression = \"none\"; hash-1 { algo = \"sha256\"; }; }; }; "
             "configurations { default = \"c1\"; c1 { kernel = \"kernel\"; ramdisk = \"ramdisk\"; "
             "signature-1 { algo = \"sha256,rsa2048\"; key-name-hint = \"dev\"; }; }; }; };\nX\nmkimage ") +
         flags + " -f f.its out";
}

TEST(Fit, HashesAreChecked) {
  for (const char* flags : {"", "-E", "-E -p 0x1000"}) {
    std::string made = made_by(fit_source(flags));
    if (made.empty()) GTEST_SKIP() << "mkimage is not installed";
    const auto m = measured("fit", made + "tail");
    ASSERT_TRUE(m) << flags;
    EXPECT_EQ(m->length / 16, made.size() / 16) << flags;
    EXPECT_TRUE(m->verified);
    EXPECT_FALSE(measured("dtb", made));
    const Collect got = unpacked("fit", made);
    EXPECT_EQ(got.find("kernel")->content, "KERNELDATA") << flags;
    EXPECT_EQ(got.find("ramdisk")->content, "ROOT") << flags;
    for (const char* hash : {"hash-1 crc32", "hash-2 md5", "hash-3 sha1", "hash-4 sha256"})
      EXPECT_EQ(got.notes.at(std::string("kernel ") + hash), "valid") << flags;
    EXPECT_EQ(got.notes.at("default configuration"), "c1");
    EXPECT_EQ(got.notes.at("configuration c1 signature-1"), "not checked: key dev, sha256,rsa2048");
    EXPECT_EQ(got.notes.at("kernel load"), "0x80000000");
    survives("fit", made);
    made[made.find("KERNELDATA")] = 'X';
    EXPECT_FALSE(measured("fit", made)->verified);
    EXPECT_EQ(unpacked("fit", made).notes.at("kernel hash-4 sha256"), "invalid");
  }
}

TEST(UBootEnv, FromMkenvimage) {
  for (const char* flags : {"", "-r", "-b", "-b -r", "-p 0"}) {
    const std::string made =
        made_by(std::string("printf 'bootargs=console=ttyS0\\nbootdelay=1\\n' > e; mkenvimage -s 0x2000 ") + flags +
                " -o out e");
    if (made.empty()) GTEST_SKIP() << "mkenvimage is not installed";
    const auto m = measured("uboot-env", made + std::string(0x1000, 'x'));
    ASSERT_TRUE(m) << flags;
    EXPECT_EQ(m->length, 0x2000u);
    EXPECT_TRUE(m->verified);
    const Collect got = unpacked("uboot-env", made);
    EXPECT_EQ(got.notes.at("env bootargs"), "console=ttyS0");
    EXPECT_EQ(got.notes.at("env bootdelay"), "1");
    EXPECT_EQ(got.notes.count("flag"), std::string(flags).find("-r") == std::string::npos ? 0u : 1u);
    survives("uboot-env", made);
  }
  EXPECT_FALSE(measured("uboot-env", std::string("\1\2\3\4bootargs=x\0\0", 16) + std::string(0x2000, '\0')));
}

// Start-up code as compilers laid it out until 2013: a branch, "bal" over the table's address, the numbers, the table.
std::string old_mips(bool is_big) {
  const auto word = [&](uint64_t v) { return is_big ? big(v) : little(v); };
  const uint64_t base = 0x9f000000, size = 0x2000, table = 0x1f00;
  std::string b(size, '\0');
  put(b, 0, word(0x100000ff) + word(0));
  put(b, 0x400, word(0x04110002) + word(0) + word(base + table));
  put(b, 0x500,
      word(0x01000008) + word(0) + word(base + size) + word(base + size + 0x400) + word(20) + word(0x8d0bfffc));
  for (uint64_t i = 0; i < 20; ++i) put(b, table + 4 * i, word(i < 2 ? 0x80000000 * i : base + 0x100 * i));
  put(b, 0x1000, "U-Boot 1.1.4 (Mar 25 2016 - 16:59:44)");
  return b;
}

TEST(UBootMips, AddressesMustAgree) {
  for (const bool is_big : {true, false}) {
    const std::string sample = old_mips(is_big);
    const auto m = measured("uboot-mips", sample + "what follows");
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, sample.size());
    const Collect got = unpacked("uboot-mips", sample);
    EXPECT_EQ(got.notes.at("banner"), "U-Boot 1.1.4 (Mar 25 2016 - 16:59:44)");
    EXPECT_EQ(got.notes.at("base"), "0x9f000000");
    std::string damaged = sample;
    put(damaged, 0x1f00 + 40, std::string(4, '\x11'));  // an entry of the table that is no address of the image
    EXPECT_FALSE(measured("uboot-mips", damaged));
    damaged = sample;
    put(damaged, 0x508, std::string(4, '\x99'));  // uboot_end_data
    EXPECT_FALSE(measured("uboot-mips", damaged));
    survives("uboot-mips", sample);
  }
}

TEST(UBootArm, VectorsAndWordsMustAgree) {
  const uint64_t base = 0x33f80000;
  std::string b(0x2000, '\0');
  put(b, 0, little(0xea000012));
  for (int i = 1; i < 8; ++i) put(b, 4 * static_cast<size_t>(i), little(0xe59ff014));
  for (int i = 0; i < 7; ++i)
    put(b, 0x20 + 4 * static_cast<size_t>(i), little(base + 0x160 + 0x20 * static_cast<uint64_t>(i)));
  put(b, 0x3c, little(0xdeadbeef));
  put(b, 0x40, little(base) + little(base) + little(base + 0x2000) + little(base + 0x9000));
  put(b, 0x1800, "U-Boot 1.1.4 (Oct 1 2010)");
  const auto m = measured("uboot-arm", b + "more");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, b.size());
  EXPECT_EQ(unpacked("uboot-arm", b).notes.at("base"), "0x33f80000");
  survives("uboot-arm", b);
  put(b, 0x24, little(base + 0x5000));  // a handler outside
  EXPECT_FALSE(measured("uboot-arm", b));
}

TEST(IngenicSpl, ChecksumPinsTheCode) {
  const std::string bytes = shared_file("firmware/sannce-8M-flash.bin");
  if (bytes.empty()) GTEST_SKIP() << "no shared/firmware beside the checkout";
  std::string spl = bytes.substr(0, 0x3298);
  ASSERT_TRUE(measured("ingenic-spl", spl));
  EXPECT_EQ(measured("ingenic-spl", bytes)->length, 0x3298u);
  survives("ingenic-spl", spl);
  spl[0x900] = static_cast<char>(spl[0x900] ^ 1);
  EXPECT_FALSE(measured("ingenic-spl", spl));
}

std::string environment_with(const std::string& parts) {
  std::string body = "bootargs=root=/dev/mtdblock2 mtdparts=nor0:" + parts + std::string(2, '\0');
  body.resize(0x1000 - 4, '\0');
  return little(crc32(Bytes(body))) + body;
}

std::string flash(const std::string& parts) {
  std::string b(512 << 10, '\xff');
  put(b, 0, environment_with(parts));
  put(b, 128 << 10, uimage(std::string(9000, 'k'), 2, 9000));
  put(b, 256 << 10, "data of no known kind");
  return b;
}

TEST(FlashMap, PartitionsFillTheImage) {
  const std::string sample = flash("128k(boot)ro,128k(kernel),-(rest)");
  const auto m = measured("flashmap", sample);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  EXPECT_TRUE(m->verified);  // the text is under the environment's checksum
  const Collect got = unpacked("flashmap", sample);
  ASSERT_EQ(got.items.size(), 3u);
  EXPECT_EQ(got.find("kernel")->content.size(), 128u << 10);
  EXPECT_EQ(got.find("rest")->content.size(), 256u << 10);
  EXPECT_FALSE(measured("flashmap", flash("128k(boot),128k(kernel)")));  // does not fill it
  // Only one of these partitions begins with a structure.
  EXPECT_FALSE(measured("flashmap", flash("96k(boot),64k(x),352k(rest)")));
  EXPECT_FALSE(measured("flashmap", flash("128k(boot),128k(kernel),257k(rest)")));
  for (size_t i = 0; i < 200; ++i) measured("flashmap", sample.substr(0, sample.size() - 4096 * (i % 128)));
}

TEST(RealUBoot, BootLoadersAreCoveredToTheirLastByte) {
  const struct {
    const char* file;
    size_t at;
    uint64_t length;
  } all[] = {{"sannce-8M-flash.bin", 0x6800, 0x33c28},
             {"tplink-wr841nv11-stock.bin", 0x200, 0x37c0},
             {"tplink-wr841nv14-eu-stock.bin", 0x200, 0xffcc}};
  for (const auto& real : all) {
    const std::string bytes = shared_file(std::string("firmware/") + real.file);
    if (bytes.empty()) GTEST_SKIP() << "no shared/firmware beside the checkout";
    const auto m = measured("uboot-mips", std::string_view(bytes).substr(real.at));
    ASSERT_TRUE(m) << real.file;
    EXPECT_EQ(m->length, real.length) << real.file;
  }
}

TEST(RealUBoot, SannceFlashIsMapped) {
  const std::string bytes = shared_file("firmware/sannce-8M-flash.bin");
  if (bytes.empty()) GTEST_SKIP() << "no shared/firmware beside the checkout";
  EXPECT_EQ(measured("uboot-env", std::string_view(bytes).substr(0x3c000))->length, 0x4000u);
  const auto m = measured("flashmap", bytes);
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("flashmap", bytes);
  for (const auto& [name, size] :
       {std::pair{"boot", 256}, {"kernel", 2176}, {"root", 3328}, {"system", 2304}, {"factory", 64}}) {
    ASSERT_TRUE(got.find(name)) << name;
    EXPECT_EQ(got.find(name)->content.size(), static_cast<size_t>(size) << 10) << name;
  }
}

}  // namespace
}  // namespace assay::unpack
