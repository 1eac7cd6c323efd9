#include "system/strings.h"

namespace assay::system {

Literals::Literals(std::span<const std::string_view> words) : words_(words.begin(), words.end()) {
  ASSAY_CHECK(words_.size() < 0x7fff);
  std::vector<std::vector<Candidate>> buckets(kBuckets);
  for (const uint16_t before : {uint16_t{1}, uint16_t{0}}) {
    for (uint32_t i = 0; i < words_.size(); ++i) {
      ASSAY_CHECK(words_[i].size() >= 4);
      const char bytes[4] = {words_[i][before], words_[i][before + 1], words_[i][before + 2], 0};
      const uint32_t hash = hash_of(bytes);
      bits_[hash >> 5] |= uint32_t{1} << (hash & 31);
      Candidate candidate{i, 0, before};
      std::memcpy(&candidate.begin, words_[i].data(), 4);
      buckets[hash % kBuckets].push_back(candidate);
    }
  }
  for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    first_[bucket] = static_cast<uint16_t>(candidates_.size());
    candidates_.insert(candidates_.end(), buckets[bucket].begin(), buckets[bucket].end());
  }
  first_[kBuckets] = static_cast<uint16_t>(candidates_.size());
}

}  // namespace assay::system
