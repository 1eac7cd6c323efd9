// Bytes to an Op at once, remembering what bytes came to: what of it depends on where they lie is moved there.
#pragma once
#include "code/translate.h"
#include "code/words.h"

namespace assay::code {

class OpDecoder {
 public:
  OpDecoder(Processor processor, Dialect dialect)
      : decoder_(processor, dialect), translator_(Translator::of(processor, dialect)) {}
  // False: no instruction; op.size then says how far the next could be.
  bool decode(std::span<const std::byte> code, uint64_t address, Op& op);
  void restart() { decoder_.restart(); }
  const Translator& translator() const { return translator_; }

 private:
  // How a number of an Op follows its address.
  enum class Move : uint8_t { kNot, kAlong, kPage /* of 4 KiB */, kRegion /* of 256 MiB: MIPS's jumps */ };
  struct Known {
    Op op;
    Move target = Move::kNot, imm = Move::kNot, displacement = Move::kNot;
  };
  static constexpr uint8_t kPlaces = 14;  // bits
  static std::optional<Move> move_of(uint64_t from, uint64_t to, uint64_t address, uint64_t other, bool narrow);
  static uint64_t moved(Move move, uint64_t number, uint64_t from, uint64_t to, bool narrow);
  void remember(Word word, std::span<const std::byte> code, const Op& op);

  Decoder decoder_;
  const Translator& translator_;
  Words<Known> known_{kPlaces};
  Insn insn_;
};

}  // namespace assay::code
