// JFFS2 nodes built by hand: versions, overlaps, removed names, damage, compressions without an encoder at hand,
// borders.
#include <lzma.h>

#include <array>

#include "core/hash.h"
#include "test/unpack/host_tree.h"
#include "unpack/formats/jffs2_codecs.h"

namespace assay::unpack {
namespace {

const Format& jffs2() { return *find_format("jffs2"); }

struct Writer {
  Order order = Order::kLittle;
  uint16_t magic = 0x1985;
  std::string out;

  void put(std::string& to, uint64_t value, int size) const {
    for (int i = 0; i < size; ++i)
      to.push_back(static_cast<char>(value >> 8 * (order == Order::kLittle ? i : size - 1 - i)));
  }
  std::string header(uint16_t type, size_t length) const {
    std::string head;
    put(head, magic, 2);
    put(head, type, 2);
    put(head, length, 4);
    put(head, crc32_raw(Bytes(head), 0), 4);
    return head;
  }
  void add(std::string node) {
    out += node;
    while (out.size() % 4) out.push_back('\xff');
  }
  void marker() { add(header(0x2003, 12)); }
  void pad_to(size_t size) { out.resize((out.size() + size - 1) / size * size, '\xff'); }

  void dirent(uint32_t directory, uint32_t version, uint32_t inode, uint8_t type, const std::string& name) {
    std::string node = header(0xe001, 40 + name.size());
    for (const uint32_t value : {directory, version, inode, 1000u}) put(node, value, 4);
    node += {static_cast<char>(name.size()), static_cast<char>(type), 0, 0};
    put(node, crc32_raw(Bytes(node), 0), 4);
    put(node, crc32_raw(Bytes(name), 0), 4);
    add(node + name);
  }
  struct Piece {
    uint32_t inode, version, mode, file_size, offset, size;
    uint8_t compression;
    std::string data;
  };
  void inode(const Piece& p) {
    std::string node = header(0xe002, 68 + p.data.size());
    for (const uint32_t value : {p.inode, p.version, p.mode}) put(node, value, 4);
    put(node, 7, 2);
    put(node, 8, 2);
    for (const uint32_t value : {p.file_size, 1u, 2000 + p.version, 3u, p.offset}) put(node, value, 4);
    put(node, p.data.size(), 4);
    put(node, p.size, 4);
    node += {static_cast<char>(p.compression), 0, 0, 0};
    const uint32_t checked = crc32_raw(Bytes(node), 0);
    put(node, crc32_raw(Bytes(p.data), 0), 4);
    put(node, checked, 4);
    add(node + p.data);
  }
  void plain(uint32_t number, uint32_t version, uint32_t file_size, uint32_t offset, const std::string& data) {
    inode({number, version, 0100644, file_size, offset, static_cast<uint32_t>(data.size()), 0, data});
  }
  void xattr(uint32_t id, uint32_t version, uint8_t prefix, const std::string& name, const std::string& value) {
    const std::string data = name + '\0' + value;
    std::string node = header(0xe008, 32 + data.size());
    put(node, id, 4);
    put(node, version, 4);
    node += {static_cast<char>(prefix), static_cast<char>(name.size())};
    put(node, value.size(), 2);
    put(node, crc32_raw(Bytes(data), 0), 4);
    put(node, crc32_raw(Bytes(node), 0), 4);
    add(node + data);
  }
  void xref(uint32_t inode_number, uint32_t id, uint32_t sequence) {
    std::string node = header(0xe009, 28);
    for (const uint32_t value : {inode_number, id, sequence}) put(node, value, 4);
    put(node, crc32_raw(Bytes(node), 0), 4);
    add(node);
  }
};

Collect unpacked(const std::string& image) {
  Collect got;
  const auto measured = jffs2().measure(Bytes(image));
  EXPECT_TRUE(measured) << measured.error().what;
  if (!measured) return got;
  const auto done = jffs2().unpack(Bytes(image).head(measured->length), got);
  EXPECT_TRUE(done);
  return got;
}

class Jffs2Nodes : public testing::TestWithParam<std::pair<Order, uint16_t>> {
 protected:
  Writer w{GetParam().first, GetParam().second, {}};
};

TEST_P(Jffs2Nodes, TheHighestVersionOfEveryByteWins) {
  w.marker();
  w.dirent(1, 1, 2, 8, "file");
  w.plain(2, 3, 10, 2, "BBBB");
  w.plain(2, 1, 8, 0, "aaaaaaaa");
  w.plain(2, 2, 9, 4, "ccccc");              // older than B, newer than a
  w.inode({2, 4, 0100755, 7, 0, 0, 0, ""});  // truncates, sets the mode
  const Collect got = unpacked(w.out);
  ASSERT_TRUE(got.find("file"));
  EXPECT_EQ(got.find("file")->content, "aaBBBBc");
  EXPECT_EQ(got.find("file")->node.mode, 0755u);
  EXPECT_EQ(got.find("file")->node.uid, 7u);
  EXPECT_EQ(got.find("file")->node.mtime, 2004);
  EXPECT_TRUE(got.problems.empty());
}

TEST_P(Jffs2Nodes, GapsAndZeroNodesReadAsZeros) {
  w.dirent(1, 1, 2, 8, "file");
  w.plain(2, 1, 12, 8, "tail");
  w.inode({2, 2, 0100644, 12, 4, 2, 1, ""});
  EXPECT_EQ(unpacked(w.out).find("file")->content, std::string(8, '\0') + "tail");
}

TEST_P(Jffs2Nodes, TheNewestEntryOfANameCounts) {
  w.marker();
  w.dirent(1, 1, 2, 8, "gone");
  w.dirent(1, 3, 3, 8, "moved");
  w.dirent(1, 2, 2, 8, "moved");
  w.dirent(1, 4, 0, 8, "gone");
  w.dirent(1, 5, 3, 8, "second");
  w.plain(2, 1, 3, 0, "two");
  w.plain(3, 1, 5, 0, "three");
  Collect got = unpacked(w.out);
  EXPECT_FALSE(got.find("gone"));
  EXPECT_EQ(got.find("moved")->content, "three");
  EXPECT_EQ(got.find("second")->node.kind, Kind::kHardLink);
  EXPECT_EQ(got.find("second")->node.target, "moved");
  EXPECT_EQ(got.notes["removed names"], "1");
  EXPECT_EQ(got.notes["inodes without a name"], "1");
}

TEST_P(Jffs2Nodes, ObsoleteNodesDoNotCount) {
  w.marker();
  w.dirent(1, 1, 2, 8, "file");
  w.plain(2, 1, 3, 0, "old");
  const size_t at = w.out.size();
  w.plain(2, 2, 3, 0, "new");
  const size_t high = at + (w.order == Order::kLittle ? 3 : 2);
  w.out[high] = static_cast<char>(w.out[high] & ~0x20);  // marked obsolete in place
  Collect got = unpacked(w.out);
  EXPECT_EQ(got.find("file")->content, "old");
  EXPECT_EQ(got.notes["obsolete nodes"], "1");
  EXPECT_EQ(unknown_bytes(w.out, got), 0u);
}

TEST_P(Jffs2Nodes, DamagedNodesAreSaid) {
  w.marker();
  w.dirent(1, 1, 2, 8, "file");
  w.plain(2, 1, 4, 0, "good");
  w.plain(2, 2, 4, 0, "evil");
  w.out[w.out.size() - 1] = 'L';
  const Collect got = unpacked(w.out);
  EXPECT_EQ(got.find("file")->content, "good");
  ASSERT_EQ(got.problems.size(), 2u);
  EXPECT_NE(got.problems[1].what.find("file: a node's data does not match"), std::string::npos);
}

TEST_P(Jffs2Nodes, AttributesFollowTheirNewestReference) {
  w.marker();
  w.dirent(1, 1, 2, 8, "file");
  w.plain(2, 1, 1, 0, "x");
  w.xattr(1, 1, 1, "old", "value");
  w.xattr(1, 2, 2, "capability", std::string("\0\1", 2));
  w.xattr(2, 1, 5, "removed", "y");
  w.xref(2, 1, 2);
  w.xref(2, 2, 4);
  w.xref(2, 2, 5);  // odd: removed
  const auto xattrs = unpacked(w.out).find("file")->node.xattrs;
  ASSERT_EQ(xattrs.size(), 1u);
  EXPECT_EQ(xattrs[0], std::make_pair(std::string("security.capability"), std::string("\0\1", 2)));
}

TEST_P(Jffs2Nodes, LoopsAndLostDirectoriesEnd) {
  w.marker();
  w.dirent(1, 1, 2, 4, "loop");
  w.dirent(2, 2, 1, 4, "root-again");
  w.dirent(1, 3, 9, 8, "a/b");
  w.dirent(77, 4, 5, 8, "orphan");
  w.inode({2, 1, 040755, 0, 0, 0, 0, ""});
  w.plain(5, 1, 4, 0, "kept");
  const Collect got = unpacked(w.out);
  EXPECT_EQ(got.problems.size(), 4u);  // the loop, the name with '/', the lost directory and that it has no inode
  ASSERT_TRUE(got.find("inode-77/orphan"));
  EXPECT_EQ(got.find("inode-77/orphan")->content, "kept");
}

TEST_P(Jffs2Nodes, TwoFileSystemsThatTouchAreToldApart) {
  std::string images[2];
  for (int i = 0; i < 2; ++i) {
    Writer one{w.order, w.magic, {}};
    for (int block = 0; block < 2; ++block) {
      one.marker();
      const uint32_t number = 2 + block;
      one.dirent(1, number, number, 8, (i ? "second" : "first") + std::to_string(block));
      one.plain(number, 1, 5, 0, i ? "22222" : "11111");
      one.pad_to(8192);
    }
    images[i] = one.out;
  }
  const std::string both = images[0] + images[1];
  const auto first = jffs2().measure(Bytes(both));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->length, images[0].size());
  const Collect got = unpacked(both);
  EXPECT_TRUE(got.find("first0") && got.find("first1") && !got.find("second0"));
}

TEST_P(Jffs2Nodes, ReachesThroughErasedFlashAndJunkButNotFurther) {
  w.marker();
  w.dirent(1, 1, 2, 8, "file");
  w.pad_to(4096);
  w.marker();
  w.out += "a write that power failure cut short";
  w.pad_to(4096);
  w.marker();
  w.plain(2, 1, 4, 0, "data");
  w.pad_to(4096);
  w.out.append(8192, '\xff');
  const size_t size = w.out.size();
  const auto measured = jffs2().measure(Bytes(w.out + std::string(50'000, 'x')));
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->length, size);
  EXPECT_EQ(unpacked(w.out).find("file")->content, "data");
}

TEST_P(Jffs2Nodes, SurvivesDamage) {
  w.marker();
  w.dirent(1, 1, 2, 8, "file");
  w.dirent(1, 2, 3, 10, "link");
  w.plain(2, 1, 8, 0, "aaaaaaaa");
  w.plain(2, 2, 8, 3, "bb");
  w.inode({3, 1, 0120777, 4, 0, 4, 0, "file"});
  w.xattr(1, 1, 1, "name", "value");
  w.xref(2, 1, 2);
  expect_survives(jffs2(), w.out, 1);
}

INSTANTIATE_TEST_SUITE_P(Orders, Jffs2Nodes,
                         testing::Values(std::pair{Order::kLittle, uint16_t{0x1985}},
                                         std::pair{Order::kBig, uint16_t{0x1985}},
                                         std::pair{Order::kLittle, uint16_t{0x1984}}));

std::string lzma_as_openwrt(const std::string& text) {
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 6);
  options.lc = options.lp = options.pb = 0;
  options.dict_size = 0x2000;
  const lzma_filter filters[] = {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  std::string out(text.size() + 1000, '\0');
  size_t used = 0;
  const auto done = lzma_raw_buffer_encode(filters, nullptr, reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                           reinterpret_cast<uint8_t*>(out.data()), &used, out.size());
  EXPECT_EQ(done, LZMA_OK);
  out.resize(used);
  return out;
}

TEST(Jffs2Compressions, LzmaAsOpenwrt) {
  const std::string text = HostTree::words(4000);
  Writer w;
  w.dirent(1, 1, 2, 8, "file");
  w.inode({2, 1, 0100644, 4000, 0, 4000, 8, lzma_as_openwrt(text)});
  const Collect got = unpacked(w.out);
  EXPECT_TRUE(got.problems.empty());
  EXPECT_TRUE(got.find("file")->content == text);
}

TEST(Jffs2Compressions, AnUnknownOneIsSaid) {
  Writer w;
  w.dirent(1, 1, 2, 8, "file");
  w.inode({2, 1, 0100644, 4, 0, 4, 99, "abcd"});
  const Collect got = unpacked(w.out);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_NE(got.problems[0].what.find("file: compression 99"), std::string::npos);
}

TEST(Jffs2Compressions, Rtime) {
  // "abab…": each byte with how many bytes repeat from behind its last occurrence.
  MemoryOutput out(100);
  const std::string_view stream("a\0b\0a\4c\0", 8);
  ASSERT_TRUE(decode_rtime(Bytes(stream), 8, out));
  EXPECT_EQ(out.bytes().text(),
            "abababa"
            "c");
}

// The encoder of Rubin, the decoder's mirror: a register of 16 bits, base and range.
std::string rubin(const std::string& text, uint32_t divider, const std::array<uint32_t, 8>& ones) {
  constexpr uint64_t kTop = 1 << 15;
  uint64_t base = 0, range = 2 * kTop;
  std::string bits;
  const auto shift = [&] {
    bits.push_back(base & kTop ? '1' : '0');
    base = (base & (kTop - 1)) << 1;
    range <<= 1;
  };
  for (const char c : text)
    for (int i = 0; i < 8; ++i) {
      while (base >= kTop || range + base <= kTop) shift();
      uint64_t zero = (divider - ones[i]) * range / divider;
      zero = std::max<uint64_t>(1, std::min(zero, range - 1));
      if (c >> i & 1) {
        base += zero;
        range -= zero;
      } else {
        range = zero;
      }
    }
  for (int i = 0; i < 16; ++i) shift();
  std::string out((bits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bits.size(); ++i)
    if (bits[i] == '1') out[i / 8] = static_cast<char>(out[i / 8] | 0x80 >> i % 8);
  return out;
}

TEST(Jffs2Compressions, RubinUnderBothNumbers) {
  const std::string text = HostTree::words(3000);
  const std::array<uint32_t, 8> mips = {277, 249, 290, 267, 229, 341, 212, 241},
                                dynamic = {100, 90, 80, 70, 200, 250, 20, 1};
  std::string with_table;
  for (const uint32_t one : dynamic) with_table.push_back(static_cast<char>(one));
  with_table += rubin(text, 256, dynamic);
  const std::string without = rubin(text, 1043, mips);
  for (const uint8_t number : {3, 5})
    for (const std::string& data : {with_table, without}) {
      Writer w;
      w.dirent(1, 1, 2, 8, "file");
      w.inode({2, 1, 0100644, 3000, 0, 3000, number, data});
      const Collect got = unpacked(w.out);
      EXPECT_TRUE(got.problems.empty());
      EXPECT_TRUE(got.find("file")->content == text);
    }
}

TEST(Jffs2, ReadsRealImages) {
  for (const char* name : {"format-samples/jffs2/jffs2_le.img", "format-samples/jffs2/jffs2_be.img"}) {
    const std::string image = sample_image(name);
    if (image.empty()) GTEST_SKIP() << "sample images are not here";
    const Collect got = unpacked(image);
    EXPECT_TRUE(got.problems.empty());
    EXPECT_EQ(got.items.size(), 4u);
    EXPECT_TRUE(got.find("generic folder/test file 3_.txt"));
    EXPECT_EQ(unknown_bytes(image, got), 0u);
  }
}

TEST(Jffs2, ReadsAFlashWornByUse) {
  const std::string flash = sample_image("firmware/sannce-8M-flash.bin");
  if (flash.empty()) GTEST_SKIP() << "sample images are not here";
  const std::string image = flash.substr(0x5a0000);
  const auto measured = jffs2().measure(Bytes(image));
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->length, 0x240000u);
  const Collect got = unpacked(image);
  EXPECT_TRUE(got.problems.empty());
  for (const char* archive : {"www/web.zip", "system/lib/drivers.zip", "system/bin/encoder.zip"}) {
    ASSERT_TRUE(got.find(archive));
    const std::string& zip = got.find(archive)->content;
    EXPECT_TRUE(zip.starts_with("PK\3\4")) << archive;
    EXPECT_TRUE(zip.substr(zip.size() - 22).starts_with("PK\5\6")) << archive;
  }
}

}  // namespace
}  // namespace assay::unpack
