// Stack slots as variables. Every address of the frame must be the stack pointer at the function's entry plus a number
// that is known, and must go nowhere but into loads and stores of its own, the stack and the frame pointer: not into
// memory, another register, a call, an opaque operation. Then nobody else can name what lies there, and a load yields
// what the last store of the same slot put in, which is what a variable does:
//
//   store.32 sp-8 v  →  put local_8 v          load.32 sp-8  →  get local_8
//
// A slot is a place that is always accessed with one width and one byte order, overlaps no other, lies in the
// function's own part of the stack and is both stored and loaded: what is only stored may be an argument for whoever is
// called, and what is only loaded was stored by someone else. A variable begins with what the slot held.
//
// Nor is a slot what a call hands over: the return address, where the call puts it on the stack, and, where all
// arguments lie there (i386), whatever is stored from there on without a gap: it is the called function's to write.
#include "code/simplify/blocks.h"
#include "code/simplify/simplify.h"

#include <fmt/format.h>

namespace assay::code::ir {

namespace {

// No address of the frame; one, or none, or another one.
constexpr int64_t kUnknown = INT64_MIN, kMixed = INT64_MIN + 1;
constexpr size_t kMostSlots = 128;
constexpr int64_t kMostOffset = int64_t{1} << 40;
constexpr int64_t kGap = 4;  // bytes: shorter ones lie inside of what is handed over, as a structure's padding does

// Offsets of the stack and the frame pointer from the stack pointer at the entry.
struct Frame {
  int64_t stack = kUnknown, frame = kUnknown;
  bool visited = false;  // it is known how the block is reached
  bool waiting = false;  // in the work list
  bool walked = false;   // its accesses are noted
  bool same(const Frame& o) const { return stack == o.stack && frame == o.frame; }
};

struct Access {
  int64_t offset = 0;
  Value op = 0;
  uint8_t bits = 0;
  bool operator<(const Access& o) const { return offset != o.offset ? offset < o.offset : op < o.op; }
  int64_t end() const { return offset + bits / 8; }
};

struct Handed {
  int64_t first = 0, end = 0;
};

class Slots {
 public:
  Slots(Function& f, const Options& o, Counters& counters)
      : f_(f), convention_(o.convention), counters_(counters), index_(f, o.convention.mode_bit) {}

  void all() {
    if (f_.blocks.empty() || convention_.stack == kNoRegister || !follow()) return;
    if (calls_ && !convention_.calls_keep_frame) return;
    std::sort(accesses_.begin(), accesses_.end());
    hand_over();
    for (size_t i = 0; i < accesses_.size();) i = cluster(i);
  }

 private:
  // ---- every access through the frame, or false: some address escapes or is not known

  bool follow() {
    frames_.resize(f_.blocks.size());
    if (!arrive(0, {.stack = 0})) return false;
    if (!drain()) return false;
    // What is reached through a table: the only jumps whose targets are not known here.
    for (uint32_t i = 0; i < frames_.size(); ++i)
      if (!frames_[i].visited && (!jumped_ || !arrive(i, through_table_) || !drain())) return false;
    return true;
  }
  bool drain() {
    while (!work_.empty()) {
      const uint32_t i = work_.back();
      work_.pop_back();
      frames_[i].waiting = false;
      if (frames_[i].walked) forget(f_.blocks[i]);
      frames_[i].walked = true;
      if (!walk(f_.blocks[i], frames_[i])) return false;
    }
    return true;
  }
  bool arrive(uint32_t block, Frame frame) {
    if (block == kNoBlock) return true;
    Frame& there = frames_[block];
    if (there.visited) return there.stack == frame.stack && (there.frame == frame.frame || mix(block));
    there = {.stack = frame.stack, .frame = frame.frame, .visited = true};
    return wait(block);
  }
  bool wait(uint32_t block) {
    if (!frames_[block].waiting) work_.push_back(block);
    return frames_[block].waiting = true;
  }
  void forget(const Block& b) {
    const auto of_block = [&](const Access& a) { return a.op >= b.first && a.op < b.first + b.count; };
    Access* const end = std::remove_if(accesses_.begin(), accesses_.end(), of_block);
    accesses_.resize(static_cast<size_t>(end - accesses_.begin()));
  }
  // The frame pointer holds one thing or another: the block is looked at again, and may not use it.
  bool mix(uint32_t block) {
    if (frames_[block].frame == kMixed) return true;
    frames_[block].frame = kMixed;
    return ++mixes_ > kMostMixes ? give_up() : wait(block);
  }
  bool give_up() {
    ++counters_.budgets;
    return false;
  }

  bool walk(const Block& b, Frame frame) {
    offsets_.assign(b.count, kUnknown);
    for (Value at = b.first; at < b.first + b.count; ++at) {
      const Op& op = f_.ops[at];
      if (op.code == Code::kNone) continue;
      if (!step(b, op, at, frame)) return false;
      const bool leaves = op.code == Code::kJump || op.code == Code::kReturn;
      if (leaves && op.c == 0) return true;
    }
    return arrive(index_.at(b.next), frame);
  }
  int64_t offset(const Block& b, Value v) const { return offsets_[v - b.first]; }

  bool step(const Block& b, const Op& op, Value at, Frame& frame) {
    switch (op.code) {
      case Code::kGet:
        offsets_[at - b.first] = op.a == convention_.stack   ? frame.stack
                                 : op.a == convention_.frame ? frame.frame
                                                             : kUnknown;
        return offsets_[at - b.first] != kMixed;
      case Code::kAdd:
        return moved(b, op, at);
      case Code::kPut:
        return put(op, offset(b, op.b), frame);
      case Code::kLoad:
        return access(op, at, offset(b, op.a));
      case Code::kStore:
        return offset(b, op.b) == kUnknown && access(op, at, offset(b, op.a));
      case Code::kCall:
        calls_ = true;
        if (convention_.return_pops != 0 || convention_.arguments_on_stack) depths_.push_back(frame.stack);
        frame.stack += convention_.return_pops;
        return offset(b, op.a) == kUnknown;
      case Code::kJump:
        return jump(op, frame);
      case Code::kOpaque:
        return opaque(f_.effects[op.a], frame);
      default:
        return comparable(b, op);
    }
  }
  // A comparison lets nobody name the place; whatever else computes with its address may.
  bool comparable(const Block& b, const Op& op) const {
    if (shape(op.code).compares) return true;
    bool clean = true;
    for_values(op, [&](Value v) { clean &= offset(b, v) == kUnknown; });
    return clean;
  }
  bool moved(const Block& b, const Op& op, Value at) {
    const Value base = offset(b, op.a) != kUnknown ? op.a : op.b, by = base == op.a ? op.b : op.a;
    if (offset(b, base) == kUnknown) return true;
    if (f_.ops[by].code != Code::kConst) return false;
    const int64_t distance = sign_extend(constant(f_.ops[by]), op.bits);
    if (distance <= -kMostOffset || distance >= kMostOffset) return false;
    const int64_t sum = offset(b, base) + distance;
    offsets_[at - b.first] = sum;
    return sum > -kMostOffset && sum < kMostOffset;
  }
  bool put(const Op& op, int64_t offset, Frame& frame) const {
    if (op.a == convention_.stack)
      frame.stack = offset;
    else if (op.a == convention_.frame)
      frame.frame = offset;
    else
      return offset == kUnknown;
    return op.a != convention_.stack || offset != kUnknown;
  }
  bool access(const Op& op, Value at, int64_t offset) {
    if (offset != kUnknown) accesses_.push_back({offset, at, op.bits});
    return true;
  }
  bool jump(const Op& op, const Frame& frame) {
    if (f_.ops[op.a].code == Code::kConst) return arrive(index_.at(constant(f_.ops[op.a])), frame);
    if (jumped_ && !through_table_.same(frame)) return false;
    jumped_ = true;
    through_table_ = frame;
    return true;
  }
  bool opaque(const Effect& e, const Frame& frame) const {
    if (e.leaves) return false;
    const auto touches = [&](std::span<const RegisterId> list) {
      return std::ranges::any_of(list, [&](RegisterId r) {
        return r == convention_.stack || (r == convention_.frame && frame.frame != kUnknown);
      });
    };
    return !touches(f_.reads(e)) && !touches(f_.writes(e));
  }

  // ---- from accesses to variables

  // Places that calls hand over, ascending and apart. Accesses are sorted.
  void hand_over() {
    std::ranges::sort(depths_);
    size_t next = 0;
    for (const int64_t depth : depths_) {
      if (handed_.empty() || depth > handed_.back().end) handed_.push_back({depth, depth});
      int64_t& end = handed_.back().end;
      end = std::max(end, depth + convention_.return_pops);
      for (; convention_.arguments_on_stack && next < accesses_.size() && accesses_[next].offset < end + kGap; ++next)
        if (f_.ops[accesses_[next].op].code == Code::kStore) end = std::max(end, accesses_[next].end());
    }
  }
  bool is_handed_over(const Access& slot) const {
    const auto place = std::ranges::upper_bound(handed_, slot.offset, {}, &Handed::end);
    return place != handed_.end() && place->first < slot.end();
  }

  // The accesses from `first` on that overlap; returns the first behind them.
  size_t cluster(size_t first) {
    int64_t end = accesses_[first].end();
    size_t last = first + 1;
    for (; last < accesses_.size() && accesses_[last].offset < end; ++last) end = std::max(end, accesses_[last].end());
    if (is_slot(std::span(accesses_.data() + first, last - first))) make_variable(first, last);
    return last;
  }
  bool is_slot(std::span<const Access> all) const {
    const Op& model = f_.ops[all[0].op];
    bool loaded = false, stored = false;
    for (const Access& a : all) {
      const Op& op = f_.ops[a.op];
      if (a.offset != all[0].offset || op.bits != model.bits || op.order != model.order || op.c != 0) return false;
      (op.code == Code::kLoad ? loaded : stored) = true;
    }
    return loaded && stored && all[0].end() <= 0 && !is_handed_over(all[0]);
  }
  void make_variable(size_t first, size_t last) {
    if (f_.variables.size() >= kMostSlots) {
      ++counters_.budgets;
      return;
    }
    const Access& slot = accesses_[first];
    const auto id = static_cast<uint32_t>(f_.file->registers.size() + f_.variables.size());
    f_.variables.push_back({fmt::format("local_{:x}", -slot.offset), slot.bits});
    for (size_t i = first; i < last; ++i) {
      Op& op = f_.ops[accesses_[i].op];
      op = op.code == Code::kLoad ? Op{.code = Code::kGet, .bits = op.bits, .a = id}
                                  : Op{.code = Code::kPut, .a = id, .b = op.b};
    }
    ++counters_.slots;
    counters_.slot_accesses += last - first;
  }

  static constexpr int kMostMixes = 100;

  Function& f_;
  const Convention& convention_;
  Counters& counters_;
  BlockIndex index_;
  std::vector<Frame> frames_;
  std::vector<uint32_t> work_;
  std::vector<int64_t> offsets_;  // of the block at hand
  Array<Access> accesses_;
  std::vector<int64_t> depths_;  // of the stack pointer at calls
  std::vector<Handed> handed_;
  Frame through_table_;
  bool jumped_ = false, calls_ = false;
  int mixes_ = 0;
};

}  // namespace

void slots_to_variables(Function& f, const Options& options, Counters& counters) {
  if (options.whole) Slots(f, options, counters).all();
}

}  // namespace assay::code::ir
