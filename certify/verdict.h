// From an examination and a policy's judgements to the statements of a certificate: the verdict (a SLSA verification
// summary, slsa.dev/spec/v1.0/verification_summary) and what it rests on (a test result, in-toto/attestation
// spec/predicates/test-result.md, and the software bill of materials).
#pragma once
#include "certify/fact_root.h"
#include "certify/outside.h"
#include "certify/policy.h"
#include "certify/statement.h"
#include "certify/waiver.h"

namespace assay::certify {

struct Image {  // one of a submission
  const Examination* examination;
  std::string sbom;  // CycloneDX 1.6 JSON
  FactRoot facts;    // of the arrows that ran
};
struct Waived {
  Waiver waiver;
  std::string file;  // as given
};
struct Ground {  // what was examined and by which rules
  std::vector<Image> images;
  const Policy* policy;
  std::string policy_sha256, program_sha256, evidence_sha256;  // hex
  std::vector<Outside> outside;
  std::vector<Waived> waivers;
  const checks::Declaration* declaration = nullptr;  // for the names it gives the product, which no rule reads
};

struct Decision {
  bool passed = false;
  std::string because;
};
// PASSED needs every examination complete, evidence for every blocking requirement that the policy tests, no blocking
// FAIL and no more INCONCLUSIVE than the policy allows; waived ones do not count. NOT_TESTED does not stop it: the
// level names the evidence that was used, and the certificate lists what was not tested. Losing evidence never turns a
// refusal into a certificate.
Decision decide(const Policy& policy, const std::vector<Judgement>& judgements, bool complete,
                const std::vector<std::string>& waived = {});
Decision decide(const Ground& ground, const std::vector<Judgement>& judgements);

struct Statements {
  Statement verdict;
  std::vector<Statement> inputs;
};
// kMalformed: the policy's validity goes beyond the calendar.
Result<Statements> statements_of(const Ground& ground, const std::vector<Judgement>& judgements);

}  // namespace assay::certify
