// assay verify --recompute and --sample: the analyses run again on the image, and what they gave compared with what the
// certificate lists. Never from the user's store.
#pragma once
#include "certify/certificate.h"
#include "certify/fact_root.h"
#include "certify/terms.h"
#include "cli/commands.h"

namespace assay::cli {

struct Recomputation : Common {
  std::string declaration, policy;
  bool all = false;     // --recompute
  uint64_t sample = 0;  // --sample N
};

struct Recomputed {  // all of one image
  engine::Inspection inspection;
  certify::FactRoot facts;
  std::optional<checks::Declaration> declaration;  // the one that was judged
};

// The digests of the images given must be known already. Prints what was compared; kForeign: refused because this
// is another program than the one that certified. None: a sample.
Result<std::optional<Recomputed>> recompute(const Recomputation& flags, const certify::Certificate& certificate,
                                            const certify::Terms& terms, const certify::CertifiedImage& image);

// The policy over what all images gave (by the certificate's order), and every statement that follows compared with the
// certificate's. What keeps it from being judged again, in words; "": it was, and printed.
Result<std::string> rejudge(const Recomputation& flags, const certify::Certificate& certificate,
                            const certify::Terms& terms, const std::vector<Recomputed>& images);

}  // namespace assay::cli
