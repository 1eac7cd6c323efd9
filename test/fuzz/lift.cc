// Fuzz target: bytes as code. Every lifter: no crash, and no disagreement between what the decoder says is written and
// what the lifter writes; what comes out is well formed, simplified too. The first byte chooses the machine.
#include "code/lift/function.h"
#include "lift/agreement.h"

#include <cstdio>

namespace {

using namespace assay::code;

struct Side {
  explicit Side(Processor p) : isa(lift::make_isa(p)), decoder(p) {}
  lift::Isa isa;
  Decoder decoder;
};

std::vector<Side>& sides() {
  static std::vector<Side> all = [] {
    std::vector<Side> out;
    for (size_t p = 1; p < kProcessors; ++p)
      if (lift::has_lifter(static_cast<Processor>(p))) out.emplace_back(static_cast<Processor>(p));
    return out;
  }();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  Side& side = sides()[data[0] % sides().size()];
  const std::string what = lift::disagreements(side.isa, side.decoder, std::as_bytes(std::span(data + 1, size - 1)));
  if (what.empty()) return 0;
  std::fprintf(stderr, "%s: %s", std::string(name_of(side.isa.set->processor())).c_str(), what.c_str());
  __builtin_trap();
}
