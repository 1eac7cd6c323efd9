// Jumps whose targets stand in tables: found with what registers hold at them.
#include "code/pass.h"

namespace assay::code {

// A jump that no table explains leads to what it counts from, and the first one to code that no other way leads to.
bool Pass::guess(const Op& jump, const State& at_jump, const Destination& to) {
  if (switches_.contains(jump.address)) return false;
  Switch all{.guessed = true};
  if (to.base != 0 && inside(to.base)) all.places.push_back(to.base);
  const bool open = to.base != 0 || to.kind == Destination::kOpenSwitch ||
                    (to.kind == Destination::kUnknown && keeps_frame(jump, at_jump));
  if (open && !guessed_)
    for (const uint64_t place : neighbours_.stray(start_))
      if (inside(place)) all.places.push_back(place), guessed_ = true;
  if (all.places.empty()) return false;
  for (const uint64_t place : all.places) leader(place);
  switches_.emplace(jump.address, std::move(all));
  return true;
}

// Where a comparison bounds a table on one way and another does on another way, its own cases lead to the second
// perhaps.
void Pass::look_again(const Op& jump, const Switch& known, const Destination& to) {
  std::erase_if(wider_, [&](const auto& w) { return w.first == jump.address; });
  if (known.compared && to.kind == Destination::kSwitch && to.table.compared && to.table.end > known.end)
    wider_.emplace_back(jump.address, to.table);
}

bool Pass::follow_switches() {
  bool any = false;
  for (auto& [site, table] : std::exchange(wider_, {})) {
    any = true;
    for (const uint64_t place : table.places)
      if (inside(place)) leader(place);
    switches_.insert_or_assign(site, std::move(table));
  }
  for (uint32_t i = 0; i < work_.pieces.size(); ++i) {
    const Piece& p = work_.pieces[i];
    if (!reached_[i] || p.control == kNone) continue;
    const Op& jump = work_.ops[p.control];
    if (jump.flow != Flow::kIndirectJump) continue;
    // A jump that led to one place so far may lead to more, now that more leads to it.
    const auto known = switches_.find(jump.address);
    if (known != switches_.end() && known->second.table != 0) continue;
    State state = values_ ? work_.states[i] : machine_.entry(start_);
    // Predicated loads of the program counter compute their target themselves.
    State at_jump;
    machine_.watch(true);
    walk(i, state, nullptr, [&](const Op& op, const State& before) {
      if (op.address == jump.address) at_jump = before;
    });
    machine_.assume(jump, true, at_jump);
    Op bare = jump;
    bare.conditional = false;
    if (jump.dst == 15 || jump.what == Do::kTableBranch) machine_.step(bare, p.control + 1, at_jump);
    Destination to = destination(program_, machine_, at_jump, jump, {start_, limit_}, work_.tables);
    machine_.watch(false);
    if (to.kind == Destination::kAddress && inside(to.address)) {
      to.kind = Destination::kSwitch;
      to.table.places.push_back(to.address);
    }
    if (to.kind != Destination::kSwitch) {
      any |= guess(jump, at_jump, to);
      continue;
    }
    if (known != switches_.end()) {
      if (to.table.table == 0 && std::ranges::count(known->second.places, to.table.places.front()) != 0) continue;
      if (to.table.table == 0 && !known->second.guessed)
        to.table.places.insert(to.table.places.end(), known->second.places.begin(), known->second.places.end());
      if (known->second.guessed) guessed_ = false;
      switches_.erase(known);
    }
    for (const uint64_t place : to.table.places)
      if (inside(place)) leader(place);
    for (const Range& r : to.table.data) out_.data.push_back(r);
    if (to.table.end != 0) work_.tables.emplace(to.table.table, to.table.counted_from);
    switches_.emplace(jump.address, std::move(to.table));
    any = true;
  }
  return any;
}

// A table without bounds that seemed to go on where another of them begins: what it led to from there on is not so.
bool Pass::tables_overlap() const {
  return std::ranges::any_of(switches_, [&](const auto& at) {
    const Switch& one = at.second;
    if (one.bounded || one.end == 0) return false;
    const auto next = std::ranges::find_if(work_.tables.upper_bound(one.table), work_.tables.end(),
                                           [&](const auto& t) { return t.second != one.counted_from; });
    return next != work_.tables.end() && next->first < one.end;
  });
}

}  // namespace assay::code
