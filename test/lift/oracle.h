// One CPU's lifter, decoder and emulator side by side: code goes in, what became of its states comes out.
#pragma once
#include "code/simplify/simplify.h"
#include "lift/states.h"

#include <array>
#include <map>

namespace assay::code::lift {

struct Counts {
  std::array<uint64_t, kVerdicts> of{};
  uint64_t& operator[](Verdict v) { return of[static_cast<size_t>(v)]; }
  uint64_t operator[](Verdict v) const { return of[static_cast<size_t>(v)]; }
  // Faults and undefined outcomes do not count: a form whose states all fault has not been tried.
  uint64_t tried() const { return (*this)[Verdict::kSame] + (*this)[Verdict::kDifferent]; }
};

class Oracle {
 public:
  explicit Oracle(Processor processor);

  const Isa& isa() const { return isa_; }
  Decoder& decoder() { return decoder_; }
  // The opcode, whether it is predicated, with the pattern of its registers: which read as zero, which are the same.
  std::string form_of(const Insn& insn) const;
  // The bytes of one instruction, with a nop in its delay slot where it has one, and an IT before it where it needs
  // one.
  std::vector<std::byte> alone(std::span<const std::byte> code, const Insn& insn) const;
  // Tries `code` on `states` states. Disagreements go to standard error, the first few with everything.
  void run(std::span<const std::byte> code, size_t states, Counts& counts, std::string_view name) {
    run(code, states, counts, name, nullptr);
  }
  // The same of what the simplifier makes of it.
  void run_simplified(std::span<const std::byte> code, size_t states, Counts& counts, std::string_view name) {
    run(code, states, counts, name, &simplified_);
  }
  const ir::Counters& simplified() const { return simplified_; }
  bool decode(std::span<const std::byte> code, uint64_t address, std::vector<Insn>& out);

 private:
  void run(std::span<const std::byte> code, size_t states, Counts& counts, std::string_view name,
           ir::Counters* simplifying);
  void lift_simplified(ir::Counters& counters);
  void report(std::string_view name, const std::string& why);

  Isa isa_;
  Decoder decoder_;
  ir::Area area_;
  Emulator emulator_;
  std::unique_ptr<Emulator> unwatched_;  // for what the emulator does wrong where stores are watched
  Random random_;
  std::vector<Insn> insns_;
  ir::Function function_;
  ir::State state_;
  ir::Counters simplified_;
  bool afterwards_ = false;
  uint64_t reported_ = 0;
  std::map<std::string, int> reports_;
};

}  // namespace assay::code::lift
