// Inside of reader.h: the reading of one function, shared by the files that each do one part of it: follow.cc (which
// instructions), blocks.cc, propagate.cc (values along the edges), switches.cc, observe.cc (calls and references).
#pragma once
#include "code/address_map.h"
#include "code/op_decoder.h"
#include "code/reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

namespace assay::code {

// Operations stepped, per byte of code; programs take one to four.
constexpr uint64_t kStepsPerByte = 256, kFewestSteps = 1 << 20;

struct Piece {  // a block while it is worked on
  uint64_t address = 0;
  uint32_t first = 0, last = 0;  // operations
  uint32_t control = kNone;      // the one that decides where to go on
  bool next = false;             // runs on into the operation behind
};

struct Run {
  uint64_t address;
  uint32_t first, count;
};

struct Reader::Work {
  Work(const Program& p) : program(p), stub_of(p.imports.size(), 0) {
    for (const Area& a : p.code) steps_left += kStepsPerByte * a.bytes.size();
  }
  // False: this program had its share of work.
  bool charge(uint64_t steps) {
    steps_left -= std::min(steps, steps_left);
    return steps_left != 0;
  }
  OpDecoder& decoder(Processor processor) {
    const auto& known = decoders[static_cast<size_t>(processor)];
    return known ? *known : add_decoder(processor);
  }
  OpDecoder& add_decoder(Processor processor);
  // False: no instruction.
  bool decode(Processor processor, uint64_t address, Op& op, bool anywhere = false) {
    const Area* area = here;
    if (!area || address - area->address >= area->bytes.size()) {
      area = program.code_at(address);
      if (area) here = area;
      if (!area && anywhere) area = program.data_at(address);
      if (!area) return op.size = 0, false;
    }
    return decoder(processor).decode(area->bytes.span().subspan(address - area->address), address, op);
  }

  const Program& program;
  std::array<std::unique_ptr<OpDecoder>, kProcessors> decoders;
  const Area* here = nullptr;  // of code, that was decoded in last
  Unknowns unknowns, scratch;
  State state, taken;
  std::vector<Op> ops, sorted;
  std::vector<Piece> pieces;
  std::vector<State> states;
  // Of Pass::order_blocks.
  struct Search {
    std::vector<std::pair<uint32_t, uint32_t>> stack;  // blocks, and how many of their edges were followed
    std::vector<uint32_t> open;                        // blocks whose part is not known yet
    std::vector<uint32_t> number, low, part;           // by block: when it was met; the earliest met that it leads to
    std::vector<uint32_t> ends;                        // by part: the rank behind its last block
  } search;
  std::vector<std::pair<uint32_t, State>> entered;  // of Pass::settle_loop: by rank
  struct Trial {                                    // of it too: blocks behind the loop
    uint32_t number = 0;
    std::vector<uint32_t> by;     // by block: the last trial that sent something there
    std::vector<uint32_t> fresh;  // that nothing was sent to before this one
    std::vector<std::pair<uint32_t, State>> held;
  } trial;
  // Of a Pass, kept from one to the next for their room.
  std::vector<uint64_t> todo, leaders;
  std::vector<Run> runs;
  std::vector<uint8_t> is_leader, reached;
  std::vector<uint32_t> order, rank, head_of;
  AddressMap<bool> stops;
  std::array<AddressMap<uint32_t>, kProcessors> stubs;
  std::vector<uint64_t> stub_of;  // by import: the lowest
  Tables tables;                  // of all functions that were read
  uint64_t steps_left = kFewestSteps;
};

// The reading of one function; lives as long as `Reader::read` runs.
class Pass {
 public:
  Pass(const Program& program, CodeMap& map, const Neighbours& neighbours, Reader& reader, Reader::Work& work,
       uint64_t start, Processor processor, uint32_t owner);
  ReadFunction run();

 private:
  void reset();
  void decode_all();
  void decode_from(uint64_t at);
  bool decodes_on(const Run& run, bool slot);
  bool returns_here(const Op& jump) const;
  void keep_literal(const Op& op);
  Value callee_of_mips(const Op& call) const;
  bool ends_in_call(const Run& run);
  bool stops_after(const Op& op);
  void settle_doubts();
  bool boundary(uint64_t at);
  bool ends_before(uint64_t at) { return boundary(at) || neighbours_.can_begin(at, processor_); }
  bool goes_on_behind(uint64_t at);
  bool inside(uint64_t target) const;
  bool stays(const Op& jump);
  bool aligns(const Op& jump);
  bool to_next_function(const Op& jump);
  bool guess(const Op& jump, const State& at_jump, const Destination& to);
  void leader(uint64_t at) { todo_.push_back(at); }
  void sort_ops();
  void build();
  Piece piece_from(uint32_t first);
  uint32_t op_at(uint64_t address) const;
  uint32_t piece_at(uint64_t address) const;
  void connect();
  void edges_of(uint32_t control);
  void add_edge(uint64_t to, Way way);
  void propagate();
  enum class Settled : uint8_t { kNo, kYes, kDone /* and what follows from it was sent and taken down */ };
  Settled settle_loop(uint32_t from, uint32_t end);
  enum class Visit : uint8_t { kPassing, kTrial, kLast };
  void visit(uint32_t piece, uint32_t first, uint32_t last, Visit how);
  void keep(uint32_t piece);
  void take_back();
  bool leads_to(uint32_t piece, uint32_t first, uint32_t last) const;
  void send(uint32_t from, uint32_t to, const State& state);
  void send_back(uint32_t to, const State& state);
  void enter(uint32_t piece);
  void order_blocks(uint32_t entry);
  bool follow_switches();
  void look_again(const Op& jump, const Switch& known, const Destination& to);
  bool tables_overlap() const;
  template <class See>
  void walk(uint32_t piece, State& state, State* taken, See&& see);
  void after_call(const Op& op, uint32_t mark, State& state);
  void give_up_values();
  bool gather();
  // How much was taken down, as of Pass::out_, told_endings_ and tail_jumps_.
  struct Seen {
    size_t references = 0, calls = 0, code_pointers = 0, code_numbers = 0, tail_jumps = 0, system_calls = 0,
           endings = 0, told_endings = 0, data = 0, escapes = 0;
    uint32_t indirect_jumps = 0, indirect_jumps_resolved = 0, indirect_calls = 0, indirect_calls_resolved = 0;
    uint32_t stub_of = kNone;
    bool returns = false, open = false;
  };
  Seen seen() const;
  void forget_since(const Seen& before);
  void forget_seen();
  void see_block(uint32_t piece, State& state, State* taken);
  bool slot_is_likely(uint32_t piece) const;
  void see_made(const Op& op, const State& after);
  void see_call(const Op& op, const State& state);
  void end_in(uint32_t import, const Op& op);
  bool keeps_frame(const Op& jump, const State& state) const;
  void see_jump(const Op& op, const State& state);
  void see_reference(uint64_t from, const Value& value, bool whole);
  void see_memory(const Op& op, const State& before);
  void finish_blocks();
  void finish_extents();
  void find_cuts();
  void cut_behind_calls();
  void cut_at_jumps();
  Slot thunk(uint64_t target) const;

  const Program& program_;
  CodeMap& map_;
  const Neighbours& neighbours_;
  Reader& reader_;
  Reader::Work& work_;
  const uint64_t start_;
  const Processor processor_;
  const uint32_t owner_, alignment_;
  const Translator& translator_;
  Machine machine_;
  const bool states_end_;  // a table does
  uint64_t limit_;
  std::vector<uint64_t>&todo_, &leaders_;
  std::vector<uint64_t> endings_;
  AddressMap<bool>& stops_;             // calls, and whether they do not come back
  std::vector<uint64_t> told_endings_;  // calls that were known not to come back when they were decoded
  // Of MIPS: those that seemed so; and of an attempt before those whose values then said otherwise.
  std::vector<uint64_t> foretold_, refuted_;
  std::vector<uint64_t> doubted_;  // calls of what does not come back, behind which code goes on
  size_t run_first_ = 0;           // operation of the run that is decoded
  std::vector<Run>& runs_;         // that are not in order yet
  size_t ordered_ = 0;             // operations that are, before them
  std::vector<uint8_t>&is_leader_, &reached_;
  std::vector<uint32_t>&order_, &rank_;  // blocks in the order of their visits, and their places in it
  struct Head {
    uint64_t lost = 0;                 // slots that a turn of the loop changes
    std::vector<Value> words;          // and words of the stack
    std::vector<SlotInterval> bounds;  // where comparisons put what the slots hold, on every way in
  };
  static void forget_unbounded(Head& head);  // bounds of kNoSlot
  std::vector<Head> heads_;
  std::vector<uint32_t>& head_of_;                  // by block: in heads_, or kNone
  uint32_t changed_ = kNone;                        // rank of the first head that is entered with less than before
  std::map<uint64_t, Switch> switches_;             // by the jump's address
  std::vector<std::pair<uint64_t, Switch>> wider_;  // than those there
  bool values_ = true, guessed_ = false;
  bool sees_ = false;  // what the function does was taken down while values were carried
  std::vector<Range> undecodable_, literals_;
  std::vector<uint64_t> tail_jumps_;  // targets of jumps that find the stack as the function was entered
  ReadFunction out_;
};

// Steps `state` through a block. `see` is told of every operation and the state before it; `taken`, where given, gets
// what holds where the block's branch is taken, `state` what holds where it is not.
template <class See>
void Pass::walk(uint32_t piece, State& state, State* taken, See&& see) {
  const Piece& p = work_.pieces[piece];
  const Op* held = nullptr;  // a call whose delay slot runs first
  for (uint32_t i = p.first; i < p.last; ++i) {
    const Op& op = work_.ops[i];
    const uint32_t mark = i + 1;
    const bool slot_follows = op.delay_slot && i + 1 < p.last;
    if (i == p.control && !op.calls()) {
      see(op, state);
      const Test test = machine_.test(op, state);
      // The slot of a "likely" branch runs only where it is taken.
      const bool slot_skipped = op.likely && slot_follows;
      State* on = slot_skipped && taken ? taken : &state;
      if (slot_skipped && taken) *taken = state;
      if (slot_follows) {
        const Op& slot = work_.ops[i + 1];
        see(slot, state);
        if (!slot_skipped || taken) machine_.step(slot, mark + 1, *on);
      } else if (op.what != Do::kNothing || op.writes != 0) {
        machine_.step(op, mark, state);
      }
      if (taken && !slot_skipped) *taken = state;
      if (taken) machine_.assume(test, true, *taken);
      machine_.assume(test, false, state);
      return;
    }
    if (op.calls() && !slot_follows) {
      see(op, state);
      after_call(op, mark, state);
      continue;
    }
    if (op.calls()) {
      held = &op;
      // The target is read before the slot runs, the arguments after.
      const Value target = op.flow == Flow::kIndirectCall && op.through < kSlots ? state.slots[op.through] : Value{};
      const Op& slot = work_.ops[i + 1];
      see(slot, state);
      machine_.step(slot, mark + 1, state);
      if (op.flow == Flow::kIndirectCall && op.through < kSlots) {
        const Value changed = std::exchange(state.slots[op.through], target);
        see(op, state);
        state.slots[op.through] = changed;
      } else {
        see(op, state);
      }
      after_call(*held, mark, state);
      ++i;
      continue;
    }
    see(op, state);
    machine_.step(op, mark, state);
  }
}

}  // namespace assay::code
