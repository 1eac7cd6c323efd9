#include "lift/emulator.h"

#include "lift/emulator_registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace assay::code::lift {

using ir::Outcome;

constexpr uint64_t kBefore = kCodeBase, kAfter = kCodeBase + 0x80, kPlaces = kCodeBase + 0x100;
constexpr uint64_t kNeverReached = kCodeBase - 0x1f5678;  // the emulator wants an address to stop at

// A hook stops the emulator at the first instruction that is not the next of the straight line. Neither its count of
// instructions nor its stop address serves: they stop in the middle of a branch, or not at all where the target has
// been translated before.
struct Emulator::Engine {
  uc_engine* uc = nullptr;
  uc_context* fresh = nullptr;
  const Isa* isa = nullptr;
  Setup setup;
  ir::Area area;  // the emulator's memory, mapped into it
  ir::Area code{.base = kCodeBase, .bytes = std::vector<uint8_t>(kCodeSize), .writes = {}};
  uint64_t next_place = kPlaces, place = kPlaces;
  size_t place_size = 0;
  bool watched = true;
  // of the run at hand
  uint64_t begin = 0, end = 0;
  uint64_t expected = kNowhere;  // where the straight line goes on
  uint64_t stopped = kNowhere;   // where control went
  bool begun = false, restarted = false;
  bool system_call = false, exception = false;

  static void on_code(uc_engine* uc, uint64_t address, uint32_t size, void* data) {
    auto& e = *static_cast<Engine*>(data);
    e.begun = true;
    const bool inside = address >= e.begin && address < e.end;
    // Instructions of an IT block whose condition does not hold are passed over without a call.
    const bool skipped = e.setup.mode_bit != 0 && address > e.expected;
    if (inside && (e.expected == kNowhere || address == e.expected || skipped)) {
      e.expected = address + size;
      return;
    }
    if (e.stopped == kNowhere) e.stopped = address;
    uc_emu_stop(uc);
  }
  static void on_write(uc_engine*, uc_mem_type, uint64_t address, int size, int64_t, void* data) {
    auto& e = *static_cast<Engine*>(data);
    const auto count = static_cast<unsigned>(size);
    if (e.area.holds(address, count)) e.area.note(address - e.area.base, count);
  }
  static bool on_unmapped_fetch(uc_engine*, uc_mem_type, uint64_t address, int, int64_t, void* data) {
    auto& e = *static_cast<Engine*>(data);
    if (e.stopped == kNowhere) e.stopped = address;
    return false;
  }
  // In MIPS64 mode the upper half of the address to start at is left to chance
  // (github.com/unicorn-engine/unicorn/pull/2111): the fetch fails, and writing the program counter goes on from there.
  static void on_exception(uc_engine* uc, uint32_t, void* data) {
    auto& e = *static_cast<Engine*>(data);
    if (!e.begun && !e.restarted) {
      e.restarted = true;
      uc_reg_write(uc, e.setup.granted.counter, &e.begin);
      return;
    }
    e.exception = true;
    uc_emu_stop(uc);
  }
  // x86-64's system call is nothing but a hook to the emulator.
  static void on_system_call(uc_engine* uc, void* data) {
    static_cast<Engine*>(data)->system_call = true;
    uc_emu_stop(uc);
  }
  // Runs until control leaves the straight line.
  uc_err run(uint64_t from, uint64_t size) {
    begin = from;
    end = from + size;
    expected = stopped = kNowhere;
    system_call = exception = begun = restarted = false;
    const uc_err error = uc_emu_start(uc, from | setup.mode_bit, kNeverReached, 0, 0);
    return exception && error == UC_ERR_OK ? UC_ERR_EXCEPTION : error;
  }
  // Where control went, and where it should have gone, with the mode in bit 0 where there are two.
  uint64_t where() const {
    uint64_t mode = 0;
    if (setup.mode_register != 0) uc_reg_read(uc, setup.mode_register, &mode);
    return stopped | (mode >> 5 & 1);
  }
  uint64_t wanted(const Outcome& outcome) const {
    return outcome.kind == Outcome::Kind::kNext ? outcome.next | setup.mode_bit : outcome.next;
  }
  // Whether an instruction could stand there.
  bool may_go_on(const Outcome& outcome) const {
    const bool straight = outcome.kind == Outcome::Kind::kNext;
    if (setup.mode_register != 0 && !straight) return (outcome.next & 1) != 0 || outcome.next % 4 == 0;
    return outcome.next % setup.alignment == 0 && outcome.next <= setup.highest;
  }
  void grant();
  void put(uint64_t at, std::span<const std::byte> bytes);
  void write(const std::vector<Shared>& registers, const ir::State& state) const;
  void compare(const std::vector<Shared>& registers, const ir::Function& f, const ir::State& state,
               std::string& why) const;
  void write_registers(const ir::State& state);
  void compare_registers(const ir::Function& f, const ir::State& state, std::string& why);
  std::string memory_differences(const ir::Area& here) const;
};

namespace {

bool is_memory_error(uc_err error) {
  return error == UC_ERR_READ_UNMAPPED || error == UC_ERR_WRITE_UNMAPPED || error == UC_ERR_READ_PROT ||
         error == UC_ERR_WRITE_PROT || error == UC_ERR_READ_UNALIGNED || error == UC_ERR_WRITE_UNALIGNED;
}

void check(uc_err error) { ASSAY_CHECK(error == UC_ERR_OK); }

template <class F>
void* hook(F* f) {
  return reinterpret_cast<void*>(f);
}

}  // namespace

Emulator::Emulator(Processor processor, const Isa& isa, const ir::Area& area, bool watched)
    : engine_(std::make_unique<Engine>()) {
  Engine& e = *engine_;
  e.watched = watched;
  e.isa = &isa;
  e.area = area;
  e.setup = setup_of(processor, isa);
  std::ranges::fill(e.code.bytes, e.setup.padding);
  check(uc_open(e.setup.arch, static_cast<uc_mode>(e.setup.mode), &e.uc));
  if (e.setup.model >= 0) check(uc_ctl_set_cpu_model(e.uc, e.setup.model));
  check(uc_mem_map_ptr(e.uc, kCodeBase, kCodeSize, UC_PROT_READ | UC_PROT_EXEC, e.code.bytes.data()));
  check(uc_mem_map_ptr(e.uc, kAreaBase, kAreaSize, UC_PROT_READ | UC_PROT_WRITE, e.area.bytes.data()));
  if (const auto& code = e.setup.before.code; !code.empty())
    check(uc_mem_write(e.uc, kBefore, code.data(), code.size()));
  if (const auto& code = e.setup.after.code; !code.empty()) check(uc_mem_write(e.uc, kAfter, code.data(), code.size()));
  uc_hook id = 0;
  check(uc_hook_add(e.uc, &id, UC_HOOK_CODE, hook(Engine::on_code), &e, 1, 0));
  if (watched) check(uc_hook_add(e.uc, &id, UC_HOOK_MEM_WRITE, hook(Engine::on_write), &e, 1, 0));
  check(uc_hook_add(e.uc, &id, UC_HOOK_MEM_FETCH_UNMAPPED | UC_HOOK_MEM_FETCH_PROT, hook(Engine::on_unmapped_fetch), &e,
                    1, 0));
  if (e.setup.arch == UC_ARCH_X86)
    check(uc_hook_add(e.uc, &id, UC_HOOK_INSN, hook(Engine::on_system_call), &e, 1, 0, UC_X86_INS_SYSCALL));
  if (e.setup.granted.counter != 0) check(uc_hook_add(e.uc, &id, UC_HOOK_INTR, hook(Engine::on_exception), &e, 1, 0));
  check(uc_context_alloc(e.uc, &e.fresh));
  check(uc_context_save(e.uc, e.fresh));
  if (e.setup.granted.instructions != 0) e.grant();
}

void Emulator::Engine::grant() {
  auto* bytes = reinterpret_cast<uint8_t*>(fresh);
  const size_t size = uc_context_size(uc);
  size_t found = 0;
  for (size_t at = 0; at + sizeof(uint64_t) <= size; at += sizeof(uint32_t)) {
    if (std::memcmp(bytes + at, &setup.granted.instead_of, sizeof(uint64_t)) != 0) continue;
    std::memcpy(bytes + at, &setup.granted.instructions, sizeof(uint64_t));
    ++found;
  }
  ASSAY_CHECK(found == 1);
  check(uc_context_restore(uc, fresh));
  uint64_t status = 0;
  uc_reg_read(uc, setup.granted.status, &status);
  uc_reg_write(uc, setup.granted.status, &status);
  check(uc_context_save(uc, fresh));
}

Emulator::~Emulator() {
  uc_context_free(engine_->fresh);
  uc_close(engine_->uc);
}

// Bytes of the code's memory; what was translated of them is forgotten.
void Emulator::Engine::put(uint64_t at, std::span<const std::byte> bytes) {
  std::memcpy(code.bytes.data() + (at - kCodeBase), bytes.data(), bytes.size());
  check(uc_ctl_remove_cache(uc, at, at + bytes.size()));
}

uint64_t Emulator::place(std::span<const std::byte> code) {
  Engine& e = *engine_;
  // Where instructions may begin anywhere, a branch into what is left of earlier code would find what the emulator
  // cannot even translate.
  if (e.setup.padding != 0 && e.place_size != 0) e.put(e.place, std::vector(e.place_size, std::byte{e.setup.padding}));
  if (e.next_place + code.size() + 32 > kCodeBase + kCodeSize) e.next_place = kPlaces;
  e.place = e.next_place;
  // What is behind it is translated with it, though not run: never a branch whose slot another branch has overwritten.
  std::vector<std::byte> whole(code.begin(), code.end());
  whole.resize((code.size() + 31) & ~size_t{15}, std::byte{e.setup.padding});
  // What lay there may have been translated: as earlier code, and as what follows the target of a branch.
  e.put(e.place, whole);
  e.place_size = whole.size();
  e.next_place += whole.size();
  return e.place;
}

void Emulator::Engine::write(const std::vector<Shared>& registers, const ir::State& state) const {
  for (const Shared& r : registers) {
    uint64_t whole = 0;
    if (r.bits < isa->pointer) uc_reg_read(uc, r.number, &whole);
    whole &= ~(ir::mask(r.bits) << r.low);
    whole |= state.registers[r.id].value << r.low;
    uc_reg_write(uc, r.number, &whole);
  }
}

void Emulator::Engine::write_registers(const ir::State& state) {
  check(uc_context_restore(uc, fresh));
  if (!setup.before.code.empty()) {
    write(setup.before.registers, state);
    run(kBefore, setup.before.code.size());
  }
  write(setup.registers, state);
}

// Those aside that the architecture leaves undefined.
void Emulator::Engine::compare(const std::vector<Shared>& registers, const ir::Function& f, const ir::State& state,
                               std::string& why) const {
  for (const Shared& r : registers) {
    uint64_t there = 0;
    uc_reg_read(uc, r.number, &there);
    there = there >> r.low & ir::mask(r.bits);
    const ir::Cell here = state.registers[r.id];
    if (here.defined && here.value != there)
      why += fmt::format(" {} is {:#x}, emulator {:#x};", f.reg(r.id).name, here.value, there);
  }
}

void Emulator::Engine::compare_registers(const ir::Function& f, const ir::State& state, std::string& why) {
  compare(setup.registers, f, state, why);
  if (setup.after.code.empty()) return;
  run(kAfter, setup.after.code.size());
  compare(setup.after.registers, f, state, why);
}

std::string Emulator::Engine::memory_differences(const ir::Area& here) const {
  const auto differ = [&](const ir::Area::Write& w) {
    return std::memcmp(here.bytes.data() + w.at, area.bytes.data() + w.at, w.count) != 0;
  };
  if (!watched && here.bytes != area.bytes) return " memory differs;";
  for (const ir::Area* side : {&here, &area})
    for (const ir::Area::Write& w : side->writes)
      if (differ(w)) return fmt::format(" memory differs at {:#x};", area.base + w.at);
  return "";
}

Verdict Emulator::compare(uint64_t address, size_t size, const ir::Function& function, ir::State& state,
                          std::string& why) {
  Engine& e = *engine_;
  e.write_registers(state);
  state.code = &e.code;
  const Outcome outcome = ir::run(function, function.blocks[0], state);
  const auto judge = [&]() -> Verdict {
    if (outcome.kind == Outcome::Kind::kOpaque) return Verdict::kOpaque;
    if (outcome.kind == Outcome::Kind::kUndefined) return Verdict::kUndefined;
    if (outcome.kind == Outcome::Kind::kFault) {
      if (outcome.next > e.setup.highest || is_memory_error(e.run(address, size))) return Verdict::kFault;
      if (outcome.unaligned && e.stopped == kNowhere) return Verdict::kFault;
      why = fmt::format(" leaves memory at {:#x}, in the emulator it does not", outcome.next);
      return Verdict::kDifferent;
    }
    if (!e.may_go_on(outcome)) return Verdict::kFault;
    const uc_err error = e.run(address, size);
    if (outcome.kind == Outcome::Kind::kTrap) {
      if (e.system_call || error == UC_ERR_EXCEPTION || error == UC_ERR_INSN_INVALID) return Verdict::kSame;
      why = "traps, in the emulator it does not";
      return Verdict::kDifferent;
    }
    if (e.stopped == kNowhere || is_memory_error(error)) {
      if (outcome.unaligned) return Verdict::kFault;
      why = fmt::format("emulator: {}", uc_strerror(error));
      return Verdict::kDifferent;
    }
    why = e.memory_differences(*state.area);
    if (e.where() != e.wanted(outcome))
      why += fmt::format(" goes on at {:#x}, emulator {:#x};", outcome.next, e.where());
    e.compare_registers(function, state, why);
    return why.empty() ? Verdict::kSame : Verdict::kDifferent;
  };
  const Verdict verdict = judge();
  const std::vector<ir::Area::Write> written = state.area->writes;
  state.area->undo();
  e.area.undo();
  if (!e.watched) std::ranges::copy(state.area->bytes, e.area.bytes.begin());  // mapped: it stays where it is
  // Of stores of several registers (PowerPC's stmw) the emulator tells nobody.
  for (const ir::Area::Write& w : written)
    std::memcpy(e.area.bytes.data() + w.at, state.area->bytes.data() + w.at, w.count);
  return verdict;
}

}  // namespace assay::code::lift
