// One block of simplified operations as statements of pseudo-C: values used once are folded into the expression that
// uses them, unless what they read has changed by then.
#pragma once
#include "code/pseudo/abi.h"
#include "code/pseudo/graph.h"
#include "code/reading.h"

#include <map>

namespace assay::code::pseudo {

// What is known beside the operations.
struct Context {
  Reading* reading = nullptr;
  const ir::Function* code = nullptr;
  const Abi* abi = nullptr;
  std::map<uint64_t, std::string> meanings;  // of addresses that the function makes
  std::vector<int64_t> depth, frame;  // by block: the stack and the frame pointer, from the stack pointer at entry
  bool yields = false;                // the function puts something into the register of results
};
constexpr int64_t kNoDepth = INT64_MIN;
Context context_of(Reading& reading, const ir::Function& code, const Graph& graph, const Abi& abi);

struct Statement {
  uint64_t address = 0;
  std::string text;
};
// How a block ends.
struct Ending {
  uint64_t address = 0;
  std::string condition, otherwise;  // of the jump; the same turned round; "" : always
  std::string chosen;                // the address that a jump through a table goes to
};
struct Written {
  std::vector<Statement> statements;
  Ending ending;
};
Written write_block(Context& context, const Graph& graph, uint32_t block);

}  // namespace assay::code::pseudo
