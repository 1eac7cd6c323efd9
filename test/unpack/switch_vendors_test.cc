// Containers of switches and carrier routers: H3C's image and flash file system, DrayTek's image and LZ4.
#include "test/unpack/build.h"

#include "core/hash.h"
#include "unpack/account.h"

#include <lz4.h>

namespace assay::unpack {
namespace {

// What the format itself claims as header of `from` up to `to`, in bytes.
uint64_t header_bytes(const Collect& got, uint64_t from, uint64_t to) {
  uint64_t sum = 0;
  for (const Span& span : got.spans)
    if (span.range == Range::kHeader && span.offset >= from && span.offset + span.length <= to) sum += span.length;
  return sum;
}

// What a byte counts as once the claims and the contents are settled.
Range range_of(const Collect& got, std::string_view whole, uint64_t at) {
  std::vector<Span> claims = got.spans;
  for (const Collect::Item& item : got.items)
    for (const Bytes& extent : item.extents) claims.push_back({Range::kContent, extent.base(), extent.size()});
  for (const Span& span : settle(claims, Bytes(whole)))
    if (span.offset <= at && at < span.offset + span.length) return span.range;
  return Range::kContent;
}

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

TEST(H3cVfs, AChainHasOneOwner) {
  Vfs v = vfs();
  v.entry(1, 2, 0x3f, 2500, 2, "again");
  v.entry(1, 3, 0x3d, 0, 4, "folder again");
  v.entry(1, 4, 0x3d, 0, 1, "the root itself");
  v.entry(1, 5, 0x3f, 1024, 70, "from the middle");
  const Collect got = unpacked("h3cvfs", v.bytes);
  EXPECT_EQ(got.find("boot.bin")->content.size(), 2500u);
  EXPECT_EQ(got.find("logfile/log")->content, "hello");
  EXPECT_EQ(got.items.size(), 7u);
  ASSERT_EQ(got.problems.size(), 4u);
  EXPECT_EQ(got.problems[0].what, "again: block 2 is another's too");
  EXPECT_EQ(got.problems[1].what, "folder again: block 4 is another's too");
  EXPECT_EQ(got.problems[2].what, "the root itself: block 1 is another's too");
  EXPECT_EQ(got.problems[3].what, "from the middle: block 70 is not of the chain");
  EXPECT_TRUE(got.find("again")->content.empty());
}

// A chain of 3000 blocks that 400 entries state: it is walked once, whether it is as long as they say or not.
TEST(H3cVfs, WorkIsLinearInItsSize) {
  std::vector<size_t> names, data;
  for (size_t block = 1; block <= 50; ++block) names.push_back(block);
  for (size_t block = 51; block <= 3050; ++block) data.push_back(block);
  for (const size_t length : {data.size() * 1024, data.size()}) {
    Vfs v;
    v.bytes.resize(0x10000 * (3050 / 63 + 1), '\xff');
    put(v.bytes, 0, big(0x10000400) + big(0xffffffff));
    v.entry(0, 0, 0x3f, 0, 1, "");
    v.chain(names);
    v.chain(data);
    for (size_t i = 0; i < 400; ++i) v.entry(names[i / 8], i % 8, 0x3f, length, data[0], "file" + std::to_string(i));
    const Collect got = unpacked("h3cvfs", v.bytes);
    EXPECT_EQ(got.items.size(), 400u);
    EXPECT_EQ(got.problems.size(), length == data.size() ? 400u : 399u);
    EXPECT_GE(got.steps, names.size() + data.size());
    EXPECT_LE(got.steps, names.size() + data.size() + 2 * 400);
    EXPECT_EQ(measured("h3cvfs", v.bytes)->length, length == data.size() ? 0x10000u : v.bytes.size());
  }
}

TEST(H3cVfs, ClaimsOnlyWhatIsRead) {
  Vfs v = vfs();
  const size_t secrets[] = {600,                           // behind the table
                            8 * 30,                        // the table's entry of a block that no chain holds
                            Vfs::place(0) + 128,           // behind the root's entry
                            Vfs::place(1) + 2 * 128 + 40,  // a deleted entry
                            Vfs::place(1) + 60,            // behind a name
                            Vfs::place(5) + 5};            // behind a file
  for (const size_t at : secrets) put(v.bytes, at, "hidden");
  const Collect got = unpacked("h3cvfs", v.bytes);
  for (const size_t at : secrets) EXPECT_EQ(range_of(got, v.bytes, at), Range::kUnknown) << at;
  EXPECT_EQ(header_bytes(got, 0, 1024), 8u * 6);  // magic, names, 2, 3, 4, 5
  EXPECT_EQ(header_bytes(got, 0x10000, 0x10400), 8u);
  EXPECT_EQ(range_of(got, v.bytes, 700), Range::kPadding);
  EXPECT_EQ(range_of(got, v.bytes, Vfs::place(1) + 128 + 100), Range::kPadding);  // behind a name, erased
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
    EXPECT_FALSE(decoded->verified);  // nothing sums it
    for (size_t i = 0; i < stream.size(); i += 1 + stream.size() / 300) {
      MemoryOutput part(1 << 20);
      (void)format("draytek-lz4").decode(Bytes(stream).head(i), part);
      std::string damaged = stream;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x5a);
      (void)format("draytek-lz4").decode(Bytes(damaged), part);
    }
  }
}

struct Lz4 {
  MemoryOutput out{1 << 20};
  Result<Decoded> decoded;
  explicit Lz4(const std::string& stream, uint64_t most = 1 << 20)
      : out(most), decoded(format("draytek-lz4").decode(Bytes(stream), out)) {}
  Fault fault() const { return decoded ? Fault::kIo : decoded.error().fault; }
};

TEST(Draytek, Lz4EndsBeforeWhatIsNoBlock) {
  const std::string text(65536, 'x'), stream = lz4(text);
  for (const std::string& behind :
       {little(12) + std::string(40, '\xff'), little(0) + "padding", big(0x7fffffff), std::string("abc")}) {
    const Lz4 got(stream + behind);
    ASSERT_TRUE(got.decoded);
    EXPECT_EQ(got.decoded->length, stream.size());
    EXPECT_EQ(got.out.bytes().text(), text);
  }
}

TEST(Draytek, Lz4OfLiesIsRefused) {
  const std::string stream = lz4(std::string(65536, 'x') + std::string(5000, 'y')), magic = stream.substr(0, 4);
  EXPECT_EQ(Lz4(stream.substr(0, stream.size() - 1)).fault(), Fault::kTruncated);
  EXPECT_EQ(Lz4(stream.substr(0, 40)).fault(), Fault::kTruncated);
  EXPECT_EQ(Lz4(magic).fault(), Fault::kTruncated);
  EXPECT_EQ(Lz4(magic + little(1) + std::string(1, '\0')).fault(), Fault::kMalformed);  // a block of nothing
  EXPECT_EQ(Lz4(magic + little(0) + "data").fault(), Fault::kMalformed);
  EXPECT_EQ(Lz4(magic + little(12) + std::string(40, '\xff')).fault(), Fault::kMalformed);
  EXPECT_EQ(Lz4(stream, 66000).fault(),
            Fault::kLimit);  // a budget that ends in the second block is no end of the stream
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
  EXPECT_EQ(header_bytes(got, 0, 512), 32u + 20 + 16);
  EXPECT_EQ(range_of(got, sample, 100), Range::kPadding);
  damaged = sample;
  put(damaged, 300, "hidden");
  EXPECT_EQ(range_of(unpacked("nbi", damaged), damaged, 300), Range::kUnknown);
}

TEST(Nbi, ARecordStaysInTheHeader) {
  std::string head = "\x36\x13\x03\x1b\x04" + std::string(11, '\0');
  while (head.size() < 496) head += nbi_record(0, 0, 0);
  EXPECT_TRUE(measured("nbi", head + nbi_record(4, 0, 4) + "data"));
  EXPECT_FALSE(
      measured("nbi", head + nbi_record(4, 0, 4, "args").substr(0, 16) + "data"));  // its vendor part is beyond
}

}  // namespace
}  // namespace assay::unpack
