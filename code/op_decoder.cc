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
// and place within a page, and not a multiple of four bytes away where that is not an instruction's size. What counts
// from no address is the same everywhere.
void OpDecoder::remember(Word word, const Op& op) {
  Op kept = op;
  std::optional<Move> target = Move::kNot, imm = Move::kNot, displacement = Move::kNot;
  if (op.target != kNowhere || op.based || op.links) {
    const uint64_t other = op.address + (instruction_alignment(translator_.processor()) == 4 ? 0x12345004 : 0x12345006);
    Op there;
    decoder_.move(insn_, other);
    translator_.translate(insn_, there);
    const auto number = [](int64_t n) { return static_cast<uint64_t>(n); };
    target = move_of(op.target, there.target, op.address, other, narrow_);
    imm = move_of(number(op.imm), number(there.imm), op.address, other, false);
    displacement = move_of(number(op.displacement), number(there.displacement), op.address, other, false);
    if (!target || !imm || !displacement) return;
    there.address = op.address, there.target = op.target, there.imm = op.imm, there.displacement = op.displacement;
    if (!(there == op)) return;
    kept.target = moved(*target, op.target, op.address, 0, narrow_);
    kept.imm = static_cast<int64_t>(moved(*imm, number(op.imm), op.address, 0, false));
    kept.displacement = static_cast<int64_t>(moved(*displacement, number(op.displacement), op.address, 0, false));
  }
  kept.size = static_cast<uint8_t>(static_cast<int>(*target) | static_cast<int>(*imm) << 2 |
                                   static_cast<int>(*displacement) << 4);
  kept.address = word;
  known_.put(word).op = kept;
}

// False: it is not known, or not what it would be anew.
bool OpDecoder::recall(Word word, uint64_t address, Op& op) {
  const Known* known = known_.find(word);
  if (!known) return false;
  op = known->op;
  const uint8_t moves = op.size;
  op.address = address, op.size = size_of(word);
  if (moves != 0) {
    const auto by = [&](int shift) { return static_cast<Move>(moves >> shift & 3); };
    op.target = moved(by(0), op.target, 0, address, narrow_);
    op.imm = static_cast<int64_t>(moved(by(2), static_cast<uint64_t>(op.imm), 0, address, false));
    op.displacement = static_cast<int64_t>(moved(by(4), static_cast<uint64_t>(op.displacement), 0, address, false));
  }
  // A call of what follows is none (`settle`): where the target stays as the call moves, that shows here alone.
  return op.flow != Flow::kCall || op.target != op.end() + (op.delay_slot ? 4 : 0);
}

bool OpDecoder::decode(std::span<const std::byte> code, uint64_t address, Op& op) {
  const Word word = decoder_.in_block() ? kNoWord : word_at(translator_.processor(), code);
  if (word != kNoWord && recall(word, address, op)) return true;
  if (!decoder_.decode_anew(code, address, insn_)) {
    op.size = insn_.size;
    return false;
  }
  translator_.translate(insn_, op);
  if (word != kNoWord && size_of(word) == op.size && !decoder_.in_block()) remember(word, op);
  return true;
}

}  // namespace assay::code
