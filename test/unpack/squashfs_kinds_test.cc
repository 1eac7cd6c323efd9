// SquashFS of every version, byte order and packing, built here: what today's mksquashfs cannot write.
#include "test/unpack/collect.h"

#include <gtest/gtest.h>
#include <lzma.h>
#include <zlib.h>

namespace assay::unpack {
namespace {

const Format& squashfs() { return *find_format("squashfs"); }

// Writes fields one behind the other, as a compiler of that byte order lays out bit fields.
class Bits {
 public:
  explicit Bits(Order order) : order_(order) {}
  Bits& put(uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i, ++at_) {
      if (at_ % 8 == 0) bytes_.push_back('\0');
      const unsigned from = order_ == Order::kLittle ? i : width - 1 - i,
                     to = order_ == Order::kLittle ? at_ % 8 : 7 - at_ % 8;
      bytes_.back() = static_cast<char>(bytes_.back() | (value >> from & 1) << to);
    }
    return *this;
  }
  Bits& text(std::string_view text) {
    for (const char c : text) put(static_cast<uint8_t>(c), 8);
    return *this;
  }
  size_t size() const { return bytes_.size(); }
  const std::string& bytes() const { return bytes_; }

 private:
  Order order_;
  std::string bytes_;
  unsigned at_ = 0;
};

std::string zlib(const std::string& text) {
  uLongf length = compressBound(text.size());
  std::string out(length, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &length, reinterpret_cast<const Bytef*>(text.data()), text.size());
  out.resize(length);
  return out;
}

std::string raw_lzma(const std::string& text, uint32_t lc, uint32_t lp, uint32_t pb) {
  lzma_options_lzma options{};
  lzma_lzma_preset(&options, 6);
  options.dict_size = 1 << 16;
  options.lc = lc;
  options.lp = lp;
  options.pb = pb;
  options.ext_size_low = options.ext_size_high = ~0u;  // no end marker
  options.ext_flags = 0;
  const lzma_filter filters[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  std::string out(text.size() * 2 + 1000, '\0');
  size_t at = 0;
  const auto status = lzma_raw_buffer_encode(filters, nullptr, reinterpret_cast<const uint8_t*>(text.data()),
                                             text.size(), reinterpret_cast<uint8_t*>(out.data()), &at, out.size());
  EXPECT_EQ(status, LZMA_OK);
  out.resize(at);
  return out;
}

std::string le(uint64_t value, unsigned bytes) { return Bits(Order::kLittle).put(value, 8 * bytes).bytes(); }
char properties(uint32_t lc, uint32_t lp, uint32_t pb) { return static_cast<char>((pb * 5 + lp) * 9 + lc); }

using Pack = std::string (*)(const std::string&);
struct Wrapping {
  const char* name;
  Pack pack;
};
const Wrapping kKinds[] = {
    {"zlib", zlib},
    {"lzma, 13-byte header",
     [](const std::string& t) {
       return properties(1, 2, 2) + le(0x02000000, 4) + le(t.size(), 8) + raw_lzma(t, 1, 2, 2);
     }},
    {"lzma, 5-byte properties",
     [](const std::string& t) { return properties(1, 2, 2) + le(8 << 20, 4) + raw_lzma(t, 1, 2, 2); }},
    {"lzma, 5-byte properties behind 4 bytes",
     [](const std::string& t) {
       return le(t.size(), 4) + properties(3, 0, 2) + le(1 << 16, 4) + raw_lzma(t, 3, 0, 2);
     }},
    {"lzma, 4-byte parameters",
     [](const std::string& t) { return std::string("\2\0\2\x80", 4) + raw_lzma(t, 0, 2, 2); }},
    {"lzma, no header, lc 3 lp 0 pb 2", [](const std::string& t) { return raw_lzma(t, 3, 0, 2); }},
    {"lzma, no header, lc 0 lp 0 pb 2", [](const std::string& t) { return raw_lzma(t, 0, 0, 2); }},
    {"lzma, no header, lc 2 lp 1 pb 0", [](const std::string& t) { return raw_lzma(t, 2, 1, 0); }},
    {"lzma, no header, lc 3 lp 0 pb 2 behind 4 bytes",
     [](const std::string& t) { return "7zip" + raw_lzma(t, 3, 0, 2); }},
};

// One image: a directory with a file of one block, a link, a device and a pipe.
class Builder {
 public:
  Builder(uint16_t version, Order order, Pack pack) : version_(version), order_(order), pack_(pack) {
    for (int i = 0; i < 900; ++i) content += "line " + std::to_string(i * 7919) + "\n";
  }
  std::string content;

  std::string build(const std::string& magic) {
    const std::string data = pack_(content);
    const uint64_t start = kSuper[version_], table = start + data.size();
    Bits inodes(order_);
    const size_t file = add_file(inodes, start, data.size()), link = add_link(inodes), device = add_device(inodes),
                 pipe = add_pipe(inodes);
    Bits names(order_);
    const unsigned type_width = version_ == 4 ? 16 : 3;
    if (version_ == 4)
      names.put(3, 32).put(0, 32).put(1, 32);
    else if (version_ == 3)
      names.put(3, 8).put(0, 32).put(1, 32);
    else
      names.put(3, 8).put(0, 24);
    const auto name = [&](const char* text, size_t at, unsigned type) {
      names.put(at, version_ == 4 ? 16 : 13);
      if (version_ == 4) names.put(0, 16);
      names.put(type, type_width).put(std::strlen(text) - 1, version_ == 4 ? 16 : 8);
      if (version_ == 3) names.put(0, 16);
      names.text(text);
    };
    name("console", device, 5);
    name("file", file, 2);
    name("link", link, 3);
    name("pipe", pipe, 6);
    const size_t root = add_root(inodes, names.size());
    const std::string inode_block = block(inodes.bytes()), name_block = block(names.bytes());
    std::string out = data + inode_block + name_block;
    uint64_t ids = start + out.size();
    if (version_ == 4) {
      out += block(Bits(order_).put(1000, 32).bytes());
      out += Bits(order_).put(ids, 64).bytes();
      ids = start + out.size() - 8;
    } else {
      out += Bits(order_).put(1000, 32).put(1001, 32).bytes();
    }
    return super(magic, root, table, table + inode_block.size(), ids, start + out.size()) + out;
  }

 private:
  static constexpr uint64_t kSuper[] = {0, 51, 63, 119, 96};

  std::string block(const std::string& text) {
    const std::string packed = pack_(text);
    return Bits(order_).put(packed.size(), 16).bytes() + packed;
  }
  // Common fields; version 1: user 0, group 15 (the user's).
  void head(Bits& to, unsigned type, unsigned mode, unsigned number) {
    if (version_ == 4) return void(to.put(type, 16).put(mode, 16).put(0, 16).put(0, 16).put(77, 32).put(number, 32));
    to.put(type, 4).put(mode, 12).put(0, version_ == 1 ? 4 : 8).put(version_ == 1 ? 15 : 0, version_ == 1 ? 4 : 8);
    if (version_ == 3) to.put(77, 32).put(number, 32);
  }
  size_t add_file(Bits& to, uint64_t start, size_t packed) {
    const size_t at = to.size();
    head(to, 2, 0644, 1);
    if (version_ < 3) to.put(77, 32);
    to.put(start, version_ == 3 ? 64 : 32);
    if (version_ > 1) to.put(~0u, 32).put(0, 32);
    to.put(content.size(), 32);
    to.put(packed, version_ == 1 ? 16 : 32);
    return at;
  }
  size_t add_link(Bits& to) {
    const size_t at = to.size();
    head(to, 3, 0777, 2);
    if (version_ >= 3) to.put(1, 32);
    to.put(4, version_ == 4 ? 32 : 16).text("file");
    return at;
  }
  size_t add_device(Bits& to) {
    const size_t at = to.size();
    head(to, 5, 0600, 3);
    if (version_ >= 3) to.put(1, 32);
    to.put(0x0501, version_ == 4 ? 32 : 16);
    return at;
  }
  size_t add_pipe(Bits& to) {
    const size_t at = to.size();
    head(to, version_ == 1 ? 0 : 6, 0622, 4);
    if (version_ == 1) to.put(6, 4).put(0, 4);
    if (version_ >= 3) to.put(1, 32);
    return at;
  }
  size_t add_root(Bits& to, size_t names) {
    const size_t at = to.size();
    head(to, 1, 0755, 5);
    if (version_ == 4) return to.put(0, 32).put(2, 32).put(names + 3, 16).put(0, 16).put(6, 32), at;
    if (version_ == 3) to.put(2, 32);
    to.put(names + (version_ == 3 ? 3 : 0), 19).put(0, 13);
    if (version_ < 3) to.put(77, 32);
    to.put(0, version_ == 3 ? 32 : 24);
    if (version_ == 3) to.put(6, 32);
    return at;
  }
  std::string super(const std::string& magic, uint64_t root, uint64_t inodes, uint64_t names, uint64_t ids,
                    uint64_t end) {
    Bits s(order_);
    constexpr uint64_t kNo = ~uint64_t{0};
    if (version_ == 4) {
      s.text(magic).put(5, 32).put(77, 32).put(65536, 32).put(0, 32).put(1, 16).put(16, 16).put(0, 16).put(1, 16);
      s.put(4, 16).put(0, 16).put(root, 64).put(end, 64).put(ids, 64).put(kNo, 64).put(inodes, 64).put(names, 64);
      return s.put(kNo, 64).put(kNo, 64).bytes();
    }
    s.text(magic).put(5, 32).put(end, 32).put(ids, 32).put(ids + 4, 32).put(inodes, 32).put(names, 32);
    s.put(version_, 16).put(0, 16).put(version_ == 1 ? 32768 : 0, 16).put(version_ == 1 ? 15 : 16, 16).put(0, 8);
    s.put(1, 8).put(1, 8).put(77, 32).put(root, 64);
    if (version_ > 1) s.put(65536, 32).put(0, 32).put(0, 32);
    if (version_ > 2)
      s.put(end, 64).put(ids, 64).put(ids + 4, 64).put(inodes, 64).put(names, 64).put(kNo, 64).put(kNo, 64);
    return s.bytes();
  }

  uint16_t version_;
  Order order_;
  Pack pack_;
};

void expect_all(const std::string& image, const Builder& builder, uint16_t version) {
  const auto measured = squashfs().measure(Bytes(image));
  ASSERT_TRUE(measured.has_value()) << measured.error().what;
  EXPECT_TRUE(measured->verified);
  EXPECT_EQ(measured->length, image.size());
  Collect sink;
  const auto done = squashfs().unpack(Bytes(image), sink);
  ASSERT_TRUE(done.has_value()) << done.error().what;
  ASSERT_TRUE(sink.problems.empty()) << sink.problems[0].what;
  ASSERT_EQ(sink.items.size(), 5u);
  EXPECT_EQ(sink.find("file")->content, builder.content);
  EXPECT_EQ(sink.find("file")->node.mode, 0644u);
  EXPECT_EQ(sink.find("file")->node.mtime, 77);
  EXPECT_EQ(sink.find("file")->node.uid, 1000u);
  EXPECT_EQ(sink.find("file")->node.gid, version == 4 || version == 1 ? 1000u : 1001u);
  EXPECT_EQ(sink.find("link")->node.target, "file");
  EXPECT_EQ(sink.find("console")->node.kind, Kind::kCharDevice);
  EXPECT_EQ(sink.find("console")->node.device, uint64_t{5} << 32 | 1);
  EXPECT_EQ(sink.find("pipe")->node.kind, Kind::kFifo);
  EXPECT_EQ(sink.find("pipe")->node.mode, 0622u);
}

TEST(SquashfsKinds, EveryVersionOrderAndPacking) {
  for (const uint16_t version : {1, 2, 3, 4})
    for (const Order order : {Order::kLittle, Order::kBig})
      for (const Wrapping& kind : kKinds) {
        SCOPED_TRACE(std::to_string(version) + (order == Order::kLittle ? " little " : " big ") + kind.name);
        Builder builder(version, order, kind.pack);
        const std::string image = builder.build(order == Order::kLittle ? "hsqs" : "sqsh");
        expect_all(image, builder, version);
        Collect sink;
        ASSERT_TRUE(squashfs().unpack(Bytes(image), sink).has_value());
        EXPECT_EQ(sink.notes["compression"], kind.name);
      }
}

TEST(SquashfsKinds, MagicsOfVendors) {
  for (const std::string magic : {"shsq", "qshs", "tqsh", "hsqt"})
    for (const Order order : {Order::kLittle, Order::kBig}) {
      Builder builder(3, order, kKinds[5].pack);
      expect_all(builder.build(magic), builder, 3);
    }
  Builder builder(3, Order::kLittle, kKinds[1].pack);
  expect_all(builder.build("sqlz"), builder, 3);
}

TEST(SquashfsKinds, UnknownPackingIsAnErrorThatSaysSo) {
  Builder builder(4, Order::kLittle, [](const std::string& t) {
    std::string turned = t;
    for (char& c : turned) c = static_cast<char>(c ^ 0xa5);
    return turned;
  });
  const std::string image = builder.build("hsqs");
  const auto measured = squashfs().measure(Bytes(image));
  ASSERT_TRUE(measured.has_value());
  EXPECT_FALSE(measured->verified);
  Collect sink;
  const auto done = squashfs().unpack(Bytes(image), sink);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().fault, Fault::kUnsupported);
}

TEST(SquashfsKinds, TruncatedAndChangedNeverCrash) {
  for (const uint16_t version : {1, 2, 3, 4}) {
    Builder builder(version, version % 2 ? Order::kBig : Order::kLittle, kKinds[2].pack);
    const std::string image = builder.build("sqsh");
    for (size_t length = 0; length < image.size(); ++length)
      EXPECT_FALSE(squashfs().measure(Bytes(image).head(length)).has_value());
    for (size_t at = 0; at < image.size(); at += at < 128 ? 1 : 3) {
      std::string changed = image;
      changed[at] = static_cast<char>(changed[at] ^ (1 << (at + version) % 8));
      Collect sink;
      (void)squashfs().measure(Bytes(changed));
      (void)squashfs().unpack(Bytes(changed), sink);
    }
  }
}

}  // namespace
}  // namespace assay::unpack
