// Surer evidence first: what tables state and calls reach, then jumps that leave, then pointers, then what is left
// between functions. A function is read again when a start is found inside it or a callee turns out not to return.
#include "code/discovery.h"

#include "code/no_return.h"

#include <algorithm>
#include <utility>

namespace assay::code {
namespace {

constexpr uint32_t kMostReads = 8;  // of one function
constexpr int kMostRounds = 8;

// What a list holds, ascending and each once; it is empty then.
std::vector<uint32_t> taken(std::vector<uint32_t>& list) {
  std::vector<uint32_t> out = std::exchange(list, {});
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

}  // namespace

Discovery::Discovery(const Program& program) : program_(program), map_(program), reader_(program, map_, *this) {
  for (const Import& i : program.imports) no_return_.push_back(never_returns(i.name));
  has_sections_ = program.has_sections;
  whole_segment_ = !has_sections_ && std::ranges::any_of(program.data, [&](const Area& a) {
    return a.executable && !program.code.empty() && a.bytes.size() == program.code.front().bytes.size();
  });
}

uint64_t Discovery::next_start(uint64_t address) const {
  const auto next = by_address_.upper_bound(address);
  return next == by_address_.end() ? kNowhere : next->first;
}

// The function that starts at `address`, where it has been read: asked for with every call, and without a search.
const Discovery::Start* Discovery::reader_of(uint64_t address) const {
  const uint32_t owner = map_.owner(address);
  if (owner < CodeMap::kFirstOwner) return nullptr;
  const Start& s = starts_[owner - CodeMap::kFirstOwner];
  return s.address == address ? &s : nullptr;
}

Processor Discovery::processor_at(uint64_t address, Processor here, bool other) const {
  if (!mixed_ && !other) return here;
  if (const Start* known = reader_of(address)) return known->processor;
  const auto at = starts_function(address) ? by_address_.find(address) : by_address_.end();
  if (at != by_address_.end()) return starts_[at->second].processor;
  return other ? other_mode(here) : here;
}

Entry& Discovery::entry(Processor processor) const {
  auto& slot = entries_[static_cast<size_t>(processor)];
  if (!slot) slot = std::make_unique<Entry>(program_, processor);
  return *slot;
}

bool Discovery::can_begin(uint64_t address, Processor processor) const {
  return program_.code_at(address) && entry(processor).possible(address);
}

bool Discovery::makes_frame(uint64_t address, Processor processor) const {
  return can_begin(address, processor) && entry(processor).saves_link();
}

std::span<const uint64_t> Discovery::stray(uint64_t function) const {
  const auto at = by_address_.find(function);
  return at == by_address_.end() ? std::span<const uint64_t>() : starts_[at->second].stray;
}

bool Discovery::begins_with_frame(Processor processor, uint64_t address) {
  Entry& e = entry(processor);
  return e.possible(address) && (e.makes_frame() || is_prologue(processor, address));
}

// Code that nothing leads to and that lies behind a function with a jump that is not resolved: it is where that leads.
bool Discovery::strays(uint64_t address) {
  const auto next = by_address_.upper_bound(address);
  if (next == by_address_.begin()) return false;
  Start& s = starts_[std::prev(next)->second];
  if (!s.body.open || begins_with_frame(s.processor, address)) return false;
  const auto at = std::ranges::lower_bound(s.stray, address);
  if (at == s.stray.end() || *at != address) {
    s.stray.insert(at, address);
    strayed_ = true;
    queue(std::prev(next)->second);
  }
  return true;
}

void Discovery::queue(uint32_t index) {
  Start& s = starts_[index];
  if (s.waits) return;
  if (s.reads >= kMostReads) return void(s.unsettled = true);
  s.waits = true;
  (s.reads == 0 ? waiting_ : later_).push_back(index);
}

void Discovery::add(uint64_t address, Processor processor, Found found, Sure sure, uint64_t size,
                    std::string_view name) {
  if (processor == Processor::kUnknown || !program_.code_at(address)) return;
  if (address % instruction_alignment(processor) != 0) return;
  if (starts_function(address) && name.empty() && size == 0) return;
  const auto known = by_address_.find(address);
  if (known != by_address_.end()) {
    Start& s = starts_[known->second];
    if (s.name.empty()) s.name = name;
    if (s.stated_size == 0) s.stated_size = size;
    return;
  }
  const uint32_t owner = map_.owner(address);
  if (owner == CodeMap::kData && sure != Sure::kCertain) return;
  // Only a call leads into the middle of what an unwind table says is one function.
  if (const Range* r = found >= Found::kTailCall ? program_.unwound_at(address) : nullptr; r && r->from != address)
    return;
  if (owner >= CodeMap::kFirstOwner && !map_.starts(address) && sure != Sure::kCertain) return;
  const auto index = static_cast<uint32_t>(starts_.size());
  starts_.push_back({.address = address,
                     .processor = processor,
                     .found = found,
                     .sure = sure,
                     .stated_size = size,
                     .name = std::string(name)});
  if (!name.empty()) starts_.back().returns = !never_returns(name);
  const auto here = by_address_.emplace(address, index).first;
  if (here != by_address_.begin()) reaching_.push_back(std::prev(here)->second);
  mixed_ |= processor != program_.processor;
  map_.set_function(address);
  if (!starts_.back().returns) map_.set_endless(address), jumpers_.append(address, unjudged_);
  if (owner >= CodeMap::kFirstOwner) queue(owner - CodeMap::kFirstOwner);
  queue(index);
}

void Discovery::read(uint32_t index) {
  Start& s = starts_[index];
  s.waits = false;
  unjudged_.push_back(index), fresh_.push_back(index), reaching_.push_back(index);
  if (s.reads != 0) {
    for (const Range& r : s.body.extents) free(r.from, r.to, index + CodeMap::kFirstOwner);
    for (const Range& r : s.body.data) free(r.from, r.to, CodeMap::kData);
    // Constants lie behind the function they belong to; this one may have run on into it before.
    const Start* told = &s;
    for (const Range& r : s.body.data)
      if (const Start* owner = owner_before(r.from); owner && owner != told && owner != &s) mark_data(*(told = owner));
  }
  // What another function took for its own from here on is this one's.
  const uint32_t owner = map_.owner(s.address);
  if (owner >= CodeMap::kFirstOwner)
    for (const Range& r : starts_[owner - CodeMap::kFirstOwner].body.extents)
      if (r.to > s.address) free(std::max(r.from, s.address), r.to, owner);
  ++s.reads;
  s.body = reader_.read(s.address, s.processor, index + CodeMap::kFirstOwner);
  mark_data(s);
  take(index);
}

// What was a function's or a constant becomes nobody's: functions around it may have stopped for it.
void Discovery::free(uint64_t from, uint64_t to, uint32_t owner) {
  map_.clear(from, to - from, owner);
  auto at = by_address_.upper_bound(from);
  if (at != by_address_.begin()) --at;
  for (; at != by_address_.end() && at->first < to; ++at) fresh_.push_back(at->second);
}

// A word that one function reads and another took for an instruction that nobody knows is the one's constant.
void Discovery::mark_data(const Start& s) {
  for (const Range& r : s.body.data) {
    const uint32_t owner = map_.owner(r.from);
    if (owner >= CodeMap::kFirstOwner) {
      const uint32_t other = owner - CodeMap::kFirstOwner;
      if (&starts_[other] == &s || starts_[other].body.undecodable == 0 || starts_[other].waits) continue;
      free(r.from, r.to, owner);
      queue(other);
    }
    if (map_.owner(r.from) == CodeMap::kUnread) map_.mark(r.from, r.to - r.from, CodeMap::kData);
  }
}

// What the body of a function says of others.
void Discovery::take(uint32_t index) {
  const Processor here = starts_[index].processor;
  const bool arm = family_of(here) == Family::kArm;
  ReadFunction& body = starts_[index].body;
  for (const Call& c : body.calls) {
    if (c.target == kNowhere || c.kind == CallKind::kCallback) continue;
    if (c.kind != CallKind::kTail) callers_.note(c.target, index);
    // MIPS16e, which is not decoded: what stands there stays unread.
    if (c.other_mode && family_of(here) == Family::kMips && !program_.micro_mips) continue;
    uint64_t to = c.target;
    Processor there = processor_at(to, here, c.other_mode);
    if (c.kind == CallKind::kIndirect && arm) there = mode_at(program_, to);
    add(to, there, Found::kCall, Sure::kHigh);
    hurry(to);
  }
  for (const Escape& e : body.escapes) {
    jumpers_.note(e.target, index);
    if (e.falls) continue;
    uint64_t to = e.target;
    const Processor there = arm && (to & 1) ? mode_at(program_, to) : here;
    tail_targets_.emplace_back(to, there);
  }
  code_pointers_.insert(code_pointers_.end(), body.code_pointers.begin(), body.code_pointers.end());
  code_numbers_.insert(code_numbers_.end(), body.code_numbers.begin(), body.code_numbers.end());
  body.code_pointers = body.code_numbers = {};
}

// A function that is called is read before others: whether it returns is known by then to most who call it.
void Discovery::hurry(uint64_t address) {
  if (!starts_function(address) || reader_of(address)) return;
  const auto known = by_address_.find(address);
  if (known != by_address_.end() && starts_[known->second].reads == 0) waiting_.push_back(known->second);
}

void Discovery::drain() {
  while (!waiting_.empty() || !later_.empty()) {
    auto& from = waiting_.empty() ? later_ : waiting_;
    const uint32_t index = from.back();
    from.pop_back();
    if (!starts_[index].waits) continue;
    read(index);
    find_no_return();
  }
}

// Who jumps into the middle of a function returns only if that does.
void Discovery::end_with(uint64_t target) {
  if (starts_function(target)) return;
  std::vector<uint32_t> users;
  jumpers_.append(target, users);
  for (const uint32_t user : users) jumpers_.note(starts_[map_.owner(target) - CodeMap::kFirstOwner].address, user);
  unjudged_.insert(unjudged_.end(), users.begin(), users.end());
}

// It ends only in calls of, and jumps to, functions that do not return.
bool Discovery::ends_nowhere(const Start& s) const {
  if (s.reads == 0 || s.body.returns || s.body.instructions == 0 || s.body.undecodable != 0) return false;
  return std::ranges::none_of(s.body.escapes, [&](const Escape& e) { return comes_back(e.target); });
}

// Whether a jump to `target` may end in a return: one into the middle of a function that never does ends there too.
bool Discovery::comes_back(uint64_t target) const {
  const uint32_t owner = starts_function(target) ? CodeMap::kUnread : map_.owner(target);
  return owner >= CodeMap::kFirstOwner ? starts_[owner - CodeMap::kFirstOwner].returns : returns(target);
}

// Whether it goes on behind a call of a function that is known by now not to return.
bool Discovery::outlives_call(const Start& s) const {
  return std::ranges::any_of(s.body.calls, [&](const Call& c) {
    if (c.target == kNowhere || (c.kind != CallKind::kDirect && c.kind != CallKind::kIndirect)) return false;
    return !std::ranges::binary_search(s.body.endings, c.site) && !returns(c.target);
  });
}

// Of the functions that were read since, and of those that jump to ones that are found not to return. True: more of
// them than before; who calls them is read again.
bool Discovery::find_no_return() {
  std::vector<uint32_t> callers;
  bool any = false;
  while (!unjudged_.empty()) {
    Start& s = starts_[unjudged_.back()];
    unjudged_.pop_back();
    if (!s.returns || !ends_nowhere(s)) continue;
    s.returns = false;
    any = true;
    map_.set_endless(s.address);
    jumpers_.append(s.address, unjudged_);
    callers_.append(s.address, callers);
  }
  for (const uint32_t i : taken(callers))
    if (outlives_call(starts_[i])) queue(i);
  return any;
}

// Whether it stopped at what was another's then and is nobody's now.
bool Discovery::stopped_too_early(const Start& s) const {
  if (s.body.escapes.empty()) return false;
  const uint64_t next = next_start(s.address);
  return std::ranges::any_of(s.body.escapes, [&](const Escape& e) {
    return e.target > s.address && e.target < next && map_.at(e.target) && map_.owner(e.target) == CodeMap::kUnread;
  });
}

// True: functions are read again.
bool Discovery::retry() {
  bool any = false;
  for (const uint32_t i : taken(fresh_)) {
    if (!stopped_too_early(starts_[i])) continue;
    queue(i);
    any |= starts_[i].waits;
  }
  return any;
}

void Discovery::settle() {
  drain();
  for (int i = 0; i < kMostRounds; ++i) {
    const bool fewer = find_no_return(), more = retry();
    if (!fewer && !more) return;
    drain();
  }
}

// Where functions may start although the one before seems to go on.
std::vector<uint64_t> Discovery::doubtful_places() const {
  std::vector<uint64_t> out;
  for (const Start& s : starts_) {
    out.insert(out.end(), s.body.doubtful.begin(), s.body.doubtful.end());
    out.insert(out.end(), s.body.cuts.begin(), s.body.cuts.end());
  }
  std::ranges::sort(out);
  return out;
}

void Discovery::tails() {
  for (int round = 0; round < kMostRounds; ++round) {
    auto targets = std::exchange(tail_targets_, {});
    for (const Start& s : starts_)
      for (const uint64_t cut : s.body.cuts) targets.emplace_back(cut, s.processor);
    std::ranges::sort(targets);
    targets.erase(std::ranges::unique(targets).begin(), targets.end());
    const size_t before = starts_.size();
    const std::vector<uint64_t> doubtful = doubtful_places();
    for (const auto& [to, processor] : targets) {
      if (map_.owner(to) >= CodeMap::kFirstOwner && !std::ranges::binary_search(doubtful, to)) {
        end_with(to);
        continue;
      }
      if (reader_.stub(to, processor, nullptr) != kNone) continue;
      if (plausible(processor, to) && can_begin(to, processor)) add(to, processor, Found::kTailCall, Sure::kMedium);
      drain();
    }
    settle();
    if (starts_.size() == before) return;
  }
}

// A pointer at Thumb code without the mark of its mode is no function's but a label's, where a jump leads.
bool Discovery::is_thumb_label(uint64_t value, Processor processor) {
  const Start* before = family_of(processor) == Family::kArm && !is_thumb(processor) ? owner_before(value) : nullptr;
  if (!before || !before->body.open || !is_thumb(before->processor) || map_.owner(value) != CodeMap::kUnread)
    return false;
  return plausible(before->processor, value) && !(plausible(processor, value) && can_begin(value, processor));
}

// Whether `address` lies behind a function with nothing but constants and padding between.
bool Discovery::follows(const Start& before, uint64_t address) {
  constexpr int kMostPadding = 64;
  uint64_t at = before.address, size = 0;
  for (const Range& r : before.body.extents)
    if (r.to <= address) at = r.to;
  for (int i = 0; i < kMostPadding && (at = map_.next_unread(at, address)) < address; ++i, at += size)
    if (!is_padding(before.processor, at, size)) return false;
  return at == address;
}

void Discovery::pointer(uint64_t value, bool made_by_code) {
  const Processor processor = mode_at(program_, value);
  if (value % instruction_alignment(processor) != 0 || !program_.code_at(value) || starts_function(value)) return;
  const uint32_t owner = map_.owner(value);
  if (owner != CodeMap::kUnread && !std::ranges::binary_search(doubtful_, value)) return;
  // A constant that it reads itself, although it seemed to run on into it.
  if (owner >= CodeMap::kFirstOwner && std::ranges::any_of(starts_[owner - CodeMap::kFirstOwner].body.data,
                                                           [&](const Range& r) { return r.holds(value); }))
    return;
  uint64_t size = 0;
  if (is_thumb_label(value, processor) && strays(value)) return;
  if (is_padding(processor, value, size)) return;
  if (!plausible(processor, value) || reader_.stub(value, processor, nullptr) != kNone) return;
  const bool begins = can_begin(value, processor) && !leads_back(processor, value);
  if (owner == CodeMap::kUnread && !(made_by_code && begins) && strays(value)) return;
  if (!begins) return;
  if (!made_by_code && !is_prologue(processor, value)) {
    // Where no instruction ends just before, code could not fall into it either.
    const Start* before = owner_before(value);
    if (!before || before->body.open || (value < kSmallNumbers && !follows(*before, value))) return;
  }
  add(value, processor, Found::kPointer, Sure::kHigh);
  settle();
}

// Where nothing tells code from constants, pointers past the last function that is called lead to constants.
uint64_t Discovery::pointers_end() const {
  if (!whole_segment_) return kNowhere;
  uint64_t end = 0;
  for (const Start& s : starts_)
    if (s.found <= Found::kTailCall && !s.body.extents.empty()) end = std::max(end, s.body.extents.back().to);
  return end;
}

// Of functions that code takes the address of. True: there were more.
bool Discovery::made_pointers() {
  auto made = std::exchange(code_pointers_, {});
  std::ranges::sort(made);
  made.erase(std::ranges::unique(made).begin(), made.end());
  doubtful_ = doubtful_places();
  const uint64_t end = pointers_end();
  const size_t before = starts_.size();
  for (const uint64_t value : made)
    if (value < end) pointer(value, true);
  // A number may look like a pointer. Where nothing is known of what lies before, it waits until something is.
  auto numbers = std::exchange(code_numbers_, {});
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  for (const uint64_t value : numbers) {
    uint64_t bare = value;
    const Processor processor = mode_at(program_, bare);
    if (value >= end || map_.owner(bare) != CodeMap::kUnread) continue;
    const Start* last = owner_before(bare);
    if (!last || follows(*last, bare) || begins_with_frame(processor, bare))
      pointer(value, true);
    else
      code_numbers_.push_back(value);
  }
  return starts_.size() != before;
}

void Discovery::pointers() {
  doubtful_ = doubtful_places();
  const uint64_t end = pointers_end();
  for (const uint64_t value : program_.pointers)
    if (value < end) pointer(value, false);
  for (uint64_t value : program_.literals) {
    uint64_t bare = value;
    const Processor processor = mode_at(program_, bare);
    if (value < end && map_.owner(bare) == CodeMap::kUnread && begins_with_frame(processor, bare))
      pointer(value, false);
  }
}

Discovery::Coder& Discovery::coder(Processor processor) {
  auto& slot = coders_[static_cast<size_t>(processor)];
  if (!slot) slot.reset(new Coder{Decoder(processor, program_.dialect), Translator::of(processor, program_.dialect)});
  return *slot;
}

bool Discovery::decode(Processor processor, uint64_t address, Op& op) {
  const Area* area = program_.code_at(address);
  if (!area) return op.size = 0, false;
  Coder& c = coder(processor);
  if (!c.decoder.decode(area->bytes.span().subspan(address - area->address), address, insn_)) {
    op.size = insn_.size;
    return false;
  }
  c.translator.translate(insn_, op);
  return true;
}

Discovery::Judged& Discovery::judged(Processor processor, uint64_t address) {
  auto& slot = judged_[static_cast<size_t>(processor)];
  if (!slot) slot = std::make_unique<Words<Judged, true>>(kJudged);
  const Word word = word_of_address(address);
  if (Judged* known = slot->find(word)) return *known;
  return slot->put(word) = {.own = word};
}

// How a function begins on each processor: it makes room on the stack, saves what it must, or marks a landing place.
bool Discovery::is_prologue(Processor processor, uint64_t address) {
  Judged& known = judged(processor, address);
  if (!known.prologue) known.prologue = judge_prologue(processor, address);
  return *known.prologue;
}

bool Discovery::judge_prologue(Processor processor, uint64_t address) {
  decoder(processor).restart();
  Op op;
  if (!decode(processor, address, op)) return false;
  const InstructionSet& set = decoder(processor).set();
  const std::string_view name = set.opcode_name(insn_.opcode);
  const Slot sp = Translator::of(processor, program_.dialect).stack_pointer();
  const auto last = insn_.operand_count == 0 ? Operand{} : insn_.operand(insn_.operand_count - 1u);
  switch (family_of(processor)) {
    case Family::kMips:
      if (name == "LUi" || name == "LUi64") return op.dst == 28;
      return op.what == Do::kAdd && op.dst == sp && op.a == sp && op.imm < 0;
    case Family::kArm:
      if (name == "tPUSH" || name == "STMDB_UPD" || name == "t2STMDB_UPD")
        return last.value == set.register_named("LR");
      return name == "STR_PRE_IMM" && set.register_name(insn_.reg(1)) == "LR";
    case Family::kAArch64:
      if (name == "STPXpre") return set.register_name(insn_.reg(3)) == "SP";
      if (name == "HINT") return insn_.imm(0) == 34 || insn_.imm(0) == 25;
      return op.what == Do::kSubtract && op.dst == sp && op.a == sp;
    case Family::kX86:
      return name == "ENDBR64" || name == "ENDBR32" || (op.what == Do::kPush && op.c == 5);
    case Family::kPpc:
      return (name == "STWU" || name == "STDU") && set.register_encoding(insn_.reg(1)) == 1 &&
             insn_.reg(1) == insn_.reg(3);
    case Family::kRiscv:
      return op.what == Do::kAdd && op.dst == sp && op.a == sp && op.imm < 0;
    case Family::kNone:
      break;
  }
  return false;
}

// Runs to an end of some kind through valid instructions alone.
bool Discovery::plausible(Processor processor, uint64_t address) {
  Judged& known = judged(processor, address);
  if (!known.plausible) known.plausible = judge_plausible(processor, address);
  return *known.plausible;
}

bool Discovery::judge_plausible(Processor processor, uint64_t address) {
  constexpr int kFarthest = 64;
  decoder(processor).restart();
  Op op;
  for (int i = 0; i < kFarthest; ++i, address += op.size) {
    if (!decode(processor, address, op) || insn_.unpredictable) return false;
    if (op.target != kNowhere && !program_.code_at(op.target)) {
      // A static program's stubs lead to no import.
      const Area* stubs = has_sections_ && !op.conditional ? program_.data_at(op.target) : nullptr;
      return reader_.stub(op.target, processor, nullptr) != kNone ||
             (op.flow == Flow::kCall && program_.data_at(op.target)) || (stubs && stubs->executable);
    }
    if (op.flow != Flow::kNone) return op.flow != Flow::kTrap || i > 0;
  }
  return true;
}

const Discovery::Start* Discovery::owner_before(uint64_t address) const {
  auto at = by_address_.upper_bound(address);
  return at == by_address_.begin() ? nullptr : &starts_[std::prev(at)->second];
}

Processor Discovery::mode_before(uint64_t address) const {
  if (family_of(program_.processor) != Family::kArm) return program_.processor;
  const Start* before = owner_before(address);
  if (before) return before->processor;
  if (!by_address_.empty()) return starts_[by_address_.begin()->second].processor;
  return starts_.empty() ? program_.processor : starts_.front().processor;
}

// A return that nothing leads to, right behind a jump out of a function or a call that does not come back: left over.
bool Discovery::is_left_over(const Start& s) const {
  const uint32_t one = family_of(s.processor) == Family::kMips ? 2 : 1;
  if (s.found != Found::kGap || s.body.instructions > one || !s.body.returns || !s.body.escapes.empty()) return false;
  const auto at = by_address_.find(s.address);
  if (at == by_address_.begin()) return false;
  const Start& before = starts_[std::prev(at)->second];
  constexpr uint64_t kLongest = 8;  // a jump and what fills its slot
  const auto ends = [&](uint64_t site) { return site < s.address && s.address - site <= kLongest; };
  return !before.body.extents.empty() && before.body.extents.back().to == s.address &&
         (std::ranges::any_of(before.body.endings, ends) ||
          std::ranges::any_of(before.body.escapes,
                              [&](const Escape& e) { return !e.falls && !e.conditional && ends(e.site); }));
}

// Stubs in the middle of code: where sections set them apart, only what linkers put between functions; else also the
// first entry of their table, which jumps through a word that the dynamic linker fills with its own address. And what
// lies behind a call that does not return, should it return.
bool Discovery::is_no_function(const Start& s) {
  if (s.sure == Sure::kCertain || !s.name.empty()) return false;
  constexpr uint32_t kShortest = 2, kStub = 6;
  if (s.found == Found::kGap && !s.returns && s.body.instructions <= kShortest && s.body.escapes.empty()) return true;
  if (is_left_over(s) || reader_.stub(s.address, s.processor, nullptr) != kNone) return true;
  const bool among = !has_sections_ || family_of(s.processor) == Family::kPpc;  // stubs lie among functions
  return among && s.body.instructions <= kStub && s.body.indirect_jumps == 1 && s.body.blocks.size() == 1 &&
         s.body.stub_of == kNone;
}

// Functions that reach over the start of another: what lies behind it is not theirs.
bool Discovery::crossings() {
  bool any = false;
  for (const uint32_t i : taken(reaching_)) {
    const Start& s = starts_[i];
    const uint64_t next = next_start(s.address);
    if (s.body.extents.empty() || s.body.extents.back().to <= next) continue;
    queue(i);
    any |= s.waits;
  }
  return any;
}

void Discovery::run() {
  for (const Seed& s : program_.seeds)
    if (s.processor != Processor::kUnknown) add(s.address, s.processor, s.found, s.sure, s.size, s.name);
  settle();
  for (const Seed& s : program_.seeds)
    if (s.processor == Processor::kUnknown) add(behind_padding(s.address), mode_before(s.address), s.found, s.sure);
  settle();
  for (int round = 0; round < kMostRounds; ++round) {
    const size_t before = starts_.size();
    strayed_ = false;
    tails();
    // Before what data points at: a table of places within a function is known for one once the function is.
    // What is only pointed at may make pointers in turn (the C library's choice of a memcpy).
    for (int i = 0; i < kMostRounds; ++i) {
      for (int k = 0; k < kMostRounds && made_pointers(); ++k) tails();
      const size_t known = starts_.size();
      pointers();
      if (starts_.size() == known) break;
    }
    // Before what is left: a function that was entered behind its start is that one's by now.
    while (crossings()) settle();
    gaps();
    settle();
    while (crossings()) settle();
    if (starts_.size() == before && tail_targets_.empty() && !strayed_) break;
  }
  // Stubs are ways to imports, not functions.
  for (Start& s : starts_) s.stub = is_no_function(s);
}

}  // namespace assay::code
