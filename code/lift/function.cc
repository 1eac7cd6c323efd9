#include "code/lift/function.h"

#include "code/lift/ahead.h"
#include "code/simplify/rewrite.h"
#include "code/simplify/sweep.h"

#include <algorithm>

namespace assay::code::lift {

namespace {

constexpr size_t kWindow = 16;               // instructions lifted at once where flags are looked for; and a delay slot
constexpr uint64_t kLongBlock = 1024;        // bytes; from there on it is swept and goes on as another
constexpr uint64_t kMostReserved = 1 << 20;  // what a block says of its size is not paid for before it is read

// Where the operations go: through the simplifier, into blocks that are swept when they end.
class Simplifying {
 public:
  Simplifying(const Isa& isa, const ir::Options& options, ir::Function& out, ir::Sweep& sweep, ir::Counters& counters)
      : out_(out), sweep_(sweep), rewriter_(out, options, counters), machine_(isa, out, &rewriter_) {}
  Machine& machine() { return machine_; }
  const ir::Op& last() const { return rewriter_.last(); }
  void begin(uint64_t address) {
    if (out_.blocks.size() == out_.blocks.capacity()) {
      out_.blocks.reserve(out_.blocks.size() * 5 / 4 + 8);
      sweep_.reserve(out_.blocks.capacity());
    }
    rewriter_.begin_block(address);
  }
  void end(uint64_t next) {
    rewriter_.end_block(next);
    sweep_.last_block();
  }

 private:
  ir::Function& out_;
  ir::Sweep& sweep_;
  ir::Rewriter rewriter_;
  Machine machine_;
};

class Walk {
 public:
  Walk(const Isa& isa, const Shape& shape, const ir::Options& options, Simplifying& to)
      : isa_(isa),
        program_(*shape.program),
        to_(to),
        decoder_(isa.set->processor(), shape.program->dialect, Decoder::kFunction),
        ahead_(isa, shape, options, decoder_),
        most_(ahead_.looks() ? kWindow : 1),
        window_(std::make_unique_for_overwrite<Insn[]>(most_ + 1)) {}

  void block(const Block& b) {
    const Area* area = program_.code_at(b.address);
    if (area == nullptr) return;
    // Thumb's conditional blocks reach over the end of a block of ours, not over a gap.
    if (b.address != behind_) decoder_.restart();
    begin(b.address);
    const uint64_t end = std::min(b.end, area->end());
    for (uint64_t at = b.address; at < end; at = step(*area, at, end)) {
    }
    flush();
    to_.end(behind_ = end);
  }

 private:
  void begin(uint64_t address) { to_.begin(begun_ = address); }
  // Lifts the instruction, with its delay slot; returns where the next begins.
  uint64_t step(const Area& area, uint64_t at, uint64_t end) {
    if (!decode(area, at)) return undecodable(at);
    uint64_t next = last().end();
    const bool again = isa_.comes_back != nullptr && isa_.comes_back(isa_, last());
    const bool leaves = again || last().flow != Flow::kNone;
    if (again && at != begun_) begin_at(at);
    if (last().delay_slot && next < end && decode(area, next)) next = last().end();
    if (leaves)
      cut(next, end);
    else if (count_ >= most_)
      flush_at(next, end);
    return next;
  }
  bool decode(const Area& area, uint64_t at) {
    Insn& insn = window_[count_++];
    if (decoder_.decode(area.bytes.span().subspan(at - area.address), at, insn) && insn.size != 0) return true;
    skip_ = std::max<uint64_t>(insn.size, 1);
    --count_;
    return false;
  }
  // What is no instruction may do anything.
  uint64_t undecodable(uint64_t at) {
    flush();
    to_.machine().begin_instruction(at);
    to_.machine().Builder::opaque({.name = "(no instruction)", .loads = true, .stores = true, .leaves = true});
    return at + skip_;
  }
  const Insn& last() const { return window_[count_ - 1]; }
  // Lifts the first `count` of the window; whether control comes back behind them as to another block.
  bool lift(size_t count) {
    const std::span<const Insn> insns(window_.get(), count);
    lift_wanted(insns);
    const ir::Op& op = to_.last();
    return op.code == Code::kCall || (op.code == Code::kTrap && op.trap == Trap::kSystemCall) ||
           (op.code == Code::kJump && op.c != 0);
  }
  // Without the flags that nobody reads, as far as that is known of them.
  void lift_wanted(std::span<const Insn> insns) {
    if (!ahead_.looks()) return to_.machine().lift(insns);
    const std::span<uint64_t> wanted = std::span(wanted_).first(insns.size());
    ahead_.wanted(insns, wanted);
    to_.machine().lift(insns, wanted);
  }
  void flush() {
    if (count_ != 0) lift(count_);
    count_ = 0;
  }
  void flush_at(uint64_t next, uint64_t end) {
    flush();
    if (next - begun_ < kLongBlock || next >= end) return;
    to_.end(next);
    begin(next);
  }
  // The instruction decoded last begins a block: it is where a jump goes.
  void begin_at(uint64_t at) {
    if (count_ > 1) lift(count_ - 1);
    std::swap(window_[0], window_[count_ - 1]);
    count_ = 1;
    to_.end(at);
    begin(at);
  }
  // Behind a call, a system call and a jump that may not be taken the function goes on in another block.
  void cut(uint64_t next, uint64_t end) {
    const bool goes_on = lift(count_);
    count_ = 0;
    if (!goes_on || next >= end) return;
    to_.end(next);
    begin(next);
  }

  const Isa& isa_;
  const Program& program_;
  Simplifying& to_;
  Decoder decoder_;
  Ahead ahead_;
  const size_t most_;
  std::unique_ptr<Insn[]> window_;  // the first count_ are decoded
  std::array<uint64_t, kWindow + 1> wanted_{};
  size_t count_ = 0;
  uint64_t begun_ = kNowhere, behind_ = kNowhere, skip_ = 1;
};

// Room for what most functions come to: what grows is there twice for a moment. That a function comes to more shows
// when half of it is there, and there is less to copy.
class Room {
 public:
  Room(const Isa& isa, const Shape& shape, ir::Function& out, ir::Sweep& sweep) : out_(out) {
    for (const Block& b : shape.blocks) all_ += bytes(b);
    const uint64_t size = is_thumb(isa.set->processor()) ? 3 : 4;
    const uint64_t instructions = std::min(all_ / size + 1, kMostReserved);
    reserved_ = instructions * 6 + 16;
    out_.ops.reserve(reserved_);
    out_.marks.reserve(instructions + 16);
    out_.blocks.reserve(shape.blocks.size() * 5 / 4 + 8);
    sweep.reserve(out_.blocks.capacity());
  }
  void lifted(const Block& b) {
    const bool before = done_ < all_ / 2;
    done_ += bytes(b);
    if (!before || done_ < all_ / 2) return;
    const size_t there = out_.ops.size(), all = there + there * (all_ - done_) / (done_ + 1) * 9 / 8;
    if (all <= reserved_) return;
    out_.ops.shrink_to_fit();
    out_.ops.reserve(all);
  }

 private:
  static uint64_t bytes(const Block& b) { return std::min<uint64_t>(b.end - b.address, kMostReserved); }

  ir::Function& out_;
  uint64_t all_ = 0, done_ = 0;
  size_t reserved_ = 0;
};

}  // namespace

Shape shape_of(const Program& program, const Analysis& analysis, uint32_t function) {
  Shape shape{.program = &program, .blocks = {}};
  const Function& f = analysis.functions.all[function];
  const Body& body = analysis.bodies[function];
  const auto first = analysis.blocks.begin() + body.first_block;
  shape.blocks.assign(first, first + body.blocks);
  if (body.blocks == 0) shape.blocks.push_back({.address = f.address, .end = f.address + f.size});
  const auto entry = std::ranges::find(shape.blocks, f.address, &Block::address);
  if (entry != shape.blocks.end()) std::rotate(shape.blocks.begin(), entry, entry + 1);
  return shape;
}

Isa isa_for(const Program& program, Processor processor) {
  Isa isa = make_isa(processor);
  isa.order = program.order;
  return isa;
}

std::string refusal(Processor processor) {
  return has_lifter(processor) ? "" : "no lifter: " + std::string(name_of(processor));
}

void lift_function(const Isa& isa, const Shape& shape, const ir::Options& options, ir::Counters& counters,
                   ir::Function& out) {
  out.file = &isa.file;
  ir::Sweep sweep(out, options, counters);
  Room room(isa, shape, out, sweep);
  {  // what that holds is not there any more when the function as a whole is simplified
    Simplifying to(isa, options, out, sweep, counters);
    Walk walk(isa, shape, options, to);
    for (const Block& b : shape.blocks) walk.block(b), room.lifted(b);
  }
  out.ops.shrink_to_fit();
  out.marks.shrink_to_fit();
  out.blocks.shrink_to_fit();
  simplify_rewritten(out, sweep, options, counters);
}

}  // namespace assay::code::lift
