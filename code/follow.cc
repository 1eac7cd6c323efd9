// Which instructions are a function's: decodes from its start along every way that control takes inside it.
#include "code/pass.h"

namespace assay::code {
namespace {

constexpr Slot kArmLink = 14, kMipsCallee = 25;

}  // namespace

bool Pass::inside(uint64_t target) const {
  if (target == start_) return true;
  if (target < start_ || target >= limit_ || target % alignment_ != 0 || !map_.at(target)) return false;
  const CodeMap::Place place = map_.place(target);
  return !place.function && (place.owner == CodeMap::kUnread || place.owner == owner_);
}

// Where a function's code may end: padding, another function, or nothing at all.
bool Pass::boundary(uint64_t at) {
  if (at >= limit_ || !map_.at(at) || map_.starts_function(at) || map_.owner(at) == CodeMap::kData) return true;
  Op op;
  work_.decoder(processor_).restart();
  const bool decoded = work_.decode(processor_, at, op);
  work_.decoder(processor_).restart();  // whoever asks goes on elsewhere, or here
  return !decoded || op.padding || op.flow == Flow::kTrap;
}

// A jump over padding alone.
bool Pass::aligns(const Op& jump) {
  constexpr uint64_t kMostPadding = 32;
  uint64_t at = jump.end() + (jump.delay_slot ? 4 : 0);
  if (jump.conditional || jump.target < at || jump.target - at > kMostPadding) return false;
  Op op;
  work_.decoder(processor_).restart();
  while (at < jump.target && work_.decode(processor_, at, op) && op.padding) at = op.end();
  work_.decoder(processor_).restart();
  return at == jump.target;
}

// No compiler makes one within a function, but PowerPC's assemblers align by it.
bool Pass::to_next_function(const Op& jump) {
  return family_of(processor_) != Family::kPpc && aligns(jump) && neighbours_.can_begin(jump.target, processor_);
}

bool Pass::stays(const Op& jump) { return inside(jump.target) && !to_next_function(jump); }

// Position-independent code of MIPS calls what it loaded from the table of offsets just before: nothing for values that
// are carried, but known as it is decoded. The last instruction that was decoded is the call; nothing where it is not
// so.
Value Pass::callee_of_mips(const Op& call) const {
  constexpr size_t kFarthest = 11;
  Value add{};
  if (call.through != kMipsCallee || program_.global_pointer == 0) return {.unknown = 1};
  const auto run = std::span<const Op>(work_.ops).subspan(run_first_);
  const size_t farthest = std::min(run.size() - 1, kFarthest);
  for (size_t back = 1; back <= farthest; ++back) {
    const Op& op = run[run.size() - 1 - back];
    if (op.calls()) break;
    if ((op.writes >> kMipsCallee & 1) == 0 && op.dst != kMipsCallee) continue;
    if (op.conditional) break;
    if (op.what == Do::kAdd && op.a == kMipsCallee && op.b == kNoSlot && !op.has_memory && add.add == 0) {
      add.add = static_cast<uint64_t>(op.imm);
      continue;
    }
    if (op.what != Do::kLoad || op.base != translator_.global_pointer() || op.index != kNoSlot) break;
    Value to = machine_.loaded(work_.state, op);
    if (to.number()) to.add = (to.add + add.add) & (program_.pointer == 4 ? 0xffffffff : ~uint64_t{0});
    return to;
  }
  return {.unknown = 1};
}

// A call that does not come back, as far as is known by now. What the compiler was not told of it had to be compiled
// as if it did: there the function goes on.
bool Pass::stops_after(const Op& op) {
  const auto [known, fresh] = stops_.try_emplace(op.address, false);
  if (!fresh) return *known;
  bool stops = false;
  const uint64_t next = op.end() + (op.delay_slot ? 4 : 0);
  if (std::ranges::binary_search(endings_, op.address)) {
    stops = true;
  } else if (op.flow == Flow::kCall && !op.conditional) {
    const Processor there = neighbours_.processor_at(op.target, processor_, op.other_mode);
    const uint32_t import = reader_.stub(op.target, there, nullptr);
    const bool ends = import != kNone ? !neighbours_.import_returns(import) : !neighbours_.returns(op.target);
    stops = ends && (import != kNone || ends_before(next));
    if (ends && !stops) out_.doubtful.push_back(next), doubted_.push_back(op.address);
  } else if (op.flow == Flow::kIndirectCall && family_of(processor_) == Family::kMips &&
             !std::ranges::binary_search(refuted_, op.address)) {
    const Value to = callee_of_mips(op);
    if (to.origin == Origin::kImport)
      stops = !neighbours_.import_returns(static_cast<uint32_t>(to.add));
    else if (to.number() && program_.code_at(to.add) && !neighbours_.returns(to.add)) {
      stops = ends_before(next);
      if (!stops) doubted_.push_back(op.address);
    }
    if (stops) foretold_.push_back(op.address);
  }
  return *known = stops;
}

// Where code before such a call jumps over it, what stands behind it does not say that it comes back.
void Pass::settle_doubts() {
  const auto& ops = work_.ops;
  std::ranges::sort(doubted_);
  std::erase_if(doubted_, [&](uint64_t site) {
    const uint32_t i = op_at(site);
    if (i == kNone || !work_.charge(i)) return false;
    const uint64_t next = ops[i].end() + (ops[i].delay_slot ? 4 : 0);
    const bool over = std::ranges::any_of(std::span(ops).first(i), [&](const Op& op) {
      return op.flow == Flow::kJump && op.target == next && stays(op);
    });
    if (over) *stops_.try_emplace(site, true).first = true;
    if (over && ops[i].flow == Flow::kIndirectCall) foretold_.push_back(site);
    return over;
  });
}

// A word that is no instruction we know, between two that are: an extension of this processor, not the end of the code.
bool Pass::goes_on_behind(uint64_t at) {
  const Family family = family_of(processor_);
  if (instruction_alignment(processor_) != 4 || family == Family::kArm) return false;
  const auto word = program_.word(at, 4);
  Op next;
  return word && *word != 0 && work_.decode(processor_, at + 4, next);
}

// ARM keeps constants behind the code that loads them: known at once, they are not taken for what comes after a call.
void Pass::keep_literal(const Op& op) {
  if (op.what != Do::kLoad || op.index != kNoSlot) return;
  if (op.base != kProgramCounter && !(op.base == kNoSlot && op.based)) return;
  const uint64_t at = machine_.address(work_.state, op).add;
  if (!map_.at(at) || map_.owner(at) != CodeMap::kUnread) return;
  map_.mark(at, op.width, CodeMap::kData);
  literals_.push_back({at, at + op.width});
  out_.data.push_back(literals_.back());
}

// ARM before version 5: `mov lr, pc` makes the jump behind it a call.
bool Pass::returns_here(const Op& jump) const {
  const Op& before = *(&jump - 1);
  return processor_ == Processor::kArm && before.end() == jump.address && before.what == Do::kAdd &&
         before.a == kProgramCounter && before.b == kNoSlot && before.imm == 0 && before.dst == kArmLink &&
         before.conditional == jump.conditional;
}

// A call with nothing behind it but the next function, and what aligns that: it does not come back.
bool Pass::ends_in_call(const Run& run) {
  auto& ops = work_.ops;
  size_t end = ops.size();
  while (end > run.first && ops[end - 1].padding) --end;
  if (end == run.first) return false;
  size_t call = end - 1;
  if (ops[call].delay_slot)
    ++end;
  else if (!ops[call].calls() && call > run.first && ops[call - 1].delay_slot)
    --call;
  if (!ops[call].calls() || ops[call].conditional || end > ops.size()) return false;
  const uint64_t site = ops[call].address;
  for (size_t i = end; i < ops.size(); ++i) map_.clear(ops[i].address, ops[i].size, owner_);
  ops.resize(end);
  *stops_.try_emplace(site, true).first = true;
  endings_.insert(std::ranges::upper_bound(endings_, site), site);
  return true;
}

// Of an address of which something is known, that a run came to. `slot`: it is a branch's delay slot.
bool Pass::decodes_on(const Run& run, bool slot) {
  const bool first = work_.ops.size() == run.first;
  const uint64_t at = first ? run.address : work_.ops.back().end();
  const CodeMap::Place place = map_.place(at);
  if (at != start_ && !slot && place.function) {
    if (!ends_in_call(run))
      out_.escapes.push_back({work_.ops.size() > run.first ? work_.ops.back().address : at, at, false, true});
    return false;
  }
  if (place.owner == owner_ && place.starts) {
    leaders_.push_back(at);
    // The slot of a branch may have been read as a block's first instruction.
    if (!slot) return false;
  }
  if (place.owner == CodeMap::kUnread || place.owner == owner_) return true;
  if (!first) out_.escapes.push_back({at, at, false, true});
  return false;
}

void Pass::decode_from(uint64_t at) {
  work_.decoder(processor_).restart();
  Run run{at, static_cast<uint32_t>(work_.ops.size()), 0};
  run_first_ = run.first;
  const auto end_run = [&] {
    run.count = static_cast<uint32_t>(work_.ops.size()) - run.first;
    if (run.count != 0) runs_.push_back(run);
  };
  const bool is_arm = family_of(processor_) == Family::kArm;
  bool slot = false, ends = false;
  for (;;) {
    if (at >= limit_ && !slot && !map_.starts_function(at)) return end_run();  // behind what a table says is the end
    const uint32_t* said = map_.at(at);
    if (said && !CodeMap::is_untouched(*said) && !decodes_on(run, slot)) return end_run();
    if (!work_.decode(processor_, at, work_.ops.emplace_back())) {
      const uint8_t size = work_.ops.back().size;
      work_.ops.pop_back();
      const bool opaque = at != start_ && goes_on_behind(at);
      // Power ISA, book I, 1.3.3: a word of zeros is no instruction and never will be; code ends with it on purpose.
      if (family_of(processor_) != Family::kPpc || at == start_ || program_.word(at, 4) != 0)
        undecodable_.push_back({at, at + size});
      if (!opaque) return end_run();
      Op unknown{.address = at, .size = 4};
      unknown.forgets_flags = true;
      work_.ops.push_back(unknown);
    }
    Op& op = work_.ops.back();
    map_.mark(at, op.size, owner_);
    if (is_arm) keep_literal(op);
    if (op.flow == Flow::kIndirectJump && work_.ops.size() - run.first > 1 && returns_here(op))
      op.flow = Flow::kIndirectCall;
    at += op.size;
    if (slot) {
      if (!ends) leaders_.push_back(at), todo_.push_back(at);
      return end_run();
    }
    const bool decides =
        op.flow == Flow::kJump || op.flow == Flow::kReturn || op.flow == Flow::kIndirectJump || op.flow == Flow::kTrap;
    const bool last_call = op.calls() && stops_after(op);
    if (op.flow == Flow::kJump && stays(op)) leader(op.target);
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

}  // namespace assay::code
