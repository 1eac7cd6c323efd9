// What the page shows of machine code. A page is no database: `assay functions` and `assay disasm` have the rest, and
// the page says how much it leaves out.
//
// Programs in the order in which a reader asks for them: those that serve the network, those that start by themselves,
// those that findings point at, then the others as stored; each content once, until 24 programs or 15,000 functions are
// shown. Of each the four functions that call most of what matters (code/interest.h), 120 instructions of each.
#pragma once
#include "engine/inspect.h"
#include "store/store.h"

namespace assay::engine {

struct ViewGround {
  Pool& pool;
  store::Store& store;
  bool keep = false;  // in the store
  std::vector<Arrow>& arrows;
  std::function<void()> hold;  // brings contents into memory, and their places into the examination
};
CodeViews view_code(Examination& examination, const ViewGround& ground);

}  // namespace assay::engine
