// File systems of discs and desktops: udf, ntfs, hfsplus, reiserfs, jfs; and ambarellaromfs. Against the tools that
// Debian has for them, and against file systems that Linux and macOS wrote (samples of another project).
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"
#include "unpack/codecs.h"
#include "unpack/examine.h"
#include "unpack/formats/file_map.h"

namespace assay::unpack {
namespace {

HostTree& tree() {
  static HostTree tree;
  static const bool filled = [] {
    tree.directory("dir/sub/deep");
    tree.file("dir/large", HostTree::words(300'000));
    tree.file("dir/sub/deep/small", "a file\n", 0755);
    tree.file("nothing", "");
    tree.file("zeros", std::string(1 << 20, '\0') + "x");
    for (int i = 0; i < 60; ++i)
      tree.file("dir/a name of more than sixteen \xc3\x9f " + std::to_string(i), HostTree::words(i * 97));
    return true;
  }();
  EXPECT_TRUE(filled);
  return tree;
}

// A hybrid disc's UDF half: the sector that says so is put where a disc without ISO 9660 has it.
std::string udf_image() {
  std::string disc = tree().image("genisoimage -quiet -udf -R -o out root");
  const size_t begins = disc.find(std::string_view("\0BEA01\1", 7), 32768);
  if (begins != std::string::npos) put(disc, 32768, disc.substr(begins, 2048));
  return disc;
}

std::string hfsplus_image() {
  const std::string disc = tree().image("xorriso -as mkisofs -quiet -hfsplus -o out root");
  const size_t header = disc.find(std::string_view("H+\0\4", 4));
  return header == std::string::npos ? "" : disc.substr(header - 1024);
}

std::string ntfs_image(const std::string& options) {
  return tree().image("PATH=$PATH:/sbin:/usr/sbin; truncate -s 4M out; mkntfs -q -F -Q " + options +
                      " out; ntfscp -q -f out root/dir/large large; ntfscp -q -f out root/zeros zeros;"
                      "ntfscp -q -f out root/dir/sub/deep/small small; ntfscp -q -f -N extra out root/dir/large small");
}

std::string sample(const std::string& name) {
  const std::string packed = shared_file("format-samples/" + name);
  MemoryOutput out(64 << 20);
  if (packed.empty() || !decode_xz(Bytes(packed), out)) return {};
  return std::string(out.bytes().text());
}

// Damages what the reader takes for structure, some bytes of it at a time.
void bears_damage(std::string_view id, const std::string& good, size_t runs) {
  const Collect got = unpacked(id, good);
  std::vector<size_t> places;
  for (const Span& span : got.spans)
    for (uint64_t at = span.offset; at < span.offset + span.length; at += 1 + span.length / 4096)
      if (good[at] != 0) places.push_back(at);
  ASSERT_GT(places.size(), 100u);
  std::string damaged = good;
  size_t read = 0;
  for (size_t run = 0; run < runs; ++run) {
    const size_t at = places[run * places.size() / runs];
    const char kept = damaged[at];
    damaged[at] = static_cast<char>(run % 2 ? ~kept : kept + 1);
    const auto length = measured(id, damaged);
    if (length) {
      EXPECT_LE(length->length, damaged.size());
      unpacked(id, damaged);
      ++read;
    }
    damaged[at] = kept;
  }
  EXPECT_GT(read, 0u);
  const uint64_t size = measured(id, good)->length;
  EXPECT_EQ(measured(id, std::string_view(good).substr(0, size / 2)).error().fault, Fault::kTruncated);
}

TEST(DesktopFs, UdfOfGenisoimage) {
  if (!installed("genisoimage")) GTEST_SKIP() << "genisoimage is not installed";
  const std::string image = udf_image();
  const auto length = measured("udf", image);
  ASSERT_TRUE(length) << length.error().what;
  const Collect got = unpacked("udf", image);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  expect_same(tree(), got, {.mode = false, .owner = false});
  bears_damage("udf", image, 100);
}

TEST(DesktopFs, HfsplusOfXorriso) {
  if (!installed("xorriso")) GTEST_SKIP() << "xorriso is not installed";
  const std::string image = hfsplus_image();
  const auto length = measured("hfsplus", image);
  ASSERT_TRUE(length) << length.error().what;
  const Collect got = unpacked("hfsplus", image);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  expect_same(tree(), got, {.owner = false});
  bears_damage("hfsplus", image, 100);
}

TEST(DesktopFs, NtfsOfMkntfs) {
  if (!installed("mkntfs")) GTEST_SKIP() << "mkntfs is not installed";
  for (const std::string options : {"-c 4096", "-c 512", "-C -c 4096"}) {  // -C: compressed
    const std::string image = ntfs_image(options);
    const auto length = measured("ntfs", image);
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(length->length, image.size());
    const Collect got = unpacked("ntfs", image);
    for (const Error& p : got.problems) ADD_FAILURE() << p.what;
    EXPECT_EQ(got.items.size(), 4u);
    const std::string large = slurp(tree().at("dir/large"));
    for (const auto& [path, content] : {std::pair<std::string, std::string>{"large", large},
                                        {"zeros", slurp(tree().at("zeros"))},
                                        {"small", "a file\n"},
                                        {"small:extra", large}}) {
      ASSERT_TRUE(got.find(path)) << path;
      EXPECT_TRUE(got.find(path)->content == content) << path << options;
    }
    EXPECT_EQ(got.find("large")->codec, options[1] == 'C' ? "lznt1" : "");
    if (options[1] != 'C') {  // ntfscp leaves in free clusters what it compresses
      EXPECT_EQ(unknown_bytes(image, got), 0u) << options;
    }
    if (options == "-c 512") bears_damage("ntfs", image, 100);
    if (options[1] == 'C') {  // in what is compressed
      std::string damaged = image;
      const Bytes first = got.find("large")->extents.front();
      for (uint64_t n = 0; n < 30; ++n) {
        const uint64_t at = first.base() + n * first.size() / 30;
        const char kept = std::exchange(damaged[at], '\xff');
        EXPECT_TRUE(unpacked("ntfs", damaged).find("large"));
        damaged[at] = kept;
      }
    }
  }
}

// Their tools put no files into what they make.
TEST(DesktopFs, EmptyReiserfsAndJfs) {
  if (!installed("mkreiserfs") || !installed("mkfs.jfs")) GTEST_SKIP() << "mkreiserfs or mkfs.jfs is not installed";
  const std::string path = "PATH=$PATH:/sbin:/usr/sbin; truncate -s 34M out;";
  for (const auto& [id, command] : {std::pair<std::string, std::string>{"reiserfs", path + "mkreiserfs -q -ff out"},
                                    {"reiserfs", path + "mkreiserfs -q -ff --format 3.5 out"},
                                    {"jfs", path + "mkfs.jfs -q out"}}) {
    const std::string image = tree().image(command);
    const auto length = measured(id, image);
    ASSERT_TRUE(length) << command << ": " << length.error().what;
    EXPECT_LE(length->length, image.size());
    const Collect got = unpacked(id, image);
    for (const Error& p : got.problems) ADD_FAILURE() << command << ": " << p.what;
    ASSERT_EQ(got.items.size(), 1u);
    EXPECT_EQ(got.items[0].node.kind, Kind::kDirectory);
  }
}

// The same three files, as Linux and macOS wrote them to each; compared with those of an ext2.
TEST(DesktopFs, SamplesHoldTheSameFiles) {
  const std::string ext = sample("sevenz/ext2.img.xz");
  if (ext.empty()) GTEST_SKIP() << "the samples are absent";
  const Collect truth = unpacked("ext", ext);
  for (const std::string name :
       {"generic_fs/udf", "sevenz/hfs", "sevenz/ntfs", "generic_fs/reiserfs", "generic_fs/jfs"}) {
    const std::string image = sample(name + ".img.xz");
    std::string id = name.substr(name.find('/') + 1);
    if (id == "hfs") id = "hfsplus";
    ASSERT_TRUE(measured(id, image)) << name << ": " << measured(id, image).error().what;
    const Collect got = unpacked(id, image);
    for (const Error& p : got.problems) EXPECT_NE(p.what.find("not replayed"), std::string::npos) << p.what;
    for (const char* file : {"testfile1", "testfile2", "generic folder/test file 3_.txt"}) {
      const std::string path = std::string("get_files_test/") + file;
      ASSERT_TRUE(got.find(path)) << name << " " << path;
      ASSERT_TRUE(truth.find(path)) << path;
      EXPECT_EQ(got.find(path)->content, truth.find(path)->content) << name << " " << path;
    }
    bears_damage(id, image, 20);
  }
}

TEST(DesktopFs, AmbarellaromfsIsReadAndRefused) {
  const auto file = [](const std::string& name, uint32_t at, uint32_t size) {
    return filled(name, 116) + little(at) + little(size) + "\x76\xab\x87\x23";
  };
  const std::string head = little(2) + "\x8a\x32\xfc\x66";
  std::string good = filled(head, 2048, '\xff') + file("first.bin", 4096, 3) + file("second.bin", 6144, 5);
  good = filled(filled(filled(good, 4096, '\xff') + "abc", 6144, '\xff') + "defgh", 8192, '\xff');
  reads("ambarellaromfs", good, "second.bin", "defgh");
  EXPECT_EQ(unpacked("ambarellaromfs", good).find("first.bin")->content, "abc");
  std::string lying = good;
  put(lying, 2048 + 120, little(1 << 20));
  EXPECT_EQ(measured("ambarellaromfs", lying).error().fault, Fault::kTruncated);
  put(lying, 2048 + 116, little(2100));
  EXPECT_EQ(measured("ambarellaromfs", lying).error().what, "file lies in the table");
  put(lying, 0, little(0));
  EXPECT_EQ(measured("ambarellaromfs", lying).error().what, "files 0");
}

// A volume that is cut off is read by no format: what it says of its size is the reason, not silence.
TEST(DesktopFs, ACutOffVolumeSaysSo) {
  std::string boot(8192, '\0');
  put(boot, 3, "NTFS    ");
  put(boot, 11, little(512, 2) + '\x08');
  put(boot, 40, little(20479, 8) + little(4, 8));
  put(boot, 64, "\xf6");
  LocalArena arena(1 << 20, 1);
  const Unpacked found =
      examine(Bytes(boot), {}, Role::kFile, {}, {.bytes = 1 << 20, .entries = 100, .steps = 10'000}, arena);
  ASSERT_EQ(found.problems.size(), 1u);
  EXPECT_EQ(found.problems[0].what, "ntfs: volume of 10485760 bytes");
  EXPECT_EQ(found.problems[0].offset, 40u);
}

TEST(FileMap, JoinsCutsAndFills) {
  const std::string bytes = "0123456789";
  FileMap map{Bytes(bytes)};
  EXPECT_TRUE(map.stored(2, 2));
  EXPECT_TRUE(map.stored(4, 1));
  map.hole(3);
  EXPECT_TRUE(map.stored(0, 2));
  EXPECT_EQ(map.text(nullptr), std::string("234\0\0\00001", 8));
  EXPECT_EQ(map.place(2), 4u);
  EXPECT_EQ(map.place(4), kNowhere);  // a hole
  EXPECT_EQ(map.place(7), 1u);
  EXPECT_EQ(map.place(8), kNowhere);
  map.fit(7);
  EXPECT_EQ(map.text(nullptr), std::string("234\0\0\0000", 7));
  map.fit(2);
  map.fit(4);
  EXPECT_EQ(map.text(nullptr), std::string("23\0\0", 4));
  Collect into;
  const auto content = map.content(into);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->codec, "sparse");
  ASSERT_EQ(content->extents.size(), 1u);
  EXPECT_EQ(content->extents[0].text(), "23");
  EXPECT_EQ(map.stored(8, 3).error().fault, Fault::kTruncated);
  EXPECT_TRUE(map.stored(0, 5));
  EXPECT_EQ(map.stored(0, 5).error().fault, Fault::kMalformed);  // more than there is
}

}  // namespace
}  // namespace assay::unpack
