// Where the words of one analysis occur in a content. The words of all analyses are found together, in one pass
// (read_facts), because that pass costs more than what is made of its result.
#pragma once
#include "system/strings.h"

namespace assay::system {

struct Mark {
  uint32_t word;
  uint64_t at;
};

class Marks {
 public:
  // `found`: sorted by offset, then word. Without it the content is searched when somebody asks: hostile contents hold
  // more marks than bytes of memory should be spent on.
  Marks(const Literals* words, std::string_view content, const std::vector<Mark>* found)
      : words_(words), content_(content), found_(found) {}

  // Calls found(index of the word, offset) for each occurrence, in order of offset, then index.
  template <class Found>
  void each(Found found) const {
    if (!words_) return;
    if (!found_) return words_->search(content_, found);
    for (const Mark& mark : *found_) found(mark.word, mark.at);
  }

 private:
  const Literals* words_;
  std::string_view content_;
  const std::vector<Mark>* found_;
};

}  // namespace assay::system
