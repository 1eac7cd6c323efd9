// What the page shows, as JSON: the examination without what only programs need (imports, exports, file types).
#pragma once
#include "core/code.h"
#include "report/json.h"

#include <map>

namespace assay::report {

// Finds an artifact's index from its way; the page names artifacts by index.
class WayIndex {
 public:
  explicit WayIndex(const Examination& examination);
  int64_t at(std::string_view way) const;                     // -1: no such artifact
  int64_t nearest_above(size_t index) const;                  // the artifact it is shown under; -1 for the image
  std::string name_below(size_t index, int64_t above) const;  // the rest of its way

 private:
  const Examination& examination_;
  std::map<std::string_view, size_t> index_;
};

Json page_data(const Examination& examination, const CodeViews& code);
Json page_tables(const Examination& examination, const WayIndex& ways);

}  // namespace assay::report
