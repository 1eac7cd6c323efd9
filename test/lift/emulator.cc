#include "lift/emulator.h"

#include <fmt/format.h>
#include <unicorn/unicorn.h>

#include <algorithm>

namespace assay::code::lift {

using ir::Outcome;

struct Emulator::Engine {
  uc_engine* uc = nullptr;
  const Isa* isa = nullptr;
  std::vector<uint8_t> area = std::vector<uint8_t>(kAreaSize);  // the emulator's memory, mapped into it
  std::vector<std::pair<RegisterId, int>> registers;            // those that both sides have
  int pc = 0;
  uint64_t next = kCodeBase;
};

namespace {

uc_engine* open(Processor processor) {
  const bool big = instruction_order(processor) == Order::kBig, wide = is_64_bit(processor);
  uc_engine* uc = nullptr;
  const int mode = (wide ? UC_MODE_MIPS64 : UC_MODE_MIPS32) | (big ? UC_MODE_BIG_ENDIAN : UC_MODE_LITTLE_ENDIAN);
  ASSAY_CHECK(uc_open(UC_ARCH_MIPS, static_cast<uc_mode>(mode), &uc) == UC_ERR_OK);
  ASSAY_CHECK(uc_ctl_set_cpu_model(uc, wide ? static_cast<int>(UC_CPU_MIPS64_MIPS64R2_GENERIC)
                                            : static_cast<int>(UC_CPU_MIPS32_74KF)) == UC_ERR_OK);
  return uc;
}

}  // namespace

Emulator::Emulator(Processor processor, const Isa& isa) : engine_(std::make_unique<Engine>()) {
  Engine& e = *engine_;
  e.isa = &isa;
  e.uc = open(processor);
  ASSAY_CHECK(uc_mem_map(e.uc, kCodeBase, kCodeSize, UC_PROT_ALL) == UC_ERR_OK);
  ASSAY_CHECK(uc_mem_map_ptr(e.uc, kAreaBase, kAreaSize, UC_PROT_READ | UC_PROT_WRITE, e.area.data()) == UC_ERR_OK);
  for (int i = 1; i < 32; ++i) e.registers.emplace_back(static_cast<RegisterId>(i), UC_MIPS_REG_0 + i);
  e.registers.emplace_back(isa.file.find("hi"), UC_MIPS_REG_HI);
  e.registers.emplace_back(isa.file.find("lo"), UC_MIPS_REG_LO);
  e.pc = UC_MIPS_REG_PC;
}

Emulator::~Emulator() { uc_close(engine_->uc); }

uint64_t Emulator::place(std::span<const std::byte> code) {
  Engine& e = *engine_;
  if (e.next + code.size() + 16 > kCodeBase + kCodeSize) {
    e.next = kCodeBase;
    uc_ctl_remove_cache(e.uc, kCodeBase, kCodeBase + kCodeSize);
  }
  const uint64_t at = e.next;
  ASSAY_CHECK(uc_mem_write(e.uc, at, code.data(), code.size()) == UC_ERR_OK);
  e.next += (code.size() + 31) & ~uint64_t{15};
  return at;
}

namespace {

bool leaves(const ir::Function& f) {
  return std::any_of(f.ops.begin(), f.ops.end(), [](const ir::Op& op) {
    return op.code == Code::kJump || op.code == Code::kCall || op.code == Code::kReturn;
  });
}

// The registers that differ, those aside that the architecture leaves undefined.
std::string register_differences(const ir::Function& f, const ir::State& state,
                                 std::span<const std::pair<RegisterId, int>> registers, uc_engine* uc) {
  std::string out;
  for (const auto& [id, number] : registers) {
    uint64_t there = 0;
    uc_reg_read(uc, number, &there);
    there &= ir::mask(f.reg(id).bits);
    const ir::Cell here = state.registers[id];
    if (here.defined && here.value != there)
      out += fmt::format(" {} is {:#x}, emulator {:#x};", f.reg(id).name, here.value, there);
  }
  return out;
}

}  // namespace

Verdict Emulator::compare(uint64_t address, size_t count, const ir::Function& function, const ir::State& state,
                          std::string& why) {
  Engine& e = *engine_;
  ir::State here = state;
  const Outcome outcome = ir::run(function, function.blocks[0], here);
  switch (outcome.kind) {
    case Outcome::Kind::kOpaque:
      return Verdict::kOpaque;
    case Outcome::Kind::kFault:
      return Verdict::kFault;
    case Outcome::Kind::kUndefined:
      return Verdict::kUndefined;
    default:
      break;
  }
  std::copy(state.areas[0].bytes.begin(), state.areas[0].bytes.end(), e.area.begin());
  for (const auto& [id, number] : e.registers) uc_reg_write(e.uc, number, &state.registers[id].value);
  // A count stops the emulator short of the target of a branch, so what leaves runs until it is there.
  const bool stepped = outcome.kind == Outcome::Kind::kTrap || !leaves(function);
  const uc_err error =
      uc_emu_start(e.uc, address, stepped ? ir::mask(e.isa->pointer) : outcome.next, 0, stepped ? count : 0);
  if (outcome.kind == Outcome::Kind::kTrap) {
    if (error == UC_ERR_EXCEPTION || error == UC_ERR_INSN_INVALID) return Verdict::kSame;
    why = "traps, in the emulator it does not";
    return Verdict::kDifferent;
  }
  if (error != UC_ERR_OK && error != UC_ERR_FETCH_UNMAPPED) {
    if (outcome.unaligned) return Verdict::kFault;
    why = fmt::format("emulator: {}", uc_strerror(error));
    return Verdict::kDifferent;
  }
  uint64_t pc = 0;
  uc_reg_read(e.uc, e.pc, &pc);
  pc &= ir::mask(e.isa->pointer);
  if (!stepped && error == UC_ERR_OK)
    pc = outcome.next;  // it got there; the register itself is then not brought up to date
  why = register_differences(function, here, e.registers, e.uc);
  if (pc != outcome.next) why += fmt::format(" goes on at {:#x}, emulator {:#x};", outcome.next, pc);
  if (here.areas[0].bytes != e.area) why += " memory differs;";
  return why.empty() ? Verdict::kSame : Verdict::kDifferent;
}

}  // namespace assay::code::lift
