// Reads one function: follows its instructions, works out what registers hold, and with that its switches, calls,
// references, until nothing new turns up.
#pragma once
#include "code/analysis.h"
#include "code/code_map.h"
#include "code/jump_tables.h"
#include "code/translate.h"
#include "code/values.h"

namespace assay::code {

// What is known of the rest of the program while a function is read.
class Neighbours {
 public:
  virtual ~Neighbours() = default;
  virtual bool starts_function(uint64_t address) const = 0;
  virtual uint64_t next_start(uint64_t address) const = 0;  // the first known one past it
  virtual bool returns(uint64_t function) const = 0;        // false only where it is known not to
  virtual bool import_returns(uint32_t import) const = 0;
  virtual Processor processor_at(uint64_t address, Processor here, bool other_mode) const = 0;
  virtual bool can_begin(uint64_t address, Processor processor) const = 0;  // a function, as far as its code shows
  virtual bool makes_frame(uint64_t address,
                           Processor processor) const = 0;  // it can, and saves where it was called from
  // Code that nothing leads to and that lies in the function, one of whose jumps is not resolved; ascending.
  virtual std::span<const uint64_t> stray(uint64_t function) const = 0;
};

// Below, programs count, more often than they point at code.
constexpr uint64_t kSmallNumbers = uint64_t{1} << 22;

struct Escape {  // a jump out of the function, or code that runs on into another one
  uint64_t site = 0, target = 0;
  bool conditional = false, falls = false;
};

struct ReadFunction {
  std::vector<Range> extents;  // ascending, apart
  std::vector<Block> blocks;   // Block::function is not set; edges count within `edges`
  std::vector<Edge> edges;
  std::vector<JumpTable> tables;
  std::vector<Reference> references;  // `use` is not decided yet
  std::vector<Call> calls;            // direct calls of stubs are calls of imports
  std::vector<SystemCall> system_calls;
  std::vector<Escape> escapes;
  std::vector<Range> data;              // in code: literals and tables; ascending, each once
  std::vector<uint64_t> code_pointers;  // addresses of code that it makes
  std::vector<uint64_t> code_numbers;   // small numbers that could be some
  std::vector<uint64_t> endings;        // calls that do not return
  std::vector<uint64_t> cuts;           // where another function begins, as far as its shape tells; ascending
  std::vector<uint64_t> doubtful;       // behind calls that do not return, although code goes on there
  uint32_t instructions = 0, undecodable = 0;
  uint32_t indirect_jumps = 0, indirect_jumps_resolved = 0, indirect_calls = 0, indirect_calls_resolved = 0;
  bool returns = false;      // by itself
  bool open = false;         // a switch of it is not resolved
  bool incomplete = false;   // a limit ended the reading: values, switches or ends are missing
  uint32_t stub_of = kNone;  // all it does is to jump to this import
};

class Reader {
 public:
  Reader(const Program& program, CodeMap& map, const Neighbours& neighbours);
  ~Reader();
  // `owner` marks its instructions in the map; what it owned before must be cleared.
  ReadFunction read(uint64_t start, Processor processor, uint32_t owner);
  // The import that code at `address` leads to, entered with `state`; kNone: it does not lead to one at once.
  uint32_t stub(uint64_t address, Processor processor, const State* state);
  // The lowest address that `stub` was asked about and that led to `import`; 0: none.
  uint64_t stub_of(uint32_t import) const;

 private:
  friend class Pass;
  struct Work;
  uint32_t find_stub(uint64_t address, Processor processor, const State* state);
  const Program& program_;
  CodeMap& map_;
  const Neighbours& neighbours_;
  std::unique_ptr<Work> work_;
};

}  // namespace assay::code
