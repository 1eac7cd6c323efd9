// Disk images of virtual machines against qemu-img: what it writes is read to the same disk.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"

#include <random>

namespace assay::unpack {
namespace {

// A disk with text, bytes at random, zeros between, and an end within a cluster and a grain.
std::string some_disk() {
  std::string disk(5 << 20, '\0');
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i * 7919) + (i % 9 ? ' ' : '\n');
  put(disk, 70'000, text);
  std::mt19937 random(1);
  for (size_t i = 0; i < 150'000; ++i) disk[(3 << 20) + i] = static_cast<char>(random());
  disk.back() = 'e';
  return disk + std::string(3 * 512, 'x');
}

// `steps`: of a shell, from the raw disk "raw" to the image "out".
std::string image_by(const std::string& raw, const std::string& steps) {
  const Scratch scratch;
  std::ofstream(scratch.path() + "/raw", std::ios::binary) << raw;
  EXPECT_TRUE(scratch.run(steps)) << slurp(scratch.path() + "/log");
  return slurp(scratch.path() + "/out");
}

struct Made {
  const char *format, *steps;
};
void PrintTo(const Made& made, std::ostream* out) { *out << made.steps; }

class MadeDisk : public testing::TestWithParam<Made> {};

TEST_P(MadeDisk, IsReadAsItWas) {
  if (!installed("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
  const std::string raw = some_disk(), image = image_by(raw, GetParam().steps);
  const std::string_view id = GetParam().format;
  const auto length = measured(id, image + (id == "vhd-fixed" ? "" : "behind"));
  ASSERT_TRUE(length) << length.error().what;
  // The file may end within its last cluster; qemu-img fills up behind a stream's end.
  EXPECT_GE(length->length, image.substr(0, image.find_last_not_of('\0') + 1).size());
  EXPECT_LT(length->length, image.size() + 7);
  const Collect got = unpacked(id, image);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  const auto* disk = got.find("disk");
  ASSERT_NE(disk, nullptr);
  // qemu-img rounds sizes up to what a format can say.
  ASSERT_GE(disk->content.size(), raw.size());
  EXPECT_LT(disk->content.size(), raw.size() + (1 << 20));
  EXPECT_TRUE(disk->content.starts_with(raw));
  EXPECT_EQ(disk->content.find_first_not_of('\0', raw.size()), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    VirtualDisk, MadeDisk,
    testing::Values(Made{"qcow2", "qemu-img convert -O qcow2 raw out"},
                    Made{"qcow2", "qemu-img convert -c -O qcow2 raw out"},
                    Made{"qcow2", "qemu-img convert -O qcow2 -o compat=0.10,cluster_size=4096 raw out"},
                    Made{"qcow2", "qemu-img convert -O qcow2 -o refcount_bits=1,cluster_size=512 raw out"},
                    Made{"qcow2", "qemu-img convert -c -O qcow2 -o compression_type=zstd,cluster_size=2M raw out"},
                    Made{"qcow2",
                         "qemu-img convert -O qcow2 -o extended_l2=on,cluster_size=64k,refcount_bits=64 raw out"},
                    Made{"qcow2", "qemu-img convert -O qcow2 -o preallocation=metadata raw out"},
                    Made{"vmdk", "qemu-img convert -O vmdk raw out"},
                    Made{"vmdk", "qemu-img convert -O vmdk -o zeroed_grain=on raw out"},
                    Made{"vmdk", "qemu-img convert -O vmdk -o subformat=streamOptimized raw out"},
                    Made{"vhd", "qemu-img convert -O vpc raw out"},
                    Made{"vhd-fixed", "qemu-img convert -O vpc -o subformat=fixed raw out"},
                    Made{"vhdx", "qemu-img convert -O vhdx -o block_size=1M raw out"},
                    Made{"vhdx", "qemu-img convert -O vhdx -o subformat=fixed raw out"}));

TEST(VirtualDisk, SaysWhatLiesElsewhere) {
  if (!installed("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
  const std::string raw = some_disk();
  const std::string over = image_by(raw, "qemu-img create -f qcow2 -F raw -b raw out");
  const Collect backed = unpacked("qcow2", over);
  EXPECT_EQ(backed.notes.at("backing file"), "raw");
  ASSERT_EQ(backed.problems.size(), 1u);
  EXPECT_EQ(backed.problems[0].fault, Fault::kUnsupported);
  const std::string locked =
      image_by(raw,
               "qemu-img convert -O qcow2 --object secret,id=s,data=word -o encrypt.format=luks,encrypt.key-secret=s,"
               "encrypt.iter-time=10 raw out");
  const Collect secret = unpacked("qcow2", locked);
  ASSERT_EQ(secret.problems.size(), 1u);
  EXPECT_EQ(secret.problems[0].fault, Fault::kEncrypted);
  EXPECT_EQ(secret.find("disk"), nullptr);
  uint64_t encrypted = 0;
  for (const Span& span : secret.spans) encrypted += span.range == Range::kEncrypted ? span.length : 0;
  EXPECT_GT(encrypted, 450'000u);  // the text and the noise; not the tables, nor what is not stored
  EXPECT_LT(encrypted, raw.size() / 2);
}

TEST(VirtualDisk, BearsLiesAndTruncations) {
  if (!installed("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
  const std::string raw =
      filled("a small disk", 9'000, 'x') + std::string(20'000, '\0') + filled("its end", 6'840, 'y');
  for (const Made& made : {Made{"qcow2", "qemu-img convert -c -O qcow2 -o cluster_size=512 raw out"},
                           Made{"vmdk", "qemu-img convert -O vmdk -o subformat=streamOptimized raw out"}}) {
    const std::string image = image_by(raw, made.steps);
    ASSERT_FALSE(image.empty());
    survives(made.format, image);
    unpack_survives(made.format, image);
  }
  // Their checksums let no change pass; what lies behind them is damaged with the checksums off.
  for (const Made& made : {Made{"vhd", "qemu-img convert -O vpc raw out"},
                           Made{"vhdx", "qemu-img convert -O vhdx -o block_size=1M raw out"}}) {
    const std::string image = image_by(raw, made.steps);
    checksums_ignored = true;
    std::string damaged = image;
    for (size_t at = 0; at < std::min<size_t>(image.size(), 4 << 20);
         at += at % 65536 < 1100 ? 251 : 65536 - at % 65536) {
      const char kept = std::exchange(damaged[at], static_cast<char>(damaged[at] ^ 0x81));
      if (const auto length = measured(made.format, damaged)) {
        EXPECT_LE(length->length, damaged.size());
        unpacked(made.format, damaged);
      }
      damaged[at] = kept;
    }
    checksums_ignored = false;
    EXPECT_FALSE(measured(made.format, image.substr(0, image.size() - 512)));
  }
}

}  // namespace
}  // namespace assay::unpack
