// assay verify --recompute and --sample: the analyses run again on the image, and what they gave compared with what the
// certificate lists. Never from the user's store.
#pragma once
#include "certify/certificate.h"
#include "certify/terms.h"
#include "cli/commands.h"

namespace assay::cli {

struct Recomputation : Common {
  std::string declaration;
  bool all = false;     // --recompute
  uint64_t sample = 0;  // --sample N
};

// The digests of the images given must be known already. Prints what was compared; kForeign: refused because this
// is another program than the one that certified.
Result<void> recompute(const Recomputation& flags, const certify::Certificate& certificate, const certify::Terms& terms,
                       const certify::CertifiedImage& image);

}  // namespace assay::cli
