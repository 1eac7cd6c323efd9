// The whole way from bytes to findings in this process: what the engine does with workers, without them, so that a
// test can put millions of damaged inputs through it.
#pragma once
#include "core/finding.h"

#include <string>
#include <string_view>

namespace assay::hostile {

struct Outcome {
  std::vector<Artifact> artifacts;
  Facts facts;
  std::vector<Finding> findings;
  std::string wrong;  // a promise that was broken: bytes that do not add up, a place outside the container
};

// Opens `image` and all it holds under budgets fit for small inputs, runs every file analysis, every tree analysis and
// every check.
Outcome everything(std::string_view image);

}  // namespace assay::hostile
