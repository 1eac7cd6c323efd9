// What `assay policy` and `assay certify` share: a policy by name or file, and an examination made afresh.
#pragma once
#include "certify/policy.h"
#include "checks/check.h"
#include "cli/commands.h"

namespace assay::cli {

constexpr uint64_t kLongestDocument = 1 << 20;

struct JudgingFlags : Common {
  std::string policy, other, declaration, as_of;

  void add_examination(CLI::App& command);  // IMAGE and what an examination takes
};

struct PolicyText {
  certify::Policy policy;
  std::string text;  // as written: its digest stands in a certificate
};
Result<PolicyText> load_policy(const std::string& name);  // a ready one by its name, else a file

// Never from the user's store: what is judged was computed by this program now.
struct Judged {
  engine::Inspection inspection;
  certify::Evidences evidence;
};
Result<Judged> examine_afresh(const JudgingFlags& flags);

}  // namespace assay::cli
