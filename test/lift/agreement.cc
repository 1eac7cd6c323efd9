#include "lift/agreement.h"

#include "code/simplify/block_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace assay::code::lift {

namespace {

constexpr size_t kMostInstructions = 400;

struct Does {
  std::set<RegisterId> registers;
  bool flags = false, stores = false, leaves = false;
};

// A store-conditional's reservation is the lifter's own.
bool is_own(const Isa& isa, RegisterId r) { return isa.file.registers[r].name.starts_with("reserved"); }

Does by_decoder(const Isa& isa, const Insn& insn, std::set<RegisterId>& flags) {
  Does out;
  std::vector<uint16_t> writes;
  isa.set->writes(insn, writes);
  for (uint16_t number : writes) {
    const Slot& slot = isa.slots[number];
    if (slot.kind == Slot::Kind::kFlags) out.flags = true;
    if (slot.kind == Slot::Kind::kCounter) out.leaves = true;
    for (unsigned i = 0; i < slot.count && slot.id != ir::kNoRegister; ++i)
      (slot.kind == Slot::Kind::kFlags ? flags : out.registers).insert(static_cast<RegisterId>(slot.id + i));
  }
  out.stores = isa.set->may_store(insn.opcode);
  out.leaves |= insn.flow != Flow::kNone;
  // What a prefix does is not in LLVM's tables: rep counts down and comes back (volume 2, REP).
  if (isa.comes_back != nullptr && isa.comes_back(isa, insn)) {
    out.registers.insert(isa.file.find(isa.pointer == 64 ? "rcx" : "ecx"));
    out.leaves = true;
  }
  return out;
}

void add(const Isa& isa, const ir::Function& f, const ir::Op& op, Does& out) {
  switch (op.code) {
    case Code::kPut:
      if (!is_own(isa, static_cast<RegisterId>(op.a))) out.registers.insert(static_cast<RegisterId>(op.a));
      return;
    case Code::kStore:
      out.stores = true;
      return;
    case Code::kJump:
    case Code::kCall:
    case Code::kReturn:
      out.leaves = true;
      return;
    case Code::kOpaque:
      for (RegisterId r : f.writes(f.effects[op.a])) out.registers.insert(r);
      out.stores |= f.effects[op.a].stores;
      out.leaves |= f.effects[op.a].leaves;
      return;
    default:
      return;
  }
}

// Where LLVM's tables say more or less than the manual, opcode by opcode.
struct Known {
  Family family;
  std::string_view opcode;  // begins so
  std::string_view says;    // a difference that is begun so
};
constexpr Known kKnown[] = {
    // "Defs = [AT]" of every branch and jump: LLVM's assembler may need $at for one that is too far.
    {Family::kMips, "B", "does not write at,"},
    {Family::kMips, "J", "does not write at,"},
    // "Defs = [RA]" of jalr, which links in the register that it names.
    {Family::kMips, "JALR", "does not write ra,"},
    // "Defs = [CPSR]" of the instructions that read the carry, whether or not they set flags (A8.8.1: "if setflags").
    {Family::kArm, "ADC", "writes no flags,"},
    {Family::kArm, "SBC", "writes no flags,"},
    {Family::kArm, "RSC", "writes no flags,"},
    {Family::kArm, "t2ADC", "writes no flags,"},
    {Family::kArm, "t2SBC", "writes no flags,"},
    // No "mayStore" (A8.8.216: "MemU[address,2] = R[t]<15:0>").
    {Family::kArm, "STRH_PRE", "stores,"},
    {Family::kArm, "t2STRBT", "stores,"},
    {Family::kArm, "t2STRT", "stores,"},
    {Family::kArm, "t2STRHT", "stores,"},
    // "LR = ..." of blx to an address (A8.8.25), and the base that ldm of 16 bits writes back (A8.8.57), are not in
    // LLVM's.
    {Family::kArm, "BLXi", "writes lr,"},
    {Family::kArm, "tLDMIA", "writes"},
    // Book I, 2.4: LK = 1 writes LR; BO says whether CTR is decremented. 3.3.5: lmw loads all registers from RT on.
    {Family::kPpc, "B", "writes lr,"},
    {Family::kPpc, "g", "does not write ctr,"},
    {Family::kPpc, "LMW", "writes"},
    {Family::kPpc, "LSWI", "writes"},
    {Family::kPpc, "STSWI", "stores,"},
    // 3.3.17: the fields that the mask names, and all of XER.
    {Family::kPpc, "MTCRF", "writes cr"},
    {Family::kPpc, "MTSPR", "writes"},
    // Intel's manual, volume 2: CALL pushes, RET pops; CWD, CDQ and CQO only write dx, edx, rdx ("Defs = [EAX,EDX]");
    // MOVS and STOS store.
    {Family::kX86, "CALL", "writes"},
    {Family::kX86, "CALL", "stores,"},
    {Family::kX86, "RET", "writes"},
    {Family::kX86, "CWD", "does not write"},
    {Family::kX86, "CDQ", "does not write"},
    {Family::kX86, "CQO", "does not write"},
    {Family::kX86, "MOVSB", "stores,"},
    {Family::kX86, "MOVSW", "stores,"},
    {Family::kX86, "MOVSL", "stores,"},
    {Family::kX86, "MOVSQ", "stores,"},
    {Family::kX86, "STOS", "stores,"},
    // LOOP counts down, ENTER pushes; shifts and rotates whose number is 0 leave the flags alone.
    {Family::kX86, "LOOP", "writes"},
    {Family::kX86, "ENTER", "writes"},
    {Family::kX86, "ENTER", "stores,"},
    {Family::kX86, "SH", "writes no flags,"},
    {Family::kX86, "SAR", "writes no flags,"},
    {Family::kX86, "RO", "writes no flags,"},
    {Family::kX86, "RC", "writes no flags,"},
};

void say(const Isa& isa, const Insn& insn, const std::string& what, std::string& out) {
  const std::string_view opcode = isa.set->opcode_name(insn.opcode);
  for (const Known& k : kKnown)
    if (k.family == family_of(isa.set->processor()) && opcode.starts_with(k.opcode) && what.starts_with(k.says)) return;
  out += " " + what;
}

std::string difference(const Isa& isa, const Insn& insn, const Does& lifter, const Does& decoder,
                       const std::set<RegisterId>& flags) {
  std::string out;
  bool some_flag = false;
  for (RegisterId r : lifter.registers) {
    some_flag |= flags.contains(r);
    if (!decoder.registers.contains(r) && !flags.contains(r))
      say(isa, insn, fmt::format("writes {}, the decoder does not;", isa.file.registers[r].name), out);
  }
  for (RegisterId r : decoder.registers)
    if (!lifter.registers.contains(r))
      say(isa, insn, fmt::format("does not write {}, the decoder does;", isa.file.registers[r].name), out);
  if (decoder.flags && !some_flag) say(isa, insn, "writes no flags, the decoder does;", out);
  if (lifter.stores && !decoder.stores) say(isa, insn, "stores, the decoder does not;", out);
  if (lifter.leaves && !decoder.leaves) say(isa, insn, "leaves, the decoder does not;", out);
  return out;
}

// What lift/ahead.cc passes over unlifted, because by the decoder's tables no flag is in it, must have none.
std::string passed_over(const Isa& isa, const ir::Function& f, std::span<const ir::Op> ops, const Insn& insn) {
  if (isa.flags == 0 || insn.flow != Flow::kNone || isa.may_touch_flags(insn)) return "";
  for (const ir::Op& op : ops) {
    const bool names = op.code == Code::kGet || op.code == Code::kPut;
    if (names && op.a < 64 && (isa.flags >> op.a & 1) != 0) return " uses flags, by the decoder it does not;";
    if (op.code == Code::kOpaque && f.effects[op.a].leaves) return " leaves, by the decoder it does not;";
  }
  return "";
}

// What Isa::flag_use says before an instruction is lifted must hold of what is lifted.
std::string flags_otherwise(const Isa& isa, std::span<const ir::Op> ops, const Insn& insn) {
  if (isa.flag_use == nullptr) return "";
  const FlagUse use = isa.flag_use(isa, insn);
  uint64_t reads = 0, writes = 0;
  for (const ir::Op& op : ops) {
    const uint64_t flag = op.a < 64 ? isa.flags & uint64_t{1} << op.a : 0;
    if (op.code == Code::kGet) reads |= flag & ~writes;
    if (op.code == Code::kPut) writes |= flag;
    if (op.code == Code::kTrap || op.code == Code::kOpaque)
      reads |= use.known && insn.flow == Flow::kNone ? isa.flags & ~writes : 0;
  }
  std::string out;
  // An opaque operation that names none is no reader either: passed_over holds it to that.
  const bool opaque = std::ranges::any_of(ops, [](const ir::Op& op) { return op.code == Code::kOpaque; });
  if (!opaque && (reads & ~use.reads) != 0) out += " reads flags that are said not to be read;";
  if ((use.writes & ~writes) != 0) out += " does not write flags that are said to be written;";
  return out;
}

// One instruction lifted for those who read the flags `wanted` alone: what remains where nobody reads the others.
std::string lifted_for(const Isa& isa, const Insn& insn, uint64_t lifted, uint64_t wanted) {
  ir::Function f;
  f.file = &isa.file;
  Machine machine(isa, f);
  machine.begin_block(insn.address);
  machine.lift(std::span(&insn, 1), std::span(&lifted, 1));
  machine.end_block(insn.end());
  if (std::string wrong = ir::malformed(f); !wrong.empty()) return "malformed: " + wrong;
  ir::RegisterSet live = ir::RegisterSet::all();
  for (unsigned r = 0; r < 64; ++r)
    if ((isa.flags >> r & 1) != 0 && (wanted >> r & 1) == 0) live.remove(r);
  ir::BlockSweep sweep;
  ir::Counters counters;
  sweep.mark(f, f.blocks[0], live, counters, [](ir::Value, const ir::Op&, ir::RegisterSet&) {});
  f.ops.resize(sweep.compact(f, f.blocks[0], 1));
  return ir::print(f);
}

// That nobody reads a flag may leave out nothing else.
std::string wanted_otherwise(const Isa& isa, const Insn& insn) {
  if (isa.flag_use == nullptr) return "";
  const uint64_t all = ~uint64_t{0};
  std::string out;
  for (int r = -1; r < 64; ++r) {
    if (r >= 0 && (isa.flags >> r & 1) == 0) continue;
    const uint64_t wanted = (all & ~isa.flags) | (r < 0 ? 0 : uint64_t{1} << r);
    if (lifted_for(isa, insn, wanted, wanted) != lifted_for(isa, insn, all, wanted))
      out += fmt::format(" is lifted otherwise if flag {} alone is wanted;", r);
  }
  return out;
}

std::string by_instruction(const Isa& isa, const ir::Function& f, std::span<const Insn> insns) {
  std::string out;
  const ir::Block& b = f.blocks[0];
  bool behind_branch = false;
  for (uint32_t m = 0; m < b.marks; ++m) {
    const ir::Value end = m + 1 < b.marks ? f.marks[m + 1].op : b.first + b.count;
    const auto insn = std::ranges::find(insns, b.address_of(f.marks[m]), &Insn::address);
    Does lifter;
    for (ir::Value at = f.marks[m].op; at < end; ++at) add(isa, f, f.ops[at], lifter);
    std::set<RegisterId> flags;
    Does decoder = by_decoder(isa, *insn, flags);
    decoder.leaves |= behind_branch;  // the jump stands behind the delay slot
    const auto ops = std::span(f.ops.data(), f.ops.size()).subspan(f.marks[m].op, end - f.marks[m].op);
    if (std::string what = difference(isa, *insn, lifter, decoder, flags) + passed_over(isa, f, ops, *insn) +
                           flags_otherwise(isa, ops, *insn) + wanted_otherwise(isa, *insn);
        !what.empty())
      out += fmt::format("{} {}:{}\n", isa.set->opcode_name(insn->opcode), isa.set->text(*insn), what);
    behind_branch = insn->delay_slot;
  }
  return out;
}

std::string round_trip(const ir::Function& f) {
  if (std::string wrong = ir::malformed(f); !wrong.empty()) return "malformed: " + wrong + "\n";
  const std::string text = ir::print(f);
  const auto again = ir::parse(text, *f.file);
  if (!again) return "not read again: " + again.error().what + "\n";
  return ir::print(*again) == text ? "" : "printed otherwise when read again\n";
}

}  // namespace

std::string disagreements(const Isa& isa, Decoder& decoder, std::span<const std::byte> code) {
  std::vector<Insn> insns;
  decoder.restart();
  for (size_t at = 0; at < code.size() && insns.size() < kMostInstructions;) {
    Insn insn;
    if (!decoder.decode(code.subspan(at), 0x10000 + at, insn) || insn.size == 0) break;
    at += insn.size;
    insns.push_back(insn);
  }
  if (insns.empty()) return "";
  ir::Function f;
  f.file = &isa.file;
  Machine(isa, f).lift_block(insns);
  std::string out = by_instruction(isa, f, insns) + round_trip(f);
  ir::Counters counters;
  for (const bool whole : {false, true}) {
    ir::Function simple = f;
    ir::simplify(simple, {.convention = ir::convention_of(isa.set->processor(), isa.file), .whole = whole}, counters);
    out += round_trip(simple);
  }
  return out;
}

}  // namespace assay::code::lift
