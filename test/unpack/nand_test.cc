// NAND dumps: content by ubinize, spare bytes and codes by a second writer (nand_oob.py), bits flipped by it.
#include "test/unpack/build.h"
#include "test/unpack/host_tree.h"
#include "test/unpack/yaffs_build.h"
#include "unpack/examine.h"
#include "unpack/nand_ecc.h"

namespace assay::unpack {
namespace {

std::string writer() {
  const char* source = std::getenv("ASSAY_SOURCE");
  return "python3 " + std::filesystem::absolute(source ? source : ".").string() + "/test/unpack/nand_oob.py ";
}

// A dump and what it was made of.
struct Made {
  std::string content, dump, flipped;
};

std::string ubi_command(const std::string& geometry) {
  return "printf '[a]\\nmode=ubi\\nimage=one\\nvol_id=0\\nvol_size=64KiB\\nvol_type=dynamic\\nvol_name=rootfs\\n"
         "[b]\\nmode=ubi\\nimage=two\\nvol_id=3\\nvol_type=static\\nvol_name=kernel\\n' > config; "
         "ubinize -Q 7 -o content " +
         geometry + " config; ";
}

Made make(HostTree& tree, const std::string& content, const std::string& scheme, const std::string& options) {
  tree.file("../one", HostTree::noise(40'000));
  tree.file("../two", HostTree::words(30'001));
  Made made;
  made.dump = tree.image(content + writer() + scheme + " content out " + options + " > flipped");
  made.content = slurp(tree.at("../content"));
  made.flipped = slurp(tree.at("../flipped"));
  if (!made.flipped.empty()) made.flipped.pop_back();
  return made;
}

struct Case {
  const char *scheme, *content, *code;
};

constexpr const char* kPlain =
    "(head -c 16000 one; head -c 6000 /dev/zero | tr '\\0' '\\377'; cat two) | head -c 49152 > content; ";

constexpr const char* kLarge =  // pages of 16 KiB: enough of them that hold something
    "(for i in 1 2 3; do cat one two; done) | head -c 147456 > content; ";

class NandTest : public testing::TestWithParam<Case> {};

TEST_P(NandTest, CorrectsCountsAndNames) {
  HostTree tree;
  const Made made = make(tree, GetParam().content, GetParam().scheme, "flip=2 break=3");
  ASSERT_FALSE(made.dump.empty());
  const auto length = measured("nand", made.dump);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, made.dump.size());
  EXPECT_TRUE(length->verified);
  Collect got = unpacked("nand", made.dump);
  ASSERT_TRUE(got.find("data"));
  EXPECT_EQ(got.notes["corrected bits"], made.flipped);
  EXPECT_NE(got.notes["code"].find(GetParam().code), std::string::npos) << got.notes["code"];
  ASSERT_EQ(got.integrities.size(), 1u);
  EXPECT_EQ(unknown_bytes(made.dump, got), 0u);

  const size_t page = std::stoul(got.notes["page"]);
  EXPECT_EQ(got.integrities[0].state, "invalid");
  EXPECT_EQ(got.notes["uncorrectable pages"], "1: 3");
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_NE(got.problems[0].what.find("page 3 (block 0)"), std::string::npos);
  std::string data = got.find("data")->content;
  EXPECT_NE(data.substr(3 * page, page), made.content.substr(3 * page, page));
  data.replace(3 * page, page, made.content.substr(3 * page, page));
  EXPECT_TRUE(data.starts_with(made.content));
  EXPECT_EQ(data.find_first_not_of('\xff', made.content.size()), data.npos);
}

INSTANTIATE_TEST_SUITE_P(
    Codes, NandTest,
    testing::Values(Case{"hamming-small", kPlain, "hamming, 1 bit in 256"},
                    Case{"hamming", kPlain, "hamming, 1 bit in 256"},
                    Case{"hamming-512", kPlain, "hamming, 1 bit in 512"},
                    Case{"bch4", kPlain, "bch, 4 bits in 512 bytes, GF(2^13) 0x201b, masked"},
                    Case{"bch8", kPlain, "bch, 8 bits in 512 bytes, GF(2^13) 0x201b, masked"},
                    Case{"bch8-4k", kPlain, "bch, 8 bits in 512"},
                    Case{"bch8-1k", kPlain, "bch, 8 bits in 1024 bytes, GF(2^14) 0x402b, masked"},
                    Case{"bch24-16k", kLarge, "bch, 24 bits in 1024 bytes, GF(2^14) 0x402b, masked"},
                    Case{"omap8", kPlain, "spare byte 2, every 14"}, Case{"pmecc4", kPlain, "0x201b, bits reversed"},
                    Case{"broadcom4", kPlain, "bch, 4 bits in 521 bytes"},
                    Case{"broadcom4-14", kPlain, "GF(2^14) 0x5803; at the end of slices of 16"},
                    Case{"allwinner16", kPlain, "bch, 16 bits in 1028 bytes"},
                    Case{"qualcomm8", kPlain, "code words between the data"}));

TEST(Nand, TheDriverReadsUbiInsideIt) {
  HostTree tree;
  const Made made = make(tree, ubi_command("-p 128KiB -m 2048"), "bch4", "flip=1 bad=1");
  if (made.content.empty()) GTEST_SKIP() << "ubinize is not installed";
  LocalArena arena(64 << 20, 1);
  const Unpacked whole = examine(Bytes(made.dump), {0, 0, made.dump.size(), true}, Role::kImage, {}, {}, arena);
  EXPECT_EQ(whole.format, "nand");
  ASSERT_EQ(whole.entries.size(), 1u);
  const Bytes data = arena.view(whole.entries[0].place.at, whole.entries[0].size);
  Collect ubi = unpacked("ubi", data.text());
  ASSERT_TRUE(ubi.find("kernel"));
  EXPECT_TRUE(ubi.find("kernel")->content == HostTree::words(30'001));
}

TEST(Nand, BadBlocksReadAsErased) {
  HostTree tree;
  const Made made = make(tree, ubi_command("-p 128KiB -m 2048"), "hamming", "bad=1");
  if (made.content.empty()) GTEST_SKIP() << "ubinize is not installed";
  Collect got = unpacked("nand", made.dump);
  EXPECT_EQ(got.notes["bad blocks"], "1 of 64 pages each");
  ASSERT_TRUE(got.find("data"));
  std::string expected = made.content;
  expected.replace(128 << 10, 128 << 10, std::string(128 << 10, '\xff'));
  EXPECT_TRUE(got.find("data")->content == expected);
}

// Raw blocks before and behind a YAFFS partition, whose tags stand where Linux leaves room before its codes.
TEST(Nand, YaffsKeepsItsTags) {
  const YaffsBuilder pages{.page = 512, .spare = 16, .kind = YaffsBuilder::Kind::kOneSpare};
  std::string flash;
  const std::string yaffs = yaffs_image(pages);
  const std::string plain = HostTree::noise(32 * 512);
  for (size_t i = 0; i < 32; ++i) flash += plain.substr(i * 512, 512) + std::string(16, '\xff');
  flash += filled(yaffs, 32 * 528, '\xff');
  const Ecc ecc({.swapped = true}, 256);
  for (size_t at = 0; at + 528 <= flash.size(); at += 528)
    for (const size_t half : {0, 1}) {
      const auto data = std::as_bytes(std::span(flash)).subspan(at + 256 * half, 256);
      if (is_run(Bytes(data))) continue;
      const auto code = ecc.computed(data);
      for (size_t i = 0; i < 3; ++i) flash[at + 512 + 8 + 5 * half + i] = static_cast<char>(code[i]);
    }
  flash[33 * 528 + 40] ^= 4;
  const auto length = measured("nand", flash);
  ASSERT_TRUE(length) << length.error().what;
  Collect got = unpacked("nand", flash);
  EXPECT_EQ(got.notes["corrected bits"], "1 in 1 pages");
  ASSERT_TRUE(got.find("data-0x0") && got.find("yaffs-0x4000"));
  EXPECT_EQ(got.find("data-0x0")->content, plain);
  EXPECT_EQ(got.find("yaffs-0x4000")->content, filled(yaffs, 32 * 528, '\xff'));
  EXPECT_EQ(unknown_bytes(flash, got), 0u);
  const Collect files = unpacked("yaffs", got.find("yaffs-0x4000")->content);
  ASSERT_TRUE(files.find("etc/passwd") && files.find("big"));
}

TEST(Nand, SpareBytesWithoutACodeAreNamed) {
  HostTree tree;
  const Made made = make(tree, ubi_command("-p 128KiB -m 2048"), "blank", "");
  if (made.content.empty()) GTEST_SKIP() << "ubinize is not installed";
  Collect got = unpacked("nand", made.dump);
  ASSERT_TRUE(got.find("data"));
  EXPECT_TRUE(got.find("data")->content == made.content);
  ASSERT_EQ(got.integrities.size(), 1u);
  EXPECT_EQ(got.integrities[0].state, "not-checkable");
}

TEST(Nand, IsNotSeenInOtherBytes) {
  EXPECT_FALSE(measured("nand", HostTree::noise(2112 * 64)));
  EXPECT_FALSE(measured("nand", HostTree::words(2112 * 64)));
  EXPECT_FALSE(measured("nand", std::string(2112 * 64, '\xff')));
  EXPECT_FALSE(measured("nand", std::string(2112 * 64, '\0')));
}

TEST(Nand, SurvivesDamage) {
  HostTree tree;
  const Made made = make(tree, "head -c 8192 one > content; ", "hamming-small", "flip=2");
  ASSERT_TRUE(measured("nand", made.dump));
  for (size_t pages = 1; pages < 20; ++pages)
    for (const size_t length : {pages * 528, pages * 528 - 1}) {
      const std::string cut = made.dump.substr(0, length);
      if (measured("nand", cut)) unpacked("nand", cut);
      EXPECT_FALSE(measured("nand", cut) && length % 528 != 0);
    }
  for (size_t at = 0; at < made.dump.size(); at += 397) {
    std::string damaged = made.dump;
    damaged[at] = static_cast<char>(~damaged[at]);
    if (measured("nand", damaged)) unpacked("nand", damaged);
  }
}

// What an erased sector's code is, as Linux drivers/mtd/nand/raw/omap2.c states it of the hardware.
TEST(Bch, AgreesWithConstantsOfOmap) {
  const std::vector<std::byte> erased(512, std::byte{0xff});
  const auto mask = [&](uint32_t t) {
    const Ecc ecc({13, t, 0x201b, false, false, false, EccKind::Mask::kInverted}, 512);
    return hex(ecc.computed(erased));
  };
  EXPECT_EQ(mask(4), "2813cc3996ac7f");
  EXPECT_EQ(mask(8), "ef512e09ed939ac29779e524b5");
  EXPECT_TRUE(mask(16).starts_with("9ad7ef918880fbf7063a5c9f4924d075"));
}

TEST(Bch, FindsUpToItsStrengthAndSaysWhenThereIsMore) {
  const Ecc ecc({14, 8, 0x402b, false, false, false, EccKind::Mask::kNone}, 1024);
  const std::string text = HostTree::words(1024);
  for (uint32_t wrong = 0; wrong <= 10; ++wrong) {
    std::vector<std::byte> message(1024);
    std::memcpy(message.data(), text.data(), text.size());
    auto code = ecc.computed(message);
    for (uint32_t i = 0; i < wrong; ++i) message[i * 97] ^= static_cast<std::byte>(1u << i % 8);
    const auto found = ecc.correct(message, code);
    EXPECT_EQ(found.has_value(), wrong <= 8) << wrong;
    if (found) {
      EXPECT_EQ(*found, wrong);
      EXPECT_EQ(std::memcmp(message.data(), text.data(), text.size()), 0);
    }
  }
}

}  // namespace
}  // namespace assay::unpack
