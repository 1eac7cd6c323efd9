// From an examination and a policy's judgements to the statements of a certificate: the verdict (a SLSA verification
// summary, slsa.dev/spec/v1.0/verification_summary) and what it rests on (a test result, in-toto/attestation
// spec/predicates/test-result.md, and the software bill of materials).
#pragma once
#include "certify/policy.h"
#include "certify/statement.h"

namespace assay::certify {

struct Ground {  // what was examined and by which rules
  const Examination* examination;
  const Policy* policy;
  std::string policy_sha256, program_sha256;  // hex
  std::string sbom;                           // CycloneDX 1.6 JSON
};

struct Decision {
  bool passed = false;
  std::string because;
};
// PASSED needs a complete examination, no blocking FAIL and no more INCONCLUSIVE than the policy allows. NOT_TESTED
// does not stop it: the level names the evidence that was used, and the certificate lists what was not tested.
Decision decide(const Ground& ground, const std::vector<Judgement>& judgements);

struct Statements {
  Statement verdict;
  std::vector<Statement> inputs;
};
// kMalformed: the policy's validity goes beyond the calendar.
Result<Statements> statements_of(const Ground& ground, const std::vector<Judgement>& judgements);

}  // namespace assay::certify
