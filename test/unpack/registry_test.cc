// The registry: its order, its texts, and that every format has a test which names it.
#include "unpack/format.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace assay::unpack {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string source_folder() {
  const char* source = std::getenv("ASSAY_SOURCE");
  return source ? source : ".";
}

// A text names an id where it stands as a word: between quotes, brackets, slashes or spaces.
bool names(const std::string& text, const std::string& id) {
  const auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; };
  for (size_t at = text.find(id); at != std::string::npos; at = text.find(id, at + 1)) {
    const bool before = at == 0 || !part(text[at - 1]);
    const bool after = at + id.size() >= text.size() || !part(text[at + id.size()]);
    if (before && after) return true;
  }
  return false;
}

bool says_ground(std::string_view checked) {
  for (const std::string_view ground : {"real image", "foreign tool", "sample", "own builder"})
    if (checked.find(ground) != std::string_view::npos) return true;
  return false;
}

TEST(Registry, IsInTheAlphabetAndComplete) {
  std::string last;
  for (const Format* format : formats()) {
    EXPECT_LT(last, format->id);
    last = format->id;
    EXPECT_FALSE(format->title.empty()) << format->id;
    EXPECT_FALSE(format->source.empty()) << format->id;
    EXPECT_TRUE(says_ground(format->checked)) << format->id << ": checked = \"" << format->checked << "\"";
    EXPECT_GE(format->version, 1u) << format->id;
    EXPECT_NE(format->measure != nullptr, format->decode != nullptr) << format->id;
    EXPECT_TRUE(!format->unpack || format->measure) << format->id;
    EXPECT_TRUE(!format->carve || !format->magics.empty()) << format->id << " is carved without a magic";
    EXPECT_EQ(find_format(format->id), format);
  }
  EXPECT_EQ(find_format("no such format"), nullptr);
}

TEST(Registry, EveryFormatHasATestThatNamesIt) {
  const fs::path tests = fs::path(source_folder()) / "test";
  if (!fs::exists(tests)) GTEST_SKIP() << "no source tree at " << source_folder();
  std::vector<std::string> texts;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tests)) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && path.find("registry_test") == std::string::npos &&
        path.find("/fuzz/") == std::string::npos)
      texts.push_back(read(entry.path()));
  }
  ASSERT_GT(texts.size(), 20u);
  for (const Format* format : formats()) {
    const std::string id(format->id);
    bool named = false;
    for (const std::string& text : texts) named = named || names(text, id);
    EXPECT_TRUE(named) << "no test names the format " << id;
  }
}

}  // namespace
}  // namespace assay::unpack
