// ext2/3/4 against e2fsprogs.
#include "test/unpack/disk_tree.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::unpack {
namespace {

const Format& ext() { return *find_format("ext"); }
const std::string kPath = "PATH=$PATH:/sbin:/usr/sbin; ";

std::string list_problems(const Collect& sink) {
  std::string text;
  for (const Error& problem : sink.problems) text += problem.what + "\n";
  return text;
}

const std::string kTree =
    "mkdir -p t/a/b/c t/many t/empty; printf hello > t/a/hello; seq 1 200000 > t/a/b/numbers; : > t/a/nothing;"
    "truncate -s 3000000 t/sparse; printf tail >> t/sparse; printf tiny > t/tiny;"
    "for i in $(seq 1 600); do echo file $i > t/many/a-rather-long-name-to-fill-blocks-with-$i; done;"
    "ln t/a/hello t/z-hard; ln -s ../a/hello t/empty/link; ln -s $(printf 'x%.0s' $(seq 1 200)) t/long; mkfifo t/fifo;"
    "head -c 120 /dev/zero | tr '\\0' q > t/inline; chmod 4755 t/a/hello; chmod 1777 t/empty; touch -d @1234567890 "
    "t/a/b;";

// A fresh file system with kTree in it, checked entry by entry against the tree it was made from.
struct Built {
  Scratch scratch;
  std::string image;
  explicit Built(const std::string& options, const std::string& more = "", const std::string& size = "24M") {
    const bool done = scratch.run(kPath + kTree + more + " mke2fs -q -F -d t " + options + " out " + size);
    EXPECT_TRUE(done) << slurp(scratch.path() + "/log");
    image = slurp(scratch.path() + "/out");
  }
};

class MadeExt : public testing::TestWithParam<std::string> {};

TEST_P(MadeExt, ReadsWhatWasPutIn) {
  if (!installed("mke2fs")) GTEST_SKIP() << "mke2fs is not installed";
  const Built built(GetParam());
  const auto measured = ext().measure(Bytes(built.image));
  ASSERT_TRUE(measured.has_value()) << measured.error().what;
  EXPECT_TRUE(measured->verified);
  EXPECT_EQ(measured->length, built.image.size());
  Collect sink;
  const auto done = ext().unpack(Bytes(built.image), sink);
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(list_problems(sink), "");
  std::erase_if(sink.items, [](const auto& item) { return item.node.path == "lost+found"; });
  Compared what{.root = false};
  const auto different = differences(sink, built.scratch.path() + "/t", what);
  EXPECT_TRUE(different.empty()) << different.size() << " differ, first: " << different[0];
  EXPECT_EQ(what.entries, 615u);
  EXPECT_EQ(sink.find("z-hard")->node.kind, Kind::kHardLink);
}

INSTANTIATE_TEST_SUITE_P(
    Ext, MadeExt,
    testing::Values("-t ext2 -b 1024", "-t ext2 -b 4096 -I 128", "-t ext3 -b 1024", "-t ext3 -b 2048 -O ^dir_index",
                    "-t ext4 -b 1024", "-t ext4 -b 4096", "-t ext4 -b 1024 -O inline_data", "-t ext4 -O ^64bit -b 1024",
                    "-t ext4 -O metadata_csum,64bit,inline_data", "-t ext4 -O ^metadata_csum,uninit_bg -b 1024",
                    "-t ext4 -O meta_bg,^resize_inode -b 1024", "-t ext4 -O ^flex_bg,^has_journal -b 1024 -g 1024",
                    "-t ext4 -O metadata_csum_seed -b 2048", "-t ext4 -O sparse_super2 -b 1024", "-t ext2 -O ^filetype",
                    "-t ext4 -O ^extents,^64bit -b 1024", "-t ext4 -b 1024 -g 256 -O meta_bg,^resize_inode"));

TEST(Ext, DevicesAttributesAndDeletedFiles) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  const Built built("-t ext4 -b 1024 -O metadata_csum,ea_inode",
                    "head -c 700 /dev/zero | tr '\\0' v > value; head -c 1024 /dev/zero | tr '\\0' w > wide;"
                    "mknod t/big c 300 70000 || true;");
  ASSERT_TRUE(built.scratch.run(
      kPath +
      "cat > script <<'X'\nmknod con c 5 1\nmknod disk b 8 1\n"
      "ea_set a/hello user.note plain\nea_set a/hello security.capability caps\nea_set a/hello trusted.x 1\n"
      "ea_set -f value tiny user.large\nea_set -f wide a/nothing user.wide\nsif tiny mtime @1000\nsif tiny mtime_extra "
      "1\nrm sparse\nX\ndebugfs -w -f script out"));
  const std::string image = slurp(built.scratch.path() + "/out");
  Collect sink;
  ASSERT_TRUE(ext().unpack(Bytes(image), sink).has_value());
  EXPECT_EQ(list_problems(sink), "");
  ASSERT_NE(sink.find("con"), nullptr);
  EXPECT_EQ(sink.find("con")->node.device, uint64_t{5} << 32 | 1);
  EXPECT_EQ(sink.find("con")->node.kind, Kind::kCharDevice);
  EXPECT_EQ(sink.find("disk")->node.device, uint64_t{8} << 32 | 1);
  EXPECT_EQ(sink.find("disk")->node.kind, Kind::kBlockDevice);
  if (const auto* big = sink.find("big")) {
    EXPECT_EQ(big->node.device, uint64_t{300} << 32 | 70000);
  }
  auto xattrs = sink.find("a/hello")->node.xattrs;
  std::ranges::sort(xattrs);
  const decltype(xattrs) want = {{"security.capability", "caps"}, {"trusted.x", "1"}, {"user.note", "plain"}};
  EXPECT_EQ(xattrs, want);
  const decltype(xattrs) large = {{"user.large", std::string(700, 'v')}};
  EXPECT_EQ(sink.find("tiny")->node.xattrs, large);
  EXPECT_EQ(sink.find("tiny")->node.mtime, (int64_t{1} << 32) + 1000);
  const decltype(xattrs) wide = {{"user.wide", std::string(1024, 'w')}};
  EXPECT_EQ(sink.find("a/nothing")->node.xattrs, wide);
  EXPECT_EQ(sink.find("sparse"), nullptr);
}

TEST(Ext, AccountsForEveryUsedBlock) {
  if (!installed("mke2fs")) GTEST_SKIP() << "mke2fs is not installed";
  for (const std::string options : {"-t ext4 -b 1024", "-t ext4 -b 4096 -O inline_data", "-t ext3 -b 1024",
                                    "-t ext4 -O meta_bg,^resize_inode -b 1024"}) {
    const Built built(options);
    Collect sink;
    ASSERT_TRUE(ext().unpack(Bytes(built.image), sink).has_value());
    std::string seen(built.image.size(), '\0');
    const auto mark = [&](uint64_t at, uint64_t length) { seen.replace(at, length, length, '\1'); };
    for (const Span& span : sink.spans) mark(span.offset, span.length);
    for (const auto& item : sink.items)
      for (const Bytes& extent : item.extents)
        mark(static_cast<uint64_t>(reinterpret_cast<const char*>(extent.data()) - built.image.data()), extent.size());
    size_t missed = 0, first = 0;
    const char *const bytes = built.image.data(), *const marks = seen.data();
    for (size_t i = 0, size = seen.size(); i < size; ++i)
      if (!marks[i] && bytes[i] != 0 && missed++ == 0) first = i;
    EXPECT_EQ(missed, 0u) << options << ": first at " << first;
  }
}

TEST(Ext, RefusesCopiesOfTheSuperblockAndShortImages) {
  if (!installed("mke2fs")) GTEST_SKIP() << "mke2fs is not installed";
  const Built built("-t ext4 -b 1024");
  EXPECT_FALSE(ext().measure(Bytes(built.image).head(built.image.size() - 1)).has_value());
  EXPECT_FALSE(ext().measure(Bytes(built.image).head(built.image.size(), 8192 * 1024)).has_value());
  std::string damaged = built.image;
  damaged[1024 + 130] = static_cast<char>(damaged[1024 + 130] ^ 1);
  EXPECT_FALSE(ext().measure(Bytes(damaged)).has_value()) << "its checksum does not hold";
}

TEST(Ext, ChangedBytesNeverCrash) {
  if (!installed("mke2fs")) GTEST_SKIP() << "mke2fs is not installed";
  const Scratch scratch;
  ASSERT_TRUE(scratch.run(kPath +
                          "mkdir -p t/a/b; seq 1 5000 > t/a/f; ln -s x t/l; truncate -s 90000 t/s; echo e >> t/s;"
                          "mke2fs -q -F -t ext4 -O ^metadata_csum,^has_journal -b 1024 -N 32 -d t out 256K"));
  const std::string image = slurp(scratch.path() + "/out");
  for (size_t length = 0; length < image.size(); length += 509)
    EXPECT_FALSE(ext().measure(Bytes(image).head(length)).has_value());
  size_t problems = 0, changes = 0;
  for (size_t at = 1024; at < 40000; ++at) {
    if (at % (image[at] == 0 ? 389 : 3) != 0) continue;
    std::string changed = image;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    Collect sink;
    ++changes;
    const auto measured = ext().measure(Bytes(changed));
    if (!measured || !ext().unpack(Bytes(changed), sink) || !sink.problems.empty()) ++problems;
  }
  EXPECT_GT(problems, 25u) << "of " << changes << " changes";
}

TEST(Ext, ChecksumsAreVerified) {
  if (!installed("mke2fs")) GTEST_SKIP() << "mke2fs is not installed";
  const Built built("-t ext4 -b 1024 -O metadata_csum");
  Collect good;
  ASSERT_TRUE(ext().unpack(Bytes(built.image), good).has_value());
  // A name in the root directory's block: only the block's checksum can tell.
  std::string changed = built.image;
  const size_t at = changed.find("z-hard");
  ASSERT_NE(at, std::string::npos);
  changed[at] = 'y';
  Collect sink;
  ASSERT_TRUE(ext().unpack(Bytes(changed), sink).has_value());
  EXPECT_TRUE(list_problems(sink).starts_with("checksum of a directory block of inode 2")) << list_problems(sink);
  EXPECT_NE(sink.find("y-hard"), nullptr);
}

// A file system of 8 MiB and how debugfs changed it; the changed blocks are written into the first one's journal by
// debugfs again, not into their places.
struct Journaled {
  Scratch scratch;
  std::string before, blocks, image, replayed;  // replayed: by e2fsck
  Journaled(const std::string& options, const std::string& journal, bool revokes = false) {
    EXPECT_TRUE(scratch.run(kPath + "mkdir t; printf old > t/old; seq 1 5000 > t/numbers; mke2fs -q -F -b 1024 -d t " +
                            options + " out 8M && cp out new; printf 'brand new content' > n1; seq 1 300 > n2;" +
                            "printf '\\300\\073\\071\\230 starts as a journal does' > n3;"
                            "printf 'write n1 fresh\\nmkdir sub\\nwrite n2 sub/second\\nrm old\\nsymlink lnk x\\n"
                            "write n3 magic\\nssv volume_name renamed\\n' > s; debugfs -w -f s new"));
    before = slurp(scratch.path() + "/out");
    const std::string after = slurp(scratch.path() + "/new");
    std::string numbers;
    for (size_t at = 1024; at < before.size(); at += 1024) {
      const std::string block = after.substr(at, 1024);
      if (block == before.substr(at, 1024)) continue;
      numbers += (numbers.empty() ? "" : ",") + std::to_string(at / 1024);
      blocks += block;
    }
    std::ofstream(scratch.path() + "/blocks", std::ios::binary) << blocks;
    EXPECT_TRUE(scratch.run(kPath + "printf 'journal_open " + journal + "\\njournal_write -b " + numbers +
                            " blocks\\n" + (revokes ? "journal_write -r " + numbers + "\\n" : "") +
                            "journal_close\\n' > j; debugfs -w -f j out && cp out replayed;"
                            "e2fsck -fy replayed || test $? -le 1"));
    image = slurp(scratch.path() + "/out");
    replayed = slurp(scratch.path() + "/replayed");
  }
};

std::map<std::string, std::string> contents_of(const std::string& image) {
  Collect sink;
  EXPECT_TRUE(ext().unpack(Bytes(image), sink).has_value());
  EXPECT_EQ(list_problems(sink), "");
  std::map<std::string, std::string> out;
  for (const auto& item : sink.items)
    out[item.node.path] = std::string(name_of(item.node.kind)) + " " + item.content + item.node.target;
  return out;
}

TEST(ExtJournal, IsReadAsIfReplayed) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  for (const auto& [options, journal] : {std::pair{"-t ext4", "-c -v 3"},
                                         {"-t ext4 -O ^64bit", "-c -v 2"},
                                         {"-t ext4 -O ^metadata_csum", ""},
                                         {"-t ext3", ""}}) {
    const Journaled made(options, journal);
    ASSERT_NE(made.image, made.before);
    ASSERT_TRUE(ext().measure(Bytes(made.image)).has_value());
    const auto files = contents_of(made.image);
    EXPECT_EQ(files.at("fresh"), "file brand new content") << options;
    EXPECT_EQ(files.at("lnk"), "symlink x");
    EXPECT_FALSE(files.contains("old"));
    EXPECT_TRUE(files == contents_of(made.replayed)) << options;  // what e2fsck made of it
  }
}

// Where the journal is another device's, that is said; and of that device, what it is.
TEST(ExtJournal, OnAnotherDeviceIsNamed) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  const Scratch scratch;
  ASSERT_TRUE(
      scratch.run("PATH=$PATH:/sbin:/usr/sbin; mke2fs -q -t ext4 -O ^metadata_csum image 4M;"
                  "debugfs -w -R 'ssv journal_inum 0' image;"
                  "debugfs -w -R 'ssv journal_uuid 11223344-5566-7788-99aa-bbccddeeff00' image;"
                  "mke2fs -q -O journal_dev outer 8M"));
  Collect sink;
  ASSERT_TRUE(ext().unpack(Bytes(slurp(scratch.path() + "/image")), sink).has_value());
  EXPECT_EQ(sink.notes["journal"], "on another device, of uuid 112233445566778899aabbccddeeff00; it is not followed");
  const std::string outer = slurp(scratch.path() + "/outer");
  const auto refused = ext().measure(Bytes(outer));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().what, "the journal of another file system, on a device of its own");
}

TEST(ExtJournal, ItsSuperblockIsUsed) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  const Journaled made("-t ext4 -L first", "-c -v 3");
  Collect sink, before;
  ASSERT_TRUE(ext().unpack(Bytes(made.image), sink).has_value());
  ASSERT_TRUE(ext().unpack(Bytes(made.before), before).has_value());
  EXPECT_EQ(before.notes["label"], "first");
  EXPECT_EQ(sink.notes["label"], "renamed");
  EXPECT_TRUE(sink.notes["journal"].ends_with("newer than the file system's own: applied")) << sink.notes["journal"];
}

TEST(ExtJournal, BlocksThatBeginWithItsMagicAreRestored) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  const std::string want = "\xc0\x3b\x39\x98 starts as a journal does";
  const Journaled made("-t ext4 -O ^metadata_csum", "");
  ASSERT_EQ(made.image.find(want), std::string::npos) << "debugfs stored it as it is";
  Collect sink;
  ASSERT_TRUE(ext().unpack(Bytes(made.image), sink).has_value());
  ASSERT_NE(sink.find("magic"), nullptr);
  EXPECT_EQ(sink.find("magic")->content, want);
  EXPECT_EQ(sink.find("magic")->codec, "journal");
}

// What the journal replaces was read by nobody; only what is in its place already is known.
TEST(ExtJournal, ReplacedBytesAreNotClaimed) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  Journaled made("-t ext4", "-c -v 3");
  const auto claimed = [&](uint64_t at) {
    Collect sink;
    EXPECT_TRUE(ext().unpack(Bytes(made.image), sink).has_value());
    return std::ranges::any_of(sink.spans, [&](const Span& s) { return at >= s.offset && at - s.offset < s.length; });
  };
  const size_t root = made.before.find("lost+found") / 1024 * 1024;  // its block of names
  const size_t within = made.blocks.find("lost+found") / 1024 * 1024;
  ASSERT_LT(root, made.before.size());
  ASSERT_LT(within, made.blocks.size());
  EXPECT_FALSE(claimed(root));
  made.image.replace(root, 1024, made.blocks, within, 1024);
  EXPECT_TRUE(claimed(root));
}

TEST(ExtJournal, RevokedAndTornTransactionsAreNotApplied) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  const Journaled revoking("-t ext4", "-c -v 3", true);
  EXPECT_TRUE(contents_of(revoking.image).contains("old"));
  EXPECT_TRUE(contents_of(revoking.image) == contents_of(revoking.replayed));

  Journaled torn("-t ext4", "-c -v 3");
  const size_t commit = torn.image.find(std::string("\xc0\x3b\x39\x98\0\0\0\2", 8));
  ASSERT_NE(commit, std::string::npos);
  torn.image[commit + 8] = 1;  // the commit of another transaction: this one never ended
  EXPECT_TRUE(contents_of(torn.image).contains("old"));
}

TEST(ExtJournal, DamageIsNamed) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  Journaled made("-t ext4", "-c -v 3");
  const size_t log = made.image.find(std::string("\xc0\x3b\x39\x98\0\0\0\1", 8));
  const size_t held = made.image.find(made.blocks.substr(0, 1024));  // the first block that it holds
  ASSERT_NE(log, std::string::npos);
  ASSERT_NE(held, std::string::npos);
  for (size_t at = log - 1024; at < log + 1024; at += 31) {
    std::string damaged = made.image;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x21);
    Collect sink;
    if (ext().measure(Bytes(damaged))) (void)ext().unpack(Bytes(damaged), sink);
  }
  made.image[held + 1] = static_cast<char>(made.image[held + 1] ^ 1);
  Collect sink;
  ASSERT_TRUE(ext().unpack(Bytes(made.image), sink).has_value());
  EXPECT_NE(list_problems(sink).find("of the journal's transaction 1: checksum does not match"), std::string::npos)
      << list_problems(sink);
}

void put(std::string& image, size_t at, uint32_t value) {  // big endian
  for (int i = 0; i < 4; ++i) image[at + i] = static_cast<char>(value >> (24 - 8 * i));
}
uint32_t word(const std::string& image, size_t at) { return Bytes(image).be<uint32_t>(at, "").value_or(0); }

TEST(ExtJournal, NumbersBehindTheFileSystemsEndAreDropped) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  Journaled made("-t ext4 -O ^metadata_csum", "");  // no checksums, numbers of 64 bits
  const size_t tags = made.image.find(std::string("\xc0\x3b\x39\x98\0\0\0\1", 8));
  ASSERT_NE(tags, std::string::npos);
  // 2^54 blocks of 1 KiB behind the root directory: in bytes, its own place.
  const auto root = static_cast<uint32_t>(made.before.find("lost+found") / 1024);
  size_t count = 0;
  for (size_t at = tags + 12, last = 0; !last; ++count) {
    last = word(made.image, at + 4) & 8;
    const size_t next = at + (word(made.image, at + 4) & 2 ? 12 : 28);
    put(made.image, at, root);
    put(made.image, at + 8, 1 << 22);
    at = next;
  }
  const auto measured = ext().measure(Bytes(made.image));
  ASSERT_TRUE(measured.has_value());
  EXPECT_TRUE(measured->verified);
  Collect sink;
  ASSERT_TRUE(ext().unpack(Bytes(made.image), sink).has_value());
  const std::string problem = "block " + std::to_string((uint64_t{1} << 54) + root) +
                              " of the journal's transaction 1 lies behind the file system's end";
  EXPECT_EQ(std::ranges::count(sink.problems, problem, &Error::what), static_cast<ptrdiff_t>(count));
  EXPECT_EQ(sink.problems.size(), count) << list_problems(sink);
  EXPECT_NE(sink.find("old"), nullptr);
}

TEST(ExtJournal, RevokedNumbersBehindTheFileSystemsEndAreDropped) {
  if (!installed("debugfs")) GTEST_SKIP() << "debugfs is not installed";
  Journaled made("-t ext4 -O ^metadata_csum", "", true);
  const size_t revoked = made.image.find(std::string("\xc0\x3b\x39\x98\0\0\0\5", 8));
  ASSERT_NE(revoked, std::string::npos);
  const uint32_t used = word(made.image, revoked + 12);
  ASSERT_EQ(used, 16 + made.blocks.size() / 1024 * 8);
  for (size_t at = 16; at < used; at += 8) put(made.image, revoked + at + 4, 8192);  // there are 8192 blocks
  Collect sink;
  ASSERT_TRUE(ext().unpack(Bytes(made.image), sink).has_value());
  const std::string problem = "block 8192, revoked by the journal's transaction ";
  EXPECT_TRUE(sink.problems.size() == 1 && sink.problems[0].what.starts_with(problem)) << list_problems(sink);
  EXPECT_EQ(sink.find("old"), nullptr);  // so all the rest was written
}

}  // namespace
}  // namespace assay::unpack
