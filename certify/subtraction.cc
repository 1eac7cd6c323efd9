// See subtraction.h. Records are grouped by their values, so that an image with many costs no walk over all pairs.
#include "certify/subtraction.h"

#include <algorithm>

namespace assay::certify {
namespace {

bool is_open(const std::vector<std::string>& values) { return std::ranges::find(values, "") != values.end(); }

// Whether two records agree; where a value is not known, they may.
Holds agree(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  Holds out = Holds::kYes;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].empty() || b[i].empty())
      out = Holds::kMaybe;
    else if (a[i] != b[i])
      return Holds::kNo;
  }
  return out;
}

}  // namespace

Subtraction::Subtraction(const Test& test, const Evidences& evidence) : test_(test) {
  if (test.minus.empty()) return;
  const auto other = evidence.collections.find(test.minus);
  complete_ = other != evidence.collections.end() && other->second.complete;
  if (other == evidence.collections.end()) return;
  for (const Record& record : other->second.records) others_[values_of(record)].push_back(test.minus + ":" + record.id);
  for (const auto& group : others_)
    if (is_open(group.first)) open_.push_back(&group);
}

Subtraction::Values Subtraction::values_of(const Record& record) const {
  Values out;
  for (const std::string& field : test_.by) {
    const std::string* value = known_value(record, field);
    out.push_back(value ? *value : "");
  }
  return out;
}

Holds Subtraction::left(const Record& record, std::set<std::string>& used) {
  if (test_.minus.empty()) return Holds::kYes;
  const auto [at, is_new] = done_.try_emplace(values_of(record), Holds::kYes);
  if (is_new) at->second = left(at->first, used);
  return at->second;
}

Holds Subtraction::left(const Values& values, std::set<std::string>& used) const {
  Holds taken = complete_ ? Holds::kNo : Holds::kMaybe;
  const auto meet = [&](const auto& group) {
    const Holds equal = agree(values, group.first);
    if (equal != Holds::kNo) used.insert(group.second.begin(), group.second.end());
    taken = std::max(taken, equal);
  };
  if (is_open(values)) {
    for (const auto& group : others_) meet(group);
  } else {
    if (const auto same = others_.find(values); same != others_.end()) meet(*same);
    for (const auto* group : open_) meet(*group);
  }
  return taken == Holds::kYes ? Holds::kNo : taken == Holds::kNo ? Holds::kYes : Holds::kMaybe;
}

}  // namespace assay::certify
