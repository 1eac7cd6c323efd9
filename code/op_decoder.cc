#include "code/op_decoder.h"

#include <bit>
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

// An Op as Known keeps it; nothing: it depends on its address in no way that is known. What the same bytes come to
// elsewhere shows what of it does. Elsewhere is another region, page and place within a page, and not a multiple of
// four bytes away where that is not an instruction's size. What counts from no address is the same everywhere.
std::optional<Op> OpDecoder::settled(Word word, const Op& op) {
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
    if (!target || !imm || !displacement) return std::nullopt;
    there.address = op.address, there.target = op.target, there.imm = op.imm, there.displacement = op.displacement;
    if (!(there == op)) return std::nullopt;
    kept.target = moved(*target, op.target, op.address, 0, narrow_);
    kept.imm = static_cast<int64_t>(moved(*imm, number(op.imm), op.address, 0, false));
    kept.displacement = static_cast<int64_t>(moved(*displacement, number(op.displacement), op.address, 0, false));
  }
  kept.size = static_cast<uint8_t>(static_cast<int>(*target) | static_cast<int>(*imm) << 2 |
                                   static_cast<int>(*displacement) << 4);
  kept.address = word;
  return kept;
}

// Makes of what is kept what it is at `address`. False: not what it would be anew.
bool OpDecoder::move(Word word, uint64_t address, Op& op) const {
  const uint8_t moves = op.size;
  op.address = address, op.size = size_of(word);
  if (moves != 0) {
    const auto by = [&](int shift) { return static_cast<Move>(moves >> shift & 3); };
    op.target = moved(by(0), op.target, 0, address, narrow_);
    op.imm = static_cast<int64_t>(moved(by(2), static_cast<uint64_t>(op.imm), 0, address, false));
    op.displacement = static_cast<int64_t>(moved(by(4), static_cast<uint64_t>(op.displacement), 0, address, false));
  }
  // A call of what follows is none (`settle`): where the target stays as the call moves, that shows here alone.
  const bool links = op.flow == Flow::kCall || (op.flow == Flow::kJump && op.links);
  return !links || op.target != op.end() + (op.delay_slot ? 4 : 0);
}

void OpDecoder::remember(Word word, const Op& op) {
  if (const auto kept = settled(word, op)) known_.put(word).op = *kept;
}

bool OpDecoder::recall(Word word, uint64_t address, Op& op) {
  const Known* known = known_.find(word);
  if (!known) return false;
  op = known->op;
  return move(word, address, op);
}

// What the instruction is with these bits of its number.
std::optional<OpDecoder::Sample> OpDecoder::sample(Word key, Word number, uint64_t address) {
  std::array<std::byte, 2 * kLongestWord> bytes;
  const size_t size = size_of(key);
  const Word bits = bits_in(key, big_) | (size > kLongestWord ? 0 : number);
  for (size_t i = 0; i < std::min(size, kLongestWord); ++i)
    bytes[i] = static_cast<std::byte>(bits >> 8 * (big_ ? size - 1 - i : i));
  if (size > kLongestWord)
    for (size_t i = 0; i < 4; ++i) bytes[size - 4 + i] = static_cast<std::byte>(number >> 8 * i);
  const auto code = std::span<const std::byte>(bytes).first(size);
  Op op;
  if (!decoder_.decode_anew(code, address, insn_)) return std::nullopt;
  translator_.translate(insn_, op);
  const auto kept = settled(kNoWord, op);
  return kept ? std::optional(Sample{*kept, shape_at(translator_.processor(), code).number}) : std::nullopt;
}

// Two numbers show what follows it, and whether it has a sign: 0 (a distance of x86: 4096, for a call of what follows
// is none), and one with the first and last of its bits.
void OpDecoder::learn(Form& form, const Shape& shape, uint64_t address) {
  const Word key = form.op.address;
  const Word low = shape.distance ? Word{4096} << std::countr_zero(shape.mask) : 0;
  const Word high = std::bit_floor(shape.mask) | (shape.mask & -shape.mask);
  form.number = Form::kUnlike;
  const auto none = sample(key, low, address), some = sample(key, high, address);
  if (!none || !some) return;
  Op same = none->op;
  same.target = some->op.target, same.imm = some->op.imm, same.displacement = some->op.displacement;
  const uint64_t by_target = some->op.target - none->op.target,
                 by_imm = static_cast<uint64_t>(some->op.imm - none->op.imm),
                 by_displacement = static_cast<uint64_t>(some->op.displacement - none->op.displacement);
  const uint64_t by = by_target | by_imm | by_displacement;
  if (!(same == some->op) || (by_target != 0) + (by_imm != 0) + (by_displacement != 0) > 1) return;
  form.op = none->op;
  form.op.address = key;
  if (by == 0) return void(form.number = Form::kNothing);
  const uint64_t width = by_target != 0 && narrow_ ? 0xffffffff : ~uint64_t{0};
  const uint64_t sign = uint64_t{2} << (shape.width - 1), from = none->number, to = some->number;
  for (uint8_t shift = 0; shift <= 16; ++shift)
    for (const bool is_signed : {false, true})
      if (((by ^ (to - from - (is_signed ? sign : 0)) << shift) & width) == 0) {
        form.number = by_target != 0 ? Form::kTarget : by_imm != 0 ? Form::kImm : Form::kDisplacement;
        form.shift = shift, form.is_signed = is_signed;
        follow(form, ~(from << shift) + 1, form.op);
        return;
      }
}

void OpDecoder::follow(const Form& form, uint64_t by, Op& op) const {
  if (form.number == Form::kTarget)
    op.target = (op.target + by) & (narrow_ ? 0xffffffff : ~uint64_t{0});
  else if (form.number == Form::kImm)
    op.imm = static_cast<int64_t>(static_cast<uint64_t>(op.imm) + by);
  else if (form.number == Form::kDisplacement)
    op.displacement = static_cast<int64_t>(static_cast<uint64_t>(op.displacement) + by);
}

bool OpDecoder::recall(const Form& form, const Shape& shape, uint64_t address, Op& op) const {
  op = form.op;
  uint64_t number = shape.number;
  if (form.is_signed && (number >> (shape.width - 1)) != 0) number -= uint64_t{2} << (shape.width - 1);
  follow(form, number << form.shift, op);
  return move(shape.key, address, op);
}

bool OpDecoder::decode(std::span<const std::byte> code, uint64_t address, Op& op) {
  const Shape shape = decoder_.in_block() ? Shape{} : shape_at(translator_.processor(), code);
  const Word word = shape.word, mask = shape.mask;
  Form* form = mask != 0 ? forms_.find(shape.key) : nullptr;
  if (form && form->number >= Form::kNothing) {
    if (recall(*form, shape, address, op)) return true;
  } else if (word != kNoWord && recall(word, address, op)) {
    return true;
  }
  if (!decoder_.decode_anew(code, address, insn_)) {
    op.size = insn_.size;
    return false;
  }
  translator_.translate(insn_, op);
  if (size_of(mask != 0 ? shape.key : word) != op.size || decoder_.in_block()) return true;
  if (mask != 0 && !form)
    forms_.put(shape.key) = {.op = {.address = shape.key}};
  else if (form && form->number == Form::kOnce)
    learn(*form, shape, address);
  else if (word != kNoWord && (!form || form->number == Form::kUnlike))
    remember(word, op);
  return true;
}

}  // namespace assay::code
