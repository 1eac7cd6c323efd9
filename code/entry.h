// Whether what lies at an address can be where a function begins: what its caller is bound to give it, and no more, is
// there then.
#pragma once
#include "code/decode.h"
#include "code/program.h"
#include "code/translate.h"
#include "code/words.h"

namespace assay::code {

class Entry {
 public:
  Entry(const Program& program, Processor processor);
  // False: it reads registers that no caller fills, changes ones that it had to save first, or takes down a frame that
  // it did not make; so it is the rest of something.
  bool possible(uint64_t address);
  // Of what was asked for last: it makes a frame and saves registers in it.
  bool makes_frame() const { return last_.makes_frame; }
  bool saves_link() const { return last_.saves_link; }
  // Behind the next place where control cannot run on; `most` bytes on at the farthest.
  uint64_t run_end(uint64_t address, uint64_t most);

 private:
  // What was found out: the same is asked again and again, of code that nothing leads to above all.
  struct Answer {
    Word own = kNoWord;
    bool possible = false, makes_frame = false, saves_link = false;
    Word& word() { return own; }
  };
  // An instruction: what of it matters here. Whoever looks for a beginning asks of one address after the other, and
  // each time of what follows.
  struct Step {
    Word own = kNoWord;
    Op op;
    uint64_t reads = 0, writes = 0;  // masks of slots
    Flow flow = Flow::kNone;
    uint8_t size = 0;
    bool good = false, conditional = false, delay_slot = false, loads = false, stores = false;
    Word& word() { return own; }
  };
  bool find_out(uint64_t address);
  bool take(const Step& step);
  const Step& step(uint64_t address);
  void decode(uint64_t address, Step& out);
  uint64_t slots(const std::vector<uint16_t>& registers) const;
  bool moves_stack(const Step& step);

  const Program& program_;
  Processor processor_;
  const Translator& translator_;
  Decoder decoder_;
  Insn insn_;
  std::vector<uint16_t> registers_;
  uint64_t given_ = 0, kept_ = 0, link_ = 0, stack_ = 0;  // masks of slots
  uint64_t filled_ = 0, saved_ = 0;
  int64_t depth_ = 0;                                   // bytes of stack taken
  static constexpr uint8_t kAnswers = 17, kSteps = 10;  // bits
  Words<Answer, true> answers_{kAnswers};
  Words<Step, true> steps_{kSteps};
  Answer last_;
  Step passing_;  // that is not remembered
};

}  // namespace assay::code
