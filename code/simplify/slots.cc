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
#include "code/simplify/blocks.h"
#include "code/simplify/simplify.h"

#include <fmt/format.h>

namespace assay::code::ir {

namespace {

// No address of the frame; one, or none, or another one.
constexpr int64_t kUnknown = INT64_MIN, kMixed = INT64_MIN + 1;
constexpr size_t kMostSlots = 128;
constexpr int64_t kMostOffset = int64_t{1} << 40;

// Offsets of the stack and the frame pointer from the stack pointer at the entry.
struct Frame {
  int64_t stack = kUnknown, frame = kUnknown;
  bool visited = false;
  bool same(const Frame& o) const { return stack == o.stack && frame == o.frame; }
};

struct Access {
  int64_t offset = 0;
  Value op = 0;
  uint8_t bits = 0;
  bool operator<(const Access& o) const { return offset != o.offset ? offset < o.offset : op < o.op; }
  int64_t end() const { return offset + bits / 8; }
};

class Slots {
 public:
  Slots(Function& f, const Options& o, Counters& counters)
      : f_(f), convention_(o.convention), counters_(counters), index_(f, o.convention.mode_bit) {}

  void all() {
    if (f_.blocks.empty() || convention_.stack == kNoRegister || !follow()) return;
    if (calls_ && !convention_.calls_keep_frame) return;
    std::sort(accesses_.begin(), accesses_.end());
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
      if (!walk(f_.blocks[i], frames_[i])) return false;
    }
    return true;
  }
  bool arrive(uint32_t block, Frame frame) {
    if (block == kNoBlock) return true;
    Frame& there = frames_[block];
    if (there.visited) return there.stack == frame.stack && (there.frame == frame.frame || mix(block));
    there = frame;
    there.visited = true;
    work_.push_back(block);
    return true;
  }
  // The frame pointer holds one thing or another: the block is looked at again, and may not use it.
  bool mix(uint32_t block) {
    const Block& b = f_.blocks[block];
    if (frames_[block].frame == kMixed) return true;
    std::erase_if(accesses_, [&](const Access& a) { return a.op >= b.first && a.op < b.first + b.count; });
    frames_[block].frame = kMixed;
    if (++mixes_ > kMostMixes) return give_up();
    work_.push_back(block);
    return true;
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
    const int64_t sum = offset(b, base) + sign_extend(constant(f_.ops[by]), op.bits);
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

  // The accesses from `first` on that overlap; returns the first behind them.
  size_t cluster(size_t first) {
    int64_t end = accesses_[first].end();
    size_t last = first + 1;
    for (; last < accesses_.size() && accesses_[last].offset < end; ++last) end = std::max(end, accesses_[last].end());
    if (is_slot(std::span(accesses_).subspan(first, last - first))) make_variable(first, last);
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
    return loaded && stored && all[0].end() <= 0;
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
  std::vector<Access> accesses_;
  Frame through_table_;
  bool jumped_ = false, calls_ = false;
  int mixes_ = 0;
};

}  // namespace

void slots_to_variables(Function& f, const Options& options, Counters& counters) {
  if (options.whole) Slots(f, options, counters).all();
}

}  // namespace assay::code::ir
