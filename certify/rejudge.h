// A certificate's verdicts judged again: the policy over facts that were computed anew, and every statement that
// follows compared with the certificate's. Evidence from outside and waivers are taken from its own statements.
#pragma once
#include "certify/certificate.h"
#include "certify/verdict.h"

namespace assay::certify {

struct Examined {
  std::vector<Image> images;  // in the certificate's order, under the names it gives them
  Evidences evidence;         // gathered from them
  const checks::Declaration* declaration = nullptr;
};

// False: a statement from outside or a waiver is withheld, so that nothing can be judged again.
bool shows_its_grounds(const Certificate& certificate, size_t images);

// Good: every statement of the certificate follows, byte for byte. The error says what does not.
Result<void> rejudge(const Certificate& certificate, const Policy& policy, const std::string& policy_sha256,
                     const std::string& program_sha256, const Examined& examined);

}  // namespace assay::certify
