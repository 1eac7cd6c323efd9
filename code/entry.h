// Whether what lies at an address can be where a function begins: what its caller is bound to give it, and no more, is
// there then.
#pragma once
#include "code/decode.h"
#include "code/program.h"
#include "code/translate.h"

namespace assay::code {

class Entry {
 public:
  Entry(const Program& program, Processor processor);
  // False: it reads registers that no caller fills, changes ones that it had to save first, or takes down a frame that
  // it did not make; so it is the rest of something.
  bool possible(uint64_t address);
  // Of what was asked for last: it makes a frame and saves registers in it.
  bool makes_frame() const { return processor_ != Processor::kX86 && saved_ != 0 && depth_ > 0; }
  bool saves_link() const { return (saved_ & link_) != 0 && depth_ > 0; }
  // Behind the next place where control cannot run on; `most` bytes on at the farthest.
  uint64_t run_end(uint64_t address, uint64_t most);

 private:
  bool step();
  bool decode(uint64_t address);
  uint64_t slots(const std::vector<uint16_t>& registers) const;
  bool moves_stack(uint64_t writes);

  const Program& program_;
  Processor processor_;
  const Translator& translator_;
  Decoder decoder_;
  Insn insn_;
  Op op_;
  std::vector<uint16_t> registers_;
  uint64_t given_ = 0, kept_ = 0, link_ = 0, stack_ = 0;  // masks of slots
  uint64_t filled_ = 0, saved_ = 0;
  int64_t depth_ = 0;  // bytes of stack taken
};

}  // namespace assay::code
