// Whether a record meets the conditions of a policy; what is not known about it, it may.
#pragma once
#include "certify/policy.h"

namespace assay::certify {

enum class Holds : uint8_t { kNo, kMaybe, kYes };

const std::string* known_value(const Record& record, const std::string& field);  // null: it is not known
Holds holds(const std::vector<Condition>& all, const Record& record, const std::string& as_of);

}  // namespace assay::certify
