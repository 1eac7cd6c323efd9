// U-Boot told by its relocations. Samples for damage are built here; what Debian ships is read where it is installed.
#include "test/unpack/build.h"

#include <filesystem>

namespace assay::unpack {
namespace {

constexpr char kBanner[] = "U-Boot 2023.01 (Jan 09 2023 - 00:00:00 +0000)";
constexpr size_t kEntries = 300, kTable = 0x2000;

std::string image_of(const std::string& start, size_t size) {
  std::string b(size, '\0');
  put(b, 0, start);
  put(b, 0x800, kBanner);
  return b;
}

std::string rela(uint64_t base, uint64_t type, size_t entries = kEntries) {
  std::string out;
  for (size_t i = 0; i < entries; ++i)
    out += little(base + 0x1000 + 8 * i, 8) + little(type, 8) + little(base + 0x10 * i, 8);
  return out;
}

std::string aarch64() {
  const std::string table = rela(0, 1027);
  const uint64_t end = kTable + table.size();
  const std::string words =
      little(0x1400000a) + little(0xd503201f) + little(0, 8) + little(end, 8) + little(end, 8) + little(end + 0x100, 8);
  return image_of(words, kTable) + table;
}

// The code that relocates names the table: ARM by distances, x86 by addresses.
std::string arm() {
  std::string start = little(0xea0000b8);
  for (int i = 0; i < 7; ++i) start += little(0xe59ff014);
  std::string b = image_of(start, kTable);
  put(b, 0x400,
      little(0 - uint64_t{0x3c0}) + little(kTable - 0x3c0) + little(kTable - 0x3c0) +
          little(kTable + 8 * kEntries - 0x3c0));
  for (size_t i = 0; i < kEntries; ++i) {
    const uint64_t place = i == 0 ? 0x20 : 0x1000 + 4 * i;
    put(b, place, little(0x10 * i));
    b += little(place) + little(23);
  }
  return b;
}

std::string x86() {
  const uint64_t base = 0xfff00000;
  std::string b = image_of(std::string("\xfa\xfc\x0f\x20\xc0\x0d\0\0\0\x60", 10), kTable);
  for (size_t i = 0; i < kEntries; ++i) {
    const uint64_t address = i == 0 ? base + kTable : i == 1 ? base + kTable + 8 * kEntries : base + 0x10 * i;
    put(b, 0x1000 + 4 * i, little(address));
    b += little(base + 0x1000 + 4 * i) + little(8);
  }
  return b;
}

// The dynamic section in front of the table; symbols behind it.
std::string riscv() {
  const uint64_t base = 0x80200000, symbols = base + kTable + 24 * kEntries;
  std::string b = image_of(little(0x84ae822a), kTable);
  const std::pair<uint64_t, uint64_t> tags[] = {{4, base + 0x1c00}, {6, symbols}, {7, base + kTable},
                                                {8, 24 * kEntries}, {9, 24},      {0, 0}};
  size_t at = 0x1a00;
  for (const auto& [tag, value] : tags) put(b, at, little(tag, 8) + little(value, 8)), at += 16;
  put(b, 0x1c00, little(1) + little(2));
  return b + rela(base, 3) + std::string(48, '\1');
}

std::string mips(bool is_big) {
  const auto word = [&](uint64_t v) { return is_big ? big(v) : little(v); };
  std::string b = image_of(word(0x1000013f) + word(0), kTable);
  std::string table;
  uint64_t before = 0;
  for (size_t i = 0; i < kEntries; ++i) {
    const uint64_t place = 0x1000 + 4 * i, type = i % 3 == 0 ? 2 : i % 3 == 1 ? 4 : 5;
    put(b, place, word(type == 2 ? 0xbe000000 + 4 * i : type == 4 ? 0x0f800000 + i : 0x3c01be00));
    const uint64_t distance = (place - before) / 4;
    table += static_cast<char>(type);
    if (distance >= 0x80) table += static_cast<char>(0x80 | (distance & 0x7f));
    table += static_cast<char>(distance >= 0x80 ? distance >> 7 : distance);
    before = place;
  }
  return b + table + '\0';
}

std::string powerpc() {
  const uint64_t base = 0xf00000, fixup = kTable + 4 * kEntries, end = fixup + 4 * 8;
  std::string b = image_of(big(0x38200200) + big(0x7c200124), kTable);
  std::string table = big(base + kTable) + big(base + fixup) + big(base) + big(base + 0x100) + big(base + 0x100) +
                      big(base + end) + big(base + end + 0x2000) + big(base + end);
  for (size_t i = 8; i < kEntries; ++i) table += big(base + 4 * i);
  for (size_t i = 0; i < 8; ++i) table += big(base + kTable + 4 * i);
  return b + table;
}

struct Sample {
  const char* arch;
  std::string bytes;
  size_t told_by;  // a byte whose change leaves nothing that pins the image, or an entry that does not fit
};

std::vector<Sample> samples() {
  return {{"aarch64, little endian", aarch64(), 0x11},
          {"aarch64, little endian", aarch64(), kTable + 24 * 7 + 4},
          {"arm, little endian", arm(), 0x408},
          {"arm, little endian", arm(), kTable + 8 * 9 + 2},
          {"x86, little endian", x86(), 0x1001},
          {"x86, little endian", x86(), kTable + 8 * 7 + 2},
          {"riscv64, little endian", riscv(), 0x1a00 + 40},
          {"riscv64, little endian", riscv(), kTable + 24 * 7 + 2},
          {"mips, little endian", mips(false), 0x1007},
          {"mips, big endian", mips(true), 0x1004},
          {"powerpc, big endian", powerpc(), kTable + 1},
          {"powerpc, big endian", powerpc(), kTable + 4}};
}

TEST(UBoot, EveryRelocationMustFit) {
  for (const Sample& sample : samples()) {
    const auto m = measured("uboot", sample.bytes + std::string(32, '\xff'));
    ASSERT_TRUE(m) << sample.arch << ": " << m.error().what;
    EXPECT_EQ(m->length, sample.bytes.size()) << sample.arch;
    EXPECT_TRUE(m->verified);
    const Collect got = unpacked("uboot", sample.bytes);
    EXPECT_EQ(got.notes.at("arch"), sample.arch);
    EXPECT_EQ(got.notes.at("banner"), kBanner);
    std::string damaged = sample.bytes;
    damaged[sample.told_by] = static_cast<char>(damaged[sample.told_by] ^ 0x40);
    EXPECT_FALSE(measured("uboot", damaged)) << sample.arch << " at " << sample.told_by;
    damaged = sample.bytes;
    put(damaged, 0x800, "V-Boot");
    EXPECT_FALSE(measured("uboot", damaged)) << sample.arch;
  }
}

TEST(UBoot, SurvivesDamage) {
  for (const std::string& bytes : {aarch64(), arm(), x86(), riscv(), mips(true), powerpc()})
    for (size_t i = 0; i < bytes.size(); i += i < 64 || bytes.size() - i < 64 ? 1 : 389) {
      measured("uboot", std::string_view(bytes).substr(0, i));
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
      if (const auto m = measured("uboot", damaged)) {
        ASSERT_LE(m->length, damaged.size());
        unpacked("uboot", damaged.substr(0, m->length));
      }
    }
}

std::string repeated(const std::string& piece, size_t size) {
  std::string out;
  while (out.size() < size) out += piece;
  return out;
}

// Every place looks like the start of a table that does not end: without an allowance of work the square of the size.
TEST(UBoot, TablesThatBeginEverywhereEndInARefusal) {
  const size_t size = 3 << 20;
  const std::string banner = filled("U-Boot 2023.01", 24);
  const std::string x86 = std::string("\xfa\xfc\x0f\x20\xc0\x0d\0\0", 8) + banner;
  const std::string all[] = {big(0x1000013f) + big(0) + banner + repeated(std::string("\2\0", 2), size),
                             x86 + repeated(little(0xfff40000) + little(8), size)};
  for (const std::string& sample : all) EXPECT_EQ(measured("uboot", sample).error().fault, Fault::kForeign);
}

TEST(UBoot, DeviceTreeBehindItIsAPart) {
  const std::string tree = made_by("echo '/dts-v1/; / { model = \"Board\"; };' > t.dts; dtc -o out t.dts");
  if (tree.empty()) GTEST_SKIP() << "dtc is not installed";
  const std::string sample = mips(false) + std::string(0x100, '\0') + tree;
  const auto m = measured("uboot", sample);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  EXPECT_EQ(unpacked("uboot", sample).find("dtb")->content, tree);
}

// x86's first stage: the interrupt table's address says where it is linked, a word of the code where its tree stands.
TEST(UBoot, SplIsPinnedByTheAddressOfItsTree) {
  const std::string tree = made_by("echo '/dts-v1/; / { model = \"Board\"; };' > t.dts; dtc -o out t.dts");
  if (tree.empty()) GTEST_SKIP() << "dtc is not installed";
  std::string spl(0x2000, '\x90');
  put(spl, 0, std::string("\xfa\xfc\x0f\x20\xc0\x0d\0\0", 8));
  put(spl, 0x2f, "\x0f\x01\x1d" + little(0xfffd0080));
  put(spl, 0x800, filled("U-Boot SPL 2023.01", 24));
  put(spl, 0x1233, little(0xfffd2000));
  const std::string sample = spl + tree;
  const auto m = measured("uboot", sample + std::string(100, '\xff'));
  ASSERT_TRUE(m) << m.error().what;
  EXPECT_EQ(m->length, sample.size());
  const Collect got = unpacked("uboot", sample);
  EXPECT_EQ(got.notes.at("base"), "0xfffd0000");
  EXPECT_EQ(got.notes.at("banner"), "U-Boot SPL 2023.01");
  EXPECT_EQ(got.find("dtb")->content, tree);
  for (const size_t at : {0x30, 0x800, 0x1234, 0x2000}) {
    std::string damaged = sample;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    EXPECT_FALSE(measured("uboot", damaged)) << at;
  }
  for (size_t size = 0; size < sample.size(); size += 37) EXPECT_FALSE(measured("uboot", sample.substr(0, size)));
  const std::string rom = slurp("/usr/lib/u-boot/qemu-x86_64/u-boot.rom");
  if (rom.empty()) GTEST_SKIP() << "u-boot-qemu is not installed";
  const size_t start = rom.find(sample.substr(0, 6), rom.find("U-Boot SPL") - 0x10000);
  ASSERT_NE(start, std::string::npos);
  EXPECT_TRUE(measured("uboot", std::string_view(rom).substr(start)));
}

TEST(RealUBoot, ImagesOfDebianAreCoveredToTheirLastByte) {
  const std::pair<const char*, const char*> all[] = {{"maltael", "0xbe000000"},
                                                     {"malta64el", "0xffffffffbe000000"},
                                                     {"qemu-ppce500", "0xf00000"},
                                                     {"qemu-riscv64", "0x80000000"},
                                                     {"qemu-riscv64_smode", "0x80200000"},
                                                     {"qemu-x86", "0xfff00000"},
                                                     {"qemu-x86_64", "0x1110000"},
                                                     {"qemu_arm", "0x0"},
                                                     {"qemu_arm64", "0x0"}};
  if (!std::filesystem::exists("/usr/lib/u-boot")) GTEST_SKIP() << "u-boot-qemu is not installed";
  for (const auto& [board, base] : all) {
    const std::string bytes = slurp(std::string("/usr/lib/u-boot/") + board + "/u-boot.bin");
    if (bytes.empty()) continue;  // releases differ in their boards
    const auto m = measured("uboot", bytes);
    ASSERT_TRUE(m) << board << ": " << m.error().what;
    EXPECT_GE(m->length * 100, bytes.size() * 99) << board;
    const Collect got = unpacked("uboot", bytes);
    EXPECT_EQ(got.notes.at("base"), base) << board;
    EXPECT_GE(std::stoul(got.notes.at("relocations")), 3000u) << board;
  }
}

}  // namespace
}  // namespace assay::unpack
