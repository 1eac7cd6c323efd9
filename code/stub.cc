// Code that only leads to an import: entries of the PLT in every ABI, veneers, thunks.
#include "code/pass.h"

namespace assay::code {

uint32_t Reader::stub(uint64_t address, Processor processor, const State* given) {
  const uint32_t import = find_stub(address, processor, given);
  if (import < work_->stub_of.size())
    if (uint64_t& lowest = work_->stub_of[import]; lowest == 0 || address < lowest) lowest = address;
  return import;
}

uint32_t Reader::find_stub(uint64_t address, Processor processor, const State* given) {
  constexpr uint32_t kDepends = kNone - 1;
  if (const uint32_t import = program_.import_at(address); import != kNoImport) return import;
  if (processor == Processor::kUnknown) return kNone;
  auto& stubs = work_->stubs[static_cast<size_t>(processor)];
  const uint32_t* known = stubs.find(address);
  if (known && *known != kDepends) return *known;
  if (known && !given) return kNone;
  const Translator& translator = work_->decoder(processor).translator();
  work_->scratch.clear();
  Machine machine(program_, translator, work_->scratch);
  State state = given && family_of(processor) == Family::kPpc ? *given : machine.entry(address);
  constexpr Slot kEbx = 3;
  if (processor == Processor::kX86 && program_.offset_table != 0)
    state.slots[kEbx] = {.add = program_.offset_table, .origin = Origin::kAddress};
  work_->decoder(processor).restart();
  uint32_t result = kNone;
  uint64_t at = address;
  bool depends = false;
  constexpr int kLongest = 8;
  constexpr Slot kPpcGot = 30;
  for (int i = 0; i < kLongest; ++i) {
    Op op;
    if (!work_->decode(processor, at, op, true)) break;
    depends |= family_of(processor) == Family::kPpc && op.what == Do::kLoad && op.base == kPpcGot;
    if (op.flow == Flow::kIndirectJump || op.flow == Flow::kIndirectCall) {
      if (op.dst == 15) machine.step(op, static_cast<uint32_t>(i) + 1, state);
      const Value to = machine.target(state, op);
      if (to.origin == Origin::kImport) result = static_cast<uint32_t>(to.add);
      const bool veneer = is_thumb(processor) && op.through == kProgramCounter;
      if (veneer) result = find_stub((at + 4) & ~uint64_t{3}, other_mode(processor), nullptr);
      break;
    }
    // A stub saves nothing and finds no table of its own.
    const bool function = op.what == Do::kStore || op.dst == translator.stack_pointer() ||
                          (op.dst != kNoSlot && op.dst == translator.global_pointer());
    const bool push = op.what == Do::kPush && op.c != kNoSlot;
    if (op.flow != Flow::kNone || function || push) break;
    machine.step(op, static_cast<uint32_t>(i) + 1, state);
    at = op.end();
  }
  work_->decoder(processor).restart();  // whoever asks goes on elsewhere
  *stubs.try_emplace(address, kNone).first = depends ? kDepends : result;
  return result;
}

}  // namespace assay::code
