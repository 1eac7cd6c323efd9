// Which functions a program has, and the body of each: from what its tables state to what lies in the gaps, until
// nothing changes.
#pragma once
#include "code/address_map.h"
#include "code/entry.h"
#include "code/reader.h"

#include <deque>
#include <map>

namespace assay::code {

// Which functions call, or jump to, an address.
class Users {
 public:
  void note(uint64_t target, uint32_t user) {
    uint32_t& last = *last_.try_emplace(target, kNone).first;
    if (last != kNone && all_[last].user == user) return;
    all_.push_back({user, last});
    last = static_cast<uint32_t>(all_.size() - 1);
  }
  // Appends them to `out`, some perhaps more than once.
  void append(uint64_t target, std::vector<uint32_t>& out) {
    const uint32_t* last = last_.find(target);
    for (uint32_t i = last ? *last : kNone; i != kNone; i = all_[i].before) out.push_back(all_[i].user);
  }

 private:
  struct Use {
    uint32_t user, before;  // of the same target, in all_
  };
  AddressMap<uint32_t> last_;  // in all_
  std::vector<Use> all_;
};

class Discovery : public Neighbours {
 public:
  struct Start {
    uint64_t address = 0;
    Processor processor = Processor::kUnknown;
    Found found = Found::kCall;
    Sure sure = Sure::kHigh;
    uint64_t stated_size = 0;
    std::string name;
    uint32_t reads = 0;
    bool waits = false, returns = true, stub = false;
    bool unsettled = false;       // to be read once more, and read often enough
    std::vector<uint64_t> stray;  // Neighbours::stray
    ReadFunction body;
  };

  explicit Discovery(const Program& program);
  void run();

  const std::map<uint64_t, uint32_t>& order() const { return by_address_; }
  const Start& start(uint32_t index) const { return starts_[index]; }
  Start& start(uint32_t index) { return starts_[index]; }
  const CodeMap& map() const { return map_; }
  uint64_t stub_of(uint32_t import) const { return reader_.stub_of(import); }

  bool starts_function(uint64_t address) const override { return map_.starts_function(address); }
  uint64_t next_start(uint64_t address) const override;
  bool returns(uint64_t function) const override { return !map_.endless(function); }
  bool import_returns(uint32_t import) const override { return import >= no_return_.size() || !no_return_[import]; }
  Processor processor_at(uint64_t address, Processor here, bool other) const override;
  bool can_begin(uint64_t address, Processor processor) const override;
  bool makes_frame(uint64_t address, Processor processor) const override;
  std::span<const uint64_t> stray(uint64_t function) const override;

 private:
  void add(uint64_t address, Processor processor, Found found, Sure sure, uint64_t size = 0,
           std::string_view name = {});
  void queue(uint32_t index);
  void read(uint32_t index);
  void mark_data(const Start& start);
  void free(uint64_t from, uint64_t to, uint32_t owner);
  void take(uint32_t index);
  void hurry(uint64_t address);
  void drain();
  const Start* reader_of(uint64_t address) const;
  void end_with(uint64_t target);
  bool ends_nowhere(const Start& start) const;
  bool comes_back(uint64_t target) const;
  bool outlives_call(const Start& start) const;
  bool find_no_return();
  bool stopped_too_early(const Start& start) const;
  bool retry();
  void settle();
  std::vector<uint64_t> doubtful_places() const;
  void tails();
  void pointers();
  bool made_pointers();
  uint64_t pointers_end() const;
  bool is_thumb_label(uint64_t value, Processor processor);
  void pointer(uint64_t value, bool made_by_code);
  void gaps();
  void gap(uint64_t from, uint64_t to, bool prologues_alone);
  uint64_t next_begin(Processor processor, uint64_t from, uint64_t to);
  bool strays(uint64_t address);
  bool follows(const Start& before, uint64_t address);
  bool leads_back(Processor processor, uint64_t address);
  uint64_t behind_alignment(Processor processor, uint64_t from, uint64_t to);
  bool begins_with_frame(Processor processor, uint64_t address);
  Entry& entry(Processor processor) const;
  uint64_t behind_padding(uint64_t address);
  bool crossings();
  bool is_prologue(Processor processor, uint64_t address);
  bool is_padding(Processor processor, uint64_t address, uint64_t& size);
  bool is_known_padding(uint64_t address, uint64_t& size) const;
  bool plausible(Processor processor, uint64_t address);
  bool is_left_over(const Start& s) const;
  bool is_no_function(const Start& s);
  // What its bytes tell of an address, as far as it was asked; the same is asked whenever what lies between functions
  // is looked through.
  struct Judged {
    Word own = kNoWord;
    std::optional<bool> plausible, prologue, padding;
    uint8_t size = 0;  // with `padding`: of the instruction
    Word& word() { return own; }
  };
  Judged& judged(Processor processor, uint64_t address);
  bool judge_prologue(Processor processor, uint64_t address);
  bool judge_padding(Processor processor, uint64_t address, uint64_t& size);
  bool judge_plausible(Processor processor, uint64_t address);
  Processor mode_before(uint64_t address) const;
  const Start* owner_before(uint64_t address) const;
  struct Coder {
    Decoder decoder;
    const Translator& translator;
  };
  Coder& coder(Processor processor);
  Decoder& decoder(Processor processor) { return coder(processor).decoder; }
  bool decode(Processor processor, uint64_t address, Op& op);

  const Program& program_;
  CodeMap map_;
  Reader reader_;
  std::deque<Start> starts_;
  std::map<uint64_t, uint32_t> by_address_;
  std::vector<uint32_t> waiting_, later_;
  Users callers_, jumpers_;
  // Functions to be asked again: whether they return; whether they stopped early; whether they reach over another's
  // start. Those that were read since, and those that lie where something changed.
  std::vector<uint32_t> unjudged_, fresh_, reaching_;
  std::vector<bool> no_return_;  // by import
  bool has_sections_ = true, whole_segment_ = false;
  bool strayed_ = false;  // a stray was added
  bool mixed_ = false;    // functions of more than one instruction set
  std::vector<std::pair<uint64_t, Processor>> tail_targets_;
  std::vector<uint64_t> code_pointers_, code_numbers_, doubtful_;
  std::array<std::unique_ptr<Coder>, kProcessors> coders_;
  mutable std::array<std::unique_ptr<Entry>, kProcessors> entries_;
  Insn insn_;
  static constexpr uint8_t kJudged = 18;  // bits
  std::array<std::unique_ptr<Words<Judged, true>>, kProcessors> judged_;
  std::vector<std::string_view> paddings_;  // of x86, as the program has them
};

}  // namespace assay::code
