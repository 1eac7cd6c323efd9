// Bytes to an Op at once, remembering what bytes came to: what of it depends on where they lie is moved there.
#pragma once
#include "code/translate.h"
#include "code/words.h"

namespace assay::code {

class OpDecoder {
 public:
  OpDecoder(Processor processor, Dialect dialect)
      : decoder_(processor, dialect),
        translator_(Translator::of(processor, dialect)),
        narrow_(!is_64_bit(processor)),
        big_(instruction_order(processor) == Order::kBig) {}
  // False: no instruction; op.size then says how far the next could be.
  bool decode(std::span<const std::byte> code, uint64_t address, Op& op);
  void restart() { decoder_.restart(); }
  const Translator& translator() const { return translator_; }

 private:
  // How a number of an Op follows its address.
  enum class Move : uint8_t { kNot, kAlong, kPage /* of 4 KiB */, kRegion /* of 256 MiB: MIPS's jumps */ };
  // An Op as it would be at address 0, in one line of the cache: where its address stands is its Word, where its size
  // does (which the Word tells) is how its target, imm and displacement move, two bits each.
  struct alignas(64) Known {
    Op op;
    Word& word() { return op.address; }
  };
  // Instructions that differ in one number alone, kept as Known is with a number of 0: what of it follows that.
  struct Form {
    Op op;
    enum Number : uint8_t { kOnce /* met */, kUnlike, kNothing, kTarget, kImm, kDisplacement } number = kOnce;
    uint8_t shift = 0;
    bool is_signed = false;
    Word& word() { return op.address; }
  };
  static constexpr uint8_t kPlaces = 14, kForms = 14;  // bits
  static std::optional<Move> move_of(uint64_t from, uint64_t to, uint64_t address, uint64_t other, bool narrow);
  static uint64_t moved(Move move, uint64_t number, uint64_t from, uint64_t to, bool narrow);
  std::optional<Op> settled(Word word, const Op& op);
  bool move(Word word, uint64_t address, Op& op) const;
  bool recall(Word word, uint64_t address, Op& op);
  bool recall(const Form& form, const Shape& shape, uint64_t address, Op& op) const;
  void follow(const Form& form, uint64_t by, Op& op) const;
  void remember(Word word, const Op& op);
  struct Sample {
    Op op;
    uint64_t number;
  };
  std::optional<Sample> sample(Word key, Word number, uint64_t address);
  void learn(Form& form, const Shape& shape, uint64_t address);

  Decoder decoder_;
  const Translator& translator_;
  const bool narrow_, big_;
  Words<Known> known_{kPlaces};
  Words<Form> forms_{kForms};
  Insn insn_;
};

}  // namespace assay::code
