// Ranges that no format explains, from inputs whose truth is known: code made by a compiler for eight processors, text
// under a key, blocks of a cipher, strings of a language. And what must not be claimed: of random bytes nothing.
//
// Marks a thousand instructions in the C libraries of Debian's cross compilers, as measured when the thresholds were
// set (threshold: 5 a thousand words): see Processors.CrossLibraries, which prints them where the libraries are
// installed.
#include "unpack/unknown.h"

#include "elf/elf.h"
#include "test/unpack/build.h"
#include "unpack/crypt.h"
#include "unpack/machine_code.h"

namespace assay::unpack {
namespace {

std::string random_bytes(size_t size, uint64_t seed = 1) {
  std::string out;
  while (out.size() < size) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    out.append(reinterpret_cast<const char*>(&seed), 8);
  }
  out.resize(size);
  return out;
}

std::string english(size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i)
    out += "the device " + std::to_string(i) + " failed to start and this is not an error from the driver\n";
  return out;
}

TEST(Unknown, RandomBytesAreNothingElse) {
  for (uint64_t seed = 1; seed < 20; ++seed) {
    const std::string bytes = random_bytes(8192 * seed, seed);
    const UnknownRange u = describe_unknown(Bytes(bytes));
    EXPECT_EQ(u.looks_like, "random");
    EXPECT_EQ(u.processor, "");
    EXPECT_EQ(u.language, "");
    EXPECT_FALSE(u.load_address);
    EXPECT_EQ(u.period, 0u);
    EXPECT_GT(u.entropy, 7900u);
    EXPECT_LT(u.chi_square, 400u);
    EXPECT_NE(u.at.shows.find("encrypted or random"), std::string::npos) << u.at.shows;
  }
}

// Numbers in fields of 21 bits, ever one more: their words drift through the patterns of every processor.
TEST(Unknown, PackedCountersAreNoCode) {
  std::string bytes;
  uint64_t held = 0, bits = 0;
  for (uint64_t i = 0; i < 11'428; ++i) {
    held |= i << bits;
    for (bits += 21; bits >= 8; bits -= 8, held >>= 8) bytes.push_back(static_cast<char>(held));
  }
  EXPECT_EQ(guess_processor(Bytes(bytes)).processor, "");
}

TEST(Unknown, Statistics) {
  EXPECT_EQ(statistics_of(Bytes(std::string(1000, 'a'))).entropy(), 0u);
  std::string each;
  for (int i = 0; i < 256 * 16; ++i) each.push_back(static_cast<char>(i));
  EXPECT_EQ(statistics_of(Bytes(each)).entropy(), 8000u);
  EXPECT_EQ(statistics_of(Bytes(each)).chi_square(), 0u);
  EXPECT_EQ(statistics_of(Bytes(std::string(512, 'a'))).chi_square(), 512u * 255);
}

TEST(Unknown, TextAndItsLanguage) {
  const UnknownRange u = describe_unknown(Bytes(english(9000)));
  EXPECT_EQ(u.looks_like, "text");
  EXPECT_EQ(u.language, "en");
  std::string german, chinese;
  for (int i = 0; i < 40; ++i)
    german +=
        "Das Ger\xc3\xa4t wird nicht gestartet, der Fehler ist von " + std::to_string(i) + " und mit der Nummer\n";
  for (int i = 0; i < 40; ++i) chinese += "\xe8\xae\xbe\xe5\xa4\x87\xe5\x90\xaf\xe5\x8a\xa8\xe5\xa4\xb1\xe8\xb4\xa5\n";
  EXPECT_EQ(language_of(Bytes(german)), "de");
  EXPECT_EQ(language_of(Bytes(chinese)), "zh");
  EXPECT_EQ(language_of(Bytes(random_bytes(100000))), "");
}

TEST(Unknown, BlocksOfACipherWithoutChaining) {
  std::string plain = english(4096) + std::string(4096, '\0') + random_bytes(32768);
  plain.resize(plain.size() / 16 * 16);
  const auto ecb = aes_ecb_encrypt(plain, "sixteen byte key");
  ASSERT_TRUE(ecb);
  const UnknownRange u = describe_unknown(Bytes(*ecb));
  EXPECT_EQ(u.looks_like, "block-cipher-ecb");
  EXPECT_EQ(u.period, 16u);
  EXPECT_NE(u.at.shows.find("not examinable"), std::string::npos);
  const auto des = des_ecb_encrypt(plain, "8 bytes!");
  ASSERT_TRUE(des);
  EXPECT_EQ(describe_unknown(Bytes(*des)).period, 8u);
  const auto cbc = aes_cbc_encrypt(plain, "sixteen byte key", "sixteen bytes iv");
  ASSERT_TRUE(cbc);
  EXPECT_EQ(describe_unknown(Bytes(*cbc)).looks_like, "random");
}

TEST(Unknown, AKeyThatRepeats) {
  std::string plain;
  for (int i = 0; plain.size() < 60000; ++i)
    plain += english(300) + std::string(400, '\0') + random_bytes(100, static_cast<uint64_t>(i) + 1);
  for (const size_t length : {4u, 16u, 21u}) {
    const std::string key = random_bytes(length + 64, length).substr(64);
    std::string sealed = plain;
    for (size_t i = 0; i < sealed.size(); ++i) sealed[i] = static_cast<char>(sealed[i] ^ key[i % length]);
    const RepeatingKey found = repeating_key(Bytes(sealed));
    EXPECT_EQ(found.period, length);
    EXPECT_EQ(found.key, key);
    EXPECT_EQ(describe_unknown(Bytes(sealed)).looks_like, "repeating-key") << length;
  }
  EXPECT_EQ(repeating_key(Bytes(plain)).period, 0u);
}

TEST(Unknown, NearestMagicAndWhyItRefuses) {
  const UnknownRange u = describe_unknown(Bytes(std::string(32, 'x') + "hsqs" + random_bytes(1000)));
  EXPECT_TRUE(u.nearest.starts_with("squashfs at 0x20: ")) << u.nearest;
}

// Functions that differ, so that a compiler makes prologues, calls, loops and returns.
std::string some_program() {
  std::string c = "int printf(const char*, ...); int a[999]; int other(int, int*);\n";
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    c += "int f" + n + "(int x, int* p) { int s = " + n + "; for (int i = 0; i < x; ++i) { s += p[i] * " + n +
         " ^ other(s, p); "
         "if (s > p[x]) printf(\"loop %d\\n\", s); a[i] = s; } return s + other(x, p) + a[" +
         n + "]; }\n";
  }
  return c;
}

std::string text_section(const std::string& object) {
  const auto elf = elf::read(Bytes(object));
  if (!elf) return {};
  for (const auto& section : elf->sections)
    if (section.name == ".text") return std::string(Bytes(object).head(section.size, section.offset).text());
  return {};
}

struct Target {
  const char *triple, *processor;
};
class Processors : public testing::TestWithParam<Target> {};

TEST_P(Processors, CodeOfACompiler) {
  const std::string object =
      made_by("cat > p.c <<'C'\n" + some_program() + "C\nclang-19 --target=" + GetParam().triple +
              " -O2 -fno-pic -ffreestanding -c p.c -o out");
  if (object.empty()) GTEST_SKIP() << "no clang-19 for " << GetParam().triple;
  const std::string code = text_section(object);
  ASSERT_GT(code.size(), 3000u);
  const UnknownRange u = describe_unknown(Bytes(code));
  EXPECT_EQ(u.looks_like, "code") << u.at.shows;
  EXPECT_EQ(u.processor, GetParam().processor) << u.at.shows;
  EXPECT_EQ(describe_unknown(Bytes("xyz" + code)).processor, GetParam().processor);  // wherever the range begins
}

INSTANTIATE_TEST_SUITE_P(Targets, Processors,
                         testing::Values(Target{"mips-linux-gnu", "mips32-be"}, Target{"mipsel-linux-gnu", "mips32-le"},
                                         Target{"mips64el-linux-gnuabi64", "mips64-le"},
                                         Target{"armv5te-linux-gnueabi -marm", "arm"},
                                         Target{"armv7-linux-gnueabihf -mthumb", "thumb"},
                                         Target{"aarch64-linux-gnu", "aarch64"}, Target{"powerpc-linux-gnu", "ppc32"},
                                         Target{"i686-linux-gnu", "x86"}, Target{"x86_64-linux-gnu", "x86-64"},
                                         Target{"riscv64-linux-gnu -march=rv64gc", "riscv64"}));

TEST(ProcessorsOfLibraries, CrossLibraries) {
  const std::pair<const char*, const char*> libraries[] = {
      {"mips-linux-gnu", "mips32-be"}, {"mipsel-linux-gnu", "mips32-le"}, {"mips64el-linux-gnuabi64", "mips64-le"},
      {"arm-linux-gnueabi", "arm"},    {"arm-linux-gnueabihf", "thumb"},  {"aarch64-linux-gnu", "aarch64"},
      {"powerpc-linux-gnu", "ppc32"},  {"i686-linux-gnu", "x86"},         {"riscv64-linux-gnu", "riscv64"}};
  int seen = 0;
  for (const auto& [triple, processor] : libraries) {
    const std::string code = text_section(slurp(std::string("/usr/") + triple + "/lib/libc.so.6"));
    if (code.empty()) continue;
    ++seen;
    const CodeGuess guess = guess_processor(Bytes(code));
    EXPECT_EQ(guess.processor, processor);
    EXPECT_EQ(guess.confidence, "certain");
    std::printf("%s: %llu marks in %llu instructions\n", processor, static_cast<unsigned long long>(guess.marks),
                static_cast<unsigned long long>(guess.units));
  }
  if (seen == 0) GTEST_SKIP() << "no cross libraries here";
}

TEST(Unknown, LoadAddressByPointersToStrings) {
  for (const Order order : {Order::kBig, Order::kLittle}) {
    const uint64_t base = 0x80060000;
    std::string bytes(16, '\0'), pointers;
    for (int i = 0; i < 200; ++i) {
      pointers += order == Order::kBig ? big(base + bytes.size()) : little(base + bytes.size());
      bytes += "message number " + std::to_string(i * i) + '\0';
    }
    bytes = filled(bytes, (bytes.size() + 3) / 4 * 4) + pointers;
    const auto found = guess_load_address(Bytes(bytes), order);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->address, base);
    EXPECT_GE(found->pointers, 190u);
  }
  EXPECT_FALSE(guess_load_address(Bytes(random_bytes(1 << 18)), Order::kBig));
}

TEST(Unknown, ShortAndEmptyRanges) {
  for (size_t size = 0; size < 600; ++size) {
    const std::string bytes = random_bytes(size);
    EXPECT_EQ(describe_unknown(Bytes(bytes)).size, size);
    describe_unknown(Bytes(std::string(size, 'z')));
  }
}

}  // namespace
}  // namespace assay::unpack
