// Kernel and update headers of boot loaders: AVM's EVA, JBOOT, MaxLinear's unified image, Hikvision's files, AVM's
// false SquashFS.
#include "test/unpack/build.h"
#include "test/unpack/host_tree.h"

#include "core/hash.h"

#include <algorithm>

namespace assay::unpack {
namespace {

size_t invalid(const Collect& got) {
  size_t count = 0;
  for (const Integrity& i : got.integrities) count += i.state == "invalid";
  return count;
}

// As a driver decodes LZMA here: properties, 3 zeros, the stream; xz writes the 13-byte header in front of it.
std::string eva_record(uint32_t magic, const std::string& content) {
  const std::string alone = through("xz --format=lzma -c", content);
  if (alone.empty()) return {};
  const std::string stream = alone.substr(13);
  const std::string payload = little(0x075a0201) + little(stream.size()) + little(content.size()) +
                              little(crc32(Bytes(stream))) + alone.substr(0, 5) + std::string(3, '\0') + stream;
  uint32_t sum = static_cast<uint32_t>(payload.size()) + 0x80500000;
  for (const char c : payload) sum += static_cast<uint8_t>(c);
  return little(magic) + little(payload.size()) + little(0x80500000) + payload + little(0 - sum) + little(0) +
         little(0x80c8b500);
}

std::string signed_by_cksum(const std::string& image) {
  const std::string sum = through("cksum", image);
  return image + little(0xc453de23) + little(std::stoul(sum));
}

TEST(Eva, ReadsOneKernel) {
  const std::string kernel = HostTree::words(20'000);
  const std::string record = eva_record(0xfeed1281, kernel);
  if (record.empty()) GTEST_SKIP() << "xz is not installed";
  const std::string image = signed_by_cksum(record);
  const auto length = measured("eva", image + "x");
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  EXPECT_TRUE(length->verified);
  Collect got = unpacked("eva", image);
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  EXPECT_EQ(got.integrities.size(), 3u);
  EXPECT_EQ(invalid(got), 0u);
  EXPECT_EQ(got.notes["kernel"], "load address 0x80500000, entry point 0x80c8b500");
  ASSERT_TRUE(got.find("kernel"));
  EXPECT_TRUE(got.find("kernel")->content == kernel);
  EXPECT_EQ(unknown_bytes(image, got), 0u);
  std::string damaged = image;
  damaged[100] ^= 1;
  EXPECT_EQ(invalid(unpacked("eva", damaged)), 3u);
  EXPECT_FALSE(measured("eva", record.substr(0, record.size() - 1)));
  survives("eva", signed_by_cksum(eva_record(0xfeed1281, "short")));
}

TEST(Eva, ReadsTwoKernels) {
  const std::string kernel = HostTree::words(9'000), second = HostTree::noise(3'001);
  std::string records = eva_record(0xfeed1281, kernel);
  if (records.empty()) GTEST_SKIP() << "xz is not installed";
  records.resize((records.size() + 3) & ~size_t{3}, '\0');
  records += eva_record(0xfeedb007, second);
  uint32_t sum = static_cast<uint32_t>(records.size()) + 0x80500000;
  for (const char c : records) sum += static_cast<uint8_t>(c);
  const std::string image = signed_by_cksum(little(0xfeed9112) + little(records.size()) + little(0x80500000) + records +
                                            little(0 - sum) + little(0) + little(0x80c8b500) + std::string(40, '\0'));
  const auto length = measured("eva", image);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  Collect got = unpacked("eva", image);
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  EXPECT_EQ(got.integrities.size(), 6u);
  EXPECT_EQ(invalid(got), 0u);
  ASSERT_TRUE(got.find("kernel") && got.find("second"));
  EXPECT_TRUE(got.find("second")->content == second);
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

// By the definition: words summed in ones' complement, the odd byte less 255.
uint16_t words_sum(const std::string& b) {
  uint64_t sum = 0;
  for (size_t i = 0; i + 1 < b.size(); i += 2)
    sum += static_cast<uint8_t>(b[i]) + 256u * static_cast<uint8_t>(b[i + 1]);
  if (b.size() % 2) sum += static_cast<uint8_t>(b.back()) + 0xff00u;  // -255 = 0xff00 modulo 65535
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

std::string jboot_kernel(const std::string& kernel, const std::string& rootfs) {
  std::string second = little(0x2124, 2) + "\3\2" + little(0x80000000) + little(kernel.size()) +
                       little(crc32(Bytes(kernel))) + little(0x80000000) + little(0x10000) + little(rootfs.size()) +
                       little(crc32(Bytes(rootfs))) + little(0) + little(40, 2) + little(0, 2);
  put(second, 32, little(crc32(Bytes(second))));
  const std::string data = second + kernel;
  std::string tag = std::string("\4\4", 2) + little(0x2b24, 2) + little(150'000'000) + little(data.size()) +
                    little(words_sum(data), 2);
  tag += little(static_cast<uint16_t>(~words_sum(tag)), 2);
  tag[0] = '\xff';
  return tag + data + rootfs;
}

std::string jboot_update(const std::string& device, const std::string& data) {
  std::string header = device + little(0, 2) + little(words_sum(data), 2) + std::string(10, '\0') +
                       std::string("\1\0", 2) + little(150'000'000) + little(0x10000) + little(0xff0000) +
                       little(0x10000) + little(data.size()) + std::string(16, '\0') + little(0x4842, 2) +
                       little(2, 2) + little(0, 2) + "\4\4" + little(0) + little(0x6e38, 2);
  header += little(static_cast<uint16_t>(~words_sum(header)), 2);
  EXPECT_EQ(header.size(), 80u);
  return header + data;
}

TEST(Jboot, ReadsKernelAndUpdate) {
  const std::string kernel = HostTree::noise(5'001), rootfs = HostTree::words(7'000);
  const std::string inner = jboot_kernel(kernel, rootfs);
  const std::string image = jboot_update("DLK6E3803001", inner);
  reads("jboot", image, "data", inner);
  Collect got = unpacked("jboot", image);
  EXPECT_EQ(got.notes["device"], "DLK6E3803001");
  EXPECT_EQ(got.notes["family"], "0x6e38");
  reads("jboot-kernel", inner, "kernel", kernel);
  got = unpacked("jboot-kernel", inner);
  EXPECT_EQ(got.integrities.size(), 5u);
  EXPECT_EQ(got.notes["compression"], "LZMA");
  ASSERT_TRUE(got.find("rootfs"));
  EXPECT_TRUE(got.find("rootfs")->content == rootfs);
  std::string damaged = inner;
  damaged[100] ^= 1;
  EXPECT_EQ(invalid(unpacked("jboot-kernel", damaged)), 2u);
  damaged = image;
  damaged[70] ^= 1;
  EXPECT_FALSE(measured("jboot", damaged)) << "sum of the header";
}

TEST(Dlke, NamesWhatIsEncrypted) {
  const std::string first = jboot_update("DLK6E8202001", filled("signature", 32)),
                    second = jboot_update("DLK6E8202001", filled("secret", 64, 'x'));
  const std::string sample = first + second;
  const auto m = measured("dlke", sample + "more");
  ASSERT_TRUE(m) << m.error().what;
  EXPECT_EQ(m->length, sample.size());
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked("dlke", sample);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems.front().fault, Fault::kEncrypted);
  EXPECT_TRUE(
      std::ranges::any_of(got.spans, [&](const Span& s) { return s.range == Range::kEncrypted && s.length == 64; }));
  ASSERT_EQ(got.integrities.size(), 5u);
  EXPECT_EQ(got.integrities.back().state, "not-checkable");
  EXPECT_EQ(invalid(got), 0u);
  EXPECT_EQ(unknown_bytes(sample, got), 0u);
  survives("dlke", sample);
  std::string unsummed = sample;
  unsummed[first.size() + 76] ^= 1;  // the family: the second header's sum no longer holds
  EXPECT_FALSE(measured("dlke", unsummed)->verified);
  EXPECT_EQ(invalid(unpacked("dlke", unsummed)), 1u);
  EXPECT_FALSE(measured("dlke", first + std::string(200, 'x')));
}

TEST(MaxLinear, ReadsBothVersions) {
  const std::string one = HostTree::noise(700), two = HostTree::words(900);
  const std::string v2 = filled("VER2" + filled("Intel_Unified_Image", 20), 40) + big(9) + std::string(48, '\1') +
                         filled(big(one.size()) + big(two.size()), 40) + filled("\2\x9", 28) + one + two;
  reads("maxlinear", v2, "atom-kernel", one);
  reads("maxlinear", v2, "arm-rootfs", two);
  const std::string v3 = filled("VER3" + filled("Intel_Unified_Image", 20), 40) + big(2) + std::string(88, '\1') +
                         filled(big(one.size()) + big(two.size()), 80) + filled("\3\3", 40) + one + two;
  reads("maxlinear", v3, "atom-rootfs", one);
  reads("maxlinear", v3, "atom-rootfs-1", two);
  EXPECT_FALSE(measured("maxlinear", v2.substr(0, v2.size() - 1)));
  const std::string sample = shared_file("format-samples/maxlinear/maxlinear-uimage-v2.bin");
  if (sample.empty()) GTEST_SKIP() << "the samples are not installed";
  const auto length = measured("maxlinear", sample);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, sample.size());
  const Collect got = unpacked("maxlinear", sample);
  ASSERT_EQ(got.items.size(), 4u);
  for (const char* name : {"atom-kernel", "atom-rootfs", "arm-kernel", "arm-rootfs"}) {
    ASSERT_TRUE(got.find(name)) << name;
    EXPECT_EQ(got.find(name)->content.size(), 128u);
  }
}

TEST(Hikvision, ReadsFilesBehindAnObfuscatedHeader) {
  const std::string_view key("\xBA\xCD\xBC\xFE\xD6\xCA\xDD\xD3\xBA\xB9\xA3\xAB\xBF\xCB\xB5\xBE", 16);
  const std::string one = HostTree::noise(700), two = HostTree::words(900);
  const auto sum_of = [](const std::string& bytes) {
    uint32_t sum = 0;
    for (const char c : bytes) sum += static_cast<uint8_t>(c);
    return sum;
  };
  const auto entry = [&](const std::string& name, size_t at, const std::string& bytes) {
    return filled(name, 32) + little(at) + little(bytes.size()) + little(sum_of(bytes));
  };
  std::string tail = little(152) + little(2) + little(1) + little(3) + little(0) + little(0x50304) +
                     std::string(32, '\0') + entry("hroot.img", 152, one) + entry("app.tar", 852, two);
  std::string header = "SWKH" + little(sum_of(tail.substr(4))) + tail;
  ASSERT_EQ(header.size(), 152u);
  for (size_t row = 0; row < header.size(); row += 16)  // each row of 16 begins one byte later in the key
    for (size_t i = row; i < std::min(row + 16, header.size()); ++i)
      header[i] = static_cast<char>(header[i] ^ key[(i - row + row / 16) % 16]);
  const std::string image = header + one + two;
  reads("hikvision", image, "hroot.img", one);
  reads("hikvision", image, "app.tar", two);
  EXPECT_EQ(unpacked("hikvision", image).integrities.size(), 3u);
  std::string damaged = image;
  damaged[160] ^= 1;
  EXPECT_EQ(invalid(unpacked("hikvision", damaged)), 1u);
  EXPECT_FALSE(measured("hikvision", image.substr(0, image.size() - 1)));
}

TEST(AvmFake, ReadsWhatStandsBehindTheHeader) {
  reads("avmfake", filled("sqsh", 256) + "Test File", "data", "Test File");
  EXPECT_FALSE(measured("avmfake", filled("sqsh", 256)));
  EXPECT_FALSE(measured("avmfake", filled("sqsh\1", 256) + "Test File"));
  const std::string sample = shared_file("format-samples/avm_sqfs_fake/fake.sqfs");
  if (sample.empty()) GTEST_SKIP() << "the samples are not installed";
  EXPECT_TRUE(unpacked("avmfake", sample).find("data"));
}

}  // namespace
}  // namespace assay::unpack
