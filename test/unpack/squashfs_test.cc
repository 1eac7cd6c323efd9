// SquashFS against squashfs-tools: images it makes, and real images it reads.
#include "core/text.h"
#include "test/unpack/disk_tree.h"
#include "unpack/helpers.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::unpack {
namespace {

const Format& squashfs() { return *find_format("squashfs"); }

std::string list_problems(const Collect& sink) {
  std::string text;
  for (const Error& problem : sink.problems) text += problem.what + "\n";
  return text;
}

std::string shared(const std::string& name) {
  const char* source = std::getenv("ASSAY_SOURCE");
  for (const std::string up : {"/../shared/", "/../../shared/"}) {
    const std::string path = (source ? source : ".") + up + name;
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

// Unpacks with ours and with unsquashfs; expects no difference. Gives the number of entries compared.
size_t compare_with_tool(const std::string& image, Collect& sink, Compared what = {}) {
  const auto measured = squashfs().measure(Bytes(image));
  EXPECT_TRUE(measured.has_value() && measured->verified);
  if (!measured) return 0;
  const Bytes whole = Bytes(image).head(measured->length);
  const auto done = squashfs().unpack(whole, sink);
  EXPECT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(list_problems(sink), "");
  const Scratch scratch;
  std::ofstream(scratch.path() + "/image", std::ios::binary) << whole.text();
  EXPECT_TRUE(scratch.run("unsquashfs -p 1 -n -d tree image"));
  const bool root = geteuid() == 0;
  what.owners = what.owners && root;
  const auto different = differences(sink, scratch.path() + "/tree", what);
  EXPECT_TRUE(different.empty()) << different.size() << " differ, first: " << different[0];
  return what.entries;
}

std::string make(const std::string& options, const std::string& prepare = "") {
  const Scratch scratch;
  const std::string script =
      "mkdir -p t/a/b/c t/empty; printf hello > t/a/hello; seq 1 90000 > t/a/b/numbers; : > t/a/nothing;"
      "head -c 300000 /dev/zero > t/hole; truncate -s 700000 t/sparse; printf tail >> t/sparse;"
      "seq 1 20000 | gzip -n > t/a/random.gz; for i in $(seq 1 400); do echo file $i > t/a/b/c/f$i; done;"
      "ln t/a/hello t/z-hard; ln -s ../a/hello t/empty/link; mkfifo t/fifo; chmod 4755 t/a/hello; chmod 1777 t/empty;"
      "touch -d @1234567890 t/a/hello t/a t;" +
      prepare + " mksquashfs t out -noappend -no-progress " + options;
  EXPECT_TRUE(scratch.run(script)) << slurp(scratch.path() + "/log");
  return slurp(scratch.path() + "/out");
}

class MadeSquashfs : public testing::TestWithParam<std::string> {};

TEST_P(MadeSquashfs, ReadsAsTheToolDoes) {
  if (!installed("mksquashfs")) GTEST_SKIP() << "mksquashfs is not installed";
  const std::string image = make(GetParam());
  Collect sink;
  EXPECT_EQ(compare_with_tool(image, sink), 414u);
  ASSERT_NE(sink.find("z-hard"), nullptr);
  EXPECT_EQ(sink.find("z-hard")->node.kind, Kind::kHardLink);
  EXPECT_EQ(sink.find("z-hard")->node.target, "a/hello");
}

INSTANTIATE_TEST_SUITE_P(Compressors, MadeSquashfs,
                         testing::Values("-comp gzip", "-comp gzip -b 4096", "-comp lzo", "-comp lzma", "-comp xz",
                                         "-comp xz -Xbcj x86 -b 1M", "-comp lz4", "-comp lz4 -Xhc -b 64K", "-comp zstd",
                                         "-comp gzip -noI -noD -noF", "-comp gzip -noI", "-comp xz -no-fragments",
                                         "-comp gzip -always-use-fragments -b 256K", "-comp zstd -no-exports -noF",
                                         "-comp gzip -no-xattrs -Xcompression-level 1 -Xwindow-size 10"));

TEST(Squashfs, DevicesAndOwners) {
  if (!installed("mksquashfs")) GTEST_SKIP() << "mksquashfs is not installed";
  const std::string image = make(
      "-p 'dev d 755 0 0' -p 'dev/console c 600 0 5 5 1' -p 'dev/sda1 b 660 0 6 8 1' -p 'dev/big c 644 1 2 300 70000' "
      "-p 'own f 640 1000 4000000000 echo owned'");
  Collect sink;
  ASSERT_TRUE(squashfs().unpack(Bytes(image), sink).has_value());
  EXPECT_EQ(list_problems(sink), "");
  ASSERT_NE(sink.find("dev/big"), nullptr);
  EXPECT_EQ(sink.find("dev/console")->node.kind, Kind::kCharDevice);
  EXPECT_EQ(sink.find("dev/console")->node.device, uint64_t{5} << 32 | 1);
  EXPECT_EQ(sink.find("dev/sda1")->node.kind, Kind::kBlockDevice);
  EXPECT_EQ(sink.find("dev/big")->node.device, uint64_t{300} << 32 | 70000);
  EXPECT_EQ(sink.find("own")->content, "owned\n");
  EXPECT_EQ(sink.find("own")->node.gid, 4000000000u);
  EXPECT_EQ(sink.find("fifo")->node.kind, Kind::kFifo);
}

// Xattrs set through the system call, so that no tool is needed but a file system that keeps them.
TEST(Squashfs, Xattrs) {
  if (!installed("mksquashfs")) GTEST_SKIP() << "mksquashfs is not installed";
  const Scratch scratch;
  ASSERT_TRUE(scratch.run("mkdir -p t/d; echo x > t/f; echo y > t/d/g"));
  const std::string large(3000, 'v'), odd("\0\xff\n", 3);
  const auto set = [&](const char* file, const char* name, const std::string& value) {
    return setxattr((scratch.path() + file).c_str(), name, value.data(), value.size(), 0) == 0;
  };
  if (!set("/t/f", "user.large", large)) GTEST_SKIP() << "the temporary directory keeps no xattrs";
  ASSERT_TRUE(set("/t/d/g", "user.large", large) && set("/t/d", "user.odd", odd));
  ASSERT_TRUE(scratch.run("mksquashfs t out -noappend -no-progress"));
  Collect sink;
  ASSERT_TRUE(squashfs().unpack(Bytes(slurp(scratch.path() + "/out")), sink).has_value());
  const std::vector<std::pair<std::string, std::string>> want = {{"user.large", large}}, strange = {{"user.odd", odd}};
  EXPECT_EQ(sink.find("f")->node.xattrs, want);
  EXPECT_EQ(sink.find("d/g")->node.xattrs, want);
  EXPECT_EQ(sink.find("d")->node.xattrs, strange);
}

TEST(Squashfs, AccountsForEveryByte) {
  if (!installed("mksquashfs")) GTEST_SKIP() << "mksquashfs is not installed";
  for (const std::string options : {"-comp gzip", "-comp xz -Xbcj arm", "-comp lzma -no-exports"}) {
    const std::string image = make(options);
    Collect sink;
    const auto measured = squashfs().measure(Bytes(image));
    ASSERT_TRUE(measured && squashfs().unpack(Bytes(image).head(measured->length), sink));
    std::vector<bool> seen(measured->length);
    const auto mark = [&](uint64_t at, uint64_t length) {
      std::fill_n(seen.begin() + static_cast<long>(at), length, true);
    };
    for (const Span& span : sink.spans) mark(span.offset, span.length);
    for (const auto& item : sink.items)
      for (const Bytes& extent : item.extents)
        mark(static_cast<uint64_t>(reinterpret_cast<const char*>(extent.data()) - image.data()), extent.size());
    const auto first = std::ranges::find(seen, false) - seen.begin();
    EXPECT_EQ(std::ranges::count(seen, false), 0) << options << ": first at " << first;
  }
}

TEST(Squashfs, TruncatedOrChangedNeverCrashes) {
  if (!installed("mksquashfs")) GTEST_SKIP() << "mksquashfs is not installed";
  const std::string image = make("-comp gzip -b 4096", "rm -r t/a/b t/hole t/sparse; seq 1 900 > t/a/some; ");
  for (size_t length = 0; length < image.size(); length += length < 200 ? 1 : 197)
    EXPECT_FALSE(squashfs().measure(Bytes(image).head(length)).has_value() && length < image.size() - 4096);
  size_t problems = 0;
  for (size_t at = 0; at < image.size(); at += at < 100 || at + 4900 > image.size() ? 1 : 997) {
    std::string changed = image;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    Collect sink;
    const auto done = squashfs().unpack(Bytes(changed), sink);
    if (!done || !sink.problems.empty()) ++problems;
  }
  EXPECT_GT(problems, 100u);
}

TEST(Squashfs, DamagedBlockIsAProblemAndNoContent) {
  if (!installed("mksquashfs")) GTEST_SKIP() << "mksquashfs is not installed";
  std::string image = make("-comp gzip -b 4096", "rm -r t/a/b/c; ");
  Collect good;
  ASSERT_TRUE(squashfs().unpack(Bytes(image), good).has_value());
  const Bytes extent = good.find("a/b/numbers")->extents.at(0);
  const auto at = static_cast<size_t>(reinterpret_cast<const char*>(extent.data()) - image.data());
  image.replace(at + 5000, 64, 64, '\x55');
  Collect sink;
  ASSERT_TRUE(squashfs().unpack(Bytes(image), sink).has_value());
  ASSERT_EQ(sink.problems.size(), 1u);
  EXPECT_TRUE(sink.problems[0].what.starts_with("a/b/numbers: "));
  EXPECT_EQ(sink.find("a/b/numbers")->content, "");
  EXPECT_EQ(sink.find("a/hello")->content, "hello");
}

// Everything that a walk gives, in its order.
std::string all_of(const std::string& image) {
  Collect sink;
  const auto done = squashfs().unpack(Bytes(image), sink);
  std::string all = (done ? "" : done.error().what) + list_problems(sink) + std::to_string(sink.steps);
  for (const Collect::Item& item : sink.items) {
    all += "\n" + item.node.path + " " + item.codec;
    for (const Bytes& extent : item.extents) all += " " + std::to_string(extent.data() - Bytes(image).data());
    all += ": " + item.content;
  }
  for (const Span& span : sink.spans) all += "\n" + std::to_string(span.offset) + "+" + std::to_string(span.length);
  return all;
}

TEST(Squashfs, ThreadsAheadChangeNothing) {
  if (!installed("mksquashfs")) GTEST_SKIP() << "mksquashfs is not installed";
  std::vector<std::string> images;
  for (const char* options : {"-comp gzip -b 4096", "-comp xz -b 64K", "-comp lz4 -always-use-fragments -b 1M"})
    images.push_back(make(options, "seq 1 7 900000 > t/a/more; cp t/a/more t/a/same; "));
  for (size_t at = 1000; at < images[0].size(); at += images[0].size() / 7) {
    images.push_back(images[0]);
    images.back().replace(at, 32, 32, '\x55');
  }
  std::vector<std::string> alone;
  for (const std::string& image : images) alone.push_back(all_of(image));
  if (helper_count() == 0) start_helpers(2);
  ASSERT_EQ(helper_count(), 2u);
  for (size_t i = 0; i < images.size(); ++i) EXPECT_TRUE(all_of(images[i]) == alone[i]) << i;
}

struct Real {
  const char* name;
  uint64_t offset;
  size_t entries;  // what unsquashfs reads
};

void PrintTo(const Real& real, std::ostream* out) { *out << real.name; }

// One of each kind; test/real/images_test.py compares all of them, without sanitizers.
class RealImage : public testing::TestWithParam<Real> {};

TEST_P(RealImage, ReadsAsTheToolDoes) {
  const std::string path = shared(GetParam().name);
  if (path.empty()) GTEST_SKIP() << GetParam().name << " is not here";
  if (!installed("unsquashfs")) GTEST_SKIP() << "unsquashfs is not installed";
  const std::string image = slurp(path).substr(GetParam().offset);
  Collect sink;
  EXPECT_EQ(compare_with_tool(image, sink), GetParam().entries);
}

INSTANTIATE_TEST_SUITE_P(Firmware, RealImage,
                         testing::Values(Real{"firmware/linksys-wrt54gv4.bin", 700660, 502},
                                         Real{"firmware/ont-v2801f-201104.tar", 3072, 624},
                                         Real{"firmware/openwrt-wr703n-factory.bin", 970820, 864},
                                         Real{"firmware/openwrt-wrt54g-trx.bin", 893984, 857},
                                         Real{"firmware/sannce-8M-flash.bin", 2490368, 443},
                                         Real{"firmware/tplink-wr841nv14-eu-stock.bin", 1049088, 552},
                                         Real{"format-samples/squashFS/avm_le.sqfs4", 0, 5},
                                         Real{"format-samples/squashFS/lzma.sqfs", 0, 5},
                                         Real{"format-samples/squashFS/xz.sqfs", 0, 5},
                                         Real{"format-samples/squashFS/zlib_le.sqfs3", 0, 5},
                                         Real{"format-samples/squashFS/zlib_be.sqfs3", 0, 5}));

// Not readable by unsquashfs: a vendor's LZMA without a header, in a big-endian version 3.
TEST(Squashfs, RawLzmaBigEndian) {
  const std::string path = shared("format-samples/squashFS/lzma1_be.sqfs3");
  if (path.empty()) GTEST_SKIP() << "lzma1_be.sqfs3 is not here";
  const std::string image = slurp(path);
  Collect sink;
  ASSERT_TRUE(squashfs().unpack(Bytes(image), sink).has_value());
  EXPECT_EQ(list_problems(sink), "");
  ASSERT_EQ(sink.items.size(), 5u);
  EXPECT_EQ(sink.find("generic folder/test file 3_.txt")->content, "The third test file!");
  EXPECT_EQ(sink.find("testfile2")->content, "This is the second test file");
}

// Not readable by unsquashfs: 5 bytes of properties, then the stream.
TEST(Squashfs, PropertiesWithoutSize) {
  const std::string path = shared("firmware/dlink-dir300-b5.bin");
  if (path.empty()) GTEST_SKIP() << "dlink-dir300-b5.bin is not here";
  const std::string image = slurp(path).substr(1179788);
  const auto measured = squashfs().measure(Bytes(image));
  ASSERT_TRUE(measured && measured->verified);
  Collect sink;
  ASSERT_TRUE(squashfs().unpack(Bytes(image).head(measured->length), sink).has_value());
  EXPECT_EQ(list_problems(sink), "");
  EXPECT_EQ(sink.notes["compression"], "lzma, 5-byte properties");
  EXPECT_EQ(sink.notes.count("inodes"), 0u);
  size_t programs = 0;
  for (const auto& item : sink.items) {
    if (item.content.starts_with("\x7f"
                                 "ELF"))
      ++programs;
    if (item.node.path.ends_with(".sh")) {
      EXPECT_TRUE(looks_like_text(item.content)) << item.node.path;
    }
  }
  EXPECT_GT(programs, 40u);
}

}  // namespace
}  // namespace assay::unpack
