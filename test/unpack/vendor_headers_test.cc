// Containers that are a header and parts: CHK, Xiaomi, Ubiquiti, Senao, BNEG, tclinux, GM8126, SAO, PACK, *FRM, and ZIP
// archives in disguise. The builders here write what the layouts say; the samples beside the checkout are others' work.
#include "test/unpack/build.h"

#include "core/hash.h"

namespace assay::unpack {
namespace {

std::string text_of(const std::array<uint8_t, 16>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string state_of(const Collect& got, std::string_view name) {
  for (const Integrity& i : got.integrities)
    if (i.name == name) return i.state;
  return "absent";
}

std::string sample_file(const std::string& name) { return shared_file("format-samples/" + name); }

std::string chk_sum(const std::string& bytes) {
  uint32_t first = 0, second = 0;
  for (const char c : bytes) second += first += static_cast<uint8_t>(c);
  const auto fold = [](uint32_t v) {
    const uint32_t once = (v & 0xffff) + (v >> 16);
    return ((once >> 16) + once) & 0xffff;
  };
  return big(fold(second) << 16 | fold(first));
}

std::string chk(const std::string& kernel, const std::string& rootfs) {
  const std::string board = "U12H072T00_NETGEAR";
  std::string header = "*#$^" + big(40 + board.size()) + "\1ccccccc" + chk_sum(kernel) + chk_sum(rootfs) +
                       big(kernel.size()) + big(rootfs.size()) + chk_sum(kernel + rootfs) + big(0) + board;
  put(header, 36, chk_sum(header));
  return header + kernel + rootfs;
}

TEST(Chk, ChecksAllFourSums) {
  const std::string kernel(3000, '\xf1'), rootfs(5000, 'r'), sample = chk(kernel, rootfs);
  const auto m = measured("chk", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("chk", sample);
  EXPECT_EQ(got.find("kernel")->content, kernel);
  EXPECT_EQ(got.find("rootfs")->content, rootfs);
  EXPECT_EQ(got.notes.at("board"), "U12H072T00_NETGEAR");
  EXPECT_EQ(got.integrities.size(), 4u);
  std::string damaged = sample;
  damaged.back() = 'x';
  EXPECT_FALSE(measured("chk", damaged)->verified);
  EXPECT_EQ(state_of(unpacked("chk", damaged), "kernel checksum"), "valid");
  EXPECT_EQ(state_of(unpacked("chk", damaged), "root file system checksum"), "invalid");
  EXPECT_FALSE(measured("chk", "*#$^" + big(41) + sample.substr(8)));  // the header's own sum
  EXPECT_TRUE(measured("chk", chk(kernel, ""))->verified);
  survives("chk", chk("kernel", "rootfs"));
  unpack_survives("chk", chk("kernel", "rootfs"));
}

std::string xiaomi(bool second, const std::string& first_blob, const std::string& second_blob) {
  const auto blob = [](const std::string& name, const std::string& bytes) {
    return little(0xbabe) + little(0x50000) + little(bytes.size()) + little(4, 2) + little(0, 2) + filled(name, 32) +
           bytes;
  };
  const size_t table = second ? 48 : 16, header = table + 32;
  const std::string one = blob("uImage", first_blob), two = blob("rootfs.ubi", second_blob);
  std::string out = second ? "HDR2" : "HDR1";
  out += little(header + one.size() + two.size()) + little(0);
  out +=
      second ? little(0) + filled("RA70", 8) + filled("EU", 8) + std::string(16, '\0') : little(0, 2) + little(0x25, 2);
  out += filled(little(header) + little(header + one.size()), 32) + one + two + filled(little(256), 16) +
         std::string(255, 's') + "e";
  put(out, 8, little(crc32_raw(Bytes(std::string_view(out).substr(12)))));
  return out;
}

TEST(XiaomiHdr, ReadsBothKinds) {
  for (const bool second : {false, true}) {
    const std::string sample = xiaomi(second, "KERNEL", "UBI!");
    const auto m = measured("xiaomihdr", sample + "tail");
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, sample.size());
    EXPECT_TRUE(m->verified);
    const Collect got = unpacked("xiaomihdr", sample);
    EXPECT_EQ(got.find("uImage")->content, "KERNEL");
    EXPECT_EQ(got.find("rootfs.ubi")->content, "UBI!");
    EXPECT_EQ(got.notes.at("device"), second ? "RA70" : "0x25");
    EXPECT_EQ(state_of(got, "signature"), "not-checkable");
    survives("xiaomihdr", sample);
    unpack_survives("xiaomihdr", sample);
  }
  std::string lying = xiaomi(false, "KERNEL", "UBI!");
  put(lying, 48 + 8, little(4096));
  EXPECT_FALSE(measured("xiaomihdr", lying));
}

TEST(XiaomiHdr, SampleHoldsItsThreeFiles) {
  const std::string bytes = sample_file("xiaomi_hdr/test.hdr1");
  if (bytes.empty()) GTEST_SKIP() << "no shared/format-samples beside the checkout";
  EXPECT_EQ(measured("xiaomihdr", bytes)->length, bytes.size());
  const Collect got = unpacked("xiaomihdr", bytes);
  ASSERT_EQ(got.items.size(), 3u);
  EXPECT_EQ(got.find("generic folder/test file 3_.txt")->content, "The third test file!");
  EXPECT_EQ(got.find("testfile2")->content, "This is the second test file");
  EXPECT_EQ(state_of(got, "crc32"), "invalid");  // its maker took the sum over the blobs alone
}

std::string ubnt(bool is_signed) {
  const auto part = [](const std::string& magic, const std::string& name, const std::string& bytes) {
    const std::string body = magic + filled(name, 16) + std::string(12, '\0') + big(0x80002000) + big(1) +
                             big(0x9f050000) + big(0x80002000) + big(bytes.size()) + big(0x100000) + bytes;
    return body + big(crc32(Bytes(body))) + big(0);
  };
  std::string header = "UBNT" + filled("XW.ar934x.v5.5.6", 256);
  header += big(crc32(Bytes(header))) + big(0);
  const std::string all = header + part("PART", "kernel", "KERNEL") + part("EXEC", "script", "#!/bin/sh");
  return all + (is_signed ? "ENDS" + std::string(255, 's') + "x" + big(0) : "END." + big(crc32(Bytes(all))) + big(0));
}

TEST(Ubnt, ReadsPartsAndEitherEnd) {
  for (const bool is_signed : {false, true}) {
    const std::string sample = ubnt(is_signed);
    const auto m = measured("ubnt", sample + "tail");
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, sample.size());
    EXPECT_TRUE(m->verified);
    const Collect got = unpacked("ubnt", sample);
    EXPECT_EQ(got.find("kernel")->content, "KERNEL");
    EXPECT_EQ(got.find("script")->content, "#!/bin/sh");
    EXPECT_EQ(got.notes.at("version"), "XW.ar934x.v5.5.6");
    EXPECT_EQ(got.notes.at("flash address of kernel"), "0x9f050000");
    EXPECT_EQ(state_of(got, is_signed ? "signature" : "image crc32"), is_signed ? "not-checkable" : "valid");
    survives("ubnt", sample);
    unpack_survives("ubnt", sample);
  }
  std::string damaged = ubnt(false);
  put(damaged, 268 + 56, "kernel");
  EXPECT_FALSE(measured("ubnt", damaged)->verified);
  EXPECT_EQ(state_of(unpacked("ubnt", damaged), "crc32 of kernel"), "invalid");
  EXPECT_EQ(state_of(unpacked("ubnt", damaged), "crc32 of script"), "valid");
}

std::string xored(const std::string& plain, uint32_t magic) {
  std::string out = plain;
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ static_cast<char>(magic >> (i % 8)));
  return out;
}

TEST(Senao, DecodesFourLayouts) {
  const std::string plain = "\x27\x05\x19\x56 a uImage", digest = text_of(md5(Bytes(plain)));
  std::string first(96, '\0'), second(128, '\0'), second_long(184, '\0');
  for (const auto& [header, version, length, md5_at, magic_at, magic] :
       {std::tuple{&first, 12, 32, 40, 92, 0x12345678u}, std::tuple{&second, 25, 62, 70, 124, 0x30471688u},
        std::tuple{&second_long, 40, 118, 126, 180, 0x30471688u}}) {
    put(*header, static_cast<size_t>(version), "1.2.3");
    put(*header, static_cast<size_t>(length), big(plain.size()));
    put(*header, static_cast<size_t>(md5_at), digest);
    put(*header, static_cast<size_t>(magic_at), big(magic));
  }
  const std::string with_model = first + "all" + std::string(33, '\0') + big(6) + "EAP350";
  const std::pair<std::string, uint32_t> all[] = {
      {first, 0x12345678u}, {with_model, 0x12345678u}, {second, 0x30471688u}, {second_long, 0x30471688u}};
  for (const auto& [header, magic] : all) {
    const std::string sample = header + xored(plain, magic);
    const auto m = measured("senao", sample + "tail");
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, sample.size());
    EXPECT_TRUE(m->verified);
    const Collect got = unpacked("senao", sample);
    EXPECT_EQ(got.find("image")->content, plain);
    EXPECT_EQ(got.notes.at("version"), "1.2.3");
    EXPECT_EQ(got.opened_with.size(), 1u);
    const std::string padded = header + xored(plain + std::string(100, '\0'), magic);
    EXPECT_EQ(measured("senao", padded)->length, padded.size());
    EXPECT_EQ(unpacked("senao", padded).find("image")->content, plain);
    survives("senao", sample);
    unpack_survives("senao", sample);
  }
  std::string damaged = first + xored(plain, 0x12345678);
  damaged.back() ^= 1;
  EXPECT_FALSE(measured("senao", damaged)->verified);
}

std::string tclinux(const std::string& magic, bool footer) {
  const bool little_endian = magic == "HDR2";
  const auto number = [&](uint64_t v) { return little_endian ? little(v) : big(v); };
  const std::string body = std::string("KERNEL") + "ROOTFS..." + "ROM";
  std::string header = magic + number(256) + number(256 + body.size()) + number(crc32_raw(Bytes(body)));
  header = filled(header + filled("7.3.37.1", 32), 80) + number(6) + number(9) + number(3) + "3 6035 122";
  const std::string all = filled(header, 256) + body;
  return footer ? all + "DrayTekImageMD5\n" + hex(md5(Bytes(all))) + "\n" : all;
}

TEST(TclinuxTrx, ReadsEveryMagicAndTheFooter) {
  for (const char* magic : {"2RDH", "HDR2", "0RDH"})
    for (const bool footer : {false, true}) {
      const std::string sample = tclinux(magic, footer);
      const auto m = measured("tclinuxtrx", sample + "tail");
      ASSERT_TRUE(m);
      EXPECT_EQ(m->length, sample.size());
      EXPECT_TRUE(m->verified);
      const Collect got = unpacked("tclinuxtrx", sample);
      EXPECT_EQ(got.find("kernel")->content, "KERNEL");
      EXPECT_EQ(got.find("rootfs")->content, "ROOTFS...");
      EXPECT_EQ(got.find("romfile")->content, "ROM");
      EXPECT_EQ(got.notes.at("version"), "7.3.37.1");
      EXPECT_EQ(state_of(got, "md5 of the image"), footer ? "valid" : "absent");
      survives("tclinuxtrx", sample);
      unpack_survives("tclinuxtrx", sample);
    }
}

TEST(TclinuxTrx, SamplesAreReadOrRefused) {
  const std::string bytes = sample_file("draytek_vigor_167/valid_draytekvigor167_image.bin");
  if (bytes.empty()) GTEST_SKIP() << "no shared/format-samples beside the checkout";
  EXPECT_EQ(measured("tclinuxtrx", bytes)->length, bytes.size());
  const Collect got = unpacked("tclinuxtrx", bytes);
  ASSERT_EQ(got.items.size(), 1u);
  EXPECT_EQ(sha256(Bytes(got.find("rootfs")->content)).hex(),
            "73b648f484ab0a34ce00729ce8b7ef183885b4b5c540344a8451d18fe94cc2fa");
  EXPECT_EQ(state_of(got, "crc32"), "invalid");  // its maker filled in a value of another image
  const std::string bad = sample_file("draytek_vigor_167/invalid_draytekvigor167_image_struct_error.bin");
  const auto refused = measured("tclinuxtrx", bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::kTruncated);
}

TEST(Bneg, GivesTwoPartitions) {
  const std::string sample = "BNEG" + little(1) + little(1) + little(3) + little(4) + "onetwo!";
  EXPECT_EQ(measured("bneg", sample + "tail")->length, sample.size());
  EXPECT_EQ(unpacked("bneg", sample).find("part2")->content, "two!");
  EXPECT_FALSE(measured("bneg", "BNEG" + little(1) + little(1) + little(3) + little(5) + "onetwo!"));
  survives("bneg", sample);
  unpack_survives("bneg", sample);
}

TEST(Gm8126, GivesItsImage) {
  const std::string sample = filled("\x80\x5aGM" + big(0) + big(6) + big(0) + "kernel", 256) + "IMAGE.";
  EXPECT_EQ(measured("gm8126", sample + "tail")->length, sample.size());
  EXPECT_EQ(unpacked("gm8126", sample).find("image")->content, "IMAGE.");
  EXPECT_EQ(unpacked("gm8126", sample).notes.at("name"), "kernel");
  EXPECT_FALSE(measured("gm8126", sample.substr(0, 260)));
  survives("gm8126", sample);
  unpack_survives("gm8126", sample);
}

std::string sao_object(const std::string& type, const std::string& bytes, char sign_type) {
  std::string tail = filled(type + std::string("\1\0\0\0", 4) + big(bytes.size()), 44);
  tail[18] = sign_type;
  tail += big(crc32(Bytes(bytes))) + std::string(8, '\0');
  return "SOBJ" + big(crc32(Bytes(tail))) + tail + bytes;
}

TEST(BroadcomSao, FollowsTheObjects) {
  const std::string sample = sao_object("DTBB", "dtb", 0) + sao_object("KRNL", "cipher", '\x82');
  const auto m = measured("broadcomsao", sample + "tail");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->length, sample.size());
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("broadcomsao", sample);
  EXPECT_EQ(got.find("DTBB")->content, "dtb");
  EXPECT_FALSE(got.find("KRNL"));
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].fault, Fault::kEncrypted);
  survives("broadcomsao", sample);
  unpack_survives("broadcomsao", sample);
}

TEST(RosPack, ReadsItsTable) {
  const auto pack = [](const std::string& version, size_t table) {
    std::string out = filled("RNTP" + version + std::string(16, '\1') + "PACK" + little(0) + little(2), table);
    out += filled("CLI_FILE", 16) + little(table + 64) + little(4) + std::string(8, '\0');
    out += filled("RSCODE", 16) + little(table + 68) + little(3) + std::string(8, '\0');
    return out + "CLI.RSC";
  };
  for (const auto& [version, table] : {std::pair{"1.01", 48}, std::pair{"2.00", 80}}) {
    const std::string sample = pack(version, static_cast<size_t>(table));
    EXPECT_EQ(measured("rospack", sample + "tail")->length, sample.size());
    EXPECT_EQ(unpacked("rospack", sample).find("RSCODE")->content, "RSC");
    survives("rospack", sample);
    unpack_survives("rospack", sample);
  }
  EXPECT_FALSE(measured("rospack", pack("3.00", 80)));
  std::string lying = pack("1.01", 48);
  put(lying, 48 + 20, little(4096));
  EXPECT_FALSE(measured("rospack", lying));
}

TEST(MoxaFrm, ReadsFirmwareAndFiles) {
  std::string files = filled("NPort 5110", 36) + little(1500000000) + little(0) + little(0) + little(68) + little(128);
  files += little(64, 2) + little(0, 2) + little(7) + little(0, 2) + little(2, 2) + little(128) + "";
  files = filled(files, 68) + filled("index.htm", 48) + std::string(8, '\0') + little(4) + little(196);
  files += filled("gone.gif", 48) + std::string(8, '\0') + little(400) + little(200) + "HTML";
  const std::string head =
      std::string("*FRM\0\0\0\1", 8) + little(96 + 4 + files.size()) + little(96, 2) + little(2, 2);
  const std::string sample = filled(head, 64) + little(1) + little(96) + little(4) + little(0) + little(2) +
                             little(100) + little(files.size()) + little(0) + "CODE" + files;
  EXPECT_EQ(measured("moxafrm", sample + "tail")->length, sample.size());
  const Collect got = unpacked("moxafrm", sample);
  EXPECT_EQ(got.find("firmware")->content, "CODE");
  EXPECT_EQ(got.find("index.htm")->content, "HTML");
  EXPECT_TRUE(got.find("gone.gif"));
  EXPECT_EQ(got.problems.size(), 1u);
  survives("moxafrm", sample);
  unpack_survives("moxafrm", sample);
}

TEST(DisguisedZip, BecomesAZip) {
  const std::string zip = made_by("printf x > a; printf yy > b; zip -q -X out.zip a b; mv out.zip out");
  if (zip.empty()) GTEST_SKIP() << "no zip";
  std::string dahua = zip, instar = zip;
  put(dahua, 0, "DH");
  for (const auto& [from, to] :
       {std::pair{"PK\3\4", "PK\3\7"}, std::pair{"PK\1\2", "PK\1\x08"}, std::pair{"PK\5\6", "PK\5\x09"}})
    for (size_t at = instar.find(from); at != instar.npos; at = instar.find(from)) put(instar, at, to);
  for (const std::string& sample : {dahua, instar}) {
    const auto m = measured("disguisedzip", sample);
    ASSERT_TRUE(m);
    EXPECT_EQ(m->length, sample.size());
    EXPECT_EQ(unpacked("disguisedzip", sample).find("zip")->content, zip);
    survives("disguisedzip", sample);
  }
}

struct Sample {
  const char* file;
  const char* id;
  std::vector<std::pair<const char*, const char*>> children;  // name, how its content begins
  size_t count;
};

TEST(VendorSamples, AreUnpacked) {
  const Sample all[] = {
      {"bneg/test.bneg", "bneg", {{"part1", "foobar\n"}, {"part2", "test123\n"}}, 2},
      {"senao/testfw_1.enc", "senao", {{"image", "foobar1234test\nthis is a test firmware image"}}, 1},
      {"grain_media/test.gm8126", "gm8126", {{"image", "foobar 123"}}, 1},
      {"broadcom/broadcom-sao.bin",
       "broadcomsao",
       {{"META", "{\"extractor\":\"broadcom-sao\"}\n"}, {"DTBB", "\xd0\x0d\xfe\xed"}, {"RTFS", "hsqs"}},
       4},
      {"ros/test.ros", "rospack", {{"CLI_FILE", "RNTP2.00"}, {"DATETIME_C", ""}}, 6},
  };
  for (const Sample& s : all) {
    const std::string bytes = sample_file(s.file);
    if (bytes.empty()) GTEST_SKIP() << "no shared/format-samples beside the checkout";
    const auto m = measured(s.id, bytes);
    ASSERT_TRUE(m) << s.file;
    EXPECT_EQ(m->length, bytes.size()) << s.file;
    const Collect got = unpacked(s.id, bytes);
    EXPECT_EQ(got.items.size(), s.count) << s.file;
    for (const auto& [name, begin] : s.children) {
      ASSERT_TRUE(got.find(name)) << s.file << " " << name;
      EXPECT_TRUE(got.find(name)->content.starts_with(begin)) << s.file << " " << name;
    }
  }
}

}  // namespace
}  // namespace assay::unpack
