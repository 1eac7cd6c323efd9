// Btrfs, against mkfs.btrfs. This distribution's writes nothing compressed: the test puts compressed bytes in place of
// a piece that it wrote.
#include "core/hash.h"
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

#include <zlib.h>
#include <zstd.h>

namespace assay::unpack {
namespace {

constexpr size_t kNode = 16384, kWhole = 122880, kKept = kWhole - 8192;

HostTree& tree() {
  static HostTree tree;
  static const bool filled = [] {
    tree.fill();
    tree.file("packed", HostTree::words(kWhole));
    if (setxattr(tree.at("packed").c_str(), "user.kind", "words", 5, 0) != 0) return false;
    return true;
  }();
  EXPECT_TRUE(filled);
  return tree;
}

void set_checksum(std::string& image, size_t node, size_t size) {
  put(image, node, little(~crc32c(Bytes(std::string_view(image).substr(node + 32, size - 32)))));
}

// In every copy of the inode: what follows its owner, size and mode.
void put_device(std::string& image, uint32_t mode, uint64_t device, size_t node) {
  const std::string before = little(0, 8) + little(mode) + little(0, 8);  // owner, mode, device
  for (size_t at = image.find(before); at != std::string::npos; at = image.find(before, at + 1)) {
    put(image, at + 12, little(device, 8));
    set_checksum(image, at / node * node, node);
  }
}

std::string image(const std::string& options, size_t node = kNode) {
  std::string made =
      tree().image("PATH=$PATH:/sbin:/usr/sbin; mkfs.btrfs -q -L label --shrink --rootdir root " + options + " out");
  put_device(made, 020600, 5 << 20 | 1, node);
  put_device(made, 060640, 31 << 20 | 3, node);
  return made;
}

// LZO's stream of nothing but literals.
std::string literals(const std::string& text) {
  const size_t more = text.size() - 18;
  return std::string(1 + more / 255, '\0') + static_cast<char>(more % 255) + text + std::string("\x11\0\0", 3);
}

// Two pieces: after the first a byte is left of the sector, too few for a length.
std::string lzo(const std::string& text) {
  std::string out(4, '\0');
  for (size_t at = 0; at < text.size();) {
    if (4096 - out.size() % 4096 < 4) out.resize((out.size() + 4095) / 4096 * 4096);
    const std::string piece = literals(text.substr(at, at == 0 ? 4067 : 4096));
    out += little(piece.size()) + piece;
    at += at == 0 ? 4067 : 4096;
  }
  put(out, 0, little(out.size()));
  return out;
}

std::string compressed(int how, const std::string& text) {
  std::string out(text.size() + 4096, '\0');
  if (how == 1) {
    uLongf size = out.size();
    EXPECT_EQ(
        compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size()),
        Z_OK);
    out.resize(size);
  } else if (how == 2) {
    out = lzo(text);
  } else {
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  }
  return out;
}

// Of the file "packed", kWhole bytes in one piece: the first kKept, compressed.
std::string with_compressed(std::string image, int how) {
  const Collect got = unpacked("btrfs", image);
  const Collect::Item* file = got.find("packed");
  if (!file || file->extents.size() != 1) return {};
  const size_t at = file->extents[0].base();
  const std::string text = image.substr(at, kKept);
  put(image, at, compressed(how, text));
  const std::string before = little(kWhole, 8) + std::string("\0\0\0\0\1", 5);
  size_t items = 0;
  for (size_t item = image.find(before); item != std::string::npos; item = image.find(before, item + 1), ++items) {
    put(image, item, little(kKept, 8) + static_cast<char>(how));
    put(image, item + 37, little(kKept, 8));
    set_checksum(image, item / kNode * kNode, kNode);
  }
  EXPECT_GT(items, 0u);
  return image;
}

TEST(Btrfs, OfMkfs) {
  if (!installed("mkfs.btrfs")) GTEST_SKIP() << "mkfs.btrfs is not installed";
  for (const std::string options : {"", "-M -n 4096"}) {
    const std::string made = image(options, options.empty() ? kNode : 4096);
    const auto length = measured("btrfs", made);
    ASSERT_TRUE(length) << options << length.error().what;
    EXPECT_EQ(length->length, made.size());
    EXPECT_TRUE(length->verified);
    const Collect got = unpacked("btrfs", made);
    for (const Error& p : got.problems) ADD_FAILURE() << p.what;
    expect_same(tree(), got);
    EXPECT_EQ(got.notes.at("label"), "label");
    ASSERT_EQ(got.integrities.size(), 2u);
    for (const Integrity& i : got.integrities) EXPECT_EQ(i.state, "valid") << i.name;
    ASSERT_TRUE(got.find("packed"));
    EXPECT_EQ(got.find("packed")->node.xattrs,
              (std::vector<std::pair<std::string, std::string>>{{"user.kind", "words"}}));
  }
}

TEST(Btrfs, CompressedPieces) {
  if (!installed("mkfs.btrfs")) GTEST_SKIP() << "mkfs.btrfs is not installed";
  const std::string plain = image("-m single");
  for (const int how : {1, 2, 3}) {
    const std::string made = with_compressed(plain, how);
    const Collect got = unpacked("btrfs", made);
    for (const Error& p : got.problems) ADD_FAILURE() << p.what;
    const Collect::Item* file = got.find("packed");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->codec, (std::array{"", "zlib", "lzo", "zstd"}[static_cast<size_t>(how)]));
    EXPECT_TRUE(file->content == HostTree::words(kKept) + std::string(kWhole - kKept, '\0'));
    EXPECT_EQ(got.integrities.back().state, "invalid");  // of the data that stood there
    std::string damaged = made;
    const size_t at = file->extents[0].base();
    for (size_t n = 0; n < 8; ++n) {
      const char kept = std::exchange(damaged[at + n * 37], '\xee');
      EXPECT_TRUE(unpacked("btrfs", damaged).find("packed"));
      damaged[at + n * 37] = kept;
    }
  }
}

// mkfs.btrfs makes none: the tree of moved data becomes the tree of a subvolume, which is the file system itself, and
// the directory "empty" the place where it stands.
TEST(Btrfs, ASubvolumeIsADirectory) {
  if (!installed("mkfs.btrfs")) GTEST_SKIP() << "mkfs.btrfs is not installed";
  std::string made = image("-m single");
  // The same bytes may also stand where a checksum follows the number of a tree: only a key of the tree of trees
  // counts.
  const auto key_of = [&](uint64_t object) {
    const std::string key = little(object, 8) + '\x84';
    size_t at = made.find(key);
    while (at != std::string::npos &&
           (made.substr(at / kNode * kNode + 88, 8) != little(1, 8) || (at % kNode - 101) % 25))
      at = made.find(key, at + 1);
    return at;
  };
  const auto item_of = [&](size_t key) { return key / kNode * kNode + 101 + *Bytes(made).le<uint32_t>(key + 17, ""); };
  const size_t file_system = key_of(5), moved = key_of(uint64_t{0} - 9);
  ASSERT_NE(file_system, std::string::npos);
  ASSERT_NE(moved, std::string::npos);
  put(made, item_of(moved) + 176, made.substr(item_of(file_system) + 176, 8));
  put(made, moved, little(256, 8));
  set_checksum(made, moved / kNode * kNode, kNode);
  size_t entries = 0;
  for (size_t at = made.find("empty"); at != std::string::npos; at = made.find("empty", at + 1)) {
    if (made[at - 22] != 1 || made[at - 1] != 2) continue;  // no entry of a directory
    put(made, at - 30, little(256, 8) + '\x84');
    set_checksum(made, at / kNode * kNode, kNode);
    ++entries;
  }
  EXPECT_GT(entries, 0u);
  const Collect got = unpacked("btrfs", made);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].what, "empty/empty: directory has a second name");
  ASSERT_TRUE(got.find("empty/packed"));
  EXPECT_TRUE(got.find("empty/packed")->content == HostTree::words(kWhole));
}

// With the checksum made right again, so that what lies is read.
TEST(Btrfs, LyingNodes) {
  if (!installed("mkfs.btrfs")) GTEST_SKIP() << "mkfs.btrfs is not installed";
  const std::string good = image("-m single -n 4096", 4096);
  std::vector<size_t> nodes;
  for (const Span& span : unpacked("btrfs", good).spans)
    if (span.length == 4096 && span.offset != 65536) nodes.push_back(span.offset);
  ASSERT_GT(nodes.size(), 5u);
  std::string bad = good;
  size_t problems = 0;
  for (size_t run = 0; run < 200; ++run) {
    const size_t node = nodes[run % nodes.size()];
    const size_t at = node + 80 + (run < 100 ? run / 2 : run * 9 % 4000);
    const std::string kept = bad.substr(node, 4096);
    bad[at] = static_cast<char>(bad[at] ^ (run % 3 ? 0xff : 1));
    set_checksum(bad, node, 4096);
    const auto length = measured("btrfs", bad);
    if (length) {
      EXPECT_LE(length->length, bad.size());
      problems += !unpacked("btrfs", bad).problems.empty();
    }
    put(bad, node, kept);
  }
  EXPECT_GT(problems, 10u);
  bad[nodes[0] + 200] = static_cast<char>(~bad[nodes[0] + 200]);
  EXPECT_FALSE(unpacked("btrfs", bad).problems.empty());  // the checksum does not match
}

TEST(Btrfs, RefusedSuperblocks) {
  if (!installed("mkfs.btrfs")) GTEST_SKIP() << "mkfs.btrfs is not installed";
  const std::string good = image("-m single");
  for (const auto& [at, bytes, what] :
       {std::tuple<size_t, std::string, std::string>{48, little(1, 8), "a copy of the superblock"},
        {144, little(100), "sector of 100 bytes"},
        {148, little(1 << 20), "node of 1048576 bytes"},
        {196, little(9, 2), "kind of checksum 9"},
        {209, little(1, 8), "size of the device 1"}}) {
    std::string bad = good;
    put(bad, 65536 + at, bytes);
    EXPECT_EQ(measured("btrfs", bad).error().what, what);
  }
  EXPECT_EQ(measured("btrfs", std::string_view(good).substr(0, good.size() - 1)).error().fault, Fault::kTruncated);
  expect_survives(format("btrfs"), good.substr(0, 70'000), 97);
}

}  // namespace
}  // namespace assay::unpack
