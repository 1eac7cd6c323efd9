// D-Link's containers and those Alpha Networks makes for it. The builders here write what the layouts say; the samples
// beside the checkout were written by others.
#include "test/unpack/build.h"

#include "core/hash.h"
#include "unpack/alpha_keys.h"
#include "unpack/codecs.h"
#include "unpack/crypt.h"

namespace assay::unpack {
namespace {

template <size_t kSize>
std::string text_of(const std::array<uint8_t, kSize>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

const Integrity* integrity(const Collect& got, std::string_view name) {
  for (const Integrity& i : got.integrities)
    if (i.name == name) return &i;
  return nullptr;
}

std::string shrs(const std::string& plain, const std::string& key) {
  const std::string vector = "0123456789abcdef";
  std::string padded = plain;
  padded.resize((plain.size() + 15) / 16 * 16);
  const std::string cipher = *aes_cbc_encrypt(padded, key, vector);
  std::string out = "SHRS" + big(plain.size()) + big(cipher.size()) + vector + text_of(sha512(Bytes(plain + key))) +
                    text_of(sha512(Bytes(plain))) + text_of(sha512(Bytes(cipher)));
  return filled(out, 732) + std::string(511, 's') + "1" + std::string(511, 's') + "2" + cipher;
}

TEST(Shrs, OpensWithTheDocumentedKey) {
  const std::string key("\xc0\x5f\xbf\x19\x36\xc9\x94\x29\xce\x2a\x07\x81\xf0\x8d\x6a\xd8", 16);
  const std::string sample = shrs("the firmware itself, not full blocks", key);
  const auto m = measured("shrs", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("shrs", sample);
  ASSERT_TRUE(got.find("image"));
  EXPECT_EQ(got.find("image")->content, "the firmware itself, not full blocks");
  ASSERT_EQ(got.opened_with.size(), 1u);
  EXPECT_EQ(got.opened_with[0].scheme, "aes-128-cbc");
  EXPECT_EQ(got.integrities.size(), 5u);
  EXPECT_EQ(integrity(got, "digest of the decrypted image")->state, "valid");
  EXPECT_EQ(integrity(got, "digest of the decrypted image and the key")->state, "valid");
  EXPECT_EQ(integrity(got, "signature at 732")->state, "not-checkable");
  survives("shrs", sample);
  unpack_survives("shrs", sample);
}

TEST(Shrs, AnotherKeyLeavesItEncrypted) {
  const std::string sample = shrs("the firmware itself, another device", "sixteen byte key");
  EXPECT_TRUE(measured("shrs", sample)->verified);  // the digest of the encrypted bytes holds
  const Collect got = unpacked("shrs", sample);
  EXPECT_TRUE(got.items.empty());
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].fault, Fault::kEncrypted);
  std::string lying = sample;
  put(lying, 8, big(1 << 20));
  EXPECT_FALSE(measured("shrs", lying));
}

TEST(EncrptedImg, BeginsAnewEveryEraseBlock) {
  const std::string key = "he9-4+M!)d6=m~we1,q2a3d1n&2*Z^%8", vector = "J%1iQl8$=lm-;8AE";
  const std::string block = "UBI#" + std::string(0x20000 - 4, 'u'), rest = "UBI#" + std::string(28, 'v');
  const std::string cipher = *aes_cbc_encrypt(block, key, vector) + *aes_cbc_encrypt(rest, key, vector);
  const std::string sample = "encrpted_img" + big(cipher.size()) + cipher;
  const auto m = measured("encrptedimg", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("encrptedimg", sample);
  EXPECT_EQ(got.find("image")->content, block + rest);
  EXPECT_EQ(got.opened_with.size(), 1u);
  EXPECT_FALSE(measured("encrptedimg", sample.substr(0, sample.size() - 1)));
  const std::string small = "encrpted_img" + big(32) + cipher.substr(0, 32);
  survives("encrptedimg", small);
  unpack_survives("encrptedimg", small);
}

std::string seama(const std::string& name, const std::string& image) {
  const std::string signature = filled("signature=" + name, (name.size() + 11 + 3) / 4 * 4),
                    metadata = filled("dev=/dev/mtdblock/1", 32);
  return "\x5e\xa3\xa4\x17" + big(0, 2) + big(signature.size(), 2) + big(0) + signature + "\x5e\xa3\xa4\x17" +
         big(0, 2) + big(metadata.size(), 2) + big(image.size()) + text_of(md5(Bytes(image))) + metadata + image;
}

TEST(AlphaEnc, EachKeyMakesTheFirstBlockOfItsDevices) {
  // Name, key and the first block come from three places; that they agree is what shows the keys to be right.
  const std::pair<const char*, size_t> devices[] = {
      {"wapac25_dlink.2015_dap1665", 1},    {"wapac28_dlink.2015_dap1720", 2},   {"wrgac43s_dlink.2015_dir822c1", 3},
      {"wrgac65_dlink.2015_dir842", 4},     {"wrgac65_dlink.2015_dir842EU", 4},  {"wrgac05_dlob.hans_dir850l", 5},
      {"wrgac25_dlink.2013gui_dir850l", 6}, {"wrgac37_dlink.2013gui_dir859", 7},
  };
  size_t found = 0;
  for (const auto& [name, key] : devices) {
    std::string plain = seama(name, std::string(200, 'i'));
    plain.resize((plain.size() + 15) / 16 * 16);
    const std::string cipher = *alpha_encrypt(plain, alpha_keys()[key], name);
    for (const Magic& magic : format("alphaenc").magics) found += cipher.starts_with(magic.bytes);
    const auto m = measured("alphaenc", cipher);
    ASSERT_TRUE(m) << name;
    EXPECT_TRUE(m->verified) << name;
    EXPECT_EQ(m->length, cipher.size());
    const Collect got = unpacked("alphaenc", cipher);
    EXPECT_EQ(got.find("image")->content, plain);
    EXPECT_EQ(got.notes.at("name"), name);
  }
  EXPECT_EQ(found, 8u);
  std::string sample = *alpha_encrypt(filled(seama(devices[0].first, "image"), 160), alpha_keys()[1], devices[0].first);
  survives("alphaenc", sample);
  unpack_survives("alphaenc", sample);
}

TEST(AlphaEnc, UnknownDevicesStayEncrypted) {
  const std::string sample = std::string(format("alphaenc").magics[8].bytes) + std::string(1000, 'x');
  EXPECT_FALSE(measured("alphaenc", sample)->verified);
  const Collect got = unpacked("alphaenc", sample);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].fault, Fault::kEncrypted);
}

std::string wrg(const std::string& magic, const std::string& extra, const std::string& image, bool is_big) {
  const auto number = [&](uint64_t v) { return is_big ? big(v) : little(v); };
  const std::string covered = number(0x70000) + filled("/dev/mtdblock/2", 32);
  return filled("wapnd08_dkbs_dap2553", 32) + magic + magic + extra + number(image.size()) + covered +
         text_of(md5(Bytes(covered + image))) + image;
}

TEST(Wrg, ReadsBothByteOrders) {
  for (const bool is_big : {true, false}) {
    const std::string sample = wrg(is_big ? big(0x20040220) : little(0x20040220), "", "IMAGE", is_big);
    const auto m = measured("wrg", sample + "tail");
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, sample.size());
    EXPECT_TRUE(m->verified);
    const Collect got = unpacked("wrg", sample);
    EXPECT_EQ(got.find("image")->content, "IMAGE");
    EXPECT_EQ(got.notes.at("device"), "/dev/mtdblock/2");
    EXPECT_EQ(got.notes.at("flash place"), "0x70000");
    survives("wrg", sample);
    unpack_survives("wrg", sample);
  }
}

TEST(Wrgg, PlainAndEncrypted) {
  const std::string extra = filled("N/A", 16) + filled("dap2553", 16) + std::string(16, '\0') + filled("0123", 16);
  const std::string plain = wrg(little(0x20080321), extra, "IMAGE", false);
  EXPECT_TRUE(measured("wrgg", plain)->verified);
  EXPECT_EQ(unpacked("wrgg", plain).find("image")->content, "IMAGE");
  EXPECT_TRUE(unpacked("wrgg", plain).opened_with.empty());
  const std::string inner = "\x27\x05\x19\x56" + std::string(60, 'k');
  const std::string cipher = *alpha_encrypt(inner, alpha_keys()[0], "wapnd08_dkbs_dap2553");
  const std::string sample = wrg(little(0x20080321), extra, cipher, true);
  EXPECT_TRUE(measured("wrgg", sample)->verified);
  const Collect got = unpacked("wrgg", sample);
  EXPECT_EQ(got.find("image")->content, inner);
  EXPECT_EQ(got.notes.at("md5 over"), "the encrypted image");
  EXPECT_EQ(got.opened_with.size(), 1u);
  std::string damaged = plain;
  damaged.back() = 'X';
  EXPECT_FALSE(measured("wrgg", damaged)->verified);
  EXPECT_EQ(integrity(unpacked("wrgg", damaged), "md5 of the image")->state, "invalid");
  survives("wrgg", sample);
  unpack_survives("wrgg", sample);
}

std::string mh01(const std::string& first, const std::string& second) {
  return "MH01" + little(first.size()) + little(second.size()) + "\x2b\x1a??" + first + second;
}

std::string mh01_encrypted(const std::string& plain, const std::string& passphrase) {
  const std::string salt = "saltsalt", vector(16, '\x41');
  const std::string padded = plain + std::string(16 - plain.size() % 16, static_cast<char>(16 - plain.size() % 16));
  const std::string key = openssl_key(salt, passphrase, KeyHash::kSha256, 16).key;
  std::string digits;
  for (int i = 0; i < 16; ++i) digits += "41";
  return mh01(digits + "\n", "Salted__" + salt + *aes_cbc_encrypt(padded, key, vector));
}

TEST(Mh01, OpensThreeLayers) {
  const std::string innermost = mh01("firmware", "signature1");
  const std::string inner = mh01_encrypted(innermost, "b4517d9b98e04d9f075f5e78c743e097");
  const std::string sample = mh01(inner, std::string(256, 's'));
  const auto m = measured("mh01", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  const Collect outer = unpacked("mh01", sample);
  EXPECT_EQ(outer.find("encrypted")->content, inner);
  EXPECT_EQ(outer.integrities[0].algorithm, "rsa2048");
  const Collect middle = unpacked("mh01", inner);
  EXPECT_EQ(middle.find("image")->content, innermost);
  EXPECT_EQ(middle.opened_with.size(), 1u);
  EXPECT_EQ(unpacked("mh01", innermost).find("firmware")->content, "firmware");
  survives("mh01", inner);
  unpack_survives("mh01", sample);
  const Collect closed = unpacked("mh01", mh01_encrypted(innermost, "nobody knows this"));
  EXPECT_TRUE(closed.items.empty());
  EXPECT_EQ(closed.problems[0].fault, Fault::kEncrypted);
}

TEST(Fpkg, ListsItsFiles) {
  const auto entry = [](uint16_t type, const std::string& name, const std::string& bytes) {
    return big(28) + big(type, 2) + big(0, 2) + big(bytes.size()) + filled(name, 16) + bytes;
  };
  const std::string entries = entry(0x100, "core.img", "CORE") + entry(0x103, "sign", "SIGNATURE");
  const std::string sample = std::string("FPKG\1\0\0\0", 8) + big(28) + big(1) + big(8) + "DFL-860E" + entries;
  const auto m = measured("fpkg", sample + "no entry");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  const Collect got = unpacked("fpkg", sample);
  EXPECT_EQ(got.find("core.img")->content, "CORE");
  EXPECT_EQ(got.find("core.img")->node.kind, Kind::kFile);
  EXPECT_EQ(got.notes.at("model"), "DFL-860E");
  EXPECT_EQ(got.integrities[0].kind, "signature");
  std::string lying = sample;
  put(lying, 8, big(4));
  EXPECT_FALSE(measured("fpkg", lying));
  EXPECT_TRUE(measured("fpkg", std::string("CPKG\1\0\0\0", 8) + big(12) + entries));
  survives("fpkg", sample);
  unpack_survives("fpkg", sample);
}

TEST(DeafBead, DecompressesItsFiles) {
  const std::string packed = through("gzip -n", "<html>");
  if (packed.empty()) GTEST_SKIP() << "no gzip";
  const std::string sample =
      "\xde\xaf\xbe\xad\x86" + little(3, 2) + "web\x87" + little(9, 2) + "web\\a.htm" + little(packed.size()) + packed;
  const auto m = measured("deafbead", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  EXPECT_TRUE(m->verified);
  Collect got = unpacked("deafbead", sample);
  EXPECT_EQ(got.find("web")->node.kind, Kind::kDirectory);
  EXPECT_EQ(got.find("web/a.htm")->content, "<html>");
  std::string damaged = sample;
  damaged[sample.size() - 6] ^= 1;
  got = unpacked("deafbead", damaged);
  EXPECT_EQ(got.problems.size(), 1u);
  EXPECT_TRUE(got.find("web/a.htm"));
  survives("deafbead", sample);
  unpack_survives("deafbead", sample);
}

struct Sample {
  const char* file;
  const char* id;
  const char* child;
  const char* content;
};

TEST(DlinkSamples, AreOpened) {
  const Sample all[] = {
      {"dlink/test.dec", "shrs", "image", "This is a decrypted test file!\n\n"},
      {"dlink/testfile.encrpted_img", "encrptedimg", "image", "foobar 123 test 321 foobar test!"},
  };
  for (const Sample& s : all) {
    const std::string bytes = shared_file(std::string("format-samples/") + s.file);
    if (bytes.empty()) GTEST_SKIP() << "no shared/format-samples beside the checkout";
    const auto m = measured(s.id, bytes);
    ASSERT_TRUE(m) << s.file;
    EXPECT_EQ(m->length, bytes.size());
    const Collect got = unpacked(s.id, bytes);
    ASSERT_TRUE(got.find(s.child)) << s.file;
    EXPECT_EQ(got.find(s.child)->content, s.content);
    for (const Integrity& i : got.integrities) EXPECT_NE(i.state, "invalid") << s.file << ": " << i.name;
  }
}

TEST(DlinkSamples, Mh01HoldsItsText) {
  const std::string bytes = shared_file("format-samples/dlink/fw_mh01_test.bin");
  if (bytes.empty()) GTEST_SKIP() << "no shared/format-samples beside the checkout";
  EXPECT_EQ(measured("mh01", bytes)->length, bytes.size());
  const Collect outer = unpacked("mh01", bytes);
  const Collect inner = unpacked("mh01", outer.find("encrypted")->content);
  ASSERT_TRUE(inner.find("image"));
  EXPECT_EQ(unpacked("mh01", inner.find("image")->content).find("firmware")->content, "foobar 1234 test\n");
}

}  // namespace
}  // namespace assay::unpack
