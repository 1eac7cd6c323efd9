// One function: decode what control reaches, cut it into blocks, carry values along the edges to a fixed point, read
// the switches that this shows, again from the start with what they lead to, and take down what is left.
#include "code/reader.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace assay::code {
namespace {

constexpr int kMostRounds = 64;          // of newly found switches
constexpr int kMostTurns = 12;           // over all blocks, before whatever loops may change is forgotten
constexpr uint32_t kMostStates = 20000;  // blocks that are kept with a state of their own
constexpr int kMostAttempts = 5;         // each begins with the calls that the one before found not to return
// Operations stepped, per byte of code; programs take one to four.
constexpr uint64_t kStepsPerByte = 256, kFewestSteps = 1 << 20;

struct Piece {                   // a block while it is worked on
  uint32_t first = 0, last = 0;  // operations
  uint32_t control = kNone;      // the one that decides where to go on
  uint32_t predecessors = 0;
  bool next = false;  // runs on into the operation behind
};

}  // namespace

struct Reader::Work {
  Work(const Program& p) : program(p), stub_of(p.imports.size(), 0) {
    for (const Area& a : p.code) steps_left += kStepsPerByte * a.bytes.size();
  }
  // False: this program had its share of work.
  bool charge(uint64_t steps) {
    steps_left -= std::min(steps, steps_left);
    return steps_left != 0;
  }
  Decoder& decoder(Processor processor) {
    auto& slot = decoders[static_cast<size_t>(processor)];
    if (!slot) slot = std::make_unique<Decoder>(processor, program.dialect);
    return *slot;
  }
  const Translator& translator(Processor processor) { return Translator::of(processor, program.dialect); }
  // False: no instruction.
  bool decode(Processor processor, uint64_t address, Op& op, bool anywhere = false) {
    const Area* area = program.code_at(address);
    if (!area && anywhere) area = program.data_at(address);
    if (!area) return op.size = 0, false;
    if (!decoder(processor).decode(area->bytes.span().subspan(address - area->address), address, insn)) {
      op.size = insn.size;
      return false;
    }
    translator(processor).translate(insn, op);
    return true;
  }

  const Program& program;
  std::array<std::unique_ptr<Decoder>, kProcessors> decoders;
  Insn insn;
  Unknowns unknowns, scratch;
  std::vector<Op> ops, sorted;
  std::vector<Piece> pieces;
  std::vector<State> states;
  std::array<std::unordered_map<uint64_t, uint32_t>, kProcessors> stubs;  // only looked up
  std::vector<uint64_t> stub_of;                                          // by import
  uint64_t steps_left = kFewestSteps;
};

namespace {

struct Run {
  uint64_t address;
  uint32_t first, count;
};

}  // namespace

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
  bool stops_after(const Op& op);
  bool boundary(uint64_t at);
  bool goes_on_behind(uint64_t at);
  bool inside(uint64_t target) const;
  void leader(uint64_t at) { todo_.push_back(at); }
  void sort_ops();
  void build();
  uint32_t op_at(uint64_t address) const;
  uint32_t piece_at(uint64_t address) const;
  void connect();
  void edges_of(uint32_t control);
  void add_edge(uint64_t to, Way way);
  void propagate();
  void visit(uint32_t piece);
  void send(uint32_t from, uint32_t to, const State& state);
  void enter(uint32_t piece);
  void order_blocks(uint32_t entry);
  bool follow_switches();
  template <class See>
  void walk(uint32_t piece, State& state, State* taken, See&& see);
  void after_call(const Op& op, uint32_t mark, State& state);
  void give_up_values();
  bool gather();
  void see(const Op& op, const State& before, const State& after);
  void see_call(const Op& op, const State& state);
  void see_jump(const Op& op, const State& state);
  void see_reference(uint64_t from, const Value& value, bool whole);
  void see_memory(const Op& op, const State& before);
  void finish_blocks();
  void finish_extents();
  Slot thunk(uint64_t target) const;

  const Program& program_;
  CodeMap& map_;
  const Neighbours& neighbours_;
  Reader& reader_;
  Reader::Work& work_;
  const uint64_t start_;
  const Processor processor_;
  const uint32_t owner_;
  const Translator& translator_;
  Machine machine_;
  uint64_t limit_;
  std::vector<uint64_t> todo_, leaders_, endings_;
  std::vector<std::pair<uint64_t, bool>> stops_;  // calls, and whether they do not come back
  std::vector<Run> runs_;
  std::vector<uint8_t> is_leader_;
  std::vector<uint8_t> reached_;
  std::vector<uint32_t> order_, rank_;  // blocks in reverse postorder, and their places in it
  struct Head {
    uint64_t lost = 0;         // slots that a turn of the loop changes
    std::vector<Value> words;  // and words of the stack
  };
  std::map<uint32_t, Head> heads_;
  bool again_ = false;
  std::vector<std::pair<uint64_t, Switch>> switches_;  // by the jump's address
  bool values_ = true;
  std::vector<Range> undecodable_;
  ReadFunction out_;
};

Pass::Pass(const Program& program, CodeMap& map, const Neighbours& neighbours, Reader& reader, Reader::Work& work,
           uint64_t start, Processor processor, uint32_t owner)
    : program_(program),
      map_(map),
      neighbours_(neighbours),
      reader_(reader),
      work_(work),
      start_(start),
      processor_(processor),
      owner_(owner),
      translator_(work.translator(processor)),
      machine_(program, translator_, work.unknowns),
      limit_(neighbours.next_start(start)) {}

bool Pass::inside(uint64_t target) const {
  if (target == start_) return true;
  if (target < start_ || target >= limit_ || neighbours_.starts_function(target)) return false;
  if (program_.code_at(target) == nullptr || target % instruction_alignment(processor_) != 0) return false;
  const uint32_t owner = map_.owner(target);
  return owner == CodeMap::kUnread || owner == owner_;
}

// Where a function's code may end: padding, another function, or nothing at all.
bool Pass::boundary(uint64_t at) {
  if (neighbours_.starts_function(at) || !program_.code_at(at)) return true;
  Op op;
  const bool decoded = work_.decode(processor_, at, op);
  return !decoded || op.padding || op.flow == Flow::kTrap;
}

// A call that does not come back, as far as is known by now. What the compiler was not told of it had to be compiled
// as if it did: there the function goes on.
bool Pass::stops_after(const Op& op) {
  const auto known = std::ranges::lower_bound(stops_, op.address, {}, &std::pair<uint64_t, bool>::first);
  if (known != stops_.end() && known->first == op.address) return known->second;
  bool stops = false;
  const uint64_t next = op.end() + (op.delay_slot ? 4 : 0);
  if (std::ranges::binary_search(endings_, op.address)) {
    stops = true;
  } else if (op.flow == Flow::kCall && !op.conditional) {
    const Processor there = neighbours_.processor_at(op.target, processor_, op.other_mode);
    const uint32_t import = reader_.stub(op.target, there, nullptr);
    const bool ends = import != kNone ? !neighbours_.import_returns(import) : !neighbours_.returns(op.target);
    stops = ends && (import != kNone || boundary(next));
    if (ends && !stops) out_.doubtful.push_back(next);
  }
  stops_.insert(known, {op.address, stops});
  return stops;
}

// A word that is no instruction we know, between two that are: an extension of this processor, not the end of the code.
bool Pass::goes_on_behind(uint64_t at) {
  const Family family = family_of(processor_);
  if (instruction_alignment(processor_) != 4 || family == Family::kArm) return false;
  const auto word = program_.word(at, 4);
  Op next;
  return word && *word != 0 && work_.decode(processor_, at + 4, next);
}

void Pass::decode_from(uint64_t at) {
  work_.decoder(processor_).restart();
  Run run{at, static_cast<uint32_t>(work_.ops.size()), 0};
  const auto end_run = [&] {
    run.count = static_cast<uint32_t>(work_.ops.size()) - run.first;
    if (run.count != 0) runs_.push_back(run);
  };
  bool slot = false, ends = false;
  for (;;) {
    if (at != start_ && !slot && neighbours_.starts_function(at)) {
      out_.escapes.push_back({work_.ops.size() > run.first ? work_.ops.back().address : at, at, false, true});
      return end_run();
    }
    if (map_.owner(at) == owner_ && map_.starts(at)) {
      leaders_.push_back(at);
      // The slot of a branch may have been read as a block's first instruction.
      if (!slot) return end_run();
    }
    if (map_.owner(at) != CodeMap::kUnread && map_.owner(at) != owner_) {
      if (at != run.address || work_.ops.size() > run.first) out_.escapes.push_back({at, at, false, true});
      return end_run();
    }
    Op& op = work_.ops.emplace_back();
    if (!work_.decode(processor_, at, op)) {
      undecodable_.push_back({at, at + op.size});
      const bool opaque = at != start_ && goes_on_behind(at);
      if (!opaque) {
        work_.ops.pop_back();
        return end_run();
      }
      op = Op{.address = at, .size = 4};
      op.forgets_flags = true;
    }
    map_.mark(at, op.size, owner_);
    at += op.size;
    if (slot) {
      if (!ends) leaders_.push_back(at), todo_.push_back(at);
      return end_run();
    }
    const bool decides =
        op.flow == Flow::kJump || op.flow == Flow::kReturn || op.flow == Flow::kIndirectJump || op.flow == Flow::kTrap;
    const bool last_call = op.calls() && stops_after(op);
    if (op.flow == Flow::kJump && inside(op.target)) leader(op.target);
    ends = last_call || (decides && !op.conditional);
    if (!decides && !last_call) continue;
    if (op.delay_slot) {
      slot = true;
      continue;
    }
    if (!ends) leader(at);
    return end_run();
  }
}

void Pass::decode_all() {
  while (!todo_.empty()) {
    const uint64_t at = todo_.back();
    todo_.pop_back();
    if (at != start_ && !inside(at)) continue;
    leaders_.push_back(at);
    if (map_.owner(at) == owner_ && map_.starts(at)) continue;
    decode_from(at);
  }
}

void Pass::sort_ops() {
  std::ranges::sort(runs_, {}, &Run::address);
  bool in_order = true;
  for (size_t i = 1; i < runs_.size(); ++i) in_order &= runs_[i].first > runs_[i - 1].first;
  if (!in_order) {
    work_.sorted.clear();
    work_.sorted.reserve(work_.ops.size());
    for (Run& r : runs_) {
      const auto from = work_.ops.begin() + r.first;
      r.first = static_cast<uint32_t>(work_.sorted.size());
      work_.sorted.insert(work_.sorted.end(), from, from + r.count);
    }
    work_.ops.swap(work_.sorted);
  }
  // A delay slot read twice, and x86 code read at two offsets: by address, the first stays.
  if (!std::ranges::is_sorted(work_.ops, {}, &Op::address)) std::ranges::stable_sort(work_.ops, {}, &Op::address);
  const auto rest = std::ranges::unique(work_.ops, {}, &Op::address);
  work_.ops.erase(rest.begin(), rest.end());
  runs_.clear();
  if (!work_.ops.empty()) runs_.push_back({work_.ops.front().address, 0, static_cast<uint32_t>(work_.ops.size())});
}

uint32_t Pass::op_at(uint64_t address) const {
  const auto at = std::ranges::lower_bound(work_.ops, address, {}, &Op::address);
  return at != work_.ops.end() && at->address == address ? static_cast<uint32_t>(at - work_.ops.begin()) : kNone;
}

uint32_t Pass::piece_at(uint64_t address) const {
  const auto& pieces = work_.pieces;
  const auto at =
      std::ranges::lower_bound(pieces, address, {}, [&](const Piece& p) { return work_.ops[p.first].address; });
  return at != pieces.end() && work_.ops[at->first].address == address ? static_cast<uint32_t>(at - pieces.begin())
                                                                       : kNone;
}

void Pass::build() {
  sort_ops();
  std::ranges::sort(leaders_);
  leaders_.erase(std::ranges::unique(leaders_).begin(), leaders_.end());
  is_leader_.assign(work_.ops.size() + 1, 0);
  for (const uint64_t l : leaders_)
    if (const uint32_t i = op_at(l); i != kNone) is_leader_[i] = 1;
  work_.pieces.clear();
  const auto& ops = work_.ops;
  for (uint32_t i = 0; i < ops.size(); ++i) {
    if (!is_leader_[i]) continue;
    Piece p{.first = i};
    for (uint32_t k = i;; ++k) {
      const Op& op = ops[k];
      const bool decides = op.flow == Flow::kJump || op.flow == Flow::kReturn || op.flow == Flow::kIndirectJump ||
                           op.flow == Flow::kTrap;
      const bool last_call = op.calls() && stops_after(op);
      p.last = k + 1;
      const bool contiguous = k + 1 < ops.size() && ops[k + 1].address == op.end();
      if (decides || last_call) {
        p.control = k;
        if (op.delay_slot && contiguous) ++p.last;
        p.next = decides && op.conditional;
        break;
      }
      if (!contiguous) break;
      if (is_leader_[k + 1] && !(op.delay_slot && k + 2 < ops.size())) {
        p.next = true;
        break;
      }
    }
    work_.pieces.push_back(p);
  }
  connect();
}

void Pass::add_edge(uint64_t to, Way way) {
  const uint32_t piece = piece_at(to);
  if (piece == kNone) return;
  out_.edges.push_back({piece, way});
  ++work_.pieces[piece].predecessors;
}

void Pass::edges_of(uint32_t control) {
  const Op& op = work_.ops[control];
  if (op.flow == Flow::kJump && inside(op.target)) add_edge(op.target, Way::kJump);
  if (op.flow == Flow::kIndirectJump)
    for (const auto& [site, table] : switches_)
      if (site == op.address)
        for (const uint64_t to : table.places) add_edge(to, Way::kTable);
}

void Pass::connect() {
  out_.edges.clear();
  out_.blocks.clear();
  auto& pieces = work_.pieces;
  for (uint32_t i = 0; i < pieces.size(); ++i) {
    Block b{.address = work_.ops[pieces[i].first].address, .end = work_.ops[pieces[i].last - 1].end()};
    b.first_edge = static_cast<uint32_t>(out_.edges.size());
    if (pieces[i].next) add_edge(b.end, Way::kNext);
    if (pieces[i].control != kNone) edges_of(pieces[i].control);
    b.edges = static_cast<uint32_t>(out_.edges.size()) - b.first_edge;
    out_.blocks.push_back(b);
  }
  const uint32_t entry = piece_at(start_);
  if (entry != kNone) ++pieces[entry].predecessors;
}

// i386: `mov (%esp), %reg; ret` tells where it was called from.
Slot Pass::thunk(uint64_t target) const {
  if (processor_ != Processor::kX86) return kNoSlot;
  const Area* area = program_.code_at(target);
  const Bytes b = area ? area->bytes.head(4, target - area->address) : Bytes();
  if (b.size() < 4 || b[0] != 0x8b || (b[1] & 0xc7) != 0x04 || b[2] != 0x24 || b[3] != 0xc3) return kNoSlot;
  return static_cast<Slot>(b[1] >> 3 & 7);
}

void Pass::after_call(const Op& op, uint32_t mark, State& state) {
  const Slot slot = op.flow == Flow::kCall ? thunk(op.target) : kNoSlot;
  if (slot != kNoSlot) {
    state.slots[slot] = {.add = op.end(), .origin = Origin::kAddress};
    return;
  }
  machine_.call(mark, state);
}

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
      State before = state;
      if (slot_follows) {
        const Op& slot = work_.ops[i + 1];
        see(slot, state);
        machine_.step(slot, mark + 1, state);
      } else if (op.what != Do::kNothing || op.writes != 0) {
        machine_.step(op, mark, state);
      }
      State on = op.likely ? before : state;
      State yes = state;
      machine_.assume(op, true, before);
      yes.bound = before.bound, yes.bounds = before.bounds;
      if (taken) *taken = yes;
      before.bound = on.bound, before.bounds = on.bounds;
      machine_.assume(op, false, before);
      on.bound = before.bound, on.bounds = before.bounds;
      state = on;
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

// What holds at the end of a block, sent along one edge. Backwards, it may only show that a register or a word does not
// hold at the loop's head what it held on the way in: it is forgotten there, and all begins again.
void Pass::send(uint32_t from, uint32_t to, const State& state) {
  State& into = work_.states[to];
  if (rank_[to] > rank_[from]) {
    if (!std::exchange(reached_[to], uint8_t{1}))
      into = state;
    else
      Machine::join(into, state, to);
    return;
  }
  Head& head = heads_[to];
  for (Slot i = 0; i < kSlots; ++i)
    if (!(into.slots[i] == state.slots[i]) && (head.lost >> i & 1) == 0) head.lost |= uint64_t{1} << i, again_ = true;
  for (uint8_t i = 0; i < into.saved; ++i) {
    const auto* end = state.memory.data() + state.saved;
    if (std::find(state.memory.data(), end, into.memory[i]) != end) continue;
    head.words.push_back(into.memory[i].address);
    again_ = true;
  }
}

// The head of a loop is entered with what no turn of the loop changes.
void Pass::enter(uint32_t piece) {
  const auto head = heads_.find(piece);
  if (head != heads_.end()) Machine::forget(work_.states[piece], head->second.lost, head->second.words, piece);
}

void Pass::visit(uint32_t piece) {
  enter(piece);
  State state = work_.states[piece], taken;
  const Block& b = out_.blocks[piece];
  const bool branches = work_.pieces[piece].control != kNone;
  walk(piece, state, branches ? &taken : nullptr, [](const Op&, const State&) {});
  for (uint32_t e = b.first_edge; e < b.first_edge + b.edges; ++e)
    send(piece, out_.edges[e].to, out_.edges[e].way == Way::kNext ? state : taken);
}

// Reverse postorder: a block comes after all that lead to it, loops aside.
void Pass::order_blocks(uint32_t entry) {
  order_.clear();
  rank_.assign(out_.blocks.size(), kNone);
  heads_.clear();
  std::vector<std::pair<uint32_t, uint32_t>> stack{{entry, 0}};
  std::vector<uint8_t> met(out_.blocks.size(), 0);
  met[entry] = 1;
  while (!stack.empty()) {
    auto& [block, done] = stack.back();
    const Block& b = out_.blocks[block];
    if (done == b.edges) {
      order_.push_back(block);
      stack.pop_back();
      continue;
    }
    const uint32_t to = out_.edges[b.first_edge + done++].to;
    if (!met[to]) met[to] = 1, stack.emplace_back(to, 0);
  }
  std::ranges::reverse(order_);
  for (uint32_t i = 0; i < order_.size(); ++i) rank_[order_[i]] = i;
  for (const uint32_t i : order_)
    for (uint32_t e = 0; e < out_.blocks[i].edges; ++e)
      if (const uint32_t to = out_.edges[out_.blocks[i].first_edge + e].to; rank_[to] <= rank_[i]) heads_[to];
}

// Every block is entered with nothing known.
void Pass::give_up_values() {
  values_ = false;
  out_.incomplete = true;
  reached_.assign(out_.blocks.size(), 1);
}

void Pass::propagate() {
  const auto count = static_cast<uint32_t>(work_.pieces.size());
  reached_.assign(count, 0);
  work_.unknowns.clear();
  const uint32_t entry = piece_at(start_);
  if (entry == kNone) return;
  if (count > kMostStates || !values_ || work_.steps_left == 0) return give_up_values();
  if (work_.states.size() < count) work_.states.resize(count);
  order_blocks(entry);
  for (int round = 0; round < kMostTurns; ++round) {
    if (round + 1 == kMostTurns)
      for (auto& [block, head] : heads_) head.lost = ~uint64_t{0};
    again_ = false;
    reached_.assign(count, 0);
    work_.states[entry] = machine_.entry(start_);
    reached_[entry] = 1;
    for (const uint32_t i : order_) visit(i);
    if (!again_) return;
    if (!work_.charge(work_.ops.size())) return give_up_values();
  }
}

bool Pass::follow_switches() {
  bool any = false;
  for (uint32_t i = 0; i < work_.pieces.size(); ++i) {
    const Piece& p = work_.pieces[i];
    if (!reached_[i] || p.control == kNone) continue;
    const Op& jump = work_.ops[p.control];
    if (jump.flow != Flow::kIndirectJump) continue;
    // A jump that led to one place so far may lead to more, now that more leads to it.
    const auto known = std::ranges::find(switches_, jump.address, &std::pair<uint64_t, Switch>::first);
    if (known != switches_.end() && known->second.table != 0) continue;
    State state = values_ ? work_.states[i] : machine_.entry(start_);
    // Predicated loads of the program counter compute their target themselves.
    State at_jump;
    walk(i, state, nullptr, [&](const Op& op, const State& before) {
      if (op.address == jump.address) at_jump = before;
    });
    machine_.assume(jump, true, at_jump);
    Op bare = jump;
    bare.conditional = false;
    if (jump.dst == 15 || jump.what == Do::kTableBranch) machine_.step(bare, p.control + 1, at_jump);
    Destination to = destination(program_, machine_, at_jump, jump, {start_, limit_});
    if (to.kind == Destination::kAddress && inside(to.address)) {
      to.kind = Destination::kSwitch;
      to.table.places.push_back(to.address);
    }
    if (to.kind != Destination::kSwitch) continue;
    if (known != switches_.end()) {
      if (to.table.table == 0 && std::ranges::count(known->second.places, to.table.places.front()) != 0) continue;
      if (to.table.table == 0)
        to.table.places.insert(to.table.places.end(), known->second.places.begin(), known->second.places.end());
      switches_.erase(known);
    }
    for (const uint64_t place : to.table.places)
      if (inside(place)) leader(place);
    for (const Range& r : to.table.data) out_.data.push_back(r);
    switches_.emplace_back(jump.address, std::move(to.table));
    any = true;
  }
  return any;
}

void Pass::see_reference(uint64_t from, const Value& v, bool whole) {
  if (!v.number() || v.add == 0) return;
  uint64_t to = v.add;
  const bool is_code = program_.code_at(to) != nullptr;
  if ((!program_.data_at(to) && !is_code) || to == program_.offset_table) return;
  if (v.origin == Origin::kNumber && program_.moves) return;
  if (v.origin == Origin::kNumber && !whole) return;
  if (is_code) out_.code_pointers.push_back(to);
  out_.references.push_back({.from = from, .to = to});
}

void Pass::see_memory(const Op& op, const State& before) {
  const Value at = machine_.address(before, op);
  if (!at.number() || at.unknown == ~uint32_t{0}) return;
  if (op.base == kProgramCounter && program_.code_at(at.add)) out_.data.push_back({at.add, at.add + op.width});
  // The table of offsets and literals are ways to an address, not what is meant.
  if (op.what == Do::kLoad && program_.constant(at.add) && op.width == program_.pointer) {
    const Filled* f = program_.filled_at(at.add);
    const auto word = program_.word(at.add, op.width);
    const bool leads = f || (word && *word != 0 && (program_.data_at(*word) || program_.code_at(*word)));
    if (program_.code_at(at.add) && at.origin == Origin::kAddress) out_.data.push_back({at.add, at.add + op.width});
    if (leads) return;
  }
  if (op.what == Do::kLoad && program_.code_at(at.add) && op.base == kNoSlot && at.origin == Origin::kAddress)
    out_.data.push_back({at.add, at.add + op.width});
  if (const Filled* f = program_.filled_at(at.add); f && f->import != kNone) {
    out_.references.push_back({.from = op.address, .to = f->address});
    return;
  }
  see_reference(op.address, at, true);
}

void Pass::see(const Op& op, const State& before, const State& after) {
  if (op.has_memory && !(op.what == Do::kAdd && op.width == 0)) see_memory(op, before);
  switch (op.what) {
    case Do::kAdd:
    case Do::kOr:
    case Do::kSubtract:
    case Do::kInsert:
    case Do::kSet:
    case Do::kLoad:
      if (op.moves || op.dst >= kSlots || op.flow != Flow::kNone) break;
      if (op.dst == translator_.stack_pointer() || op.dst == translator_.global_pointer()) break;
      // A page out of MIPS's table of offsets is half an address.
      if (op.what == Do::kLoad && family_of(processor_) == Family::kMips && (after.slots[op.dst].add & 0xffff) == 0)
        break;
      see_reference(op.address, after.slots[op.dst], op.what != Do::kLoad);
      break;
    case Do::kStore:
    case Do::kPush:
      if (op.c == kNoSlot && !(op.what == Do::kPush && op.has_memory))
        see_reference(op.address,
                      {.add = static_cast<uint64_t>(op.imm) & (program_.pointer == 4 ? 0xffffffff : ~uint64_t{0}),
                       .origin = Origin::kNumber},
                      true);
      break;
    default:
      break;
  }
}

void Pass::see_call(const Op& op, const State& state) {
  Call call{.site = op.address};
  if (op.flow == Flow::kCall) {
    if (thunk(op.target) != kNoSlot) return;
    const Processor there = neighbours_.processor_at(op.target, processor_, op.other_mode);
    call.import = reader_.stub(op.target, there, &state);
    if (call.import == kNone) call.target = op.target;
  } else {
    call.kind = CallKind::kIndirect;
    ++out_.indirect_calls;
    const Value to = machine_.target(state, op);
    if (to.origin == Origin::kImport) {
      call.import = static_cast<uint32_t>(to.add);
    } else if (to.number() && to.add != 0) {
      const bool arm = family_of(processor_) == Family::kArm;
      uint64_t bare = to.add;
      const Processor there = arm ? mode_at(program_, bare) : processor_;
      if (program_.data_at(bare)) call.import = reader_.stub(bare, there, &state);
      if (call.import == kNone && program_.code_at(bare)) call.target = to.add;
    }
    if (call.resolved()) ++out_.indirect_calls_resolved;
  }
  out_.calls.push_back(call);
  const bool comes_back = call.import != kNone ? neighbours_.import_returns(call.import)
                          : call.target != kNowhere
                              ? neighbours_.returns(call.target) || !boundary(op.end() + (op.delay_slot ? 4 : 0))
                              : true;
  if (!comes_back && !op.conditional && !std::ranges::binary_search(endings_, op.address))
    out_.endings.push_back(op.address);
  for (const Slot s : translator_.arguments()) {
    const Value& v = state.slots[s];
    if (v.number() && v.add != 0 && program_.code_at(v.add) && (v.origin == Origin::kAddress || !program_.moves))
      out_.calls.push_back({.site = op.address, .target = v.add, .kind = CallKind::kCallback});
  }
}

void Pass::see_jump(const Op& op, const State& state) {
  if (op.flow == Flow::kJump) {
    if (!inside(op.target)) out_.escapes.push_back({op.address, op.target, op.conditional, false});
    return;
  }
  if (op.flow == Flow::kReturn) out_.returns = true;
  if (op.flow != Flow::kIndirectJump) return;
  ++out_.indirect_jumps;
  for (const auto& [site, table] : switches_) {
    if (site != op.address) continue;
    for (const uint64_t place : table.places)
      if (!inside(place)) out_.escapes.push_back({op.address, place, true, false});
    return void(++out_.indirect_jumps_resolved);
  }
  State copy = state;
  machine_.assume(op, true, copy);
  Op bare = op;
  bare.conditional = false;
  if (op.dst == 15 || op.what == Do::kTableBranch) machine_.step(bare, 1, copy);
  const Destination to = destination(program_, machine_, copy, op, {start_, limit_});
  if (to.kind == Destination::kImport) {
    ++out_.indirect_jumps_resolved;
    out_.calls.push_back({.site = op.address, .import = static_cast<uint32_t>(to.address), .kind = CallKind::kTail});
    if (neighbours_.import_returns(static_cast<uint32_t>(to.address))) out_.returns = true;
    if (work_.ops.size() <= 8) out_.stub_of = static_cast<uint32_t>(to.address);
    return;
  }
  if (to.kind == Destination::kAddress && program_.code_at(to.address)) {
    ++out_.indirect_jumps_resolved;
    out_.escapes.push_back({op.address, to.address, op.conditional, false});
    return;
  }
  out_.returns = true;
  if (to.kind == Destination::kOpenSwitch) out_.open = true;
}

bool Pass::gather() {
  out_.references.clear(), out_.calls.clear(), out_.code_pointers.clear(), out_.system_calls.clear();
  std::erase_if(out_.escapes, [](const Escape& e) { return !e.falls; });
  out_.endings.clear();
  out_.indirect_calls = out_.indirect_calls_resolved = out_.indirect_jumps = out_.indirect_jumps_resolved = 0;
  out_.returns = out_.open = false;
  for (uint32_t i = 0; i < work_.pieces.size(); ++i) {
    if (!reached_[i]) continue;
    State state = values_ ? work_.states[i] : machine_.entry(start_);
    const Op* last = nullptr;
    State before;
    State taken;
    // What an operation made is seen when the next one comes.
    const auto settle = [&](const State& now) {
      if (last) see(*last, before, now);
      last = nullptr;
    };
    walk(i, state, &taken, [&](const Op& op, const State& now) {
      settle(now);
      if (op.calls()) return see_call(op, now);
      if (op.flow == Flow::kSystemCall) {
        const Slot n = translator_.system_call_number();
        const Value v = n < kSlots ? now.slots[n] : Value{.unknown = 1};
        out_.system_calls.push_back(
            {op.address, 0, v.number() ? std::optional(static_cast<uint32_t>(v.add)) : std::nullopt});
      }
      if (op.flow != Flow::kNone && op.flow != Flow::kSystemCall) see_jump(op, now);
      if (op.what != Do::kNothing) last = &op, before = now;
    });
    settle(state);
  }
  return out_.endings.empty();
}

void Pass::finish_extents() {
  for (const Op& op : work_.ops) {
    if (!out_.extents.empty() && out_.extents.back().to == op.address)
      out_.extents.back().to = op.end();
    else if (out_.extents.empty() || op.address > out_.extents.back().to)
      out_.extents.push_back({op.address, op.end()});
    else
      out_.extents.back().to = std::max(out_.extents.back().to, op.end());
  }
}

void Pass::finish_blocks() {
  for (auto& [site, table] : switches_) {
    if (table.table == 0) continue;
    JumpTable t{.address = site,
                .table = table.table,
                .entry_size = table.entry_size,
                .targets = table.places,
                .bounded = table.bounded};
    // A row of branches: where they lead.
    if (table.data.empty() && program_.code_at(table.table) && !table.places.empty() &&
        table.places.front() == table.table)
      for (uint64_t& to : t.targets)
        if (const uint32_t i = op_at(to); i != kNone && work_.ops[i].flow == Flow::kJump && !work_.ops[i].conditional)
          to = work_.ops[i].target;
    std::ranges::sort(t.targets);
    t.targets.erase(std::ranges::unique(t.targets).begin(), t.targets.end());
    out_.tables.push_back(std::move(t));
  }
  std::ranges::sort(out_.tables, {}, &JumpTable::address);
  std::ranges::sort(out_.code_pointers);
  out_.code_pointers.erase(std::ranges::unique(out_.code_pointers).begin(), out_.code_pointers.end());
  const auto key = [](const Reference& r) { return std::pair(r.from, r.to); };
  std::ranges::sort(out_.references, {}, key);
  out_.references.erase(std::ranges::unique(out_.references, {}, key).begin(), out_.references.end());
  std::ranges::stable_sort(out_.calls, {}, &Call::site);
  out_.instructions = static_cast<uint32_t>(work_.ops.size());
  // Several ways may end in the same bytes.
  std::ranges::sort(undecodable_, {}, &Range::from);
  undecodable_.erase(std::ranges::unique(undecodable_, {}, &Range::from).begin(), undecodable_.end());
  for (const Range& r : undecodable_) out_.undecodable += static_cast<uint32_t>(r.to - r.from);
}

void Pass::reset() {
  for (const Op& op : work_.ops) map_.clear(op.address, op.size, owner_);
  work_.ops.clear();
  runs_.clear(), leaders_.clear(), todo_.clear(), stops_.clear(), undecodable_.clear();
  switches_.clear();
  std::vector<uint64_t> endings = std::move(out_.endings);
  out_ = {};
  endings_.insert(endings_.end(), endings.begin(), endings.end());
  std::ranges::sort(endings_);
}

ReadFunction Pass::run() {
  work_.ops.clear();
  for (int attempt = 0;; ++attempt) {
    leader(start_);
    bool settled = false;
    for (int round = 0; round < kMostRounds && !settled; ++round) {
      decode_all();
      build();
      propagate();
      settled = !work_.charge(work_.ops.size()) || !follow_switches();
    }
    const bool ends = gather();
    if (!settled || work_.steps_left == 0) out_.incomplete = true;
    if (ends || attempt + 1 == kMostAttempts || work_.steps_left == 0) {
      out_.incomplete |= !ends;
      break;
    }
    reset();
  }
  finish_extents();
  finish_blocks();
  out_.endings = endings_;
  return std::move(out_);
}

Reader::Reader(const Program& program, CodeMap& map, const Neighbours& neighbours)
    : program_(program), map_(map), neighbours_(neighbours), work_(std::make_unique<Work>(program)) {}
Reader::~Reader() = default;

ReadFunction Reader::read(uint64_t start, Processor processor, uint32_t owner) {
  return Pass(program_, map_, neighbours_, *this, *work_, start, processor, owner).run();
}

uint32_t Reader::stub(uint64_t address, Processor processor, const State* given) {
  const uint32_t import = find_stub(address, processor, given);
  if (import < work_->stub_of.size())
    if (uint64_t& lowest = work_->stub_of[import]; lowest == 0 || address < lowest) lowest = address;
  return import;
}

uint64_t Reader::stub_of(uint32_t import) const { return work_->stub_of[import]; }

uint32_t Reader::find_stub(uint64_t address, Processor processor, const State* given) {
  constexpr uint32_t kDepends = kNone - 1;
  if (processor == Processor::kUnknown) return kNone;
  auto& stubs = work_->stubs[static_cast<size_t>(processor)];
  const auto known = stubs.find(address);
  if (known != stubs.end() && known->second != kDepends) return known->second;
  if (known != stubs.end() && !given) return kNone;
  const Translator& translator = work_->translator(processor);
  work_->scratch.clear();
  Machine machine(program_, translator, work_->scratch);
  State state = given && family_of(processor) == Family::kPpc ? *given : machine.entry(address);
  constexpr Slot kEbx = 3;
  if (processor == Processor::kX86 && program_.offset_table != 0)
    state.slots[kEbx] = {.add = program_.offset_table, .origin = Origin::kAddress};
  work_->decoder(processor).restart();
  uint32_t result = kNone;
  uint64_t at = address;
  bool depends = false;
  constexpr int kLongest = 8;
  constexpr Slot kPpcGot = 30;
  for (int i = 0; i < kLongest; ++i) {
    Op op;
    if (!work_->decode(processor, at, op, true)) break;
    depends |= family_of(processor) == Family::kPpc && op.what == Do::kLoad && op.base == kPpcGot;
    if (op.flow == Flow::kIndirectJump || op.flow == Flow::kIndirectCall) {
      if (op.dst == 15) machine.step(op, static_cast<uint32_t>(i) + 1, state);
      const Value to = machine.target(state, op);
      if (to.origin == Origin::kImport) result = static_cast<uint32_t>(to.add);
      const bool thumb = processor == Processor::kThumb && op.through == kProgramCounter;
      if (thumb) result = find_stub((at + 4) & ~uint64_t{3}, Processor::kArm, nullptr);
      break;
    }
    // A stub saves nothing and finds no table of its own.
    const bool function = op.what == Do::kStore || op.dst == translator.stack_pointer() ||
                          (op.dst != kNoSlot && op.dst == translator.global_pointer());
    const bool push = op.what == Do::kPush && op.c != kNoSlot;
    if (op.flow != Flow::kNone || function || push) break;
    machine.step(op, static_cast<uint32_t>(i) + 1, state);
    at = op.end();
  }
  stubs[address] = depends ? kDepends : result;
  return result;
}

}  // namespace assay::code
