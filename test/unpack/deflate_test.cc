// Raw DEFLATE: a part that is one stream is opened; chance, truncation and a stream with something behind it are not.
#include "unpack/examine.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace assay::unpack {
namespace {

std::string deflated(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 1024, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string text() {
  std::string out;
  for (int i = 0; i < 500; ++i) out += "line " + std::to_string(i * 7919) + " of a configuration\n";
  return out;
}

std::string format_of(const std::string& bytes) {
  LocalArena arena(1 << 20);
  return examine(Bytes(bytes), {0, 0, bytes.size(), true}, Role::kPart, {}, {}, arena).format;
}

TEST(Deflate, OpensAPartThatIsOneStream) {
  const std::string stream = deflated(text());
  LocalArena arena(1 << 20);
  const Unpacked found = examine(Bytes(stream + std::string(100, '\0')), {}, Role::kPart, {}, {}, arena);
  EXPECT_EQ(found.format, "deflate");
  EXPECT_FALSE(found.verified);
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(arena.view(found.entries[0].place.at, found.entries[0].place.size).text(), text());
}

TEST(Deflate, RefusesTruncationsAndTails) {
  const std::string stream = deflated(text());
  for (size_t cut = 0; cut < stream.size(); cut += 13) EXPECT_NE(format_of(stream.substr(0, cut)), "deflate") << cut;
  EXPECT_NE(format_of(stream + "something else behind it"), "deflate");
}

TEST(Deflate, RefusesChance) {
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(512, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    ASSERT_NE(format_of(bytes), "deflate") << round;
  }
}

}  // namespace
}  // namespace assay::unpack
