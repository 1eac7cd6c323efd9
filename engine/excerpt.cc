#include "engine/excerpt.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace assay::engine {
namespace {

constexpr uint64_t kBefore = 128, kAtMost = 384;
constexpr size_t kEvidencesPerFinding = 8;
constexpr uint64_t kRemembered = 4096;  // counts whose logarithm is taken once

}  // namespace

std::vector<Excerpt> excerpts_for(const std::vector<Finding>& findings, const ContentOf& content_of) {
  std::vector<Excerpt> excerpts;
  std::set<std::pair<std::string, uint64_t>> seen;
  for (const Finding& finding : findings) {
    for (size_t i = 0; i < std::min(finding.evidence.size(), kEvidencesPerFinding); ++i) {
      const Evidence& evidence = finding.evidence[i];
      const uint64_t from = evidence.offset > kBefore ? (evidence.offset - kBefore) & ~uint64_t{15} : 0;
      if (evidence.length == 0 || !seen.insert({evidence.artifact, from}).second) continue;
      const Bytes content = content_of(evidence.artifact).head(kAtMost, from);
      if (!content.empty()) excerpts.push_back({evidence.artifact, from, std::string(content.text())});
    }
  }
  return excerpts;
}

std::vector<uint8_t> entropy_of_blocks(Bytes bytes, uint64_t block) {
  std::vector<uint8_t> out;
  std::vector<double> share(std::min<uint64_t>(block, kRemembered) +
                            1);  // of the sum that a count stands for; 0: not yet
  for (uint64_t at = 0; at < bytes.size(); at += block) {
    const Bytes part = bytes.head(block, at);
    std::array<uint32_t, 256> counts{}, others{};  // two, so that equal neighbours do not wait for each other
    uint64_t i = 0;
    for (; i + 2 <= part.size(); i += 2) ++counts[part[i]], ++others[part[i + 1]];
    if (i < part.size()) ++counts[part[i]];
    for (size_t value = 0; value < counts.size(); ++value) counts[value] += others[value];
    double bits = 0;
    const auto share_of = [&](uint32_t n) {
      return n * std::log2(static_cast<double>(n) / static_cast<double>(part.size()));
    };
    for (const uint32_t n : counts) {
      if (n == 0) continue;
      if (n >= share.size() || part.size() != block) {
        bits -= share_of(n);
        continue;
      }
      if (share[n] == 0) share[n] = share_of(n);
      bits -= share[n];
    }
    out.push_back(static_cast<uint8_t>(std::lround(bits / static_cast<double>(part.size()) / 8 * 255)));
  }
  return out;
}

}  // namespace assay::engine
