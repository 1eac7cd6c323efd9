// Kernel images built here byte by byte around a body that gzip, xz, lz4 … compressed, and the real ones beside the
// checkout.
#include <gtest/gtest.h>

#include <cstring>

#include "core/hash.h"
#include "test/unpack/collect.h"
#include "test/unpack/tool.h"
#include "unpack/linux_kernel.h"

namespace assay::unpack {
namespace {

const std::string kBanner = "Linux version 5.4.1 (me@here) (gcc 9) #1 Thu Jan 1 00:00:00 UTC 1970";

std::string noise(size_t size) {
  std::string bytes(size, '\0');
  uint64_t x = 88172645463325252;
  for (char& c : bytes) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    c = static_cast<char>(x >> 33 & 15);
  }
  return bytes;
}

void put32(std::string& bytes, size_t at, uint32_t value, Order order = Order::kLittle) {
  for (size_t i = 0; i < 4; ++i) bytes[at + (order == Order::kLittle ? i : 3 - i)] = static_cast<char>(value >> 8 * i);
}
std::string word(uint32_t value, Order order = Order::kLittle) {
  std::string bytes(4, '\0');
  put32(bytes, 0, value, order);
  return bytes;
}

std::string initramfs() {
  return made_by("mkdir -p t/dev; printf '#!/bin/sh\\n' > t/init; cd t; find . | sort | cpio -o -H newc > ../out");
}

// A bare kernel with banner, configuration and initramfs.
std::string kernel(const std::string& ramfs) {
  return noise(300 << 10) + kBanner + std::string("\n\0", 2) + noise(1000) + "IKCFG_ST" +
         through("gzip -9n", "CONFIG_MODULES=y\n") + "IKCFG_ED" + std::string(16 - 4, '\0') + ramfs + noise(5000);
}

const Collect::Item* child(const Collect& sink, const char* name) { return sink.find(name); }

TEST(LinuxKernel, YieldsConfigurationAndInitramfs) {
  const std::string ramfs = initramfs();
  if (ramfs.empty()) GTEST_SKIP() << "cpio is not installed";
  for (const char* packer :
       {"cat", "gzip -9n", "xz --check=crc32", "xz --format=lzma", "bzip2", "lz4 -q -l - -", "lzop"}) {
    const std::string packed = through(packer, ramfs);
    const std::string body = kernel(packed);
    const Format* format = find_format("linux-kernel");
    ASSERT_TRUE(format->measure(Bytes(body))) << packer;
    Collect sink;
    ASSERT_TRUE(format->unpack(Bytes(body), sink));
    EXPECT_EQ(sink.notes["banner"], kBanner);
    ASSERT_TRUE(child(sink, "ikconfig")) << packer;
    EXPECT_EQ(child(sink, "ikconfig")->content, "CONFIG_MODULES=y\n");
    ASSERT_TRUE(child(sink, "initramfs")) << packer;
    EXPECT_TRUE(packed.starts_with(child(sink, "initramfs")->content)) << packer;
    EXPECT_GE(child(sink, "initramfs")->content.size() + 512, packed.size()) << packer;
  }
}

TEST(LinuxKernel, NeedsABannerAndNothingElseInside) {
  const Format* format = find_format("linux-kernel");
  const std::string body = kernel("");
  EXPECT_TRUE(format->measure(Bytes(body)));
  EXPECT_FALSE(format->measure(Bytes(noise(400 << 10))));
  std::string log = body;
  log[log.find(kBanner) + kBanner.size() + 1] = 'x';  // a log goes on with the next line
  EXPECT_FALSE(format->measure(Bytes(log)));
  const std::string archive = made_by("head -c 100000 /dev/zero > z; tar -cf out z");
  ASSERT_FALSE(archive.empty());
  EXPECT_FALSE(format->measure(Bytes(body + archive)));
}

std::string zimage(const std::string& body, Order order) {
  std::string image(0x8000, '\x11');
  put32(image, 0x24, 0x016F2818, order);
  image += body + word(300 << 10, order) + std::string(600, '\x22');
  put32(image, 0x28, 0x8000, order);
  put32(image, 0x2c, 0x8000 + static_cast<uint32_t>(image.size()), order);
  return image;
}

TEST(Zimage, FindsThePayloadOfEveryCodec) {
  const std::string body = kernel("");
  for (const Order order : {Order::kLittle, Order::kBig})
    for (const char* packer :
         {"gzip -9n", "xz --check=crc32", "xz --format=lzma", "bzip2", "lz4 -q -l - -", "lzop", "zstd -q"}) {
      const std::string packed = through(packer, body);
      if (packed.empty()) continue;
      const std::string image = zimage(packed, order);
      const Format* format = find_format("zimage");
      const auto measured = format->measure(Bytes(image + "tail"));
      ASSERT_TRUE(measured) << packer;
      EXPECT_EQ(measured->length, image.size());
      EXPECT_TRUE(measured->verified);
      Collect sink;
      ASSERT_TRUE(format->unpack(Bytes(image), sink));
      ASSERT_TRUE(child(sink, "kernel")) << packer;
      EXPECT_TRUE(child(sink, "kernel")->content == body) << packer;
      EXPECT_EQ(sink.notes["banner"], kBanner);
    }
}

TEST(Zimage, WithoutAPayloadIsNotVerified) {
  const std::string image = zimage(noise(70000), Order::kLittle);
  EXPECT_FALSE(find_format("zimage")->measure(Bytes(image))->verified);
  Collect sink;
  EXPECT_FALSE(find_format("zimage")->unpack(Bytes(image), sink));
  for (size_t length = 0; length < image.size(); length += 97)
    EXPECT_FALSE(find_format("zimage")->measure(Bytes(std::string_view(image).substr(0, length))));
}

std::string bzimage(const std::string& packed, uint32_t size) {
  std::string setup(3 * 512, '\0'), code(256, '\x33');
  std::string body = code + packed + word(size) + std::string(100, '\x44');
  body.resize((body.size() + 4 + 15) / 16 * 16 - 4);
  setup[0x1f1] = 2;
  put32(setup, 0x1f4, static_cast<uint32_t>(body.size() + 4) / 16);
  std::memcpy(setup.data() + 0x1fe, "\x55\xaa\xeb\x66HdrS\x0d\x02", 10);
  setup[0x20e] = 0x40, setup[0x20f] = 0x01;
  std::memcpy(setup.data() + 0x340, "5.4.1 (me@here)", 16);
  put32(setup, 0x248, 256);
  put32(setup, 0x24c, static_cast<uint32_t>(packed.size() + 4));
  const std::string all = setup + body;
  return all + word(crc32_raw(Bytes(all)));
}

TEST(Bzimage, PayloadVersionAndSum) {
  const std::string ramfs = initramfs(), body = kernel(ramfs);
  if (ramfs.empty()) GTEST_SKIP() << "cpio is not installed";
  for (const char* packer :
       {"gzip -9n", "xz --check=crc32", "xz --format=lzma", "bzip2", "lz4 -q -l - -", "lzop", "zstd -q"}) {
    const std::string packed = through(packer, body);
    if (packed.empty()) continue;
    const std::string image = bzimage(packed, static_cast<uint32_t>(body.size()));
    const Format* format = find_format("bzimage");
    const auto measured = format->measure(Bytes(image + "tail"));
    ASSERT_TRUE(measured) << packer << measured.error().what;
    EXPECT_EQ(measured->length, image.size());
    EXPECT_TRUE(measured->verified);
    Collect sink;
    ASSERT_TRUE(format->unpack(Bytes(image), sink)) << packer;
    ASSERT_TRUE(child(sink, "vmlinux"));
    EXPECT_TRUE(child(sink, "vmlinux")->content == body);
    ASSERT_TRUE(child(sink, "ikconfig"));
    EXPECT_EQ(child(sink, "ikconfig")->content, "CONFIG_MODULES=y\n");
    ASSERT_TRUE(child(sink, "initramfs"));
    EXPECT_TRUE(ramfs.starts_with(child(sink, "initramfs")->content));
    EXPECT_EQ(sink.notes["kernel version"], "5.4.1 (me@here)");
    EXPECT_EQ(sink.notes["crc32 verified"], "yes");
  }
}

TEST(Bzimage, SurvivesDamage) {
  const std::string image = bzimage(through("gzip -1n", kernel("").substr(200 << 10)), 0);
  const Format* format = find_format("bzimage");
  for (size_t length = 0; length < image.size(); length += 211)
    EXPECT_FALSE(format->measure(Bytes(std::string_view(image).substr(0, length))));
  for (size_t at = 0x1f0; at < 0x260; ++at) {
    std::string bad = image;
    bad[at] = static_cast<char>(~bad[at]);
    Collect sink;
    const auto measured = format->measure(Bytes(bad));
    if (measured) (void)format->unpack(Bytes(bad).head(measured->length), sink);
  }
}

TEST(LinuxImage, HeaderOfArm64) {
  std::string image = std::string(64, '\0') + kernel("");
  std::memcpy(image.data() + 56, "ARM\x64", 4);
  put32(image, 8, 0x80000);
  put32(image, 16, static_cast<uint32_t>(image.size() + 100000));  // bss
  const Format* format = find_format("linux-image");
  const auto measured = format->measure(Bytes(image));
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->length, image.size());
  Collect sink;
  ASSERT_TRUE(format->unpack(Bytes(image), sink));
  EXPECT_EQ(sink.notes["banner"], kBanner);
  EXPECT_EQ(sink.notes["load offset"], "524288");
  EXPECT_TRUE(child(sink, "ikconfig"));
}

TEST(EfiZboot, PayloadAndSections) {
  const std::string body = kernel(""), packed = through("gzip -9n", body);
  std::string image(0x400, '\0');
  std::memcpy(image.data(), "MZ\0\0zimg", 8);
  put32(image, 8, 0x400);
  put32(image, 12, static_cast<uint32_t>(packed.size()));
  std::memcpy(image.data() + 24, "gzip", 5);
  put32(image, 60, 0x80);
  std::memcpy(image.data() + 0x80, "PE\0\0", 4);
  image[0x86] = 1, image[0x94] = 16;  // one section, 16 bytes of optional header
  put32(image, 0x80 + 24 + 16 + 16, static_cast<uint32_t>(packed.size() + 512));
  put32(image, 0x80 + 24 + 16 + 20, 0x400);
  image += packed + std::string(512, '\x55');
  const Format* format = find_format("efi-zboot");
  const auto measured = format->measure(Bytes(image + "tail"));
  ASSERT_TRUE(measured) << measured.error().what;
  EXPECT_EQ(measured->length, image.size());
  EXPECT_TRUE(measured->verified);
  Collect sink;
  ASSERT_TRUE(format->unpack(Bytes(image), sink));
  ASSERT_TRUE(child(sink, "kernel"));
  EXPECT_TRUE(child(sink, "kernel")->content == body);
  for (size_t length = 0; length < image.size(); length += 211)
    EXPECT_FALSE(format->measure(Bytes(std::string_view(image).substr(0, length))));
}

TEST(Samples, BzimagesOfEveryCodec) {
  const char* source = std::getenv("ASSAY_SOURCE");
  const std::string root = std::string(source ? source : ".") + "/../shared/format-samples/linuxkernel/";
  if (slurp(root + "bzImage_gzip").empty()) GTEST_SKIP() << "no samples beside the checkout";
  for (const char* name : {"bzImage_bzip2", "bzImage_gzip", "bzImage_lz4", "bzImage_lzo"}) {
    const std::string image = slurp(root + name);
    const Format* format = find_format("bzimage");
    const auto measured = format->measure(Bytes(image));
    ASSERT_TRUE(measured) << name;
    EXPECT_EQ(measured->length, image.size());
    EXPECT_TRUE(measured->verified);
    Collect sink;
    ASSERT_TRUE(format->unpack(Bytes(image), sink));
    EXPECT_TRUE(sink.notes["kernel version"].starts_with("5.4.72 ")) << name;
    ASSERT_TRUE(child(sink, "vmlinux")) << name;
    EXPECT_EQ(child(sink, "vmlinux")->content.size(), 1015400u);
    EXPECT_EQ(sink.notes["crc32 verified"], "yes");
  }
}

}  // namespace
}  // namespace assay::unpack
