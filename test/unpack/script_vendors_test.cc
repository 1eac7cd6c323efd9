// Containers whose headers are text, and small ones: PJL, Xerox, Alpha Networks' script, IMG0, D-Link's TLV.
#include "test/unpack/build.h"

#include "unpack/crypt.h"
#include "unpack/vendor.h"

namespace assay::unpack {
namespace {

TEST(Base64, IgnoresLinesAndPadding) {
  EXPECT_EQ(base64_decoded("Zm9v\r\nYmFyMQ==\n"), "foobar1");
  EXPECT_EQ(base64_decoded(""), "");
  EXPECT_FALSE(base64_decoded("Zm9*"));
}

TEST(Img0, ReadsPartsAndTheFileAroundThem) {
  const std::string kernel = "the kernel", fs = "files";
  const auto image = [&](uint32_t size) {
    const std::string head = "IMG0" + big(size) + big(0x702, 2);
    return filled(filled(head, 64) + big(128) + big(kernel.size()) + big(144) + big(fs.size()), 128) +
           filled(kernel, 16) + fs;
  };
  const std::string sample = image(144 + 5);
  reads("img0", sample, "part0", kernel);
  EXPECT_EQ(unpacked("img0", sample).find("part1")->content, fs);
  EXPECT_FALSE(measured("img0", image(144 + 4)));
  const std::string file = little(1) + std::string(16, 'm') + sample;
  reads("tplinkrtos", file, "image", sample);
  EXPECT_EQ(unpacked("tplinkrtos", file).integrities.at(0).state, "not-checkable");
}

TEST(Pjl, ReadsUpgradesAndFingerprint) {
  const std::string start = "\x1b%-12345X@PJL COMMENT VERSION=2015\n";
  const std::string print = "--=</Begin HP Signed File Fingerprint\\>=--\nSignature: AAAA\n";
  const std::string sample = start + "@PJL UPGRADE SIZE=5\n\x1b%-12345X\nimage" + print;
  reads("pjl", sample, "upgrade0", "image");
  const Collect got = unpacked("pjl", sample);
  EXPECT_EQ(got.find("fingerprint")->content, print);
  EXPECT_EQ(got.notes.at("VERSION"), "2015");
  EXPECT_EQ(got.integrities.at(0).state, "not-checkable");
  const std::string named = filled(std::string("\x03\0\xa8\x01", 4) + "CP4020 boot  20150112", 100) + "old kind";
  const std::string old = start + "@PJL UPGRADE SIZE=" + std::to_string(named.size()) + "\r\n" + named;
  reads("pjl", old, "upgrade0", "old kind");
  EXPECT_FALSE(measured("pjl", start));
  EXPECT_FALSE(measured("pjl", start + "@PJL UPGRADE SIZE=99\nimage"));
}

TEST(XeroxDlm, ReadsFieldsAndData) {
  const std::string sample =
      "%%XRXbegin\n%%OID_ATT_DLM_NAME \"n1\"\n%%OID_ATT_DLM_SIGNATURE \"00\"\n%%XRXend\n\x1f\x8b data";
  reads("xeroxdlm", sample, "data", "\x1f\x8b data");
  EXPECT_EQ(unpacked("xeroxdlm", sample).notes.at("NAME"), "n1");
  EXPECT_FALSE(measured("xeroxdlm", "%%XRXbegin\n%%XRXend\n"));
}

TEST(Dsk1, DecodesWithAndWithoutPrefix) {
  const auto dsk = [](uint32_t size) {
    return filled(std::string("\x1b"
                              "DSK1.0\0\0\0\1\0",
                              12) +
                      little(size),
                  24) +
           "Zm9vYmFy";
  };
  reads("dsk1", dsk(8), "data", "foobar");
  reads("dsk1", "\x1b*FlashW" + little(9) + dsk(8), "data", "foobar");
  EXPECT_FALSE(measured("dsk1", dsk(9)));
}

TEST(AlphaScript, ReadsPackAndFirmware) {
  const std::string script = "#!/bin/sh\nVENDOR=\"foo\"\n";
  const std::string pack = "=== ddPack Boundary ===\nbegin-base64 755 /dev/stdout\nZm9vYmFy\n====\n";
  const std::string sample = script + pack + "=== Firmware Boundary ===\nfirmware";
  reads("alphascript", sample, "firmware", "firmware");
  const Collect got = unpacked("alphascript", sample);
  EXPECT_EQ(got.find("ddpack")->content, "foobar");
  EXPECT_EQ(got.find("script")->content, script);
  EXPECT_EQ(got.notes.at("VENDOR"), "foo");
  const std::string inverted = script + "=== Firmware Boundary ===\n" + xor_with(Bytes("REDSONIC image"), "\xff");
  reads("alphascript", inverted, "firmware", "REDSONIC image");
}

TEST(DlinkTlv, OpensWithTheKeyOfItsNames) {
  const std::string salt = "saltsalt";
  const OpensslKey key = openssl_key(salt, hmac_sha1_hex("WRPAC01", "DIR-1"), KeyHash::kMd5, 32);
  const std::string plain = "the image";
  const auto cipher = aes_cbc_encrypt(filled(plain, 16, '\7'), key.key, key.vector);
  ASSERT_TRUE(cipher);
  const std::string sample = "\x64\x80\x19\x40" + filled("DIR-1", 32) + filled("WRPAC01", 32) + std::string(8, '\0') +
                             filled("d41d8cd9", 32) + little(1) + big(32) + "Salted__" + salt + *cipher;
  reads("dlinktlv", sample, "image", plain);
  EXPECT_EQ(unpacked("dlinktlv", sample).opened_with.size(), 1u);
  std::string other = sample;
  other[4] = 'X';
  const Collect got = unpacked("dlinktlv", other);
  EXPECT_TRUE(got.opened_with.empty());
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].fault, Fault::kEncrypted);
}

TEST(OpensslSalted, OpensWithAPublishedPassphrase) {
  const std::string salt = "saltsalt", plain = filled("a plain text that goes on for a while\n", 40, 'x');
  const auto salted = [&](std::string_view passphrase, KeyHash hash, size_t size) {
    const OpensslKey key = openssl_key(salt, passphrase, hash, size);
    return "Salted__" + salt + aes_cbc_encrypt(filled(plain, 48, '\x08'), key.key, key.vector).value_or("");
  };
  const std::string sample = salted("Wxift*", KeyHash::kMd5, 16);
  reads("openssl-salted", sample, "plain", plain);
  EXPECT_EQ(unpacked("openssl-salted", sample).opened_with.size(), 1u);
  reads("openssl-salted", salted("2c3b6fa78bd60b41bb0796fef4b058b0", KeyHash::kSha256, 32), "plain", plain);
  const Collect got = unpacked("openssl-salted", salted("of a laboratory", KeyHash::kMd5, 16));
  EXPECT_TRUE(got.opened_with.empty());
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].fault, Fault::kEncrypted);
}

TEST(ScriptVendorSamples, AreUnpacked) {
  const std::string rtos = shared_file("format-samples/tpl/wr.fw");
  const std::string job = shared_file("format-samples/hp/hp_new_container.pjl");
  const std::string dsk = shared_file("format-samples/xerox/test.dsk_ext");
  const std::string script = shared_file("format-samples/alphanetworks/test_sample");
  if (rtos.empty() || job.empty() || dsk.empty() || script.empty()) GTEST_SKIP() << "no samples";
  const Collect file = unpacked("tplinkrtos", rtos);
  ASSERT_TRUE(file.find("image"));
  EXPECT_EQ(file.find("image")->content, rtos.substr(20));
  const Collect inner = unpacked("img0", rtos.substr(0x40094));
  ASSERT_TRUE(inner.find("part1"));
  EXPECT_TRUE(std::string_view(inner.find("part1")->content).starts_with("owowowow"));
  EXPECT_EQ(unpacked("pjl", job).find("upgrade0")->content.size(), 224u);
  EXPECT_TRUE(std::string_view(unpacked("dsk1", dsk).find("data")->content).substr(4).starts_with("\x1b*Flash"));
  EXPECT_EQ(unpacked("alphascript", script).find("firmware")->content, "firmware_foobar\n");
  EXPECT_EQ(unpacked("alphascript", script).find("ddpack")->content, "foobar1234");
}

}  // namespace
}  // namespace assay::unpack
