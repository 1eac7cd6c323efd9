// Our own LZMA decoder against liblzma's encoder, with and without end marker; and the headers vendors write.
#include <gtest/gtest.h>
#include <lzma.h>

#include "unpack/format.h"
#include "unpack/lzma_open.h"

namespace assay::unpack {
namespace {

std::string sample() {
  std::string text;
  for (uint32_t i = 0, x = 1; i < 30000; ++i, x = x * 1664525 + 1013904223)
    text += "line " + std::to_string(x >> 20) + "\n";
  return text + "end";
}

struct Shape {
  uint32_t lc, lp, pb, dictionary;
  bool marker;
};

std::string encode(const std::string& plain, const Shape& shape) {
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 6);
  options.lc = shape.lc, options.lp = shape.lp, options.pb = shape.pb, options.dict_size = shape.dictionary;
  options.ext_flags = shape.marker ? LZMA_LZMA1EXT_ALLOW_EOPM : 0;
  options.ext_size_low = shape.marker ? UINT32_MAX : static_cast<uint32_t>(plain.size());
  options.ext_size_high = shape.marker ? UINT32_MAX : 0;
  const lzma_filter filters[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  std::string out(plain.size() + 1000, '\0');
  size_t size = 0;
  const auto status = lzma_raw_buffer_encode(filters, nullptr, reinterpret_cast<const uint8_t*>(plain.data()),
                                             plain.size(), reinterpret_cast<uint8_t*>(out.data()), &size, out.size());
  EXPECT_EQ(status, LZMA_OK);
  out.resize(size);
  return out;
}

std::string header(const Shape& s) {
  std::string bytes(5, '\0');
  bytes[0] = static_cast<char>((s.pb * 5 + s.lp) * 9 + s.lc);
  for (int i = 0; i < 4; ++i) bytes[1 + i] = static_cast<char>(s.dictionary >> 8 * i);
  return bytes;
}

LzmaProperties properties(const Shape& s) {
  return {static_cast<uint8_t>(s.lc), static_cast<uint8_t>(s.lp), static_cast<uint8_t>(s.pb), s.dictionary};
}

const Shape kShapes[] = {{3, 0, 2, 8 << 20, true},
                         {3, 0, 2, 8 << 20, false},
                         {1, 2, 2, 1 << 16, false},
                         {0, 4, 0, 4096, false},
                         {4, 0, 4, 1 << 20, true}};

TEST(LzmaOpen, FindsTheEnd) {
  for (const Shape& shape : kShapes) {
    const std::string packed = encode(sample(), shape);
    for (const std::string& tail : {std::string(), std::string(40, '\0'), std::string(40, '\xff')}) {
      MemoryOutput out(8 << 20);
      const auto used = decode_lzma_open(Bytes(packed + tail), properties(shape), out);
      ASSERT_TRUE(used) << used.error().what;
      EXPECT_EQ(*used, packed.size());
      EXPECT_TRUE(out.bytes().text() == sample());
    }
  }
}

TEST(LzmaOpen, TruncationsAndFlipsEnd) {
  const std::string packed = encode(sample().substr(0, 3000), kShapes[1]);
  for (size_t length = 0; length < packed.size(); ++length) {
    MemoryOutput out(1 << 20);
    EXPECT_FALSE(decode_lzma_open(Bytes(std::string_view(packed).substr(0, length)), properties(kShapes[1]), out))
        << length;
  }
  for (size_t at = 0; at < packed.size(); ++at) {
    std::string bad = packed;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    MemoryOutput out(1 << 20);
    EXPECT_LE(decode_lzma_open(Bytes(bad), properties(kShapes[1]), out).value_or(0), bad.size());
  }
}

TEST(LzmaVendor, EveryHeader) {
  const Format* format = find_format("lzma-vendor");
  for (const Shape& shape : kShapes) {
    const std::string packed = encode(sample(), shape);
    const std::string wrong("\x10\x20\0\0\0\0\0\0", 8);  // 0x2010 bytes, too few
    for (const std::string& size : {std::string(), wrong.substr(0, 4), wrong}) {
      const std::string stream = header(shape) + size + packed;
      MemoryOutput out(8 << 20);
      const auto decoded = format->decode(Bytes(stream + std::string(64, '\xff')), out);
      ASSERT_TRUE(decoded) << decoded.error().what;
      EXPECT_EQ(decoded->length, stream.size());
      EXPECT_TRUE(out.bytes().text() == sample());
    }
  }
}

TEST(LzmaVendor, LeavesPlainStreamsToTheirFormat) {
  const std::string plain = header(kShapes[0]) + std::string(8, '\xff') + encode(sample(), kShapes[0]);
  MemoryOutput out(8 << 20);
  EXPECT_FALSE(find_format("lzma-vendor")->decode(Bytes(plain), out));
  EXPECT_EQ(out.written(), 0u);
  EXPECT_TRUE(find_format("lzma")->decode(Bytes(plain), out));
}

}  // namespace
}  // namespace assay::unpack
