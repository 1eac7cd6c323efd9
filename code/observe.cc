// What the instructions of a function do to the rest of the program: calls, jumps out of it, references, system calls.
#include "code/pass.h"

namespace assay::code {

void Pass::see_reference(uint64_t from, const Value& v, bool whole) {
  if (!v.number() || v.add == 0) return;
  uint64_t to = v.add;
  const bool is_code = program_.code_at(to) != nullptr;
  if ((!program_.data_at(to) && !is_code) || to == program_.offset_table) return;
  if (v.origin == Origin::kNumber && program_.moves) return;
  if (v.origin == Origin::kNumber && !whole) return;
  const bool number = v.origin == Origin::kNumber && to < kSmallNumbers;
  if (is_code) (number ? out_.code_numbers : out_.code_pointers).push_back(to);
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

// What an operation made, once it ran.
void Pass::see_made(const Op& op, const State& after) {
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
  Call call{.site = op.address, .other_mode = op.other_mode};
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
  const bool* known = stops_.find(op.address);
  const bool stops = known && *known;
  const bool comes_back = call.import != kNone      ? neighbours_.import_returns(call.import)
                          : call.target != kNowhere ? neighbours_.returns(call.target) ||
                                                          !(stops || ends_before(op.end() + (op.delay_slot ? 4 : 0)))
                                                    : true;
  if (!comes_back && !op.conditional && !std::ranges::binary_search(endings_, op.address))
    (stops ? told_endings_ : out_.endings).push_back(op.address);
  for (const Slot s : translator_.arguments()) {
    const Value& v = state.slots[s];
    if (v.number() && v.add != 0 && program_.code_at(v.add) && (v.origin == Origin::kAddress || !program_.moves))
      out_.calls.push_back({.site = op.address, .target = v.add, .kind = CallKind::kCallback});
  }
}

// A jump to an import: a call whose return is the function's own.
void Pass::end_in(uint32_t import, const Op& op) {
  out_.calls.push_back({.site = op.address, .import = import, .kind = CallKind::kTail});
  if (neighbours_.import_returns(import)) out_.returns = true;
}

// Whether its words of the stack are still there as it jumps: then it stays within the function. The delay slot may be
// what gives them back.
bool Pass::keeps_frame(const Op& jump, const State& state) const {
  const Slot sp = translator_.stack_pointer();
  const Value now = state.slots[sp], then = machine_.entry(start_).slots[sp];
  if (jump.conditional) return false;
  // Room of a size that is only known then is given back before a function ends, by way of what its frame counts from.
  const Family family = family_of(processor_);
  const bool known = family == Family::kAArch64 || family == Family::kMips || family == Family::kRiscv;
  if (now.unknown != then.unknown || now.shift != 0) return known && values_;
  if (now.add == then.add) return false;
  const uint32_t slot = jump.delay_slot ? op_at(jump.end()) : kNone;
  return slot == kNone || (work_.ops[slot].writes >> sp & 1) == 0;
}

void Pass::see_jump(const Op& op, const State& state) {
  if (op.flow == Flow::kJump) {
    if (stays(op)) {
      const Slot sp = translator_.stack_pointer();
      if (!op.conditional && op.target > op.end() && state.slots[sp] == machine_.entry_stack())
        tail_jumps_.push_back(op.target);
      return;
    }
    const Processor there = neighbours_.processor_at(op.target, processor_, op.other_mode);
    const uint32_t import = reader_.stub(op.target, there, &state);
    if (import != kNone) return end_in(import, op);
    return void(out_.escapes.push_back({op.address, op.target, op.conditional, false}));
  }
  if (op.flow == Flow::kReturn) out_.returns = true;
  if (op.flow != Flow::kIndirectJump) return;
  ++out_.indirect_jumps;
  const auto known = switches_.find(op.address);
  if (known != switches_.end() && known->second.guessed) {
    out_.open = true;
    return;
  }
  const auto leads_to = [&] {
    State copy = state;
    machine_.assume(op, true, copy);
    Op bare = op;
    bare.conditional = false;
    if (op.dst == 15 || op.what == Do::kTableBranch) machine_.step(bare, 1, copy);
    return destination(program_, machine_, copy, op, {start_, limit_}, work_.tables);
  };
  if (known != switches_.end()) {
    if (known->second.compared) look_again(op, known->second, leads_to());
    // What an unbounded table has at the function's end cannot be.
    for (const uint64_t place : known->second.places)
      if (!inside(place) && (known->second.bounded || place != limit_))
        out_.escapes.push_back({op.address, place, true, false});
    return void(++out_.indirect_jumps_resolved);
  }
  const Destination to = leads_to();
  if (to.kind == Destination::kImport) {
    ++out_.indirect_jumps_resolved;
    end_in(static_cast<uint32_t>(to.address), op);
    if (work_.ops.size() <= 8) out_.stub_of = static_cast<uint32_t>(to.address);
    return;
  }
  if (to.kind == Destination::kAddress && program_.code_at(to.address)) {
    ++out_.indirect_jumps_resolved;
    out_.escapes.push_back({op.address, to.address, op.conditional, false});
    return;
  }
  out_.returns = true;
  if (to.kind == Destination::kOpenSwitch || keeps_frame(op, state)) out_.open = true;
}

Pass::Seen Pass::seen() const {
  return {.references = out_.references.size(),
          .calls = out_.calls.size(),
          .code_pointers = out_.code_pointers.size(),
          .code_numbers = out_.code_numbers.size(),
          .tail_jumps = tail_jumps_.size(),
          .system_calls = out_.system_calls.size(),
          .endings = out_.endings.size(),
          .told_endings = told_endings_.size(),
          .data = out_.data.size(),
          .escapes = out_.escapes.size(),
          .indirect_jumps = out_.indirect_jumps,
          .indirect_jumps_resolved = out_.indirect_jumps_resolved,
          .indirect_calls = out_.indirect_calls,
          .indirect_calls_resolved = out_.indirect_calls_resolved,
          .stub_of = out_.stub_of,
          .returns = out_.returns,
          .open = out_.open};
}

void Pass::forget_since(const Seen& before) {
  out_.references.resize(before.references), out_.calls.resize(before.calls);
  out_.code_pointers.resize(before.code_pointers), out_.code_numbers.resize(before.code_numbers);
  tail_jumps_.resize(before.tail_jumps), out_.system_calls.resize(before.system_calls);
  out_.endings.resize(before.endings), told_endings_.resize(before.told_endings);
  out_.data.resize(before.data), out_.escapes.resize(before.escapes);
  out_.indirect_jumps = before.indirect_jumps, out_.indirect_jumps_resolved = before.indirect_jumps_resolved;
  out_.indirect_calls = before.indirect_calls, out_.indirect_calls_resolved = before.indirect_calls_resolved;
  out_.stub_of = before.stub_of;
  out_.returns = before.returns, out_.open = before.open;
}

void Pass::forget_seen() {
  tail_jumps_.clear();
  out_.references.clear(), out_.calls.clear(), out_.code_pointers.clear(), out_.code_numbers.clear(),
      out_.system_calls.clear();
  std::erase_if(out_.escapes, [](const Escape& e) { return !e.falls; });
  out_.endings.clear(), told_endings_.clear();
  out_.indirect_calls = out_.indirect_calls_resolved = out_.indirect_jumps = out_.indirect_jumps_resolved = 0;
  out_.returns = out_.open = false;
}

// Steps through a block and takes down what it does. `taken`: as of `walk`; needed where it ends in a "likely" branch.
void Pass::see_block(uint32_t piece, State& state, State* taken) {
  const Op* last = nullptr;
  // What an operation made is seen when the next one comes.
  const auto settle = [&](const State& now) {
    if (last) see_made(*last, now);
    last = nullptr;
  };
  walk(piece, state, taken, [&](const Op& op, const State& now) {
    settle(now);
    if (op.calls()) return see_call(op, now);
    if (op.flow == Flow::kSystemCall) {
      const Slot n = translator_.system_call_number();
      const Value v = n < kSlots ? now.slots[n] : Value{.unknown = 1};
      out_.system_calls.push_back(
          {op.address, 0, v.number() ? std::optional(static_cast<uint32_t>(v.add)) : std::nullopt});
    }
    if (op.flow != Flow::kNone && op.flow != Flow::kSystemCall) see_jump(op, now);
    if (op.what == Do::kNothing) return;
    last = &op;
    if (op.has_memory && !(op.what == Do::kAdd && op.width == 0)) see_memory(op, now);
  });
  // The slot of a "likely" branch ran where that is taken.
  settle(taken && slot_is_likely(piece) ? *taken : state);
}

bool Pass::slot_is_likely(uint32_t piece) const {
  const uint32_t control = work_.pieces[piece].control;
  return control != kNone && work_.ops[control].likely && !work_.ops[control].calls();
}

bool Pass::gather() {
  if (!sees_) {
    forget_seen();
    for (uint32_t i = 0; i < work_.pieces.size(); ++i) {
      if (!reached_[i]) continue;
      work_.state = values_ ? work_.states[i] : machine_.entry(start_);
      see_block(i, work_.state, slot_is_likely(i) ? &work_.taken : nullptr);
    }
  }
  const auto left = std::ranges::partition_point(out_.escapes, &Escape::falls);
  std::ranges::stable_sort(left, out_.escapes.end(), {}, &Escape::site);
  std::ranges::sort(told_endings_);
  const size_t refuted = refuted_.size();
  for (const uint64_t call : foretold_)
    if (!std::ranges::binary_search(told_endings_, call)) refuted_.push_back(call);
  std::ranges::sort(refuted_);
  return out_.endings.empty() && refuted_.size() == refuted;
}

}  // namespace assay::code
