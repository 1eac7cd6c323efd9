// All that is read out of a program's code: functions, blocks with dominators and loops, jump tables, references,
// calls. Plain vectors, each ascending by its first address; indices lead from one into another.
#pragma once
#include "code/functions.h"
#include "code/insn.h"

namespace assay::code {

constexpr uint32_t kNone = ~uint32_t{0};  // no such index

// A run of instructions that is entered at its first alone.
struct Block {
  uint64_t address = 0, end = 0;       // `end`: behind the last instruction, its delay slot included
  uint32_t function = 0;               // Analysis::functions.all
  uint32_t first_edge = 0, edges = 0;  // Analysis::edges: where control goes on within the function
  uint32_t dominator = kNone;          // the block every way here passes last; kNone: the function's first block
  uint32_t loop = kNone;               // head of the innermost loop it belongs to
  uint16_t loop_depth = 0;
};

enum class Way : uint8_t { kNext, kJump, kTable };  // falls through, is jumped to, is jumped to through a table
struct Edge {
  uint32_t to = 0;  // Analysis::blocks
  Way way = Way::kNext;
};

// A switch: an indirect jump whose targets the compiler wrote into a table (or a row of branches).
struct JumpTable {
  uint64_t address = 0, table = 0;  // of the jump; of the first entry
  uint32_t function = 0;
  uint8_t entry_size = 0;         // bytes
  std::vector<uint64_t> targets;  // ascending, each once
  bool bounded = false;           // the code states how many entries there are; else the entries themselves ended it
};

enum class Use : uint8_t { kString, kData, kFunction, kImport };
std::string_view name_of(Use use);
// An instruction that makes or reads an address of the program.
struct Reference {
  uint64_t from = 0, to = 0;  // the instruction that completes the address; the address
  uint32_t function = 0;      // that the instruction is in
  Use use = Use::kData;
};

enum class CallKind : uint8_t {
  kDirect,
  kIndirect,  // through a register or memory
  kTail,      // a jump that leaves the function
  kCallback,  // not called here: its address is an argument of the call at `site`
};
std::string_view name_of(CallKind kind);
struct Call {
  uint64_t site = 0;
  uint64_t target = kNowhere;  // a function of the program; kNowhere: an import, or not resolved
  uint32_t import = kNone;     // Analysis::imports
  uint32_t caller = 0;         // Analysis::functions.all
  CallKind kind = CallKind::kDirect;
  bool other_mode = false;  // a direct call that changes the instruction set: blx, jalx
  bool resolved() const { return target != kNowhere || import != kNone; }
};

struct SystemCall {
  uint64_t site = 0;
  uint32_t function = 0;
  std::optional<uint32_t> number;  // as the kernel of this CPU counts; nothing: not a constant
};

// What of a function is more than its start.
struct Body {
  uint32_t first_block = 0, blocks = 0;  // Analysis::blocks; its own blocks lie side by side
  uint32_t instructions = 0;
  bool returns = true;  // false: no way through it ends in a return
};

struct Analysis {
  Functions functions;
  std::vector<Body> bodies;  // one per functions.all
  std::vector<Block> blocks;
  std::vector<Edge> edges;
  std::vector<JumpTable> jump_tables;
  std::vector<Reference> references;
  std::vector<Import> imports;  // code/program.h
  std::vector<Call> calls;
  std::vector<SystemCall> system_calls;
  uint64_t indirect_jumps_resolved = 0;  // of functions.indirect_jumps

  // Index of the function that starts at, or whose bytes hold, `address`; kNone: none does.
  uint32_t function_at(uint64_t address) const;
};

Analysis analyse(const Program& program);

// Printable text that ends in a NUL at `address` of what is mapped; empty: none of at least two characters.
std::string_view string_at(const Program& program, uint64_t address);

}  // namespace assay::code
