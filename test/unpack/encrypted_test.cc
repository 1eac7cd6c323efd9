// Encrypted images: without a key a fact, with the laboratory's key a child.
#include "test/unpack/build.h"

#include "core/hash.h"
#include "unpack/crypt.h"

namespace assay::unpack {
namespace {

// The key is published (hlkcrypt.c, 2013); it makes the fixed bytes at 0x23 that images of the scheme share.
const std::string kPublished = "H@L9K*(3";

std::string hilink(const std::string& plain) {
  const std::string once = *des_ecb_encrypt(plain, kPublished);
  return once.substr(0, 3) + *des_ecb_encrypt(once.substr(3), kPublished);
}

std::string plain_uimage() {
  return big(0x27051956) + std::string(24, 'h') + std::string("\5\5\2\3", 4) + filled("HLK-RM02", 32) +
         std::string(1000, '\xff');
}

TEST(HiLink, WithoutAKeyTheWholeIsEncrypted) {
  const std::string sample = hilink(plain_uimage());
  ASSERT_TRUE(sample.substr(0x23).starts_with("\x4a\x52\xca\xda"));
  ASSERT_TRUE(sample.substr(0x2b).starts_with("\x58\x14\x3b\x9a\x6c\x0e\xf4\xf2"));
  const auto m = measured("hilink", sample);
  ASSERT_TRUE(m);
  EXPECT_FALSE(m->verified);
  const Collect got = unpacked("hilink", sample);
  EXPECT_TRUE(got.items.empty());
  ASSERT_EQ(got.spans.size(), 1u);
  EXPECT_EQ(got.spans[0].range, Range::kEncrypted);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].fault, Fault::kEncrypted);
  survives("hilink", sample);
}

TEST(HiLink, TheKeyGivesTheUImage) {
  const std::string plain = plain_uimage(), sample = hilink(plain);
  for (const char* tail : {"", "\n"}) {
    const Collect got = unpacked("hilink", sample, kPublished + tail);
    ASSERT_TRUE(got.find("uimage"));
    EXPECT_EQ(got.find("uimage")->content, plain);
    EXPECT_EQ(got.find("uimage")->codec, "des-ecb");
  }
  for (const char* wrong : {"12345678", "short"}) {
    const Collect got = unpacked("hilink", sample, wrong);
    EXPECT_TRUE(got.items.empty());
    EXPECT_EQ(got.problems.at(0).fault, Fault::kEncrypted);
  }
}

TEST(HiLink, RealImage) {
  const std::string bytes = shared_file("firmware/hilink-rm04-1.83.img");
  if (bytes.empty()) GTEST_SKIP() << "no shared/firmware beside the checkout";
  ASSERT_TRUE(measured("hilink", bytes));
  const Collect got = unpacked("hilink", bytes, kPublished);
  ASSERT_TRUE(got.find("uimage"));
  const auto inner = measured("uimage", got.find("uimage")->content);
  ASSERT_TRUE(inner);
  EXPECT_TRUE(inner->verified);  // header and data CRC agree: the key is right and so is the decryption
}

TEST(OpensslSalted, FromOpenssl) {
  const std::string plain = "#!/bin/sh\necho hello\n";
  for (const char* digest : {"md5", "sha256"}) {
    const std::string sample = through(std::string("openssl enc -aes-256-cbc -salt -k secret -md ") + digest, plain);
    if (sample.empty()) GTEST_SKIP() << "openssl is not installed";
    ASSERT_TRUE(measured("openssl-salted", sample));
    const Collect got = unpacked("openssl-salted", sample, "secret\n");
    ASSERT_TRUE(got.find("plain")) << digest;
    EXPECT_EQ(got.find("plain")->content, plain);
    EXPECT_EQ(got.notes.at("cipher"), std::string("aes-256-cbc, key by ") + digest);
    EXPECT_EQ(unpacked("openssl-salted", sample, "wrong").problems.at(0).fault, Fault::kEncrypted);
    EXPECT_EQ(unpacked("openssl-salted", sample).problems.at(0).fault, Fault::kEncrypted);
    survives("openssl-salted", sample);
  }
}

}  // namespace
}  // namespace assay::unpack
