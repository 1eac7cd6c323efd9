// exFAT and Minix: mkfs.exfat and mkfs.minix make them empty, and the test puts files there as the formats have it.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

#include <bit>

namespace assay::unpack {
namespace {

std::string empty_volume(const std::string& command) {
  static HostTree tree;
  return tree.image("PATH=$PATH:/sbin:/usr/sbin; " + command);
}

struct ExfatVolume {
  std::string bytes = empty_volume("truncate -s 4M out; mkfs.exfat -L label out");
  size_t cluster = 0, heap = 0, table = 0;

  ExfatVolume() {
    const Bytes b(bytes);
    if (b.size() < 512) return;
    cluster = size_t{1} << (b[108] + b[109]);
    table = size_t{*b.le<uint32_t>(80, "")} << b[108];
    heap = size_t{*b.le<uint32_t>(88, "")} << b[108];
  }
  size_t at(uint32_t number) const { return heap + (number - 2) * cluster; }
  void link(uint32_t from, uint32_t to) { put(bytes, table + from * 4, little(to)); }

  // A set of entries; `chained`: its clusters stand in the table.
  std::string set(const std::string& name, bool directory, bool chained, uint32_t first, uint64_t size,
                  uint64_t written) {
    std::string units;
    for (const char c : name) units += std::string{c, '\0'};
    const size_t names = (name.size() + 14) / 15;
    std::string out = "\x85" + little(1 + names, 1) + little(0, 2) + little(directory ? 0x10 : 0x20, 2) + little(0, 2) +
                      little(0, 4) + little((46u << 25 | 11u << 21 | 28u << 16 | 10u << 11 | 30u << 5 | 7), 4);
    out = filled(out, 23) + "\x84";  // an hour before universal time, 2026-11-28 10:30:14 there
    out = filled(out, 32) + "\xc0" + little(chained ? 1 : 3, 1) + little(0, 1) + little(name.size(), 1);
    out = filled(out, 40) + little(written, 8);
    out = filled(out, 52) + little(first) + little(size, 8);
    for (size_t n = 0; n < names; ++n) out += filled(std::string("\xc1\0", 2) + units.substr(n * 30, 30), 32);
    uint16_t sum = 0;
    for (size_t i = 0; i < out.size(); ++i)
      if (i != 2 && i != 3) sum = static_cast<uint16_t>(std::rotr(sum, 1) + static_cast<uint8_t>(out[i]));
    put(out, 2, little(sum, 2));
    return out;
  }
  // Where the root directory's entries end.
  size_t end_of_root() const {
    size_t entry = at(*Bytes(bytes).le<uint32_t>(96, ""));
    while (bytes[entry] != 0) entry += 32;
    return entry;
  }
};

TEST(SmallFs, Exfat) {
  if (!installed("mkfs.exfat")) GTEST_SKIP() << "mkfs.exfat is not installed";
  ExfatVolume v;
  ASSERT_GT(v.cluster, 0u);
  const std::string first = HostTree::words(v.cluster * 2 + 100), second = HostTree::noise(v.cluster + 7);
  put(v.bytes, v.at(10), first);
  // Backwards: 21, then 20.
  put(v.bytes, v.at(21), second.substr(0, v.cluster));
  put(v.bytes, v.at(20), second.substr(v.cluster));
  v.link(21, 20);
  v.link(20, 0xffffffff);
  v.link(30, 0xffffffff);
  put(v.bytes, v.at(30), v.set("chained in the table.bin", false, true, 21, second.size(), second.size()));
  const size_t root = v.end_of_root();
  put(v.bytes, root,
      v.set("in a row", false, false, 10, first.size(), first.size() - 50) +
          v.set("dir", true, true, 30, v.cluster, v.cluster) + v.set("nothing", false, true, 0, 0, 0));
  ASSERT_TRUE(measured("exfat", v.bytes)) << measured("exfat", v.bytes).error().what;
  EXPECT_TRUE(measured("exfat", v.bytes)->verified);
  const Collect got = unpacked("exfat", v.bytes);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  ASSERT_EQ(got.items.size(), 5u);
  EXPECT_TRUE(got.find("in a row")->content == first.substr(0, first.size() - 50) + std::string(50, '\0'));
  EXPECT_TRUE(got.find("dir/chained in the table.bin")->content == second);
  EXPECT_EQ(got.find("dir")->node.kind, Kind::kDirectory);
  EXPECT_EQ(got.find("nothing")->content, "");
  EXPECT_EQ(got.find("dir")->node.mtime, 1795858214);
  EXPECT_EQ(got.notes.at("label"), "label");
  for (const Integrity& i : got.integrities) EXPECT_EQ(i.state, "valid") << i.name;

  std::string bad = v.bytes;
  bad[root + 40] = 1;
  ASSERT_EQ(unpacked("exfat", bad).problems.size(), 1u);
  EXPECT_EQ(unpacked("exfat", bad).problems[0].what, "checksum of the entries of in a row does not match");
  EXPECT_EQ(unpacked("exfat", bad).problems[0].offset, root + 2);
  bad = v.bytes;
  put(bad, v.table + 21 * 4, little(21));  // a circle
  EXPECT_TRUE(unpacked("exfat", bad).find("dir/chained in the table.bin"));
  bad = v.bytes;
  put(bad, v.table + 30 * 4, little(30));
  EXPECT_TRUE(unpacked("exfat", bad).find("in a row"));
  EXPECT_EQ(measured("exfat", std::string_view(v.bytes).substr(0, v.bytes.size() / 2)).error().fault,
            Fault::kTruncated);
  bad = v.bytes;
  bad[200] = 1;
  EXPECT_FALSE(measured("exfat", bad)->verified);
  EXPECT_EQ(unpacked("exfat", bad).integrities[0].state, "invalid");
  for (size_t at = 64; at < 112; ++at)
    for (const char with : {'\xff', '\x01', '\x80'}) {
      bad = v.bytes;
      bad[at] = static_cast<char>(bad[at] ^ with);
      if (measured("exfat", bad)) unpacked("exfat", bad);
    }
  for (size_t at = root - 96; at < root + 300; ++at) {
    bad = v.bytes;
    bad[at] = static_cast<char>(~bad[at]);
    unpacked("exfat", bad);
  }
  keep_as_seed("exfat", v.bytes.substr(0, 1 << 16));
}

struct MinixVolume {
  std::string bytes;
  unsigned version;
  Order order = Order::kLittle;
  size_t inodes = 0;
  uint32_t next = 0;

  MinixVolume(const std::string& options, unsigned v)
      : bytes(empty_volume("truncate -s 1M out; mkfs.minix " + options + " out")), version(v) {
    const Bytes b(bytes);
    if (b.size() < 2048) return;
    const uint64_t maps = 1024 + (v == 3 ? 6 : 4);
    inodes = (2u + *b.le<uint16_t>(maps, "") + *b.le<uint16_t>(maps + 2, "")) * 1024;
    next = *b.le<uint16_t>(maps + 4, "") + 5u;
  }
  uint32_t store(const std::string& text) {
    put(bytes, next * 1024, text);
    next += static_cast<uint32_t>((text.size() + 1023) / 1024);
    return next - static_cast<uint32_t>((text.size() + 1023) / 1024);
  }
  void inode(uint32_t number, uint32_t mode, uint32_t links, size_t size, const std::vector<uint32_t>& zones) {
    std::string out = version == 1
                          ? little(mode, 2) + little(3, 2) + little(size) + little(77) + little(4, 1) + little(links, 1)
                          : little(mode, 2) + little(links, 2) + little(3, 2) + little(4, 2) + little(size) +
                                little(1) + little(77) + little(2);
    for (const uint32_t zone : zones) out += little(zone, version == 1 ? 2 : 4);
    put(bytes, inodes + (number - 1) * (version == 1 ? 32 : 64), filled(out, version == 1 ? 32 : 64));
  }
  static std::string entry(uint32_t inode, const std::string& name, size_t digits, size_t length) {
    return little(inode, static_cast<int>(digits)) + filled(name, length);
  }
};

TEST(SmallFs, Minix) {
  if (!installed("mkfs.minix")) GTEST_SKIP() << "mkfs.minix is not installed";
  for (const auto& [options, version, name] : {std::tuple<std::string, unsigned, size_t>{"-1 -n 14", 1, 14},
                                               {"-1 -n 30", 1, 30},
                                               {"-2 -n 30", 2, 30},
                                               {"-3", 3, 60}}) {
    MinixVolume v(options, version);
    ASSERT_GT(v.inodes, 0u) << options;
    const size_t digits = version == 3 ? 4 : 2, wide = version == 1 ? 2 : 4;
    const std::string text = HostTree::words(12 * 1024 + 5);
    const uint32_t first = v.store(text);
    std::string more;
    for (uint32_t n = 7; n < 13; ++n) more += little(n == 9 ? 0 : first + n, static_cast<int>(wide));  // with a hole
    const uint32_t indirect = v.store(filled(more, 1024)), target = v.store("file");
    std::vector<uint32_t> zones;
    for (uint32_t n = 0; n < 7; ++n) zones.push_back(first + n);
    zones.push_back(indirect);
    v.inode(2, 0100640, 2, text.size(), zones);
    v.inode(3, 0120777, 1, 4, {target});
    v.inode(4, 0020600, 1, 0, {5 << 8 | 1});
    const auto entry = [&](uint32_t inode, const std::string& n) { return MinixVolume::entry(inode, n, digits, name); };
    const uint32_t below = v.store(entry(5, ".") + entry(1, "..") + entry(2, "again"));
    v.inode(5, 0040755, 2, 3 * (digits + name), {below});
    const std::string names = entry(1, ".") + entry(1, "..") + entry(2, "file") + entry(0, "gone") + entry(3, "link") +
                              entry(4, "console") + entry(5, "dir");
    v.inode(1, 0040755, 3, names.size(), {v.store(names)});

    ASSERT_TRUE(measured("minix", v.bytes)) << options << measured("minix", v.bytes).error().what;
    const Collect got = unpacked("minix", v.bytes);
    for (const Error& p : got.problems) ADD_FAILURE() << options << p.what;
    ASSERT_EQ(got.items.size(), 6u);
    std::string expected = text;
    put(expected, 9 * 1024, std::string(1024, '\0'));
    EXPECT_TRUE(got.find("file")->content == expected) << options;
    EXPECT_EQ(got.find("file")->node.mode, 0640u);
    EXPECT_EQ(got.find("file")->node.uid, 3u);
    EXPECT_EQ(got.find("file")->node.gid, 4u);
    EXPECT_EQ(got.find("file")->node.mtime, 77);
    EXPECT_EQ(got.find("link")->node.target, "file");
    EXPECT_EQ(got.find("console")->node.device, uint64_t{5} << 32 | 1);
    EXPECT_EQ(got.find("dir/again")->node.kind, Kind::kHardLink);
    EXPECT_EQ(got.notes.at("version"), std::to_string(version));

    EXPECT_EQ(measured("minix", std::string_view(v.bytes).substr(0, v.bytes.size() / 2)).error().fault,
              Fault::kTruncated);
    std::string bad = v.bytes;
    for (size_t at = 1024; at < 1056; ++at) {
      const char kept = std::exchange(bad[at], static_cast<char>(~bad[at]));
      if (measured("minix", bad)) unpacked("minix", bad);
      bad[at] = kept;
    }
    for (size_t at = v.inodes; at < v.inodes + 320; ++at) {
      const char kept = std::exchange(bad[at], static_cast<char>(~bad[at]));
      if (measured("minix", bad)) unpacked("minix", bad);
      bad[at] = kept;
    }
    keep_as_seed("minix", v.bytes.substr(0, 1 << 16));
  }
}

// The other byte order, made from one: every field that is read stands the other way round.
TEST(SmallFs, MinixOfABigEndianMachine) {
  std::string b(40 * 1024, '\0');
  put(b, 1024,
      big(32, 2) + big(40, 2) + big(1, 2) + big(1, 2) + big(5, 2) + big(0, 2) + big(1 << 20) + "\x13\x7f" + big(1, 2));
  put(b, 4096, big(040755, 2) + big(0, 2) + big(48) + big(9) + std::string("\0\2", 2) + big(6, 2));
  put(b, 4096 + 32, big(0100644, 2) + big(0, 2) + big(5) + big(9) + std::string("\0\1", 2) + big(7, 2));
  put(b, 6 * 1024, big(1, 2) + filled(".", 14) + big(1, 2) + filled("..", 14) + big(2, 2) + filled("file", 14));
  put(b, 7 * 1024, "hello");
  ASSERT_TRUE(measured("minix", b)) << measured("minix", b).error().what;
  const Collect got = unpacked("minix", b);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  ASSERT_TRUE(got.find("file"));
  EXPECT_EQ(got.find("file")->content, "hello");
  EXPECT_EQ(got.notes.at("byte order"), "big");
  survives("minix", b);
}

}  // namespace
}  // namespace assay::unpack
