// Compound files, against msibuild.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

HostTree& tree() {
  static HostTree tree;
  return tree;
}

std::string installer() {
  tree().file("small", "a small stream");
  tree().file("below", HostTree::words(4095));
  tree().file("large", HostTree::noise(300'000));
  return tree().image(
      "printf 'Name\\tData\\ns72\\tv0\\nBinary\\tName\\n' >Binary.idt; rm -f t.msi; msibuild t.msi -i Binary.idt;"
      "msibuild t.msi -a Binary.small root/small -a Below root/below -a large_0.cab root/large; mv t.msi out");
}

TEST(Cfb, OfMsibuild) {
  if (!installed("msibuild")) GTEST_SKIP() << "msibuild is not installed";
  const std::string good = installer();
  ASSERT_TRUE(measured("cfb", good)) << measured("cfb", good).error().what;
  EXPECT_EQ(measured("cfb", good)->length, good.size());
  const Collect got = unpacked("cfb", good);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  for (const auto& [name, file] :
       {std::pair<std::string, std::string>{"Binary.small", "small"}, {"Below", "below"}, {"large_0.cab", "large"}}) {
    ASSERT_TRUE(got.find(name)) << name;
    EXPECT_TRUE(got.find(name)->content == slurp(tree().at(file))) << name;
  }
  ASSERT_TRUE(got.find("!_Tables"));
  EXPECT_EQ(measured("cfb", std::string_view(good).substr(0, good.size() - 512)).error().fault, Fault::kTruncated);
  std::string bad = good;
  size_t read = 0;
  std::vector<size_t> places;
  for (size_t at = 8; at < 84; ++at) places.push_back(at);
  for (const Span& span : got.spans)
    for (uint64_t at = span.offset; at < span.offset + span.length; at += 13)
      if (good[at] != 0 && good[at] != '\xff') places.push_back(at);
  ASSERT_GT(places.size(), 150u);
  for (const size_t at : places)
    for (const char with : {'\xff', '\x01'}) {
      const char kept = std::exchange(bad[at], static_cast<char>(good[at] ^ with));
      if (measured("cfb", bad)) ++read, unpacked("cfb", bad);
      bad[at] = kept;
    }
  EXPECT_GT(read, 100u);
}

// A chain of one sector that leads to itself, and a directory whose entries name each other.
TEST(Cfb, CirclesAreCut) {
  if (!installed("msibuild")) GTEST_SKIP() << "msibuild is not installed";
  const std::string good = installer();
  const Bytes b(good);
  const auto follows = [&](size_t sector) {  // where the table has what follows it
    return (size_t{*b.le<uint32_t>(76 + sector / 128 * 4, "")} + 1) * 512 + sector % 128 * 4;
  };
  const size_t directory = *b.le<uint32_t>(48, "");
  std::string bad = good;
  put(bad, follows(directory), little(directory));
  EXPECT_EQ(unpacked("cfb", bad).problems.back().what, "directory: sectors in a circle");
  EXPECT_EQ(unpacked("cfb", bad).problems.back().offset, 48u);
  bad = good;
  const size_t child = *b.le<uint32_t>((directory + 1) * 512 + 76, "");
  size_t sector = directory;
  for (size_t n = 0; n < child / 4; ++n) sector = *b.le<uint32_t>(follows(sector), "");
  const size_t entry = (sector + 1) * 512 + child % 4 * 128;
  put(bad, entry + 68, little(child));
  ASSERT_EQ(unpacked("cfb", bad).problems.size(), 1u);
  EXPECT_EQ(unpacked("cfb", bad).problems[0].what, "/: entry of the directory");
  keep_as_seed("cfb", good.substr(0, 1 << 16));
}

}  // namespace
}  // namespace assay::unpack
