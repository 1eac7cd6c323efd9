// Programs in wrappers of their own: UPX, QNX images, VxWorks images, Mach-O; and the NRV codecs under the first two.
#include "test/unpack/build.h"

#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/hex_text.h"
#include "unpack/nrv.h"
#include "unpack/upx_filters.h"

#include <zlib.h>
#include <algorithm>

namespace assay::unpack {
namespace {

// What the streams below decode to.
std::string plain_text() {
  const std::string line = "the quick brown fox jumps over the lazy dog; the lazy dog sleeps; ";
  std::string out = line + line + line;
  for (int i = 0; i < 3000; ++i) out.push_back(static_cast<char>('a' + i * i / 7 % 3));
  return out + line;
}

struct Stream {
  Nrv kind;
  unsigned word;
  std::string_view hex;
};
// Made by libucl 1.03 (ucl_nrv2b_99_compress and its like, level 10).
constexpr Stream kStreams[] = {
    {Nrv::kB, 1,
     "ff7468652071756963ff6b2062726f776e20ff666f78206a756d70fe73206f76657220ff1e6c617a79fb20646f673b0d09fb20736c65"
     "6526763b20410007616f00626361da636202e6000a0d61951455464a200549f95580000000000240ff"},
    {Nrv::kB, 4,
     "feffffff74686520717569636b2062726f776e20666f78206a756d7073206f76657220fb09fbff1e6c617a7920646f673b0d20736c65"
     "65266f0700763b20416100626361950de6da636202000a6114204a465580554905f90000000000004002ff"},
    {Nrv::kD, 1,
     "ff7468652071756963ff6b2062726f776e20ff666f78206a756d70fe73206f76657220ff3c6c617a7920f6646f673b1b272073ef6c65"
     "654d3bb0208300776101fb626361636205b300150d61aa29aa8c944008d5f3548492492495ff"},
    {Nrv::kD, 4,
     "feffffff74686520717569636b2062726f776e20666f78206a756d7073206f76657220ef27f6ff3c6c617a7920646f673b1b20736c65"
     "654d3bfb7700b020836101626361636205aaaa0db3001561290840948c928454d5f300952449ff"},
    {Nrv::kE, 1,
     "ff7468652071756963ff6b2062726f776e20ff666f78206a756d70fe73206f76657220ef3d6c617a79fb20646f673b1b0720f6736c65"
     "654cd83b2083001b61007d62636163629d0400bb156129555509282ab1aaf3a3092492492aff"},
    {Nrv::kE, 4,
     "feffffff74686520717569636b2062726f776e20666f78206a756d7073206f76657220f607fbef3d6c617a7920646f673b1b20736c65"
     "654c7d1b00d83b2083610062636163625555bb9d0400156129b12a28092409a3aaf3002a4992ff"},
};

std::string bytes_of(const Stream& s) { return *hex_bytes(s.hex); }

TEST(Nrv, ReadsWhatLibuclWrites) {
  for (const Stream& s : kStreams) {
    const std::string packed = bytes_of(s);
    MemoryOutput out(1 << 20);
    const auto used = decode_nrv(Bytes(packed + "rest"), s.kind, s.word, 1 << 20, out);
    ASSERT_TRUE(used) << used.error().what;
    EXPECT_EQ(*used, packed.size());
    EXPECT_EQ(out.bytes().text(), plain_text());
    MemoryOutput few(1 << 20);
    EXPECT_FALSE(decode_nrv(Bytes(packed), s.kind, s.word, plain_text().size() - 1, few));
    for (size_t i = 0; i < packed.size(); ++i) {
      MemoryOutput less(1 << 20);
      EXPECT_FALSE(decode_nrv(Bytes(packed).head(i), s.kind, s.word, 1 << 20, less)) << i;
      std::string damaged = packed;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
      MemoryOutput other(1 << 20);
      const auto read = decode_nrv(Bytes(damaged), s.kind, s.word, 4096, other);
      EXPECT_LE(read ? *read : 0, damaged.size());
    }
  }
}

TEST(UpxFilters, UndoesCallsAndJumps) {
  const auto undone = [](uint8_t id, uint8_t parameter, std::string bytes) {
    EXPECT_TRUE(undo_upx_filter(id, parameter, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
    return bytes;
  };
  // A call at 2 of what is at 0x10: 0x10 - 7 relative, 0x10 - 5 + … as the place of its operand counts.
  EXPECT_EQ(undone(0x49, 0x77, std::string("\x90\x90\xe8\x77\0\0\x10", 7) + std::string(8, '\x90')),
            "\x90\x90\xe8" + little(0x10 - 3) + std::string(8, '\x90'));
  EXPECT_EQ(undone(0x49, 0x77, std::string("\x0f\x84\x77\0\0\x20", 6) + std::string(8, '\x90')),
            "\x0f\x84" + little(0x20 - 2) + std::string(8, '\x90'));
  EXPECT_EQ(undone(0x46, 0x77, std::string("\x0f\x84\x77\0\0\x20", 6) + std::string(8, '\x90')),
            std::string("\x0f\x84\x77\0\0\x20", 6) + std::string(8, '\x90'));
  EXPECT_EQ(undone(0x50, 0, little(0) + little(0xeb000011) + little(0)), little(0) + little(0xeb000010) + little(0));
  EXPECT_EQ(undone(0x51, 0, big(0) + big(0xeb000011) + big(0)), big(0) + big(0xeb000010) + big(0));
  EXPECT_EQ(undone(0x52, 0, little(0) + little(0x94000011) + little(0)), little(0) + little(0x94000010) + little(0));
  EXPECT_EQ(undone(0xd0, 5, big(0) + big(0x48000001 | 5u << 22 | 0x40) + big(0)), big(0) + big(0x4800003d) + big(0));
  EXPECT_FALSE(undo_upx_filter(0x80, 0, {}));
}

std::string segment64(uint32_t type, uint64_t at, uint64_t size) {
  return little(type) + little(5) + little(at, 8) + little(at, 8) + little(at, 8) + little(size, 8) + little(size, 8) +
         little(4096, 8);
}
std::string elf64(const std::string& segments) {
  return std::string(
             "\x7f"
             "ELF\2\1\1",
             7) +
         std::string(9, '\0') + little(2, 2) + little(62, 2) + little(1) + little(0x400000, 8) + little(64, 8) +
         little(0, 8) + little(0) + little(64, 2) + little(56, 2) + little(segments.size() / 56, 2) + little(0, 2) +
         little(0, 2) + little(0, 2) + segments;
}

struct UpxSample {
  std::string program, packed;
};

std::string block(size_t size, const std::string& data, int method) {
  return little(size) + little(data.size()) + std::string{static_cast<char>(method), 0, 0, 0} + data;
}

// Two loaded segments, a gap between them and a tail; blocks of every kind; a loader that begins and ends at no
// multiple of four. `lzma`: the tail packed by xz, or empty.
UpxSample upx_sample(const std::string& lzma_text, const std::string& lzma) {
  const std::string text = plain_text();
  const uint64_t first = 64 + 2 * 56 + text.size(), second = first + 24;
  UpxSample s;
  const std::string head = elf64(segment64(1, 0, first) + segment64(1, second, 2 * text.size()));
  const std::string gap = "what lies between them..", tail = lzma.empty() ? "tail" : lzma_text;
  s.program = head + text + gap + text + text + tail;
  const std::string stub = elf64(segment64(1, 0, 64) + segment64(1, 0, 64));
  s.packed =
      stub + little(0) + "UPX!" + little(0x0d160100) + little(0) + little(s.program.size()) + little(s.program.size());
  s.packed += block(head.size(), head, 0) + block(text.size(), bytes_of(kStreams[5]), 8);
  s.packed += block(text.size(), bytes_of(kStreams[1]), 2) + block(text.size(), bytes_of(kStreams[2]), 6);
  s.packed += filled("the loader", 41) + block(gap.size(), gap, 0);
  s.packed += lzma.empty() ? block(tail.size(), tail, 0) : block(tail.size(), std::string("\x1a\x03", 2) + lzma, 14);
  s.packed += little(0) + "UPX!" + little(0);
  const uLong adler =
      adler32(1, reinterpret_cast<const Bytef*>(s.program.data()), static_cast<uInt>(head.size() + text.size()));
  uLong sum = adler;
  const std::string rest = text + text + gap + tail;  // in the order of the blocks
  sum = adler32(sum, reinterpret_cast<const Bytef*>(rest.data()), static_cast<uInt>(rest.size()));
  std::string header = std::string("\x0d\x16\x08\x0a", 4) + little(sum) + little(0) + little(0) + little(0) +
                       little(s.program.size()) + std::string(3, '\0');
  uint32_t total = 0;
  for (const char c : header) total += static_cast<uint8_t>(c);
  s.packed += "UPX!" + header + std::string(1, static_cast<char>(total % 251)) + little(188);
  return s;
}

TEST(Upx, PutsTheProgramTogetherAgain) {
  const UpxSample s = upx_sample({}, {});
  ASSERT_TRUE(s.packed.compare(0xb4, 4, "UPX!") == 0);
  const auto m = measured("upx", s.packed);
  ASSERT_TRUE(m) << m.error().what;
  EXPECT_TRUE(m->verified);
  EXPECT_EQ(m->length, s.packed.size());
  const Collect got = unpacked("upx", s.packed);
  for (const Error& e : got.problems) ADD_FAILURE() << e.what;
  ASSERT_TRUE(got.find("program"));
  EXPECT_EQ(got.find("program")->content, s.program);
  EXPECT_EQ(got.find("loader")->content, filled("the loader", 41));
  for (const Integrity& i : got.integrities) EXPECT_EQ(i.state, "valid") << i.name;
  std::string lying = s.packed;
  lying[lying.size() - 28] ^= 1;  // the program's sum
  lying[lying.size() - 5] = static_cast<char>(lying[lying.size() - 5] + (lying[lying.size() - 28] & 1 ? 1 : -1));
  const Collect other = unpacked("upx", lying);
  ASSERT_FALSE(other.problems.empty());
  EXPECT_EQ(other.problems.front().what, "adler of the program does not match");
  survives("upx", s.packed);
  unpack_survives("upx", s.packed);
}

TEST(Upx, RefusesWhatUpxRefuses) {
  const UpxSample s = upx_sample({}, {});
  const std::string head = s.packed.substr(0, 200);
  // A block that passes the header at the end, though the file goes on.
  std::string far = s.packed;
  const size_t second = 200 + 12 + 64 + 2 * 56;
  put(far, second + 4, little(s.packed.size() - second - 40));
  const Collect got = unpacked("upx", far);
  ASSERT_FALSE(got.problems.empty());
  EXPECT_EQ(got.problems.front().what, "block runs past the end");
  EXPECT_TRUE(got.find("program")->content.empty());
  // A block larger than the header allows, blocks larger than the program, a program shorter than its packed file.
  std::string large = s.packed;
  put(large, 196, little(100));
  EXPECT_EQ(unpacked("upx", large).problems.front().what, "sizes of a block");
  put(large, 196, little(s.program.size() + 1));
  EXPECT_FALSE(measured("upx", large));
  const std::string padded = head + std::string(s.program.size(), 'x') + s.packed.substr(200);
  EXPECT_FALSE(measured("upx", padded));
}

TEST(Upx, ChargesBeforeItDecodes) {
  const UpxSample s = upx_sample({}, {});
  Collect into;
  into.steps = 100'000'000 - 50;
  const auto done = format("upx").unpack(Bytes(s.packed), into);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, Fault::kLimit);
  EXPECT_TRUE(into.out.bytes().empty());
}

TEST(Upx, ReadsLzmaBlocks) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "line " + std::to_string(i * 17 % 100) + " of text; ";
  const std::string lzma = through("xz --format=raw --lzma1=lc=3,lp=0,pb=2,dict=64KiB -c", text);
  if (lzma.empty()) GTEST_SKIP() << "no xz";
  const UpxSample s = upx_sample(text, lzma);
  const Collect got = unpacked("upx", s.packed);
  for (const Error& e : got.problems) ADD_FAILURE() << e.what;
  ASSERT_TRUE(got.find("program"));
  EXPECT_EQ(got.find("program")->content, s.program);
}

TEST(Upx, ReadsWhatUpxPacks) {
  if (through("command -v upx", "").empty()) GTEST_SKIP() << "upx is not installed";
  const std::string plain = made_by("cp /bin/ls out");
  for (const char* option : {"--nrv2b", "--nrv2d", "--nrv2e", "--lzma"}) {
    const std::string packed = made_by(std::string("cp /bin/ls out; upx -q ") + option + " out");
    ASSERT_FALSE(packed.empty()) << "upx " << option << " packs nothing";
    const Collect got = unpacked("upx", packed);
    for (const Error& e : got.problems) ADD_FAILURE() << option << ": " << e.what;
    ASSERT_TRUE(got.find("program")) << option;
    EXPECT_TRUE(got.find("program")->content == plain) << option;
  }
}

uint32_t word_sum(const std::string& bytes, Order order) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 4 <= bytes.size(); i += 4) sum += *Bytes(bytes).get<uint32_t>(i, order, "");
  return sum;
}

std::string number(Order order, uint64_t value, int bytes = 4) {
  return order == Order::kBig ? big(value, bytes) : little(value, bytes);
}

std::string image_entry(Order o, uint32_t mode, const std::string& rest) {
  const std::string padded = filled(rest, (rest.size() + 4) / 4 * 4);
  return number(o, 24 + padded.size(), 2) + number(o, 0, 2) + number(o, 7) + number(o, mode) + number(o, 5) +
         number(o, 6) + number(o, 1000000000) + padded;
}

std::string image_fs(Order o) {
  const auto build = [&](uint32_t file_at) {
    return image_entry(o, 040755, "etc") + image_entry(o, 0100644, number(o, file_at) + number(o, 5) + "etc/motd") +
           image_entry(o, 0120777, number(o, 4, 2) + number(o, 8, 2) + std::string("bin\0proc/boot", 13)) +
           image_entry(o, 0020600, number(o, 1) + number(o, 5 << 10 | 1023) + "dev/con") + number(o, 0, 2) +
           number(o, 0, 2);
  };
  const uint32_t directory = 92, end = directory + static_cast<uint32_t>(build(0).size());
  const std::string files = filled("hello", 8);
  std::string fs = "imagefs" + std::string(1, o == Order::kBig ? 1 : 0) + number(o, end + files.size() + 4) +
                   number(o, end) + number(o, directory);
  fs = filled(filled(fs, 88) + "/", 92) + build(end) + files;
  return fs + number(o, 0u - word_sum(fs, o));
}

std::string boot_image(Order o, int packing, const std::string& fs, const std::string& stored_fs) {
  const uint32_t startup = 256 + 16;
  std::string rest = filled(stored_fs, (stored_fs.size() + 3) / 4 * 4);
  if (packing) rest += number(o, 0u - word_sum(rest, o));
  std::string head = number(o, 0x00ff7eeb) + number(o, 1, 2) +
                     std::string{static_cast<char>((o == Order::kBig ? 2 : 0) | packing << 2), 0};
  head += number(o, 256, 2) + number(o, 40, 2) + number(o, 0x80001000) + number(o, 0) + number(o, 0x80000000) +
          number(o, 0) + number(o, 0);
  head += number(o, startup) + number(o, startup + rest.size()) + number(o, 0) + number(o, fs.size());
  head = filled(head, 256) + filled("startup code", 12);
  return head + number(o, 0u - word_sum(head, o)) + rest;
}

void check_fs(const std::string& fs) {
  const Collect got = unpacked("qnx-imagefs", fs);
  for (const Error& e : got.problems) ADD_FAILURE() << e.what;
  ASSERT_TRUE(got.find("etc/motd") && got.find("bin") && got.find("dev/con") && got.find("etc"));
  EXPECT_EQ(got.find("etc/motd")->content, "hello");
  EXPECT_EQ(got.find("etc/motd")->node.mode, 0644u);
  EXPECT_EQ(got.find("etc/motd")->node.uid, 6u);
  EXPECT_EQ(got.find("bin")->node.target, "proc/boot");
  EXPECT_EQ(got.find("dev/con")->node.kind, Kind::kCharDevice);
  EXPECT_EQ(got.find("dev/con")->node.device, uint64_t{5} << 32 | 1023);
}

TEST(QnxIfs, ReadsBothByteOrders) {
  for (const Order o : {Order::kLittle, Order::kBig}) {
    const std::string fs = image_fs(o), boot = boot_image(o, 0, fs, fs);
    reads("qnx-ifs", boot, "imagefs", fs);
    EXPECT_TRUE(measured("qnx-ifs", boot)->verified);
    EXPECT_TRUE(measured("qnx-imagefs", fs)->verified);
    check_fs(fs);
    survives("qnx-imagefs", fs);
    std::string lying = fs;
    lying[lying.size() - 6] ^= 1;
    EXPECT_FALSE(measured("qnx-imagefs", lying)->verified);
  }
}

TEST(QnxIfs, WantsSumsOfWholeWordsThatAreNotAllZero) {
  const std::string fs = image_fs(Order::kLittle), boot = boot_image(Order::kLittle, 0, fs, fs);
  std::string damaged = boot;
  damaged[260] ^= 1;  // startup's sum is gone; what is behind it still has one
  EXPECT_TRUE(measured("qnx-ifs", damaged)->verified);
  const std::string empty = damaged.substr(0, 272) + std::string(fs.size(), '\0');
  EXPECT_FALSE(measured("qnx-ifs", empty)->verified);
  std::string uneven = boot;
  put(uneven, 36, little(boot.size() - 1));
  EXPECT_FALSE(measured("qnx-ifs", uneven));
  put(uneven, 36, little(boot.size()) + little(0) + little(fs.size() + 4));
  EXPECT_EQ(unpacked("qnx-ifs", uneven).problems.back().offset, 44u);
  std::string named = fs;
  put(named, 92 + 8, little(0050644));  // a directory becomes a special named file
  EXPECT_EQ(unpacked("qnx-imagefs", named).problems.back().what, "entry of mode 20900");
  EXPECT_EQ(unpacked("qnx-imagefs", named).find("etc"), nullptr);
  put(named, 8, little(fs.size() - 2));
  EXPECT_FALSE(measured("qnx-imagefs", named));
}

TEST(QnxIfs, ReadsPackedFileSystems) {
  const std::string text = plain_text(), ucl = bytes_of(kStreams[0]);
  const std::string boot = boot_image(Order::kLittle, 3, text, big(ucl.size(), 2) + ucl + big(0, 2));
  const Collect got = unpacked("qnx-ifs", boot);
  for (const Error& e : got.problems) ADD_FAILURE() << e.what;
  ASSERT_TRUE(got.find("imagefs"));
  EXPECT_EQ(got.find("imagefs")->content, text);
  const std::string gzip = through("gzip -nc", text);
  if (gzip.empty()) GTEST_SKIP() << "no gzip";
  EXPECT_EQ(unpacked("qnx-ifs", boot_image(Order::kLittle, 1, text, gzip)).find("imagefs")->content, text);
  std::string cut = boot_image(Order::kLittle, 3, text, big(ucl.size(), 2) + ucl.substr(0, 40));
  EXPECT_FALSE(unpacked("qnx-ifs", cut).problems.empty());
}

TEST(QnxDeflate, ReadsUclBlocks) {
  const std::string text = plain_text(), ucl = bytes_of(kStreams[0]);
  std::string sample = "iwlyfmbp" + little(2 * text.size()) + little(4096, 2) + std::string("\1\0", 2);
  for (int i = 0; i < 2; ++i)
    sample += little(i ? ucl.size() + 8 : 0, 2) + little(ucl.size() + 8, 2) + little(i ? text.size() : 0, 2) +
              little(text.size(), 2) + ucl;
  sample += little(ucl.size() + 8, 2) + little(0, 2) + little(text.size(), 2) + little(0, 2);
  MemoryOutput out(1 << 20);
  const auto decoded = format("qnx-deflate").decode(Bytes(sample), out);
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->length, sample.size());
  EXPECT_EQ(out.bytes().text(), text + text);
  for (size_t i = 0; i < sample.size(); i += 3) {
    MemoryOutput less(1 << 20);
    EXPECT_FALSE(format("qnx-deflate").decode(Bytes(sample).head(i), less)) << i;
  }
}

// A run of literals and the end: what of LZO1X is easily written by hand.
std::string lzo_literals(const std::string& text) {
  return std::string(1, static_cast<char>(17 + text.size())) + text + std::string("\x11\0\0", 3);
}

TEST(QnxDeflate, ReadsLzoBlocks) {
  const std::string text = "literals and nothing else", lzo = lzo_literals(text);
  const std::string sample = "iwlyfmbp" + little(text.size()) + little(4096, 2) + std::string("\0\0", 2) +
                             little(0, 2) + little(lzo.size() + 8, 2) + little(0, 2) + little(text.size(), 2) + lzo +
                             little(lzo.size() + 8, 2) + little(0, 2) + little(text.size(), 2) + little(0, 2);
  MemoryOutput out(1 << 20);
  const auto decoded = format("qnx-deflate").decode(Bytes(sample), out);
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->length, sample.size());
  EXPECT_EQ(out.bytes().text(), text);
  const std::string boot =
      boot_image(Order::kBig, 2, text + text, big(lzo.size(), 2) + lzo + big(lzo.size(), 2) + lzo + big(0, 2));
  const Collect got = unpacked("qnx-ifs", boot);
  for (const Error& e : got.problems) ADD_FAILURE() << e.what;
  EXPECT_EQ(got.find("imagefs")->content, text + text);
}

std::string vxworks_image(Order o, uint32_t base, bool swapped) {
  std::string image = filled("VxWorks WIND version 2.6", 64 << 10, '\x5a') + std::string(1, '\0');
  std::vector<uint32_t> names;
  for (int i = 0; i < 300; ++i) {
    names.push_back(base + static_cast<uint32_t>(image.size()));
    image += "symbol_" + std::to_string(i * 7919 % 1000) + std::string(1, '\0');
  }
  image = filled(image, (image.size() + 7) / 4 * 4);
  for (int i = 0; i < 300; ++i) {
    const char type = static_cast<char>(5 + i % 3 * 2);
    image += number(o, names[i]) + number(o, base + 0x100u + static_cast<uint32_t>(i));
    image += swapped ? std::string{0, type, 0, 0} : std::string{0, 0, type, 0};
    image += std::string(4, '\0');
  }
  return image + filled("behind", 600, 'b');
}

TEST(VxWorks, FindsSymbolsAndTheLoadAddress) {
  for (const Order o : {Order::kBig, Order::kLittle})
    for (const bool swapped : {false, true}) {
      const std::string image = vxworks_image(o, 0x80010000, swapped);
      const auto m = measured("vxworks", image);
      ASSERT_TRUE(m) << m.error().what;
      EXPECT_EQ(m->length, image.size());
      EXPECT_FALSE(m->verified);
      const Collect got = unpacked("vxworks", image);
      EXPECT_EQ(got.notes.at("load address"), "0x80010000");
      EXPECT_EQ(got.notes.at("symbols"), "300");
      const std::string& text = got.find("symbols")->content;
      EXPECT_TRUE(text.starts_with("80010100 T symbol_0\n80010101 D symbol_919\n80010102 B symbol_838\n"))
          << text.substr(0, 80);
      EXPECT_EQ(std::ranges::count(text, '\n'), 300);
      EXPECT_EQ(got.find("image-" + hex_number(image.size() - 600))->content.substr(0, 6), "behind");
    }
  const std::string image = vxworks_image(Order::kBig, 0x80010000, false);
  EXPECT_FALSE(measured("vxworks", image.substr(0, image.size() - 600 - 60 * 16)));
  std::string unnamed = image;
  put(unnamed, 0, std::string(24, 'x'));
  EXPECT_FALSE(measured("vxworks", unnamed));
}

// Where a cut or a damage leaves the table, its symbols and the load address are those of the whole image.
TEST(VxWorks, BearsDamage) {
  const std::string image = vxworks_image(Order::kBig, 0x80010000, false);
  const size_t table = image.size() - 600 - 300 * 16;
  for (const size_t size : {image.size() - 1, image.size() - 600, image.size() - 600 - 40 * 16}) {
    const Collect got = unpacked("vxworks", image.substr(0, size));
    EXPECT_EQ(got.notes.at("symbols"), std::to_string((std::min(size, image.size() - 600) - table) / 16));
    EXPECT_EQ(got.notes.at("load address"), "0x80010000");
  }
  for (const size_t size : {size_t{0}, size_t{100}, table, image.size() - 600 - 60 * 16})
    EXPECT_FALSE(measured("vxworks", image.substr(0, size))) << size;
  std::string nameless = image;
  put(nameless, table + 16, big(0x80010000));  // the second symbol's name would stand where the image begins
  const Collect got = unpacked("vxworks", nameless);
  EXPECT_EQ(got.notes.at("symbols without a name"), "1");
  EXPECT_EQ(std::ranges::count(got.find("symbols")->content, '\n'), 299);
  std::string halved = image;
  halved[table + 150 * 16 + 10] = 0x22;  // no type: neither half of the table is long enough
  EXPECT_FALSE(measured("vxworks", halved));
}

TEST(MachO, MeasuresWhatClangWrites) {
  const std::string object =
      made_by("echo 'int f(int x){return x+1;}' > a.c; clang-19 -target x86_64-apple-darwin -c a.c -o out");
  const std::string arm =
      made_by("echo 'int f(int x){return x+1;}' > a.c; clang-19 -target arm64-apple-darwin -c a.c -o out");
  if (object.empty() || arm.empty()) GTEST_SKIP() << "no clang-19";
  for (const std::string* o : {&object, &arm}) {
    const auto m = measured("macho", *o + "further bytes");
    ASSERT_TRUE(m) << m.error().what;
    EXPECT_TRUE(m->verified);
    EXPECT_GE(m->length + 8, o->size());  // clang pads its string table
    EXPECT_LE(m->length, o->size());
    for (size_t i = 0; i < o->size(); i += 3) {
      const auto less = measured("macho", o->substr(0, i));
      EXPECT_LE(less ? less->length : 0, i);
      std::string damaged = *o;
      damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
      const auto other = measured("macho", damaged);
      EXPECT_LE(other ? other->length : 0, o->size());
    }
  }
  const std::string fat = filled(big(0xcafebabe) + big(2) + big(7) + big(3) + big(64) + big(object.size()) + big(3) +
                                     big(12) + big(0) + big(64 + object.size()) + big(arm.size()) + big(3),
                                 64) +
                          object + arm;
  reads("macho-fat", fat, "program1", arm);
}

// A ROM of 64 KiB: zeros, the places of 300 addresses and of 300 distances, the code that holds them, fixed fields.
std::string pc_rom() {
  constexpr size_t kSize = 0x10000, kStart = 0x800, kCode = 0x4000, kPlaces = 300;
  std::string b(kSize, '\0');
  for (size_t i = 0; i < kPlaces; ++i) {
    put(b, kStart + 4 * i, little(0x10 + 8 * i));
    put(b, kCode + 0x10 + 8 * i, little(0xf5000 + i));
    put(b, kStart + 4 * (kPlaces + i), little(0xc + 8 * i));
    put(b, kCode + 0xc + 8 * i, little(0x40 + i));
  }
  put(b, 0x9000, "SeaBIOS (version %s)");
  put(b, 0x9100, "rel-1.16.2-0-gea1b7a0");
  put(b, 0x9200, "\x68" + little(0xf9100) + "\x68" + little(0xf9000));
  put(b, 0xe6f5, std::string("\x08\0\xfc\0", 4));
  put(b, 0xff53, "\xcf");
  put(b, 0xfff0,
      std::string("\xea\x5b\xe0\0\xf0"
                  "06/23/99\0\xfc\0",
                  16));
  return b;
}

TEST(SeaBios, RelocationsPinIt) {
  const std::string sample = pc_rom();
  const auto m = measured("seabios", sample);
  ASSERT_TRUE(m) << m.error().what;
  EXPECT_EQ(m->length, sample.size());
  const Collect got = unpacked("seabios", sample);
  EXPECT_EQ(got.notes.at("version"), "rel-1.16.2-0-gea1b7a0");
  EXPECT_EQ(got.notes.at("start-up code"), "0x4000");
  for (const size_t at : {0x801, 0x4012, 0x4013, 0xff53, 0xe6f7}) {  // a place, an address, the PC's fixed fields
    std::string damaged = sample;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x77);
    EXPECT_FALSE(measured("seabios", damaged)) << at;
  }
  EXPECT_FALSE(measured("seabios", sample.substr(0x100)));
  for (size_t i = 0; i < sample.size(); i += 251) {
    std::string damaged = sample;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
    if (measured("seabios", damaged)) unpacked("seabios", damaged);
  }
}

TEST(SeaBios, ImagesOfDebian) {
  for (const char* name : {"bios.bin", "bios-256k.bin", "bios-microvm.bin"}) {
    const std::string bytes = slurp(std::string("/usr/share/seabios/") + name);
    if (bytes.empty()) GTEST_SKIP() << "seabios is not installed";
    const auto m = measured("seabios", bytes);
    ASSERT_TRUE(m) << name << ": " << m.error().what;
    const Collect got = unpacked("seabios", bytes);
    EXPECT_TRUE(got.notes.at("version").starts_with("1.")) << got.notes.at("version");
    EXPECT_GE(std::stoul(got.notes.at("relocations")), 800u);
  }
}

}  // namespace
}  // namespace assay::unpack
