#include "certify/log_view.h"

#include "certify/files.h"
#include "certify/http.h"
#include "certify/log.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::certify {
namespace {

TEST(LogView, EveryEntryIsProvenAndAChangedOneIsRefused) {
  char name[] = "/tmp/assay-view-XXXXXX";
  const std::string folder = mkdtemp(name);
  const auto key = SigningKey::generate(Algorithm::kEd25519);
  ASSERT_TRUE(write_durably(folder + "/key", *key->pem(), 0600));
  ASSERT_TRUE(Log::init(folder + "/log", folder + "/key", "log.example/t"));
  auto log = Log::open(folder + "/log");
  std::vector<std::string> entries;
  for (int i = 0; i < 600; ++i) entries.push_back("entry " + std::to_string(i));
  ASSERT_TRUE(log->append(entries) && log->publish());

  const auto view = view_log(folder + "/log", {});
  ASSERT_TRUE(view) << view.error().what;
  const auto now = view->checkpoint();
  std::vector<std::string> seen;
  const auto collect = [&](uint64_t index, const std::string& entry) -> Result<void> {
    EXPECT_EQ(entry, entries[index]);
    seen.push_back(entry);
    return {};
  };
  ASSERT_TRUE(each_entry(view->read, *now, 3, collect));
  EXPECT_EQ(seen.size(), 597u);

  // One entry of a whole bundle, then one of the partial bundle at the end.
  for (const std::string& path : {bundle_path(1, 256), bundle_path(2, 88)}) {
    const TileReader changed = [&](const std::string& wanted) -> Result<std::string> {
      std::string bytes = *read_file(folder + "/log/" + wanted);
      if (wanted == path) bytes.back() ^= 1;
      return bytes;
    };
    const auto ignore = [](uint64_t, const std::string&) -> Result<void> { return {}; };
    EXPECT_FALSE(each_entry(changed, *now, 3, ignore)) << path;
  }
  ASSERT_EQ(std::system(("rm -rf " + folder).c_str()), 0);
}

TEST(LogView, ServesOnlyWhatALogIs) {
  for (const char* good :
       {"checkpoint", "tile/0/000", "tile/0/000.p/7", "tile/1/x001/x234/067", "tile/entries/999.p/255"})
    EXPECT_TRUE(is_served(good)) << good;
  EXPECT_TRUE(is_served("status/" + std::string(64, 'a') + ".json"));
  for (const char* bad : {"", "log.json", "journal", "state", "tile/", "tile/0/", "tile/0/00", "tile/0/0000",
                          "tile/0/../log.json", "tile/entries/x000", "tile/0/000.p/", "tile/0/000.p/1234", "tile/a/000",
                          "tile/123/000", "status/x.json", "status/../log.json", "checkpoint/", "/checkpoint"})
    EXPECT_FALSE(is_served(bad)) << bad;
  EXPECT_FALSE(is_served("status/" + std::string(64, 'A') + ".json"));
}

TEST(LogView, AUrlNeedsAKeyAndAHost) {
  EXPECT_FALSE(view_log("http://localhost:1/x", {}));
  EXPECT_FALSE(files_at("http://"));
  EXPECT_FALSE(files_at("http:///x"));
}

}  // namespace
}  // namespace assay::certify
