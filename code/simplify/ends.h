// What is read where control leaves: by whoever is called, returned to, trapped to, or by an opaque operation.
#pragma once
#include "code/simplify/simplify.h"

namespace assay::code::ir {

struct Ends {
  RegisterSet all = RegisterSet::all(), call, give_back, trap, lost_at_call;

  Ends(const Function& f, const Options& o);

  const RegisterSet& behind(const Op& op) const {
    if (op.code == Code::kReturn) return give_back;
    if (op.code == Code::kCall) return call;
    if (op.code == Code::kTrap) return trap;
    return all;
  }
  // What an opaque operation looks at: what the decoder calls written may be written in part.
  RegisterSet touched(const Function& f, const Op& op) const;
  // From what is read behind an operation that may leave to what is read before it; where a jump leads is not looked
  // at.
  void back_over(const Function& f, const Op& op, RegisterSet& live) const;
};

}  // namespace assay::code::ir
