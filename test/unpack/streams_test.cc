// The formats around the codecs: where a stream ends, which streams belong together, and what is refused.
#include <gtest/gtest.h>

#include "test/unpack/tool.h"
#include "unpack/format.h"
#include "unpack/scan.h"

namespace assay::unpack {
namespace {

std::string sample() {
  std::string text;
  for (uint32_t i = 0, x = 1; i < 3000; ++i, x = x * 1664525 + 1013904223)
    text += "line " + std::to_string(x >> 20) + "\n";
  return text;
}

std::string random_bytes(size_t size) {
  std::string bytes(size, '\0');
  uint64_t x = 88172645463325252;
  for (char& c : bytes) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    c = static_cast<char>(x >> 32);
  }
  return bytes;
}

struct Case {
  const char *format, *command;
};

class StreamTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    packed_ = through(GetParam().command, sample());
    if (packed_.empty()) GTEST_SKIP() << GetParam().command << " is not installed";
  }
  Result<Decoded> decode(const std::string& bytes) {
    out_.clear();
    return find_format(GetParam().format)->decode(Bytes(bytes), out_);
  }
  std::string packed_;
  MemoryOutput out_{16 << 20};
};

TEST_P(StreamTest, EndsWhereItEnds) {
  const auto decoded = decode(packed_ + std::string(40, '\xff'));
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->length, packed_.size());
  EXPECT_EQ(out_.bytes().text(), sample());
}

TEST_P(StreamTest, EveryTruncationIsAnError) {
  for (size_t length = 0; length < packed_.size(); length += 1 + packed_.size() / 250)
    EXPECT_FALSE(decode(packed_.substr(0, length))) << length;
}

TEST_P(StreamTest, FlippedBytesDoNotDecodeToSomethingElseUnlessUnverified) {
  for (size_t at = 0; at < packed_.size(); at += 1 + packed_.size() / 250) {
    std::string bad = packed_;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    const auto decoded = decode(bad);
    if (decoded) {
      EXPECT_LE(decoded->length, bad.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tools, StreamTest,
                         testing::Values(Case{"gzip", "gzip -9n"}, Case{"bzip2", "bzip2"}, Case{"xz", "xz"},
                                         Case{"lzma", "xz --format=lzma"}, Case{"zstd", "zstd -q"},
                                         Case{"lz4", "lz4 -q -9 - -"}, Case{"lzop", "lzop -9"}),
                         [](const auto& given) { return std::string(given.param.format); });

TEST(Streams, ThoseInARowAreOne) {
  for (const Case& c : {Case{"gzip", "gzip -n"}, Case{"bzip2", "bzip2"}, Case{"xz", "xz"}, Case{"zstd", "zstd -q"},
                        Case{"lz4", "lz4 -q - -"}}) {
    const std::string one = through(c.command, "first "), two = through(c.command, "second");
    if (one.empty()) continue;
    MemoryOutput out(1000);
    const auto decoded = find_format(c.format)->decode(Bytes(one + two + one.substr(0, one.size() / 2)), out);
    ASSERT_TRUE(decoded) << c.format;
    EXPECT_EQ(decoded->length, one.size() + two.size()) << c.format;
    EXPECT_EQ(out.bytes().text(), "first second") << c.format;
  }
}

TEST(Streams, PaddingAndSkippableFramesBetween) {
  const std::string xz = through("xz", "first ");
  if (xz.empty()) GTEST_SKIP() << "xz is not installed";
  MemoryOutput out(1000);
  EXPECT_EQ(find_format("xz")->decode(Bytes(xz + std::string(8, '\0') + xz + std::string(8, '\0')), out)->length,
            2 * xz.size() + 8);
  const std::string zstd = through("zstd -q", "first "), skippable("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
  if (zstd.empty()) GTEST_SKIP() << "zstd is not installed";
  out.clear();
  EXPECT_EQ(find_format("zstd")->decode(Bytes(zstd + skippable + zstd), out)->length, 2 * zstd.size() + 11);
  EXPECT_EQ(out.bytes().text(), "first first ");
}

TEST(Gzip, NameIsKept) {
  const auto bytes = made_by("printf x > stored-name; gzip -N stored-name; mv stored-name.gz out");
  if (bytes.empty()) GTEST_SKIP() << "gzip is not installed";
  MemoryOutput out(10);
  EXPECT_EQ(find_format("gzip")->decode(Bytes(bytes), out)->name, "stored-name");
}

TEST(Zlib, ShortStreamsAreNotBelieved) {
  // "abc" deflated: correct, but three bytes prove nothing.
  const std::string tiny("\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01\x27", 11);
  MemoryOutput out(100);
  EXPECT_FALSE(find_format("zlib")->decode(Bytes(tiny), out));
  EXPECT_EQ(out.written(), 0u);
}

TEST(Lzma, ZerosAndImplausibleHeadersAreRefused) {
  MemoryOutput out(1 << 20);
  const auto refuses = [&](std::string head) {
    head.resize(4000, '\0');
    return !find_format("lzma")->decode(Bytes(head), out);
  };
  EXPECT_TRUE(refuses(std::string("\x5d\0\0\x80\0\x40\0\0\0\0\0\0\0", 13)));
  EXPECT_TRUE(refuses(std::string("\x5d\0\0\x81\0\x40\0\0\0\0\0\0\0\0abcd", 18)));
  EXPECT_TRUE(refuses(std::string("\x5d\0\0\x80\0\x40\0\0\0\0\x01\0\0\0abcd", 18)));
}

// The weak magics (zlib, lzma, old cpio) stand many times in noise, and must all be refused.
TEST(Streams, RefusalsInNoise) {
  const std::string noise = random_bytes(1 << 20);
  const auto hits = scan(Bytes(noise));
  MemoryOutput out(1 << 20);
  size_t accepted = 0;
  for (const Hit& hit : hits) {
    const Bytes from = Bytes(noise).head(noise.size(), hit.start);
    out.clear();
    accepted += hit.format->decode ? hit.format->decode(from, out).has_value() : hit.format->measure(from).has_value();
  }
  EXPECT_GT(hits.size(), 20u);
  EXPECT_EQ(accepted, 0u);
}

TEST(Pictures, EndsAreExact) {
  const std::string gif("GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b",
                        35);
  EXPECT_EQ(find_format("gif")->measure(Bytes(gif + "tail"))->length, gif.size());
  const std::string png("\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82", 20);
  EXPECT_EQ(find_format("png")->measure(Bytes(png + "tail"))->length, png.size());
  const std::string jpeg("\xff\xd8\xff\xe0\0\x04JF\xff\xc0\0\x03x\xff\xda\0\x03y\x12\xff\0\x34\xff\xd0\x56\xff\xd9",
                         27);
  EXPECT_EQ(find_format("jpeg")->measure(Bytes(jpeg + "tail"))->length, jpeg.size());
  for (const auto& [id, bytes] : {std::pair("gif", gif), std::pair("png", png), std::pair("jpeg", jpeg)})
    for (size_t length = 0; length < bytes.size(); ++length)
      EXPECT_FALSE(find_format(id)->measure(Bytes(std::string_view(bytes).substr(0, length)))) << id << length;
}

// A class Empty with a text, a long number and one method with an attribute.
std::string java_class() {
  std::string out("\xca\xfe\xba\xbe\0\0\0\x34\0\x08", 10);
  out += std::string(
      "\x01\0\x05"
      "Empty"
      "\x07\0\1"
      "\x05\0\0\0\0\0\0\0\x01"
      "\x01\0\x01m"
      "\x01\0\x03()V",
      30);
  out += std::string(
      "\x01\0\x04"
      "Code",
      7);                                                                // the seventh: a long number is two
  out += std::string("\0\x21\0\2\0\0\0\0\0\0", 10);                      // flags, class, base, interfaces, fields
  out += std::string("\0\1\0\1\0\5\0\6\0\1\0\7\0\0\0\x02\xab\xcd", 18);  // the method
  return out + std::string("\0\0", 2);
}

TEST(Programs, JavaClassEndsWhereItsLastAttributeDoes) {
  const std::string good = java_class();
  const auto measure = [](std::string_view bytes) { return find_format("java-class")->measure(Bytes(bytes)); };
  ASSERT_TRUE(measure(good));
  EXPECT_EQ(measure(good + "tail")->length, good.size());
  EXPECT_TRUE(measure(good)->verified);
  for (size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(measure(good.substr(0, length))) << length;
  std::string lies = good;
  lies[10] = 13;  // no constant of this kind
  EXPECT_FALSE(measure(lies));
  lies = good, lies[7] = 2;  // what a fat Mach-O file says of its programs
  EXPECT_EQ(measure(lies).error().fault, Fault::kForeign);
  lies = good, lies[good.size() - 8] = 1;  // an attribute longer than the file
  EXPECT_FALSE(measure(lies));
}

TEST(Programs, DexIsHeldToItsChecksum) {
  std::string good("dex\n035\0", 8);
  const auto number = [&](uint32_t value) {
    for (int i = 0; i < 4; ++i) good.push_back(static_cast<char>(value >> 8 * i));
  };
  number(0);
  good += std::string(20, 'd');
  number(120), number(112), number(0x12345678);
  good.resize(120, 'x');
  uint32_t a = 1, b = 0;  // Adler-32
  for (size_t i = 12; i < good.size(); ++i) a = (a + static_cast<uint8_t>(good[i])) % 65521, b = (b + a) % 65521;
  for (int i = 0; i < 4; ++i) good[8 + static_cast<size_t>(i)] = static_cast<char>((b << 16 | a) >> 8 * i);
  const auto measure = [](std::string_view bytes) { return find_format("dex")->measure(Bytes(bytes)); };
  ASSERT_TRUE(measure(good));
  EXPECT_EQ(measure(good + "tail")->length, good.size());
  for (size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(measure(good.substr(0, length))) << length;
  std::string lies = good;
  lies.back() = 'y';
  EXPECT_FALSE(measure(lies));
  lies = good, lies[32] = 111;  // shorter than its header
  EXPECT_FALSE(measure(lies));
}

}  // namespace
}  // namespace assay::unpack
