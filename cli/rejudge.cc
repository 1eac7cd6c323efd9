// See recompute.h.
#include "certify/rejudge.h"

#include "cli/judging.h"
#include "cli/recompute.h"
#include "core/text.h"
#include "report/report.h"

#include <fmt/format.h>

namespace assay::cli {
namespace {

using certify::Terms;

// The one the certificate names: given, or a ready one with that digest.
Result<std::optional<PolicyText>> policy_of(const Recomputation& flags, const Terms& terms) {
  if (!flags.policy.empty()) {
    PolicyText given = TRY(load_policy(flags.policy));
    if (sha256(Bytes(given.text)).hex() == terms.policy_sha256) return given;
    return fail(Fault::kMalformed,
                "--policy: the certificate was judged by the one with sha256 " + escape(terms.policy_sha256));
  }
  for (const certify::Embedded& ready : certify::embedded_policies())
    if (sha256(Bytes(ready.text)).hex() == terms.policy_sha256)
      return PolicyText{TRY(certify::read_policy(ready.text)), std::string(ready.text)};
  return std::nullopt;
}

// Under the names that the certificate gives: a file may have been renamed since.
std::vector<Examination> examinations_of(const Terms& terms, const std::vector<Recomputed>& images) {
  std::vector<Examination> out;
  for (size_t i = 0; i < images.size(); ++i) {
    out.push_back(images[i].inspection.examination());
    out.back().name = unescape(terms.images[i].name);
  }
  return out;
}

certify::Examined examined(const std::vector<Examination>& examinations, const std::vector<Recomputed>& images,
                           const checks::Declaration* declaration) {
  certify::Examined out;
  std::vector<const Examination*> each;
  for (size_t i = 0; i < images.size(); ++i) {
    each.push_back(&examinations[i]);
    out.images.push_back({&examinations[i], report::cyclonedx(examinations[i]), images[i].facts});
  }
  out.evidence = certify::gather(each, declaration);
  out.declaration = declaration;
  return out;
}

}  // namespace

Result<std::string> rejudge(const Recomputation& flags, const certify::Certificate& certificate, const Terms& terms,
                            const std::vector<Recomputed>& images) {
  if (!certify::shows_its_grounds(certificate, images.size()))
    return "this view withholds evidence from outside or a waiver, on which they may rest";
  const auto policy = TRY(policy_of(flags, terms));
  if (!policy) return "needs --policy FILE, the one with sha256 " + escape(terms.policy_sha256);
  const auto& declaration = images[0].declaration;
  const auto examinations = examinations_of(terms, images);
  TRY_VOID(certify::rejudge(certificate, policy->policy, terms.policy_sha256, terms.program_sha256,
                            examined(examinations, images, declaration ? &*declaration : nullptr)));
  fmt::print("checked: judged again by {}, every verdict and statement is the same\n", escape(terms.policy_uri));
  return "";
}

}  // namespace assay::cli
