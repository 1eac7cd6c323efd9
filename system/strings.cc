#include "system/strings.h"

namespace assay::system {

Literals::Literals(std::span<const std::string_view> words) : words_(words.begin(), words.end()) {
  window_ = 255;
  for (const std::string_view word : words_) window_ = std::min<uint64_t>(window_, word.size());
  ASSAY_CHECK(!words_.empty() && window_ >= 2 && words_.size() < 0xffff);
  shift_.fill(static_cast<uint8_t>(window_ - 1));
  std::vector<std::vector<uint16_t>> buckets(kBlocks);
  for (uint16_t i = 0; i < words_.size(); ++i) {
    for (uint64_t end = 2; end <= window_; ++end) {
      uint8_t& shift = shift_[block_of(words_[i].data() + end - 2)];
      shift = std::min(shift, static_cast<uint8_t>(window_ - end));
    }
    buckets[block_of(words_[i].data() + window_ - 2)].push_back(i);
  }
  for (uint32_t block = 0; block < kBlocks; ++block) {
    first_[block] = static_cast<uint16_t>(order_.size());
    order_.insert(order_.end(), buckets[block].begin(), buckets[block].end());
  }
  first_[kBlocks] = static_cast<uint16_t>(order_.size());
}

}  // namespace assay::system
