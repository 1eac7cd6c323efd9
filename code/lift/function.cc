#include "code/lift/function.h"

#include "code/lift/ahead.h"
#include "code/simplify/rewrite.h"
#include "code/simplify/sweep.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace assay::code::lift {

namespace {

constexpr size_t kWindow = Ahead::kMost - 1;  // instructions there at once where flags are looked for; and a delay slot
constexpr size_t kSeen = 8;                   // so many of them show what those before need not write
constexpr uint64_t kLongBlock = 1024;         // bytes; from there on it is swept and goes on as another
constexpr uint64_t kMostBlock = uint64_t{1} << 31;  // likewise, of what is no instruction: marks count from its address
constexpr uint64_t kMostReserved = 1 << 20;         // what a block says of its size is not paid for before it is read

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
  size_t blocks() const { return out_.blocks.size(); }
  // The blocks from `first` on stand in the opposite order.
  void turn(size_t first) {
    std::reverse(out_.blocks.begin() + static_cast<ptrdiff_t>(first), out_.blocks.end());
    sweep_.turn(first);
  }
  // Of the registers `of`, one bit each, those that are read from block `first`, one of those that come last, on;
  // behind() says it of what stands behind the last.
  template <class Behind>
  uint64_t read_from(size_t first, uint64_t of, Behind behind) const {
    uint64_t read = 0, open = of;  // from `first` on; of what nothing is known yet
    for (size_t i = first; i < out_.blocks.size() && open != 0; ++i) {
      const auto [live, written] = sweep_.alone(i);
      read |= open & live;
      open &= ~live & ~written;
      const ir::Block& b = out_.blocks[i];
      const bool exits = b.count != 0 && out_.ops[b.first + b.count - 1].code == Code::kJump;
      if (exits && i + 1 < out_.blocks.size()) return read | open;
    }
    return open == 0 ? read : read | (open & behind());
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

  // All of them, the last first; blocks that one of Thumb's conditional blocks may join are a piece.
  template <class Lifted>
  void all(std::span<const Block> blocks, Lifted lifted) {
    for (size_t end = blocks.size(); end > 0;) {
      size_t begin = end - 1;
      while (begin > 0 && blocks[begin - 1].end == blocks[begin].address && ahead_.inside(blocks[begin].address))
        --begin;
      const size_t first = to_.blocks();
      for (size_t i = begin; i < end; ++i) block(blocks[i]), lifted(blocks[i]);
      to_.turn(first);
      end = begin;
    }
    to_.turn(0);
  }

 private:
  void block(const Block& b) {
    const Area* area = program_.code_at(b.address);
    if (area == nullptr) return;
    // Thumb's conditional blocks reach over the end of a block of ours, not over a gap.
    if (b.address != behind_) decoder_.restart();
    const size_t first = to_.blocks();
    last_lifted_ = nullptr;
    begin(b.address);
    const uint64_t end = std::min(b.end, area->end());
    for (uint64_t at = b.address; at < end; at = step(*area, at, end)) {
    }
    flush();
    to_.end(behind_ = end);
    if (ahead_.looks()) note(b.address, first);
  }
  void note(uint64_t address, size_t first) {
    const uint64_t flags = ahead_.flags();
    const auto behind = [&] { return flags & ~(ends_known() ? ahead_.lost_behind(*last_lifted_) : 0); };
    ahead_.lifted(address, flags & ~to_.read_from(first, flags, behind));
  }
  // Not where one of Thumb's conditional blocks goes on, or what is no instruction.
  bool ends_known() const { return last_lifted_ != nullptr && !decoder_.in_block(); }
  void begin(uint64_t address) {
    to_.begin(begun_ = address);
    since_ = 0;
  }
  // Lifts the instruction, with its delay slot; returns where the next begins.
  uint64_t step(const Area& area, uint64_t at, uint64_t end) {
    if (!decode(area, at)) return undecodable(at, end);
    uint64_t next = last().end();
    const bool again = isa_.comes_back != nullptr && isa_.comes_back(isa_, last());
    const bool leaves = again || last().flow != Flow::kNone;
    if (again && at != begun_) begin_at(at);
    if (last().delay_slot && next < end && decode(area, next)) next = last().end();
    if (leaves)
      cut(next, end);
    else if (count_ >= most_)
      make_room(next, end);
    return next;
  }
  bool decode(const Area& area, uint64_t at) {
    Insn& insn = window_[count_++];
    ++since_;
    if (decoder_.decode(area.bytes.span().subspan(at - area.address), at, insn) && insn.size != 0) return true;
    skip_ = std::max<uint64_t>(insn.size, 1);
    --count_, --since_;
    return false;
  }
  // What is no instruction may do anything.
  uint64_t undecodable(uint64_t at, uint64_t end) {
    flush();
    last_lifted_ = nullptr;
    to_.machine().begin_instruction(at);
    to_.machine().Builder::opaque({.name = "(no instruction)", .loads = true, .stores = true, .leaves = true});
    const uint64_t next = at + skip_;
    if (next < end && next - begun_ >= kMostBlock) to_.end(next), begin(next);
    return next;
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
    last_lifted_ = &insns.back();
    const std::span<uint64_t> wanted = std::span(wanted_).first(insns.size());
    if (ahead_.looks() && ahead_.wanted(insns, !ends_known(), wanted))
      to_.machine().lift(insns, wanted);
    else
      to_.machine().lift(insns);
  }
  void flush() {
    if (count_ != 0) lift(count_);
    count_ = 0;
  }
  // The window is full in the middle of a block.
  void make_room(uint64_t next, uint64_t end) {
    if (most_ == 1 || (since_ % most_ == 0 && next - begun_ >= kLongBlock)) {
      flush();
      if (next - begun_ < kLongBlock || next >= end) return;
      to_.end(next);
      return begin(next);
    }
    const std::span<const Insn> insns(window_.get(), count_);
    const std::span<uint64_t> wanted = std::span(wanted_).first(count_);
    const bool some = ahead_.wanted(insns, true, wanted);
    const size_t ready = count_ - kSeen;
    to_.machine().lift(insns.first(ready), some ? wanted.first(ready) : std::span<uint64_t>());
    for (size_t i = 0; i < kSeen; ++i) copy(window_[ready + i], window_[i]);
    count_ = kSeen;
  }
  static void copy(const Insn& from, Insn& to) {
    std::memcpy(static_cast<void*>(&to), &from, offsetof(Insn, operands) + from.operand_count * sizeof(Operand));
  }
  // The instruction decoded last begins a block: it is where a jump goes.
  void begin_at(uint64_t at) {
    if (count_ > 1) lift(count_ - 1);
    if (count_ > 1) copy(window_[count_ - 1], window_[0]);
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
  std::array<uint64_t, Ahead::kMost> wanted_{};
  size_t count_ = 0, since_ = 0;  // in the window; in the block
  const Insn* last_lifted_ = nullptr;
  uint64_t begun_ = kNowhere, behind_ = kNowhere, skip_ = 1;
};

// Room for what most functions come to: what grows is there twice for a moment. What a function comes to shows when
// half of it is there, and there is less to copy.
class Room {
 public:
  Room(const Isa& isa, const Shape& shape, ir::Function& out, ir::Sweep& sweep) : out_(out) {
    for (const Block& b : shape.blocks) all_ += bytes(b);
    const bool thumb = is_thumb(isa.set->processor());
    const uint64_t instructions = std::min(all_ / (thumb ? 3 : 4) + 1, kMostReserved);
    out_.ops.reserve(reserved_ = instructions * (thumb ? 6 : 5) + 16);
    out_.marks.reserve(instructions + 16);
    out_.blocks.reserve(shape.blocks.size() * 5 / 4 + 8);
    sweep.reserve(out_.blocks.capacity());
  }
  void lifted(const Block& b) {
    const bool before = done_ < all_ / 2;
    done_ += bytes(b);
    if (!before || done_ < all_ / 2) return;
    const size_t there = out_.ops.size(), rest = there * (all_ - done_) / (done_ + 1);
    if (const size_t all = there + rest * 9 / 8; all > reserved_)
      out_.ops.shrink_to_fit(), out_.ops.reserve(all);
    else
      out_.ops.shrink_to(there + rest * 3 / 2 + 256);  // too much costs less than to grow once more
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
    walk.all(shape.blocks, [&](const Block& b) { room.lifted(b); });
  }
  out.ops.shrink_to_fit();
  out.marks.shrink_to_fit();
  out.blocks.shrink_to_fit();
  simplify_rewritten(out, sweep, options, counters);
}

}  // namespace assay::code::lift
