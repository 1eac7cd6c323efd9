#include "code/op_decoder.h"

#include <utility>

namespace assay::code {
namespace {

constexpr uint64_t kRegion = 0xfffffff, kPage = 0xfff;

}  // namespace

uint64_t OpDecoder::moved(Move move, uint64_t number, uint64_t from, uint64_t to, bool narrow) {
  uint64_t out = number;
  switch (move) {
    case Move::kNot:
      return number;
    case Move::kAlong:
      out += to - from;
      break;
    case Move::kPage:
      out += (to & ~kPage) - (from & ~kPage);
      break;
    case Move::kRegion:
      out = ((to + 4) & ~kRegion) | (number & kRegion);
      break;
  }
  return narrow ? out & 0xffffffff : out;
}

// How `from` at `address` became `to` at `other`; nothing: in no way that is known.
std::optional<OpDecoder::Move> OpDecoder::move_of(uint64_t from, uint64_t to, uint64_t address, uint64_t other,
                                                  bool narrow) {
  if (from == to) return Move::kNot;
  for (const Move m : {Move::kAlong, Move::kPage, Move::kRegion})
    if (moved(m, from, address, other, narrow) == to) return m;
  return std::nullopt;
}

// What the same bytes come to elsewhere shows what of an Op depends on its address. Elsewhere is another region, page
// and place within a page, and not a multiple of four bytes away where that is not an instruction's size.
void OpDecoder::remember(Word word, std::span<const std::byte> code, const Op& op) {
  const Processor processor = translator_.processor();
  const uint64_t other = op.address + (instruction_alignment(processor) == 4 ? 0x12345004 : 0x12345006);
  Op there;
  if (!decoder_.decode(code, other, insn_)) return;
  translator_.translate(insn_, there);
  const bool narrow = !is_64_bit(processor);
  const auto number = [](int64_t n) { return static_cast<uint64_t>(n); };
  const auto target = move_of(op.target, there.target, op.address, other, narrow);
  const auto imm = move_of(number(op.imm), number(there.imm), op.address, other, false);
  const auto displacement = move_of(number(op.displacement), number(there.displacement), op.address, other, false);
  if (!target || !imm || !displacement) return;
  there.address = op.address, there.target = op.target, there.imm = op.imm, there.displacement = op.displacement;
  if (there == op) known_.put(word) = {op, *target, *imm, *displacement};
}

bool OpDecoder::decode(std::span<const std::byte> code, uint64_t address, Op& op) {
  const Processor processor = translator_.processor();
  const Word word = decoder_.in_block() ? kNoWord : word_at(processor, code);
  if (const Known* known = word == kNoWord ? nullptr : known_.find(word)) {
    op = known->op;
    const uint64_t from = std::exchange(op.address, address);
    if (known->target != Move::kNot) op.target = moved(known->target, op.target, from, address, !is_64_bit(processor));
    if (known->imm != Move::kNot)
      op.imm = static_cast<int64_t>(moved(known->imm, static_cast<uint64_t>(op.imm), from, address, false));
    if (known->displacement != Move::kNot)
      op.displacement = static_cast<int64_t>(
          moved(known->displacement, static_cast<uint64_t>(op.displacement), from, address, false));
    // A call of what follows is none (`settle`): where the target stays as the call moves, that shows here alone.
    if (op.flow != Flow::kCall || op.target != op.end() + (op.delay_slot ? 4 : 0)) return true;
  }
  if (!decoder_.decode(code, address, insn_)) {
    op.size = insn_.size;
    return false;
  }
  translator_.translate(insn_, op);
  if (word != kNoWord && size_of(word) == op.size && !decoder_.in_block()) remember(word, code, op);
  return true;
}

}  // namespace assay::code
