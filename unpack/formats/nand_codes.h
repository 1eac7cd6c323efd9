// Which error correcting code the pages of a NAND dump carry: every known code is computed over sample pages and its
// bytes are looked for among the spare ones.
#pragma once
#include "unpack/formats/nand_layout.h"

namespace assay::unpack {

// Layouts whose codes agree with the samples, the one that agrees with most first; `score`: of the first, the share
// of code words that hold exactly. Samples are whole pages with their spare bytes.
std::vector<NandLayout> find_nand_codes(const NandGeometry& geometry, const std::vector<Bytes>& samples, double& score);

}  // namespace assay::unpack
