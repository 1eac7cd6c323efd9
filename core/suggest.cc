#include "core/suggest.h"

#include <algorithm>
#include <vector>

namespace assay {
namespace {

// How many letters must be put in, taken out, changed or swapped with their neighbour (optimal string alignment).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view written, std::span<const std::string_view> words) {
  constexpr size_t kLongest = 40;  // no word of ours is longer
  if (written.size() > kLongest) return "";
  size_t least = std::max<size_t>(1, written.size() / 3) + 1;
  std::string_view nearest;
  for (const std::string_view word : words)
    if (const size_t d = distance(written, word); d < least) least = d, nearest = word;
  return nearest.empty() ? "" : "; did you mean \"" + std::string(nearest) + "\"?";
}

}  // namespace assay
