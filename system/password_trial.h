// Tries commonly known default passwords on the accounts' hashes under one budget of work.
#pragma once
#include "core/facts.h"

namespace assay::system {

constexpr uint64_t kTrialBudget = 100'000;  // units of trial_cost: about 0.1 s for a whole image

// Fills opened_by, tried and not_tried of every account that holds a hash or a plain password. Equal hashes are tried
// once. Candidates go round: each hash gets its first before any gets its second, so no hash starves the others.
void try_default_passwords(std::vector<Account>& accounts, uint64_t budget = kTrialBudget);

}  // namespace assay::system
