// Disks that are stored block by block (uzip, partclone), a packed assembly (xalz) and a device's update (matterota).
#include "core/hash.h"
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

namespace assay::unpack {
namespace {

std::string packed(char how, const std::string& text) {
  std::string out(text.size() + 4096, '\0');
  const auto* from = reinterpret_cast<const uint8_t*>(text.data());
  auto* into = reinterpret_cast<uint8_t*>(out.data());
  size_t size = 0;
  if (how == 'V') {
    uLongf length = out.size();
    EXPECT_EQ(compress(into, &length, from, text.size()), Z_OK);
    size = length;
  } else if (how == 'L') {
    EXPECT_EQ(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, nullptr, from, text.size(), into, &size, out.size()),
              LZMA_OK);
  } else {
    size = ZSTD_compress(into, out.size(), from, text.size(), 1);
  }
  out.resize(size);
  return out;
}

std::string uzip(char how, const std::vector<std::string>& blocks, size_t size) {
  std::string out = filled(std::string("#!/bin/sh\n#") + how + "2.0 Format\nmodprobe cloop file=$0\n", 128) +
                    big(size) + big(blocks.size());
  std::string data;
  for (const std::string& block : blocks) {
    out += big(136 + (blocks.size() + 1) * 8 + data.size(), 8);
    if (!block.empty()) data += packed(how, block);
  }
  return out + big(136 + (blocks.size() + 1) * 8 + data.size(), 8) + data;
}

TEST(PackedDisks, Uzip) {
  const std::string first = HostTree::words(4096), third = HostTree::noise(4096);
  for (const char how : {'V', 'L', 'Z'}) {
    const std::string good = uzip(how, {first, "", third}, 4096);
    ASSERT_TRUE(measured("uzip", good + "more")) << measured("uzip", good).error().what;
    EXPECT_EQ(measured("uzip", good + "more")->length, good.size());
    const Collect got = unpacked("uzip", good);
    for (const Error& p : got.problems) ADD_FAILURE() << p.what;
    ASSERT_EQ(got.items.size(), 1u);
    EXPECT_TRUE(got.items[0].content == first + std::string(4096, '\0') + third) << how;
    EXPECT_EQ(unknown_bytes(good, got), 0u);
    std::string bad = good;
    bad[good.size() - 5000] = static_cast<char>(~bad[good.size() - 5000]);
    EXPECT_TRUE(unpacked("uzip", bad).find("disk"));
    survives("uzip", good);
  }
  std::string bad = uzip('V', {first, third}, 4096);
  put(bad, 144, big(5, 8));
  EXPECT_EQ(measured("uzip", bad).error().what, "block 1 lies before its table or the one before");
  bad = uzip('V', {first, third}, 4096);
  bad[170] = '\x11';  // in the first block
  const Collect got = unpacked("uzip", bad);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].what.substr(0, 8), "block 0:");
  EXPECT_TRUE(got.items[0].content == std::string(4096, '\0') + third);
}

TEST(PackedDisks, PartcloneOfPartclone) {
  if (!installed("partclone.ext4") || geteuid() != 0) GTEST_SKIP() << "partclone is not installed, or this is not root";
  HostTree tree;
  tree.file("words", HostTree::words(300'000));
  for (const std::string options : {"", "-a0", "-k 7"}) {
    const std::string both = tree.image(
        "PATH=$PATH:/sbin:/usr/sbin; truncate -s 4M disk; mke2fs -q -F -d root disk; rm -f clone; partclone.ext4 -c " +
        options + " -s disk -o clone; cat disk clone >out");
    ASSERT_GT(both.size(), 4u << 20) << options;
    const std::string good = both.substr(4 << 20);
    ASSERT_TRUE(measured("partclone", good)) << options << measured("partclone", good).error().what;
    EXPECT_EQ(measured("partclone", good)->length, good.size());
    const Collect got = unpacked("partclone", good);
    for (const Error& p : got.problems) ADD_FAILURE() << options << p.what;
    for (const Integrity& i : got.integrities) EXPECT_EQ(i.state, "valid") << options << i.name;
    EXPECT_EQ(got.integrities.size(), options == "-a0" ? 2u : 3u);
    ASSERT_EQ(got.items.size(), 1u);
    const Collect before = unpacked("ext", both.substr(0, 4 << 20)), after = unpacked("ext", got.items[0].content);
    ASSERT_TRUE(before.find("words"));
    ASSERT_TRUE(after.find("words"));
    EXPECT_TRUE(after.find("words")->content == before.find("words")->content);
    EXPECT_EQ(unknown_bytes(good, got), 0u);
    std::string bad = good;
    bad[good.size() - 9] = static_cast<char>(~bad[good.size() - 9]);
    EXPECT_EQ(unpacked("partclone", bad).integrities.back().state, options == "-a0" ? "valid" : "invalid");
    bad = good;
    bad[60] = static_cast<char>(~bad[60]);
    EXPECT_EQ(measured("partclone", bad).error().what, "checksum of the header");
    EXPECT_EQ(measured("partclone", good.substr(0, good.size() - 1)).error().fault, Fault::kTruncated);
    for (size_t at = 30; at < 106 && options.empty(); at += 2) {  // with the checksum made right again
      bad = good;
      bad[at] = static_cast<char>(~bad[at]);
      put(bad, 106, little(crc32_raw(Bytes(std::string_view(bad).substr(0, 106)))));
      if (measured("partclone", bad)) unpacked("partclone", bad);
    }
  }
}

TEST(PackedDisks, Xalz) {
  const std::string text = HostTree::words(50'000);
  std::string block(60'000, '\0');
  const int size = LZ4_compress_default(text.data(), block.data(), static_cast<int>(text.size()), 60'000);
  ASSERT_GT(size, 0);
  const std::string good = "XALZ" + little(3) + little(text.size()) + block.substr(0, static_cast<size_t>(size));
  MemoryOutput out(1 << 20);
  const auto decoded = format("xalz").decode(Bytes(good), out);
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->length, good.size());
  EXPECT_TRUE(out.bytes().text() == text);
  for (size_t at = 4; at < good.size(); at += 1 + at / 16) {
    MemoryOutput ignored(1 << 20);
    std::string bad = good;
    bad[at] = static_cast<char>(~bad[at]);
    (void)format("xalz").decode(Bytes(bad), ignored);
    EXPECT_FALSE(format("xalz").decode(Bytes(std::string_view(good).substr(0, at)), ignored));
  }
}

TEST(PackedDisks, MatterUpdate) {
  const std::string payload = HostTree::noise(3000), digest = [&] {
    const Digest d = sha256(Bytes(payload));
    return std::string(reinterpret_cast<const char*>(d.bytes.data()), 32);
  }();
  std::string head = "\x15";
  head += std::string("\x25\0", 2) + little(0xfff1, 2) + "\x25\x01" + little(0x8000, 2) + "\x26\x02" + little(70000) +
          "\x2c\x03\x03" + "1.2" + "\x25\x04" + little(payload.size(), 2) + "\x24\x08\x01" + "\x30\x09\x20" + digest +
          "\x18";
  const std::string good = std::string("\x1e\xf1\xee\x1b") + little(16 + head.size() + payload.size(), 8) +
                           little(head.size()) + head + payload;
  ASSERT_TRUE(measured("matterota", good + "x")) << measured("matterota", good).error().what;
  EXPECT_EQ(measured("matterota", good + "x")->length, good.size());
  const Collect got = unpacked("matterota", good);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  ASSERT_EQ(got.items.size(), 1u);
  EXPECT_EQ(got.items[0].content, payload);
  EXPECT_EQ(got.notes.at("vendor id"), "65521");
  EXPECT_EQ(got.notes.at("software version"), "70000");
  EXPECT_EQ(got.notes.at("software version string"), "1.2");
  ASSERT_EQ(got.integrities.size(), 1u);
  EXPECT_EQ(got.integrities[0].state, "valid");
  std::string bad = good;
  bad.back() = static_cast<char>(~bad.back());
  EXPECT_EQ(unpacked("matterota", bad).integrities[0].state, "invalid");
  bad = good;
  put(bad, 12, little(head.size() + 1));
  EXPECT_FALSE(measured("matterota", bad));
  survives("matterota", good);
}

}  // namespace
}  // namespace assay::unpack
