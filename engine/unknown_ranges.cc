#include "engine/unknown_ranges.h"

#include "unpack/unknown.h"

namespace assay::engine {
namespace {

constexpr uint64_t kMostUnknownBytes = 1 << 30;
constexpr size_t kMostRanges = 1024;

}  // namespace

void describe_unknown_ranges(const std::vector<Artifact>& artifacts, const std::function<Bytes(const Place&)>& bytes_at,
                             Facts& facts) {
  uint64_t looked = 0;
  for (const Artifact& artifact : artifacts) {
    for (const Span& span : artifact.spans) {
      const bool wanted = span.range == Range::kUnknown || span.range == Range::kEncrypted;
      if (!wanted || span.length < unpack::kSmallestDescribed) continue;
      const Bytes range = bytes_at(artifact.place).head(span.length, span.offset);
      if (range.size() != span.length) continue;
      if (facts.unknown_ranges.size() >= kMostRanges || span.length > kMostUnknownBytes - looked) {
        facts.problems.push_back(
            {artifact.way, Fault::kLimit, "further unknown ranges were not described", span.offset});
        return;
      }
      looked += span.length;
      UnknownRange described = unpack::describe_unknown(range.rebased(0));
      described.at.artifact = artifact.way;
      described.at.offset = span.offset;
      described.at.length = span.length;
      if (span.range == Range::kEncrypted) described.at.shows = "encrypted: " + described.at.shows;
      facts.unknown_ranges.push_back(std::move(described));
    }
  }
}

}  // namespace assay::engine
