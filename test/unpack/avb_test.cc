// Verified Boot metadata (vbmeta) and partitions with a footer (avb-footer): built here, signed with openssl.
#include "test/unpack/avb_build.h"
#include "test/unpack/host_tree.h"

#include "unpack/avb.h"

namespace assay::unpack {
namespace {

using namespace avb;

const Integrity* find(const Collect& got, std::string_view name) {
  for (const Integrity& i : got.integrities)
    if (i.name == name) return &i;
  return nullptr;
}

std::string state(const Collect& got, std::string_view name) {
  const Integrity* i = find(got, name);
  return i ? i->state : "absent";
}

std::string signed_image() {
  return vbmeta(hash("boot", "sha256", 5, "salt", std::string(32, 'd')) + property("a.b", "value") + chain("other", 3) +
                    command_line("quiet"),
                2048);
}

TEST(Vbmeta, StatesEveryDescriptorAndItsSeals) {
  const std::string image = signed_image();
  const auto length = measured("vbmeta", image + std::string(4096, '\0'));
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  EXPECT_TRUE(length->verified);
  const Collect got = unpacked("vbmeta", image);
  EXPECT_EQ(state(got, "vbmeta hash"), "valid");
  EXPECT_EQ(state(got, "vbmeta signature"), "valid");
  EXPECT_EQ(find(got, "vbmeta signature")->key, avb_key_id(Bytes(key_blob(2048))));
  EXPECT_EQ(state(got, "hash of partition boot"), "not-checkable");
  EXPECT_EQ(got.notes.at("property a.b"), "value");
  EXPECT_EQ(got.notes.at("kernel command line"), "quiet");
  EXPECT_TRUE(got.notes.at("chained partition other").ends_with("rollback index location 3"));
  EXPECT_EQ(got.notes.at("rollback index"), "7");
  EXPECT_TRUE(got.problems.empty());
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

TEST(Vbmeta, SaysWhenASealDoesNotHold) {
  std::string image = signed_image();
  image[image.find("value")] = 'V';
  Collect got = unpacked("vbmeta", image);
  EXPECT_EQ(state(got, "vbmeta hash"), "invalid");
  EXPECT_EQ(state(got, "vbmeta signature"), "invalid");
  EXPECT_EQ(got.problems.size(), 2u);
  image = signed_image();
  image[256 + 64] = static_cast<char>(image[256 + 64] ^ 1);  // inside the signature
  got = unpacked("vbmeta", image);
  EXPECT_EQ(state(got, "vbmeta hash"), "valid");
  EXPECT_EQ(state(got, "vbmeta signature"), "invalid");
  image = signed_image();
  put(image, 28, big(9));
  got = unpacked("vbmeta", image);
  EXPECT_EQ(state(got, "vbmeta signature"), "not-checkable");
}

TEST(Vbmeta, NamesKeysWhosePrivateHalfIsPublic) {
  EXPECT_EQ(known_test_key("cdbb77177f731920bbe0a0f94f84d9038ae0617d"), "testkey_rsa2048");
  EXPECT_EQ(known_test_key(avb_key_id(Bytes(key_blob(2048)))), "");
}

TEST(Vbmeta, RefusesLiesAndTruncations) {
  const std::string image = signed_image();
  for (size_t length = 0; length < image.size(); length += 37)
    EXPECT_FALSE(measured("vbmeta", image.substr(0, length))) << length;
  const auto lie = [&](size_t at, const std::string& bytes) {
    std::string lying = image;
    put(lying, at, bytes);
    return measured("vbmeta", lying);
  };
  EXPECT_FALSE(lie(12, big(65, 8))) << "blocks are multiples of 64";
  EXPECT_FALSE(lie(104, big(1 << 20, 8))) << "descriptors beyond their block";
  EXPECT_FALSE(lie(64, big(~uint64_t{0}, 8))) << "key beyond its block";
  EXPECT_EQ(lie(4, big(2)).error().fault, Fault::kUnsupported);
  expect_survives(format("vbmeta"), image, 29);
}

TEST(Vbmeta, ChecksBothHashes) {
  for (const std::string algorithm : {"sha256", "sha512"})
    EXPECT_TRUE(check_avb_signature(*read_avb(Bytes(vbmeta(property("a", "b"), 2048, algorithm)))) == AvbState::kValid);
}

constexpr size_t kPartition = 4 << 20;

TEST(AvbFooter, ChecksTheHashOfItsImage) {
  const std::string data = HostTree::noise(100'000);
  const std::string partition = with_footer(
      data, "", vbmeta(hash("boot", "sha256", data.size(), "salt", digest("sha256", "salt" + data)), 0), kPartition);
  const auto length = measured("avb-footer", partition);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, partition.size());
  EXPECT_TRUE(length->verified);
  Collect got = unpacked("avb-footer", partition);
  EXPECT_EQ(state(got, "hash of partition boot"), "valid");
  EXPECT_EQ(state(got, "vbmeta signature"), "absent");
  ASSERT_TRUE(got.find("image"));
  EXPECT_TRUE(got.find("image")->content == data);
  EXPECT_EQ(unknown_bytes(partition, got), 0u);
  std::string damaged = partition;
  damaged[50'000] = static_cast<char>(damaged[50'000] ^ 1);
  got = unpacked("avb-footer", damaged);
  EXPECT_EQ(state(got, "hash of partition boot"), "invalid");
  EXPECT_EQ(got.problems.size(), 1u);
}

TEST(AvbFooter, IsFoundByTheDriverFromItsEnd) {
  const std::string data = HostTree::noise(100'000);
  const std::string partition =
      with_footer(data, "", vbmeta(hash("boot", "sha1", data.size(), "", digest("sha1", data)), 2048), kPartition);
  LocalArena arena(16 << 20);
  const Unpacked got = examine(Bytes(partition), {0, 0, partition.size(), true}, Role::kFile, {}, {}, arena);
  EXPECT_EQ(got.format, "avb-footer");
  const Unpacked cut =
      examine(Bytes(partition).head(kPartition - 1), {0, 0, kPartition - 1, true}, Role::kFile, {}, {}, arena);
  EXPECT_NE(cut.format, "avb-footer");
}

TEST(AvbFooter, FollowsHashTreesDownToEveryBlock) {
  for (const std::string algorithm : {"sha256", "sha1", "sha512"})
    for (const size_t blocks : {1, 2, 130, 260}) {  // no tree, one level, two levels at 4096 bytes a block
      const std::string data = HostTree::noise(blocks * 4096);
      const HashTree tree = hash_tree(data, algorithm, "pepper");
      const std::string partition = with_footer(
          data, tree.bytes, vbmeta(tree_descriptor("system", data, algorithm, "pepper", tree), 2048), kPartition);
      Collect got = unpacked("avb-footer", partition);
      EXPECT_EQ(state(got, "hash tree of partition system"), "valid") << algorithm << blocks;
      EXPECT_EQ(unknown_bytes(partition, got), 0u);
      std::string damaged = partition;
      damaged[data.size() - 1] = static_cast<char>(damaged[data.size() - 1] ^ 1);
      got = unpacked("avb-footer", damaged);
      const Integrity* i = find(got, "hash tree of partition system");
      ASSERT_TRUE(i);
      EXPECT_EQ(i->state, "invalid");
      EXPECT_TRUE(i->detail.starts_with("1 of ")) << i->detail;
      if (tree.bytes.empty()) continue;
      damaged = partition;
      damaged[data.size()] = static_cast<char>(damaged[data.size()] ^ 1);  // the tree's top
      EXPECT_EQ(state(unpacked("avb-footer", damaged), "hash tree of partition system"), "invalid");
    }
}

TEST(AvbFooter, SaysWhatCannotBeChecked) {
  const std::string data = HostTree::noise(8192);
  const HashTree tree = hash_tree(data, "sha256", "");
  const auto partition = [&](const std::string& descriptor) {
    return unpacked("avb-footer", with_footer(data, tree.bytes, vbmeta(descriptor, 0), kPartition));
  };
  EXPECT_EQ(state(partition(hash("x", "blake2b-256", 8192, "", std::string(32, 'x'))), "hash of partition x"),
            "not-checkable");
  EXPECT_EQ(state(partition(hash("x", "sha256", 8192, "", "")), "hash of partition x"), "not-checkable");
  EXPECT_EQ(state(partition(hash("x", "sha256", 9000, "", std::string(32, 'x'))), "hash of partition x"),
            "not-checkable");
  std::string lying = tree_descriptor("x", data, "sha256", "", tree);
  put(lying, 20, big(4096 * 1000, 8));  // an image longer than the tree covers
  EXPECT_EQ(state(partition(lying), "hash tree of partition x"), "not-checkable");
  lying = tree_descriptor("x", data, "sha256", "", tree);
  put(lying, 44, big(3));  // a block size that is none
  EXPECT_EQ(state(partition(lying), "hash tree of partition x"), "not-checkable");
}

TEST(AvbFooter, SurvivesDamage) {
  const std::string data = HostTree::noise(8192);
  const HashTree tree = hash_tree(data, "sha256", "");
  const std::string partition =
      with_footer(data, tree.bytes, vbmeta(tree_descriptor("x", data, "sha256", "", tree), 0), 16384);
  EXPECT_FALSE(measured("avb-footer", partition.substr(1))) << "the vbmeta is not where the footer says";
  std::string lying = partition;
  put(lying, lying.size() - 64 + 20, big(1 << 20, 8));
  EXPECT_FALSE(measured("avb-footer", lying));
  expect_survives(format("avb-footer"), partition, 41);
}

}  // namespace
}  // namespace assay::unpack
