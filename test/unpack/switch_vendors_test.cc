// Containers of switches and carrier routers: H3C's image and flash file system, DrayTek's image and LZ4.
#include "test/unpack/build.h"

#include "core/hash.h"

#include <lz4.h>

namespace assay::unpack {
namespace {

std::string crc16(const std::string& bytes) { return big(crc16_ccitt(Bytes(bytes), 0)); }

std::string h3c_file(const std::string& data, uint32_t compression) {
  const std::string padded = filled(data, (data.size() + 7) / 8 * 8);
  std::string h(340, '\0');
  put(h, 8, big(0x04000000) + big(1) + big(0x3c010501) + big(0) + big(data.size()) + big(0xffffffff));
  put(h, 104, "OpenWrt");
  put(h, 328, big(padded.size()) + crc16(padded) + big(compression));
  put(h, 4, crc16(h.substr(8)));
  return h + padded;
}

std::string h3c_image(const std::vector<std::string>& files) {
  std::string h = filled(big(1) + big(files.size()) + big(0x3c010501) + big(0), 6180), body;
  for (size_t i = 0; i < files.size(); ++i) {
    put(h, 32 + 24 * i, big(0x04000000) + big(6180 + body.size()) + big(files[i].size()));
    body += files[i];
  }
  put(h, 28, big(body.size()));
  put(h, 6176, crc16(h.substr(0, 6176)));
  return h + body;
}

TEST(H3cImg, FilesAndChecksums) {
  const std::string sample = h3c_image({h3c_file("the kernel", 0xffffffff), h3c_file("7z\xbc\xaf\x27\x1c...", 2)});
  reads("h3cimg", sample, "file0", "the kernel");
  EXPECT_EQ(measured("h3cimg", sample + "more")->length, sample.size());
  const Collect got = unpacked("h3cimg", sample);
  EXPECT_EQ(got.notes.at("file0 description"), "OpenWrt");
  EXPECT_TRUE(got.find("file1")->content.starts_with("7z"));
  EXPECT_TRUE(got.problems.empty());
  std::string damaged = sample;
  damaged[6180 + 340] = 'T';
  EXPECT_EQ(unpacked("h3cimg", damaged).problems.size(), 1u);  // the data's checksum
  damaged = sample;
  damaged[9] = 'T';
  EXPECT_FALSE(measured("h3cimg", damaged));
}

// Two erase blocks: the root's names in block 1, a file of three blocks in 2, 70 and 3, a folder with a file of its
// own.
struct Vfs {
  std::string bytes = std::string(0x20000, '\xff');
  static size_t place(size_t block) { return 0x10000 * (block / 63) + 0x400 * (1 + block % 63); }
  void chain(const std::vector<size_t>& blocks) {
    for (size_t i = 0; i < blocks.size(); ++i) {
      const size_t at = 0x10000 * (blocks[i] / 63) + 8 * (blocks[i] % 63);
      put(bytes, at, big(0x3f000000 | (i ? blocks[i - 1] : 0xffffff)));
      put(bytes, at + 4, big(0xff000000 | (i + 1 < blocks.size() ? blocks[i + 1] : 0xffffff)));
    }
  }
  void entry(size_t block, size_t index, uint8_t flags, size_t length, size_t first, const std::string& name) {
    const size_t at = place(block) + 128 * index;
    put(bytes, at, std::string(1, static_cast<char>(flags)));
    put(bytes, at + 16, big(length) + big(0) + big(0, 2));
    put(bytes, at + 28, big(first) + name + '\0');
  }
};

Vfs vfs() {
  Vfs v;
  put(v.bytes, 0, big(0x10000400) + big(0xffffffff));
  v.entry(0, 0, 0x3f, 0, 1, "");
  v.chain({1});
  v.chain({2, 70, 3});
  v.chain({4});
  v.chain({5});
  v.entry(1, 0, 0x3f, 2500, 2, "boot.bin");
  v.entry(1, 1, 0x3d, 0, 4, "logfile");
  v.entry(1, 2, 0x1f, 10, 9, "deleted");
  v.entry(4, 0, 0x3f, 5, 5, "log");
  put(v.bytes, Vfs::place(2), std::string(1024, 'a'));
  put(v.bytes, Vfs::place(70), std::string(1024, 'b'));
  put(v.bytes, Vfs::place(3), std::string(452, 'c'));
  put(v.bytes, Vfs::place(5), "hello");
  return v;
}

TEST(H3cVfs, ChainsAreFollowed) {
  Vfs v = vfs();
  reads("h3cvfs", v.bytes, "logfile/log", "hello");
  const Collect got = unpacked("h3cvfs", v.bytes);
  EXPECT_EQ(got.find("boot.bin")->content, std::string(1024, 'a') + std::string(1024, 'b') + std::string(452, 'c'));
  EXPECT_EQ(got.find("logfile")->node.kind, Kind::kDirectory);
  EXPECT_FALSE(got.find("deleted"));
  EXPECT_TRUE(got.problems.empty());
  put(v.bytes, 0x10000 + 8 * 7, big(0x3f000005));  // block 70 says that another stands before it
  const Collect broken = unpacked("h3cvfs", v.bytes);
  ASSERT_EQ(broken.problems.size(), 1u);
  EXPECT_NE(broken.problems[0].what.find("boot.bin: block 70 is not of the chain"), std::string::npos);
  put(v.bytes, 8 * 5, big(0x3f000005) + big(0xff000005));  // a block that follows itself
  unpacked("h3cvfs", v.bytes);
}

std::string lz4(const std::string& text) {
  std::string out = "\xaa\x1d\x7f\x50";
  for (size_t at = 0; at < text.size(); at += 65536) {
    const std::string piece = text.substr(at, 65536);
    std::string block(static_cast<size_t>(LZ4_compressBound(static_cast<int>(piece.size()))), '\0');
    const int size = LZ4_compress_default(piece.data(), block.data(), static_cast<int>(piece.size()),
                                          static_cast<int>(block.size()));
    out += little(static_cast<uint64_t>(size)) + block.substr(0, static_cast<size_t>(size));
  }
  return out;
}

std::string with_sum(std::string section) {
  section.resize((section.size() + 3) / 4 * 4, '\0');
  put(section, 0, big(section.size() + 4));
  uint32_t sum = 0;
  for (size_t at = 0; at < section.size(); at += 4) sum += *Bytes(section).be<uint32_t>(at, "");
  return section + big(~sum);
}

std::string draytek(const std::string& system, const std::string& modules) {
  std::string first =
      filled(big(0) + big(0x21000000), 256) + "loader.." + "\xa5\x5a\xa5\x5a" + big(system.size()) + system;
  first.resize((first.size() + 3) / 4 * 4, '\0');
  const std::string pages = lz4("PFS/1.0");
  return with_sum(first + modules) + with_sum(big(0) + big(pages.size()) + pages + std::string(8, '\0'));
}

TEST(Draytek, SectionsAndSums) {
  const std::string text(150'000, 'x');
  for (const std::string modules : {"", "DLM/1.0 and modules."}) {
    const std::string sample = draytek(lz4(text), modules);
    reads("draytek", sample, "system", lz4(text));
    const Collect got = unpacked("draytek", sample + "");
    EXPECT_EQ(got.find("bootloader")->content, "loader..\xa5\x5a\xa5\x5a");
    EXPECT_EQ(got.find("modules") != nullptr, !modules.empty());
    ASSERT_TRUE(got.find("pages"));
    EXPECT_EQ(measured("draytek", sample + "tail")->length, sample.size());
    std::string damaged = sample;
    damaged[300] = static_cast<char>(damaged[300] ^ 1);
    EXPECT_FALSE(measured("draytek", damaged));
  }
}

TEST(Draytek, Lz4EndsWithAShorterBlock) {
  for (const size_t size : {10u, 65536u, 150'000u}) {
    std::string text;
    for (size_t i = 0; text.size() < size; ++i) text += std::to_string(i * i);
    text.resize(size);
    const std::string stream = lz4(text);
    MemoryOutput out(1 << 20);
    const auto decoded = format("draytek-lz4").decode(Bytes(stream), out);
    ASSERT_TRUE(decoded) << size;
    EXPECT_EQ(out.bytes().text(), text);
    EXPECT_EQ(decoded->length, stream.size());
    for (size_t i = 0; i < stream.size(); i += 1 + stream.size() / 300) {
      MemoryOutput part(1 << 20);
      (void)format("draytek-lz4").decode(Bytes(stream).head(i), part);
      std::string damaged = stream;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x5a);
      (void)format("draytek-lz4").decode(Bytes(damaged), part);
    }
  }
}

std::string nbi_record(uint8_t flags, uint64_t address, uint64_t length, const std::string& vendor = {}) {
  const auto words = static_cast<char>(4 | vendor.size() / 4 << 4);
  return words + std::string("\x11\0", 2) + static_cast<char>(flags) + little(address) + little(length) +
         little(length + 64) + vendor;
}

TEST(Nbi, RecordsAndImages) {
  const std::string kernel = "the kernel", ramdisk = "the first file system";
  const std::string head =
      "\x36\x13\x03\x1b\x44" + std::string(3, '\0') + little(0x92200000) + little(0x92200200) + "mknbi-linux-1.2.";
  const std::string sample =
      filled(head + nbi_record(0, 0x100000, kernel.size(), "args") + nbi_record(6, 0x200000, ramdisk.size()), 512) +
      kernel + ramdisk;
  reads("nbi", sample, "image0", kernel);
  EXPECT_EQ(measured("nbi", sample + "more")->length, sample.size());
  const Collect got = unpacked("nbi", sample);
  EXPECT_EQ(got.find("image1")->content, ramdisk);
  EXPECT_EQ(got.notes.at("image1"), "load end of memory, 0x200000, tag 17");
  EXPECT_FALSE(measured("nbi", sample.substr(0, sample.size() - 1)));
  std::string damaged = sample;
  damaged[32 + 3] = 4;  // the first record says that it is the last
  EXPECT_EQ(measured("nbi", damaged)->length, 512 + kernel.size());
}

}  // namespace
}  // namespace assay::unpack
