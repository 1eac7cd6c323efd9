// Finding a text against the standard library, at every place around the width of a comparison.
#include "core/find.h"

#include <gtest/gtest.h>

#include <string>

namespace assay {
namespace {

TEST(FindText, AsTheStandardLibrary) {
  for (const std::string needle : {"", "x", "xy", "xay", "xabcdefghijklmnopqrstuvwy"}) {
    for (size_t size = 0; size < 70; ++size) {
      for (size_t at = 0; at <= size; ++at) {
        std::string text(size, 'x');
        text.replace(std::min(at, size), needle.size(), needle);
        for (const size_t from : {size_t{0}, size_t{1}, at, at + 1, size, size + 1})
          ASSERT_EQ(find_text(text, needle, from), text.find(needle, from))
              << needle << size << ' ' << at << ' ' << from;
        if (!text.empty()) text.back() = 'y';
        ASSERT_EQ(find_text(text, needle), text.find(needle));
      }
    }
  }
}

TEST(FindText, NothingIsFoundBeyondTheEnd) {
  const std::string text = "............................................mtdparts=";
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(find_text(std::string_view(text).substr(0, size), "mtdparts="), std::string_view::npos);
  EXPECT_EQ(find_text(text, "mtdparts="), 44u);
}

}  // namespace
}  // namespace assay
