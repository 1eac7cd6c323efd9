// Why a test came out as it did, in words that a certificate holds and a reader without the policy can follow.
#pragma once
#include "certify/policy.h"

namespace assay::certify {

struct Tally {  // of the records that a test selects; `yes` and `maybe` are counted, `total` is all
  uint64_t yes = 0, maybe = 0, total = 0;
  std::map<std::string, uint64_t> yes_rules, maybe_rules;  // of findings: how many by rule
};

// Text of a record or of a collection, printable: what comes from outside is not escaped yet, what an image gave is.
std::string shown(const std::string& collection, const std::string& text);
// Printable.
std::string reason_of(const Test& test, const Tally& tally);

}  // namespace assay::certify
