// Vendors' headers with sums: Sercomm, Cellvision, DAP and Cameo, Edimax, CSYS, Planex, Gemtek; Buffalo's encryption.
#include "test/unpack/build.h"

#include "core/hash.h"
#include "unpack/vendor.h"

#include <numeric>

namespace assay::unpack {
namespace {

void reads_with_valid_sums(std::string_view id, const std::string& sample, std::string_view child,
                           std::string_view content) {
  reads(id, sample, child, content);
  for (const Integrity& i : unpacked(id, sample).integrities) EXPECT_EQ(i.state, "valid") << id << ": " << i.name;
}

void refuses_a_changed_byte(std::string_view id, std::string sample, size_t at) {
  sample[at] = static_cast<char>(sample[at] ^ 1);
  const auto m = measured(id, sample);
  EXPECT_TRUE(!m || !m->verified) << id << " with byte " << at << " changed";
}

std::string sercomm_word(const std::string& data) {
  return filled("sErCoMm" + std::string(4, '\0') + filled("ABC", 34) + filled("A001", 10) + big(0x102) + "", 63) +
         "sErCoMm" + data;
}

TEST(Sercomm, ReadsHeaderAndFooter) {
  const std::string image(100, 'i');
  std::string sample = filled(sercomm_word("\1"), 512) + image;
  sample[511] = static_cast<char>(0 - byte_sum(Bytes(sample)));
  reads_with_valid_sums("sercomm", sample, "image", image);
  refuses_a_changed_byte("sercomm", sample, 520);
  EXPECT_EQ(unpacked("sercomm", sample).notes.at("hardware revision"), "A001");
  reads_with_valid_sums("sercommfooter", image + sercomm_word("\1"), "image", image);
  refuses_a_changed_byte("sercommfooter", image + sercomm_word("\1"), 100);
}

TEST(CasFw, ReadsBothHeaders) {
  const std::string kernel = "kernkern" + little(7), fs = "file" + little(9);
  const uint32_t sum = 7, fs_sum = 0x656c6966 ^ 9;
  const std::string cas = little(5) + little(32) + little(kernel.size()) + little(0x103) + little(sum) +
                          std::string("\x55\xaa\x41\x52\x41\x47\x4f\x52\x4e\x2d\xf2\xd3", 12) + kernel;
  reads_with_valid_sums("casfw", cas, "kernel", kernel);
  refuses_a_changed_byte("casfw", cas, 33);
  const std::string nfs = little(5) + little(32) + little(kernel.size()) + little(32 + kernel.size()) +
                          little(fs.size()) + little(sum) + little(fs_sum) + little(0x104) + kernel + fs;
  reads_with_valid_sums("casfw", nfs, "rootfs", fs);
  EXPECT_EQ(unpacked("casfw", nfs).find("kernel")->content, kernel);
  refuses_a_changed_byte("casfw", nfs, nfs.size() - 1);
}

TEST(DapFw, ReadsItsFourHeaders) {
  const std::string image = "kernel and rootfs";
  const uint32_t sum = byte_sum(Bytes(image));
  const std::string head = big(sum) + filled("DAP-1", 20) + filled("sig", 30) + "\1";
  const std::string dap = filled(head + "\x40" + std::string(4, '\0') + big(image.size()), 64) + image;
  reads_with_valid_sums("dapfw", dap, "image", image);
  refuses_a_changed_byte("dapfw", dap, 70);
  const std::string region =
      head + "\x50" + std::string(4, '\0') + big(image.size()) + filled("EU", 4) + filled("1.00", 12);
  reads_with_valid_sums("dapfw", region + image, "image", image);
  EXPECT_EQ(unpacked("dapfw", region + image).notes.at("version"), "1.00");
  const std::string second = little(72) + big(sum) + big(image.size()) + big(6) + filled("sig", 32) +
                             filled("1.0", 16) + filled("EU", 8) + image;
  reads_with_valid_sums("dapfw", second, "kernel", "kernel");
  EXPECT_EQ(unpacked("dapfw", second).find("rootfs")->content, " and rootfs");
  const std::string cameo = big(sum) + big(image.size()) + big(6) + filled("DIR-1", 20) + filled("sig", 30) +
                            filled("EU", 4) + filled("1.00", 12) + filled("\x54", 6) + image;
  reads_with_valid_sums("dapfw", cameo, "kernel", "kernel");
  std::string lying = cameo;
  put(lying, 8, big(image.size() + 1));
  EXPECT_FALSE(measured("dapfw", lying));
}

TEST(Edimax, ChecksHeaderAndData) {
  const std::string data = "the image of a router";
  std::string head = filled("eDiMaX", 16) + filled("MODEL", 32) + std::string(1, '\0') + std::string(1, '\0') +
                     std::string(1, static_cast<char>(byte_sum(Bytes(data)) ^ 0xb9)) + big(data.size()) + big(1) +
                     big(2) + filled("1.0", 14) + "\1" + filled("mtd1", 16);
  ASSERT_EQ(head.size(), 94u);
  head[49] = static_cast<char>(byte_sum(Bytes(head)) ^ 0xb9);
  reads_with_valid_sums("edimax", head + data, "image", data);
  refuses_a_changed_byte("edimax", head + data, 20);
  refuses_a_changed_byte("edimax", head + data, 96);
}

TEST(Csys, WordsAddUpToZeroInEitherOrder) {
  const std::string data = "data";
  const auto head = [&](std::string size) { return "CSYS" + little(0x80500000) + little(0x10000) + "ABCD" + size; };
  const uint16_t big_sum = static_cast<uint16_t>(0 - (0x6461 + 0x7461));
  const uint16_t little_sum = static_cast<uint16_t>(0 - (0x6164 + 0x6174));
  reads_with_valid_sums("csys", head(big(6)) + data + big(big_sum, 2), "image", data + big(big_sum, 2));
  const std::string sample = head(little(6)) + data + little(little_sum, 2);
  reads_with_valid_sums("csys", sample, "image", data + little(little_sum, 2));
  refuses_a_changed_byte("csys", sample, 21);
}

TEST(Planex, IsToldByItsDigest) {
  const std::string data(80, 'p');
  const auto digest = sha1(Bytes(std::string("\0\0\0\2", 4) + data));
  const std::string sample =
      std::string(digest.begin(), digest.end()) + filled("1.0.0", 8) + std::string(2, '\0') + big(data.size()) + data;
  reads_with_valid_sums("planex", sample, "image", data);
  EXPECT_EQ(unpacked("planex", sample).notes.at("version"), "1.0.0");
  refuses_a_changed_byte("planex", sample, 40);
}

TEST(Gemtek, ChecksAllBytes) {
  std::string sample =
      "GMTK1003" + little(0x3000001) + little(32 + 5) + little(0) + little(0) + little(0) + little(0) + "image";
  put(sample, 16, little(crc32(Bytes(sample))));
  put(sample, 20, little(0x1234));
  reads_with_valid_sums("gemtek", sample, "image", "image");
  refuses_a_changed_byte("gemtek", sample, 34);
}

// The cipher as buffalo-lib.c has it, with a state of the given length.
std::string buffalo_cipher(std::string bytes, char seed, size_t states) {
  const std::string key = seed + std::string("Buffalo");
  std::vector<uint8_t> state(states);
  std::iota(state.begin(), state.end(), uint8_t{0});
  size_t k = 0;
  for (size_t i = 0; i < states; ++i) {
    k = (k + static_cast<uint8_t>(key[i % key.size()]) + state[i]) % states;
    std::swap(state[i], state[k]);
  }
  size_t i = 0, j = 0;
  for (char& c : bytes) {
    i = (i + 1) % states;
    j = (j + state[i]) % states;
    std::swap(state[i], state[j]);
    c = static_cast<char>(c ^ static_cast<char>(state[(state[i] + state[j]) % states]));
  }
  return bytes;
}

std::string buffalo(const std::string& image, bool is_long) {
  const auto encrypt = [&](const std::string& text, char seed) {
    return big(text.size()) + buffalo_cipher(text, seed, is_long ? text.size() : 256);
  };
  uint32_t sum = static_cast<uint32_t>(image.size());
  for (const char c : image) {
    sum ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
  }
  const std::string product = encrypt(std::string("WZR\0", 4), 'O');
  const std::string version = encrypt(std::string("1.2\0", 4), product[4]);
  return std::string("start\0O", 7) + product + version + encrypt(image, version[4]) + big(sum);
}

TEST(BuffaloEnc, OpensBothStates) {
  const std::string image = "an image of plain characters, long enough";
  for (const bool is_long : {false, true}) {
    const std::string sample = buffalo(image, is_long);
    reads_with_valid_sums("buffaloenc", sample, "image", image);
    const Collect got = unpacked("buffaloenc", sample);
    EXPECT_EQ(got.notes.at("product"), "WZR");
    EXPECT_EQ(got.notes.at("version"), "1.2");
    EXPECT_EQ(got.opened_with.size(), 1u);
    reads_with_valid_sums("buffaloenc", filled(std::string("bgn\0", 4), 20) + sample, "image", image);
  }
  std::string other = buffalo(image, false);
  other[30] = static_cast<char>(other[30] ^ 1);
  const Collect got = unpacked("buffaloenc", other);
  EXPECT_TRUE(got.opened_with.empty());
  ASSERT_FALSE(got.problems.empty());
  EXPECT_EQ(got.problems.back().fault, Fault::kEncrypted);
}

}  // namespace
}  // namespace assay::unpack
