// Which error correcting code the pages of a NAND dump carry: every known code is computed over sample pages and its
// bytes are looked for among the spare ones.
#pragma once
#include "unpack/formats/nand_layout.h"

#include <array>
#include <map>

namespace assay::unpack {

// The tables of each code, built when it is first tried: a dump is tried with many sizes of page.
class BchTables {
 public:
  const std::shared_ptr<const Bch>& of(uint32_t m, uint32_t t, uint32_t polynomial) {
    auto& bch = built_[{m, t, polynomial}];
    if (!bch) bch = std::make_shared<const Bch>(m, t, polynomial);
    return bch;
  }

 private:
  std::map<std::array<uint32_t, 3>, std::shared_ptr<const Bch>> built_;
};

// Layouts whose codes agree with the samples, the one that agrees with most first; `score`: of the first, the share
// of code words that hold exactly. Samples are whole pages with their spare bytes.
std::vector<NandLayout> find_nand_codes(const NandGeometry& geometry, const std::vector<Bytes>& samples,
                                        BchTables& tables, double& score);

}  // namespace assay::unpack
