// What a test takes away from what it selects (minus, by): a record goes when one of the other collection is equal to
// it in the fields of `by`, and may go where one of them is not known.
#pragma once
#include "certify/conditions.h"

#include <set>

namespace assay::certify {

class Subtraction {
 public:
  Subtraction(const Test& test, const Evidences& evidence);

  // Whether the record is left. The records that take it away, or may, are put into `used`.
  Holds left(const Record& record, std::set<std::string>& used);

 private:
  using Values = std::vector<std::string>;  // of the fields of `by`; "": not known

  Values values_of(const Record& record) const;
  Holds left(const Values& values, std::set<std::string>& used) const;

  const Test& test_;
  bool complete_ = true;  // whether the other collection is
  std::map<Values, std::vector<std::string>> others_;
  std::vector<const std::pair<const Values, std::vector<std::string>>*> open_;  // of others_, where one is not known
  std::map<Values, Holds> done_;
};

}  // namespace assay::certify
