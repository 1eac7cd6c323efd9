// Writes YAFFS images chunk by chunk, in every geometry: what Debian has no tool for. unyaffs reads the plain ones.
#pragma once
#include "test/unpack/build.h"

#include <array>
#include <bit>

namespace assay::unpack {

struct YaffsBuilder {
  enum class Kind { kTwo, kInband, kOneSpare, kOnePacked };
  uint32_t page = 2048, spare = 64, tags_at = 2;  // tags_at: in the spare bytes
  bool big_endian = false, coded = true;
  Kind kind = Kind::kTwo;
  uint32_t sequence = 0x1000;
  std::string out{};

  std::string number(uint64_t value, int bytes = 4) const {
    return big_endian ? big(value, bytes) : little(value, bytes);
  }

  struct Header {
    uint32_t object, type, parent;
    std::string name;
    uint32_t mode = 0100644;
    uint64_t size = 0;
    std::string alias{};
    uint32_t equivalent = 0, device = 0, shadows = 0, shrinks = 0;
    std::string xattrs{};
    uint8_t serial = 0;
    bool deleted = false;
  };
  void header(const Header& h) {
    std::string chunk = number(h.type) + number(h.parent) + "\xff\xff" + filled(h.name, 256) + std::string(2, '\0') +
                        number(h.mode) + number(12) + number(34) + number(1) + number(1'500'000'000) + number(3) +
                        number(h.size & 0xffffffff) + number(h.equivalent) + filled(h.alias, 160) + number(h.device) +
                        std::string(24, '\0') + number(kind == Kind::kInband ? h.shadows : 0) +
                        number(kind == Kind::kInband ? h.shrinks : 0) + number(h.size >> 32) + number(0) +
                        number(kind == Kind::kInband ? 0 : h.shadows) + number(kind == Kind::kInband ? 0 : h.shrinks);
    EXPECT_EQ(chunk.size(), 512u);
    write(chunk + h.xattrs, h.object, 0, 0xffff, h.serial, h.deleted);
  }
  void data(uint32_t object, uint32_t chunk, const std::string& bytes, uint8_t serial = 0, bool deleted = false) {
    write(bytes, object, chunk, static_cast<uint32_t>(bytes.size()), serial, deleted);
  }
  uint32_t room() const { return kind == Kind::kInband ? page - 16 : page; }
  void file(Header h, const std::string& content) {
    h.type = 1;
    h.size = content.size();
    for (uint32_t at = 0, chunk = 1; at < content.size(); at += room(), ++chunk)
      data(h.object, chunk, content.substr(at, room()));
    header(h);
  }
  std::string xattr(const std::string& name, const std::string& value) const {
    return number(4 + name.size() + 1 + value.size()) + name + std::string(1, '\0') + value;
  }

 private:
  static uint32_t odd(uint32_t bits) { return std::popcount(bits) & 1; }

  std::string code_of(const std::string& tags) const {
    uint32_t all = 0, lines = 0, complement = 0;
    for (size_t i = 0; i < tags.size(); ++i) {
      const auto byte = static_cast<uint8_t>(tags[i]);
      all ^= byte;
      if (odd(byte)) lines ^= static_cast<uint32_t>(i), complement ^= ~static_cast<uint32_t>(i);
    }
    const uint32_t columns = odd(all & 0xf0) << 5 | odd(all & 0x0f) << 4 | odd(all & 0xcc) << 3 | odd(all & 0x33) << 2 |
                             odd(all & 0xaa) << 1 | odd(all & 0x55);
    return std::string(1, static_cast<char>(columns)) + "\xff\xff\xff" + number(lines) + number(complement);
  }

  void write(const std::string& bytes, uint32_t object, uint32_t chunk, uint32_t count, uint8_t serial, bool deleted) {
    std::string raw = filled(bytes, page, '\xff') + std::string(spare, '\xff');
    if (kind == Kind::kTwo || kind == Kind::kInband) {
      const std::string tags = number(sequence) + number(object) + number(chunk) + number(count);
      put(raw, kind == Kind::kInband ? page - 16 : page + tags_at, tags);
      if (kind == Kind::kTwo && coded) put(raw, page + tags_at + 16, code_of(tags));
    } else {
      write_tags1(raw, object, chunk, count & 0x3ff, serial, deleted);
    }
    out += raw;
  }

  void write_tags1(std::string& raw, uint32_t object, uint32_t chunk, uint32_t count, uint8_t serial, bool deleted) {
    const bool packed = kind == Kind::kOnePacked;
    const uint32_t rest = packed && deleted ? 2 : 3;  // the bit that says "deleted" is 0 then
    const auto words = [&](uint32_t code) {
      if (big_endian)
        return number(chunk << 12 | uint32_t{serial} << 10 | count) +
               number(object << 14 | code << 2 | (packed ? (rest & 1) << 1 | 1 : 3));
      return number(chunk | uint32_t{serial} << 20 | count << 22) + number(object | code << 18 | rest << 30);
    };
    const std::string plain = words(0);
    uint32_t code = 0;
    for (uint32_t i = 0; i < 64; ++i)
      if (plain[i / 8] >> (i % 8) & 1) code ^= i + 1;
    const std::string tags = words(code);
    constexpr std::array<size_t, 8> kPlaces = {0, 1, 2, 3, 6, 7, 11, 12};
    for (size_t i = 0; i < 8; ++i) raw[page + (packed ? tags_at + i : kPlaces[i])] = tags[i];
    if (!packed && deleted) raw[page + 4] = 0;
  }
};

// A tree with everything, in one image; `seen`: what a reader must find in it.
inline std::string yaffs_image(YaffsBuilder b) {
  const uint32_t room = b.room();
  b.header({.object = 1, .type = 3, .parent = 1, .name = "", .mode = 040755});
  b.header({.object = 257, .type = 3, .parent = 1, .name = "etc", .mode = 040700});
  b.file({.object = 258, .type = 1, .parent = 257, .name = "passwd", .mode = 0100600}, "root:x:0:0::/:/bin/sh\n");
  b.file({.object = 259, .type = 1, .parent = 1, .name = "big"}, std::string(room, 'a') + std::string(room, 'b') + "c");
  b.header({.object = 260, .type = 2, .parent = 1, .name = "link", .mode = 0120777, .alias = "etc/passwd"});
  b.header({.object = 261, .type = 4, .parent = 1, .name = "hard", .equivalent = 258});
  b.header({.object = 262, .type = 5, .parent = 1, .name = "console", .mode = 020600, .device = 0x501});
  b.header({.object = 263, .type = 1, .parent = 1, .name = "empty"});
  return b.out;
}

}  // namespace assay::unpack
