// What `assay policy` and `assay certify` share: a policy by name or file, and evidence: from images examined afresh,
// from files of other tools, or from an evidence file made earlier.
#pragma once
#include "certify/outside.h"
#include "certify/policy.h"
#include "checks/check.h"
#include "cli/commands.h"

#include <optional>

namespace assay::cli {

constexpr uint64_t kLongestDocument = 1 << 20, kLongestEvidence = 1 << 28;
constexpr unsigned kPrivate = 0600;  // evidence holds what the image holds, password hashes too

struct JudgingFlags : Common {
  std::string policy, other, declaration, as_of, evidence;
  std::vector<std::string> images;  // of one submission
  std::vector<std::string> nmap, sarif, results;

  void add_examination(App& command);                   // IMAGE… and what an examination takes
  Result<engine::Options> examination_options() const;  // never the user's store; every arrow's digests
};

struct PolicyText {
  certify::Policy policy;
  std::string text;  // as written: its digest stands in a certificate
};
Result<PolicyText> load_policy(const std::string& name);  // a ready one by its name, else a file

// Whole or not at all, for the named readers; "-" and what is no regular file (a pipe) is written directly.
Result<void> write_whole(const std::string& file, std::string_view bytes, unsigned mode);

// Never from the user's store: what is judged was computed by this program now.
struct Judged {
  std::vector<engine::Inspection> inspections;  // empty: the evidence was read from a file
  certify::Evidences evidence;
  std::vector<certify::Outside> outside;
  std::optional<checks::Declaration> declaration;

  bool complete() const;
};
Result<Judged> gather_evidence(const JudgingFlags& flags);
void say_incomplete(const Judged& judged);  // which examinations are not, and why

}  // namespace assay::cli
