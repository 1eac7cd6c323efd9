#include "lift/oracle.h"

#include "code/simplify/rewrite.h"
#include "code/simplify/sweep.h"
#include "lift/words.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::code::lift {

Oracle::Oracle(Processor processor)
    : isa_(make_isa(processor)), decoder_(processor), area_(make_area(isa_)), emulator_(processor, isa_, area_) {
  function_.file = &isa_.file;
  state_.area = &area_;
}

std::string Oracle::form_of(const Insn& insn) const {
  std::string form(isa_.set->opcode_name(insn.opcode));
  for (size_t i = 0; i < insn.operand_count; ++i) {
    const uint32_t reg = insn.reg(i);
    if (reg == 0) continue;
    size_t first = 0;
    while (insn.reg(first) != reg) ++first;
    const Slot::Kind kind = isa_.slots[reg].kind;
    form += kind == Slot::Kind::kZero      ? ".z"
            : kind == Slot::Kind::kCounter ? ".pc"
            : kind == Slot::Kind::kFlags   ? ".f"
                                           : fmt::format(".{}", first);
  }
  return form;
}

namespace {

// How many instructions an IT rules: the lowest 1 of its mask says where they end.
unsigned it_length(const Isa& isa, const Insn& insn) {
  if (isa.set->opcode_name(insn.opcode) != "t2IT") return 0;
  return 4 - static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(insn.imm(1)) | 16));
}
bool ends_in_it(const Isa& isa, std::span<const Insn> insns) {
  size_t ruled = 0;
  for (size_t i = 0; i < insns.size(); ++i)
    if (const unsigned length = it_length(isa, insns[i])) ruled = i + length;
  return ruled >= insns.size() && ruled != 0;
}

// Where stores are watched, the emulator's carry behind a shift of memory by cl is wrong
// (github.com/unicorn-engine/unicorn/issues/1933).
bool shifts_memory_by_cl(const Isa& isa, const Insn& insn) {
  const std::string_view name = isa.set->opcode_name(insn.opcode);
  return family_of(isa.set->processor()) == Family::kX86 && name.starts_with("S") && name.ends_with("mCL");
}

}  // namespace

std::vector<std::byte> Oracle::alone(std::span<const std::byte> code, const Insn& insn) const {
  std::vector<std::byte> out(code.begin(), code.begin() + insn.size);
  if (insn.delay_slot) out.resize(insn.size + 4U);
  // Thumb: one instruction of an IT block, with an IT of its own; an IT with nops to rule.
  const bool thumb = isa_.set->processor() == Processor::kThumb;
  for (unsigned i = 0; i < it_length(isa_, insn); ++i) out.insert(out.end(), {std::byte{0x00}, std::byte{0xbf}});
  if (thumb && insn.condition < 14 && !isa_.set->opcode_name(insn.opcode).ends_with("Bcc"))
    out.insert(out.begin(), {static_cast<std::byte>(insn.condition << 4 | 8), std::byte{0xbf}});
  return out;
}

bool Oracle::decode(std::span<const std::byte> code, uint64_t address, std::vector<Insn>& out) {
  out.clear();
  decoder_.restart();
  for (size_t at = 0; at < code.size();) {
    Insn insn;
    if (!decoder_.decode(code.subspan(at), address + at, insn) || insn.size == 0) return false;
    at += insn.size;
    out.push_back(insn);
  }
  return true;
}

void Oracle::run(std::span<const std::byte> code, size_t states, Counts& counts, std::string_view name,
                 ir::Counters* simplifying) {
  uint64_t address = emulator_.place(code);
  // The emulator goes on to the end of an IT block without asking.
  if (!decode(code, address, insns_) || ends_in_it(isa_, insns_)) return;
  Emulator* emulator = &emulator_;
  if (std::ranges::any_of(insns_, [&](const Insn& insn) { return shifts_memory_by_cl(isa_, insn); })) {
    if (!unwatched_) unwatched_ = std::make_unique<Emulator>(isa_.set->processor(), isa_, area_, false);
    emulator = unwatched_.get();
    address = emulator->place(code);
    decode(code, address, insns_);
  }
  function_.clear();
  if (simplifying != nullptr)
    lift_simplified(*simplifying);
  else
    Machine(isa_, function_).lift_block(insns_);
  if (std::string wrong = ir::malformed(function_); !wrong.empty()) {
    ++counts[Verdict::kDifferent];
    return report(name, " malformed: " + wrong);
  }
  const std::vector<NeedsWords> words = needing_words(isa_, insns_);
  for (size_t i = 0; i < states; ++i) {
    make_registers(isa_, random_, static_cast<unsigned>(i % 9), state_);
    if (without_words(words, state_)) {
      ++counts[Verdict::kUndefined];
      continue;
    }
    std::string why;
    const Verdict verdict = emulator->compare(address, code.size(), function_, state_, why);
    ++counts[verdict];
    if (verdict == Verdict::kOpaque) return;
    if (verdict == Verdict::kDifferent) report(name, why);
  }
}

// On the way, as whole functions are, and afterwards, in turns.
void Oracle::lift_simplified(ir::Counters& counters) {
  const ir::Options options{.convention = {}, .whole = false};
  afterwards_ = !afterwards_;
  if (afterwards_) {
    Machine(isa_, function_).lift_block(insns_);
    return ir::simplify(function_, options, counters);
  }
  ir::Sweep sweep(function_, options, counters);
  ir::Rewriter rewriter(function_, options, counters);
  rewriter.begin_block(insns_.front().address);
  Machine(isa_, function_, &rewriter).lift(insns_);
  rewriter.end_block(insns_.back().end());
  sweep.last_block();
  ir::simplify_rewritten(function_, sweep, options, counters);
}

void Oracle::report(std::string_view name, const std::string& why) {
  if (++reported_ > 200 || ++reports_[std::string(name)] > (name == "block" ? 20 : 2)) return;
  fmt::print(stderr, "{}:{}\n", name, why);
  for (const Insn& insn : insns_) fmt::print(stderr, "    {}\n", isa_.set->text(insn));
  if (reported_ < 4) fmt::print(stderr, "{}", ir::print(function_));
}

}  // namespace assay::code::lift
