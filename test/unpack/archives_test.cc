// cpio, tar, ar and zip against the tools that write them: names, kinds, modes, links and contents as the tool was
// told to store them; then every truncation and flipped byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "test/unpack/collect.h"
#include "test/unpack/tool.h"

namespace assay::unpack {
namespace {

// A tree with what archives differ in.
const std::string kTree =
    "mkdir -p t/dir; printf hello > t/a; printf '%5000s' x > t/dir/big; : > t/empty; ln -s dir/big t/link; "
    "ln t/a t/b; mkfifo t/fifo; chmod 4755 t/a; chmod 700 t/dir; touch -d @1000000000 t/a; ";
const std::string kLongName = std::string(120, 'n') + "/" + std::string(120, 'm');

struct Opened {
  Measured measured{0, false};
  Collect sink;
};

std::unique_ptr<Opened> open(const char* id, const std::string& bytes) {
  auto opened = std::make_unique<Opened>();
  const Format* format = find_format(id);
  const auto measured = format->measure(Bytes(bytes));
  EXPECT_TRUE(measured) << (measured ? "" : measured.error().what);
  if (!measured) return opened;
  opened->measured = *measured;
  const auto done = format->unpack(Bytes(bytes).head(measured->length), opened->sink);
  EXPECT_TRUE(done) << (done ? "" : done.error().what);
  return opened;
}

// Opens whatever is left of an archive after damage; only that it ends and stays in bounds matters.
void survives(const char* id, const std::string& bytes) {
  const Format* format = find_format(id);
  const auto measured = format->measure(Bytes(bytes));
  if (!measured) return;
  ASSERT_LE(measured->length, bytes.size());
  Collect sink;
  (void)format->unpack(Bytes(bytes).head(measured->length), sink);
}

void survives_damage(const char* id, const std::string& bytes) {
  const size_t step = 1 + bytes.size() / 1000;
  for (size_t length = 0; length < bytes.size(); length += step) survives(id, bytes.substr(0, length));
  for (size_t at = 0; at < bytes.size(); at += step) {
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ 0xff);
    survives(id, bad);
  }
}

void expect_tree(const Collect& sink, const std::string& top, bool links, bool specials) {
  const auto* a = sink.find(top + "a");
  const auto* b = sink.find(top + "b");
  ASSERT_TRUE(a && b);
  const auto& file = links && a->node.kind == Kind::kHardLink ? *b : *a;
  const auto& other = &file == a ? *b : *a;
  EXPECT_EQ(file.content, "hello");
  EXPECT_EQ(file.node.mode, 04755u);
  EXPECT_EQ(file.node.mtime, 1000000000);
  if (links) {
    EXPECT_EQ(other.node.kind, Kind::kHardLink);
    EXPECT_EQ(other.node.target, file.node.path);
  }
  const auto* big = sink.find(top + "dir/big");
  ASSERT_TRUE(big);
  EXPECT_EQ(big->content.size(), 5000u);
  ASSERT_TRUE(sink.find(top + "link"));
  EXPECT_EQ(sink.find(top + "link")->node.kind, Kind::kSymlink);
  EXPECT_EQ(sink.find(top + "link")->node.target, "dir/big");
  ASSERT_TRUE(sink.find(top + "empty"));
  EXPECT_EQ(sink.find(top + "empty")->content, "");
  if (specials) {
    ASSERT_TRUE(sink.find(top + "fifo"));
    EXPECT_EQ(sink.find(top + "fifo")->node.kind, Kind::kFifo);
  }
  EXPECT_TRUE(sink.problems.empty()) << sink.problems[0].what;
}

class CpioTest : public testing::TestWithParam<const char*> {};

TEST_P(CpioTest, ReadsWhatCpioWrote) {
  const auto bytes = made_by(kTree + "cd t; find . | sort | cpio -o -H " + GetParam() + " > ../out");
  if (bytes.empty()) GTEST_SKIP() << "cpio is not installed";
  const auto opened = open("cpio", bytes);
  EXPECT_TRUE(opened->measured.verified);
  EXPECT_EQ(bytes.find_first_not_of('\0', opened->measured.length), bytes.npos);
  expect_tree(opened->sink, std::string(GetParam()) == "x" ? "" : opened->sink.find("./a") ? "./" : "", true, true);
  survives_damage("cpio", bytes);
}

INSTANTIATE_TEST_SUITE_P(Forms, CpioTest, testing::Values("newc", "crc", "odc", "bin"),
                         [](const auto& given) { return std::string(given.param); });

TEST(Cpio, DevicesAndArchivesInARow) {
  const auto one = made_by(kTree + "cd t; find a link | cpio -o -H newc > ../out");
  const auto two = made_by(kTree + "cd t; find empty dir | cpio -o -H newc > ../out");
  if (one.empty() || two.empty()) GTEST_SKIP() << "cpio is not installed";
  const auto opened = open("cpio", one + std::string(508, '\0') + two + "junk");
  EXPECT_EQ(opened->sink.notes["archives"], "2");
  EXPECT_TRUE(opened->sink.find("a"));
  EXPECT_TRUE(opened->sink.find("dir/big"));
  EXPECT_LE(opened->measured.length, one.size() + 508 + two.size());
}

TEST(Cpio, CharacterDevice) {
  const std::string head =
      "07070100000001000021B6000000000000000000000001386D43800000000000000000000000000000000400000040"
      "0000000400000000";
  const std::string trailer =
      "0707010000000000000000000000000000000000000001000000000000000000000000000000000000000000000000"
      "0000000B00000000TRAILER!!!";
  const std::string bytes = head + std::string("tty\0\0\0", 6) + trailer + std::string(4, '\0');
  const auto opened = open("cpio", bytes);
  ASSERT_EQ(opened->sink.items.size(), 1u);
  EXPECT_EQ(opened->sink.items[0].node.kind, Kind::kCharDevice);
  EXPECT_EQ(opened->sink.items[0].node.device, uint64_t{4} << 32 | 64);
  EXPECT_EQ(opened->sink.items[0].node.mode, 0666u);
}

class TarTest : public testing::TestWithParam<const char*> {};

TEST_P(TarTest, ReadsWhatTarWrote) {
  const std::string form = GetParam();
  const std::string more = form == "v7" ? "--exclude=fifo " : "";
  const auto bytes = made_by(kTree + "cd t; tar --format=" + form + " " + more + "-cf ../out a b dir empty fifo link");
  if (bytes.empty()) GTEST_SKIP() << "tar failed";
  const char* id = form == "v7" ? "tar-v7" : "tar";
  const auto opened = open(id, bytes);
  EXPECT_TRUE(opened->measured.verified);
  EXPECT_EQ(opened->measured.length, bytes.size());
  expect_tree(opened->sink, "", true, form != "v7");
  survives_damage(id, bytes);
}

INSTANTIATE_TEST_SUITE_P(Forms, TarTest, testing::Values("v7", "ustar", "gnu", "posix"),
                         [](const auto& given) { return std::string(given.param); });

TEST(Tar, LongNamesAndLargeNumbers) {
  for (const std::string form : {"gnu", "posix"}) {
    const auto bytes = made_by("mkdir -p " + kLongName + "; printf x > " + kLongName + "/f; ln -s " + kLongName +
                               "/f l; tar --format=" + form +
                               " --owner=o:4000000 --group=g:4000001 --mtime=@-5 -cf out " + kLongName + "/f l");
    if (bytes.empty()) GTEST_SKIP() << "tar failed";
    const auto opened = open("tar", bytes);
    const auto* file = opened->sink.find(kLongName + "/f");
    ASSERT_TRUE(file) << form;
    EXPECT_EQ(file->node.uid, 4000000u);
    EXPECT_EQ(file->node.gid, 4000001u);
    EXPECT_EQ(file->node.mtime, -5);
    ASSERT_TRUE(opened->sink.find("l"));
    EXPECT_EQ(opened->sink.find("l")->node.target, kLongName + "/f");
  }
}

TEST(Tar, SparseFiles) {
  std::string want(24 << 10, '\0');
  want.replace(8 << 10, 3, "one");
  want.replace(16 << 10, 3, "two");
  const std::string file =
      "truncate -s 24K s; printf one | dd of=s bs=1 seek=8192 conv=notrunc; printf two | dd of=s bs=1 seek=16384 "
      "conv=notrunc; ";
  for (const std::string form :
       {"gnu", "posix --sparse-version=0.0", "posix --sparse-version=0.1", "posix --sparse-version=1.0"}) {
    const auto bytes = made_by(file + "tar -S --format=" + form + " -cf out s");
    if (bytes.empty()) GTEST_SKIP() << "tar failed";
    if (bytes.size() > want.size()) GTEST_SKIP() << "the file system here keeps no holes";
    const auto opened = open("tar", bytes);
    const auto* found = opened->sink.find("s");
    ASSERT_TRUE(found) << form;
    EXPECT_TRUE(found->content == want) << form;
    EXPECT_TRUE(opened->sink.problems.empty()) << form;
    survives_damage("tar", bytes);
  }
}

TEST(Ar, LongNamesOfGnu) {
  const auto bytes = made_by(
      "printf one > short; printf three > a-name-longer-than-sixteen-bytes; ar rc out short "
      "a-name-longer-than-sixteen-bytes");
  if (bytes.empty()) GTEST_SKIP() << "ar is not installed";
  const auto opened = open("ar", bytes + "tail");
  EXPECT_EQ(opened->measured.length, bytes.size());
  ASSERT_TRUE(opened->sink.find("short"));
  EXPECT_EQ(opened->sink.find("short")->content, "one");
  ASSERT_TRUE(opened->sink.find("a-name-longer-than-sixteen-bytes"));
  EXPECT_EQ(opened->sink.find("a-name-longer-than-sixteen-bytes")->content, "three");
  survives_damage("ar", bytes);
}

TEST(Ar, LongNamesOfBsd) {
  const std::string bytes =
      "!<arch>\n#1/20           1000000000  10    20    100644  23        `\n"
      "twenty bytes of name"
      "abc"
      "\n";
  const auto opened = open("ar", bytes);
  ASSERT_EQ(opened->sink.items.size(), 1u);
  EXPECT_EQ(opened->sink.items[0].node.path, "twenty bytes of name");
  EXPECT_EQ(opened->sink.items[0].content, "abc");
  EXPECT_EQ(opened->sink.items[0].node.mode, 0644u);
  EXPECT_EQ(opened->sink.items[0].node.uid, 10u);
}

TEST(Zip, ReadsWhatZipWrote) {
  for (const std::string option : {"-9", "-0", "-Z bzip2"}) {
    const auto bytes = made_by(kTree + "rm t/fifo; cd t; zip " + option +
                               " -q -r -y ../out.zip a b dir empty link; mv ../out.zip ../out");
    if (bytes.empty()) GTEST_SKIP() << "zip is not installed";
    const auto opened = open("zip", bytes + "tail");
    EXPECT_EQ(opened->measured.length, bytes.size());
    expect_tree(opened->sink, "", false, false);
    EXPECT_EQ(opened->sink.find("a")->node.uid.has_value(), true);
    survives_damage("zip", bytes);
  }
}

TEST(Zip, DataDescriptorAndZip64) {
  const auto bytes = made_by("printf '%3000s' y | zip -q - - > out");
  if (bytes.empty()) GTEST_SKIP() << "zip is not installed";
  const auto opened = open("zip", bytes);
  ASSERT_TRUE(opened->sink.find("-"));
  EXPECT_EQ(opened->sink.find("-")->content.size(), 3000u);
  EXPECT_TRUE(opened->sink.problems.empty());
  const auto large = made_by("printf '%3000s' y > f; zip -q -fz x.zip f; mv x.zip out");
  const auto opened_large = open("zip", large);
  ASSERT_TRUE(opened_large->sink.find("f"));
  EXPECT_EQ(opened_large->sink.find("f")->content.size(), 3000u);
}

TEST(Zip, EncryptedMembersAreNamed) {
  const auto bytes = made_by("printf '%3000s' y > f; zip -q -P secret x.zip f; mv x.zip out");
  if (bytes.empty()) GTEST_SKIP() << "zip is not installed";
  const auto opened = open("zip", bytes);
  ASSERT_TRUE(opened->sink.find("f"));
  EXPECT_EQ(opened->sink.find("f")->content, "");
  ASSERT_EQ(opened->sink.problems.size(), 1u);
  EXPECT_EQ(opened->sink.problems[0].fault, Fault::kEncrypted);
  EXPECT_TRUE(std::ranges::any_of(opened->sink.spans, [](const Span& s) { return s.range == Range::kEncrypted; }));
}

TEST(Zip, LyingSizesAndOverlapsAreProblems) {
  const auto good = made_by("printf '%3000s' y > f; printf '%3000s' z > g; zip -q x.zip f g; mv x.zip out");
  if (good.empty()) GTEST_SKIP() << "zip is not installed";
  const size_t central = good.find("PK\x01\x02");
  std::string lying = good;
  lying[central + 24] = 1;  // size
  const auto smaller = open("zip", lying);
  ASSERT_TRUE(smaller->sink.find("f"));
  EXPECT_EQ(smaller->sink.find("f")->content, "");
  EXPECT_TRUE(smaller->sink.find("g"));
  EXPECT_EQ(smaller->sink.problems.size(), 1u);
  std::string overlapping = good;
  const size_t second = good.find("PK\x01\x02", central + 1);
  std::memset(overlapping.data() + second + 42, 0, 4);  // both members at offset 0
  const auto twice = open("zip", overlapping);
  ASSERT_EQ(twice->sink.items.size(), 2u);
  EXPECT_EQ(twice->sink.items[0].content.size() + twice->sink.items[1].content.size(), 3000u);
  EXPECT_EQ(twice->sink.problems.size(), 1u);
}

TEST(Samples, OfOtherProjects) {
  const std::string root =
      std::string(std::getenv("ASSAY_SOURCE") ? std::getenv("ASSAY_SOURCE") : ".") + "/../shared/format-samples/";
  if (slurp(root + "patool/test.tar").empty()) GTEST_SKIP() << "no samples beside the checkout";
  const auto tar = open("tar", slurp(root + "patool/test.tar"));
  EXPECT_EQ(tar->measured.length, 10240u);
  EXPECT_FALSE(tar->sink.items.empty());
  EXPECT_TRUE(tar->sink.problems.empty());
  const auto ar = open("ar", slurp(root + "patool/test.a"));
  EXPECT_EQ(ar->measured.length, 196u);
  EXPECT_FALSE(ar->sink.items.empty());
  const auto zip = open("zip", slurp(root + "sevenz/test_password.zip"));
  EXPECT_TRUE(zip->sink.problems.empty());
  EXPECT_EQ(zip->sink.opened_with.size(), 3u);
  for (const char* fake : {"generic_carver/fake_tar.tar", "generic_carver/fake_zip.zip"})
    for (const char* id : {"tar", "zip"}) EXPECT_FALSE(find_format(id)->measure(Bytes(slurp(root + fake)))) << fake;
}

}  // namespace
}  // namespace assay::unpack
