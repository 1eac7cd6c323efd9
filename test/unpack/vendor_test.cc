// Headers of vendors: BIN header, SEAMA, PackIMG, DNI, TP-Link.
#include "test/unpack/build.h"

#include "core/hash.h"

namespace assay::unpack {
namespace {

std::string trx(const std::string& part) {
  std::string body = little(0) + little(28) + little(0) + little(0);
  put(body, 0, little(0x10000));  // flags 0, version 1
  body += part;
  const uint32_t length = static_cast<uint32_t>(12 + body.size());
  return "HDR0" + little(length) + little(crc32_raw(Bytes(body))) + body;
}

std::string bin_header(const std::string& inner) {
  std::string h = filled("W54G", 32);
  put(h, 8, std::string("\x0c\x02\x08\x04\x15\x05", 6));
  put(h, 14, "U2ND");
  return h + inner;
}

TEST(BinHdr, GivesTrxAndItsLength) {
  const std::string inner = trx("kernel"), sample = bin_header(inner);
  const auto m = measured("binhdr", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("binhdr", sample);
  EXPECT_EQ(got.find("trx")->content, inner);
  EXPECT_EQ(got.notes.at("version"), "4.21.5");
  EXPECT_EQ(got.notes.at("date"), "2012-02-08");
  EXPECT_FALSE(measured("binhdr", bin_header("no trx image here")));
  survives("binhdr", sample);
  unpack_survives("binhdr", sample);
}

std::string entity(const std::string& metadata, const std::string& image, bool is_big = true) {
  const auto number = [&](uint64_t v, int n) { return is_big ? big(v, n) : little(v, n); };
  std::string out = number(0x5ea3a417, 4) + number(0, 2) + number(metadata.size(), 2) + number(image.size(), 4);
  if (!image.empty()) {
    const auto digest = md5(Bytes(image));
    out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  }
  return out + metadata + image;
}

TEST(Seama, ReadsTheChain) {
  for (const bool is_big : {true, false}) {
    const std::string sample = entity(filled("signature=abc", 16), "", is_big) +
                               entity(std::string("dev=/dev/mtdblock/2\0type=firmware\0\0", 35), "IMAGE", is_big);
    const auto m = measured("seama", sample + std::string(8, '\xff'));
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, sample.size());
    EXPECT_TRUE(m->verified);
    const Collect got = unpacked("seama", sample);
    EXPECT_EQ(got.find("image")->content, "IMAGE");
    EXPECT_EQ(got.notes.at("signature"), "abc");
    EXPECT_EQ(got.notes.at("dev"), "/dev/mtdblock/2");
    EXPECT_EQ(got.notes.at("md5"), "valid");
    survives("seama", sample);
    unpack_survives("seama", sample);
  }
  std::string damaged = entity("a=b", "IMAGE");
  damaged.back() = 'X';
  EXPECT_FALSE(measured("seama", damaged)->verified);
  EXPECT_EQ(unpacked("seama", damaged).problems.size(), 1u);
  EXPECT_FALSE(measured("seama", entity("a=b", "")));  // metadata alone
}

TEST(PackImg, ReadsEitherByteOrder) {
  const std::string rootfs(300, 'r');
  for (const bool is_big : {true, false}) {
    std::string tag = filled("--PaCkImGs--", 32);
    put(tag, is_big ? 16 : 12, is_big ? big(300) : little(300));
    const auto m = measured("packimg", tag + rootfs + "tail");
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, 332u);
    EXPECT_EQ(unpacked("packimg", tag + rootfs).find("rootfs")->content, rootfs);
    survives("packimg", tag + rootfs);
    EXPECT_FALSE(measured("packimg", tag + "short"));
  }
}

TEST(Dni, WantsItsChecksum) {
  std::string sample = filled("device:X\nversion:V1.2\nregion:\n", 128) + "PARTS";
  uint8_t sum = 0;
  for (const char c : sample) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
  sample.push_back(static_cast<char>(0xff - sum));
  ASSERT_TRUE(measured("dni", sample));
  const Collect got = unpacked("dni", sample);
  EXPECT_EQ(got.find("image")->content, "PARTS");
  EXPECT_EQ(got.notes.at("version"), "V1.2");
  sample[130] = 'x';
  EXPECT_FALSE(measured("dni", sample));
  sample[130] = 'R';
  survives("dni", sample);
  unpack_survives("dni", sample);
}

// The salts again, from the builder's source, so that a slip in the reader shows.
const std::string kPlainV1("\xdc\xd7\x3a\xa5\xc3\x95\x98\xfb\xdd\xf9\xe7\xf4\x0e\xae\x47\x38", 16);
const std::string kBootV2("\x8c\xef\x33\x5f\xd5\xc5\xce\xfa\xac\x9c\x28\xda\xb2\xe9\x0f\x42", 16);

void seal(std::string& image, size_t at, const std::string& salt) {
  put(image, at, salt);
  const auto digest = md5(Bytes(image));
  put(image, at, std::string(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

TEST(TplinkV1, GivesKernelAndRootfs) {
  std::string sample(2048, '\xff');
  put(sample, 0, filled(std::string("\1\0\0\0TP-LINK Technologies", 24), 512));
  put(sample, 0x1c, "ver. 1.0");
  put(sample, 0x74, big(0x80002000) + big(0x80003000) + big(2048) + big(512) + big(100) + big(1024) + big(512));
  put(sample, 512, std::string(100, 'k'));
  put(sample, 1024, std::string(512, 'r'));
  seal(sample, 0x4c, kPlainV1);
  const auto m = measured("tplinkv1", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, 2048u);
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("tplinkv1", sample);
  EXPECT_EQ(got.find("kernel")->content, std::string(100, 'k'));
  EXPECT_EQ(got.find("rootfs")->content, std::string(512, 'r'));
  EXPECT_EQ(got.notes.at("md5"), "valid");
  EXPECT_EQ(got.notes.at("kernel entry"), "0x80003000");
  EXPECT_TRUE(got.problems.empty());
  survives("tplinkv1", sample);
  unpack_survives("tplinkv1", sample);
  sample[600] = 'x';
  EXPECT_FALSE(measured("tplinkv1", sample)->verified);
  EXPECT_EQ(unpacked("tplinkv1", sample).notes.at("md5"), "invalid");
}

TEST(TplinkV3, FindsTheSecondHeaderBehindTheBootLoader) {
  std::string header = filled(std::string("\3\0\0\0ver. 2.0", 12), 512);
  std::string inner = header + std::string(64, 'k');
  put(inner, 0x68, little(0x80000000) + little(0x80001000) + big(inner.size()) + big(512) + big(64) + big(0) + big(0));
  std::string sample = header + std::string(100, 'b') + std::string(412, '\xff') + inner;
  put(sample, 0x68,
      little(0x80000000) + little(0x80001000) + big(sample.size()) + big(1536) + big(64) + big(0) + big(0) + big(0) +
          big(100));
  seal(sample, 0x40, kBootV2);
  const auto m = measured("tplinkv3", sample);
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("tplinkv3", sample);
  EXPECT_EQ(got.find("boot")->content, std::string(100, 'b'));
  EXPECT_EQ(got.find("firmware")->content, inner);
  EXPECT_EQ(got.notes.at("kernel load"), "0x80000000, stored in little endian");
  EXPECT_EQ(unpacked("tplinkv3", inner).find("kernel")->content, std::string(64, 'k'));
  EXPECT_FALSE(measured("tplinkv2", sample));
  survives("tplinkv3", sample);
  unpack_survives("tplinkv3", sample);
}

struct Real {
  const char* file;
  const char* id;
  bool verified;
  std::vector<std::pair<const char*, uint64_t>> children;  // name, size
};

TEST(VendorImages, AreReadAsTheirBuildersMadeThem) {
  const Real all[] = {
      {"dlink-dir300-b5.bin", "seama", true, {{"image", 3641376}}},
      {"linksys-wrt54gv4.bin", "binhdr", true, {{"trx", 3362816}}},
      {"openwrt-wrt54g-trx.bin", "binhdr", true, {{"trx", 2953216}}},
      {"openwrt-wr703n-factory.bin", "tplinkv1", true, {{"kernel", 970308}, {"rootfs", 2961340}}},
      {"tplink-wr841nv11-stock.bin", "tplinkv1", true, {{"boot", 50260}, {"firmware", 3932160}}},
      {"tplink-wr841nv14-eu-stock.bin", "tplinkv3", true, {{"boot", 65484}, {"firmware", 3997696}}},
      {"tplink-wr841nv14-backdoored.bin", "tplinkv3", false, {{"boot", 65484}, {"firmware", 3997696}}},
      {"netgear-wnr2000v5-1.0.0.26.img", "dni", true, {{"image", 3624964}}},
      {"netgear-wnr2000v5-1.0.0.78.img", "dni", true, {{"image", 3657732}}},
  };
  for (const Real& real : all) {
    const std::string bytes = shared_file(std::string("firmware/") + real.file);
    if (bytes.empty()) GTEST_SKIP() << "no shared/firmware beside the checkout";
    const auto m = measured(real.id, bytes);
    ASSERT_TRUE(m) << real.file;
    EXPECT_EQ(m->verified, real.verified) << real.file;
    const Collect got = unpacked(real.id, std::string_view(bytes).substr(0, m->length));
    ASSERT_EQ(got.items.size(), real.children.size()) << real.file;
    for (const auto& [name, size] : real.children) {
      ASSERT_TRUE(got.find(name)) << real.file << " " << name;
      EXPECT_EQ(got.find(name)->content.size(), size) << real.file << " " << name;
    }
  }
}

TEST(VendorImages, PackImgHoldsTheRootfsOfDir300) {
  const std::string bytes = shared_file("firmware/dlink-dir300-b5.bin");
  if (bytes.empty()) GTEST_SKIP() << "no shared/firmware beside the checkout";
  const auto m = measured("packimg", std::string_view(bytes).substr(0x12006c));
  ASSERT_TRUE(m);
  EXPECT_EQ(0x12006c + m->length, bytes.size());
}

}  // namespace
}  // namespace assay::unpack
