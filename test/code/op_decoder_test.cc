// What is remembered of bytes is held to what decoding them anew gives, wherever they lie.
#include "code/op_decoder.h"

#include <gtest/gtest.h>

#include <random>

namespace assay::code {
namespace {

using Code = std::vector<std::byte>;

// Bytes that recur: few words, each with small changes.
Code code_of(uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<std::array<uint8_t, 4>> words(48);
  for (auto& word : words)
    for (auto& byte : word) byte = static_cast<uint8_t>(random());
  Code out;
  for (int i = 0; i < 150; ++i)
    for (const uint8_t byte : words[random() % words.size()]) out.push_back(std::byte{byte});
  return out;
}

bool same(const Insn& a, const Insn& b) {
  if (a.size != b.size || a.flow != b.flow || a.operand_count != b.operand_count) return false;
  for (size_t i = 0; i < a.operand_count; ++i)
    if (a.operand(i).kind != b.operand(i).kind || a.operand(i).value != b.operand(i).value) return false;
  return a.opcode == b.opcode && a.target == b.target && a.conditional == b.conditional && a.links == b.links &&
         a.condition == b.condition && a.prefixes == b.prefixes && a.unpredictable == b.unpredictable;
}

class Remembering : public testing::TestWithParam<size_t> {};

TEST_P(Remembering, IsDecodingAnew) {
  const auto processor = static_cast<Processor>(GetParam());
  // The second crosses a region of MIPS's jumps, the third the end of what 32 bits address.
  constexpr uint64_t kBases[] = {0x10ffc, 0x1ffffe00, 0xfffffe00};
  OpDecoder ops(processor, Dialect::kUsual);
  Decoder kept(processor);
  const Translator& translator = Translator::of(processor, Dialect::kUsual);
  size_t good = 0;
  for (uint32_t seed = 1; seed <= std::size(kBases); ++seed) {
    const Code code = code_of(seed);
    Decoder anew(processor);
    for (uint64_t at = 0; at < code.size();) {
      const auto rest = std::span(code).subspan(at);
      const uint64_t address = kBases[seed - 1] + at;
      // One that never saw these bytes, apart from those of a block that is open.
      if (!anew.in_block()) anew = Decoder(processor);
      Insn first, second;
      Op op, expected;
      const bool is = anew.decode(rest, address, first);
      ASSERT_EQ(kept.decode(rest, address, second), is) << at;
      ASSERT_EQ(ops.decode(rest, address, op), is) << at;
      ASSERT_EQ(op.size, first.size) << at;
      if (is) {
        ASSERT_TRUE(same(first, second)) << kept.set().opcode_name(first.opcode) << " at " << at;
        translator.translate(first, expected);
        ASSERT_EQ(op, expected) << kept.set().opcode_name(first.opcode) << " at " << at;
        ++good;
      }
      at += std::max<uint64_t>(first.size, 1);
    }
  }
  EXPECT_GT(good, 30u);
}

INSTANTIATE_TEST_SUITE_P(EveryProcessor, Remembering, testing::Range<size_t>(1, kProcessors), [](const auto& p) {
  std::string name(name_of(static_cast<Processor>(p.param)));
  std::erase(name, '-');
  return name;
});

// mov eax, 0xffffffff; mov eax, -1 in 64-bit mode's form; mov ax, 0xffff; add eax, 0x80000000.
TEST(Remembering, ImmediatesKeepTheirSign) {
  const std::vector<std::vector<uint8_t>> codes = {{0xb8, 0xff, 0xff, 0xff, 0xff},
                                                   {0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff},
                                                   {0x66, 0xb8, 0xff, 0xff},
                                                   {0x81, 0xc0, 0, 0, 0, 0x80}};
  for (const Processor processor : {Processor::kX86, Processor::kX86_64}) {
    Decoder kept(processor);
    for (const auto& code : codes) {
      Insn first, second;
      ASSERT_TRUE(kept.decode(std::as_bytes(std::span(code)), 0x1000, first));
      ASSERT_TRUE(kept.decode(std::as_bytes(std::span(code)), 0x1000, second));
      EXPECT_TRUE(same(first, second)) << kept.set().opcode_name(first.opcode);
    }
  }
}

// call, jmp, jne; what counts from the program counter: mov, lea, movzbl, movss, jmp, call.
TEST(Remembering, DistancesOfFourBytesAreWhatFollowsThem) {
  const std::vector<std::vector<uint8_t>> heads = {
      {0xe8},       {0xe9},       {0x0f, 0x85},      {0x8b, 0x05}, {0x48, 0x8d, 0x3d}, {0x0f, 0xb6, 0x05},
      {0xff, 0x25}, {0xff, 0x15}, {0xf3, 0x0f, 0x10}};
  for (const Processor processor : {Processor::kX86, Processor::kX86_64}) {
    const Translator& translator = Translator::of(processor, Dialect::kUsual);
    OpDecoder ops(processor, Dialect::kUsual);
    for (auto head : heads)
      for (const uint32_t distance :
           {5u, 0x100u, 0u, 0x7fffffffu, 0x80000000u, 0xfffffff0u, 1u, 0xffffffffu, 0x1000u}) {
        auto code = head;
        for (int i = 0; i < 4; ++i) code.push_back(static_cast<uint8_t>(distance >> 8 * i));
        for (const uint64_t address : {0x10ffcu, 0x401000u, 0xfffffff8u}) {
          Insn insn;
          Op op, expected;
          const bool good = Decoder(processor).decode(std::as_bytes(std::span(code)), address, insn);
          ASSERT_EQ(ops.decode(std::as_bytes(std::span(code)), address, op), good);
          if (!good) continue;
          translator.translate(insn, expected);
          EXPECT_EQ(op, expected) << distance << " at " << address;
        }
      }
  }
}

// Words of every kind, with numbers of every kind in them: few, so that what follows them was learned by then.
TEST_P(Remembering, NumbersAreWhatFollowsThem) {
  const auto processor = static_cast<Processor>(GetParam());
  const bool big = instruction_order(processor) == Order::kBig;
  const Translator& translator = Translator::of(processor, Dialect::kUsual);
  OpDecoder ops(processor, Dialect::kUsual);
  Decoder anew(processor);
  std::minstd_rand random(7);
  size_t numbered = 0, met = 0;
  for (int i = 0; i < 1500; ++i) {
    Code code(16);
    for (std::byte& b : code) b = static_cast<std::byte>(random() >> 8);
    const Shape shape = shape_at(processor, code);
    if (shape.mask == 0) continue;
    ++numbered;
    const size_t size = size_of(shape.key);
    for (const uint64_t pattern : {0x155ull, 0x2aaaaaaaull, 3ull, 0ull, 1ull, ~0ull, 0x40404040ull, 0x80808080ull}) {
      Word bits = size > kLongestWord ? 0 : bits_in(shape.key, big);
      uint64_t left = pattern;
      for (int b = 0; b < 56; ++b)
        if (shape.mask >> b & 1) bits |= (left & 1) << b, left >>= 1;
      const size_t from = size > kLongestWord ? size - 4 : 0;
      for (size_t k = from; k < size; ++k)
        code[k] = static_cast<std::byte>(bits >> 8 * (big ? size - 1 - k : k - from));
      for (const uint64_t address : {0x10ff0u, 0xfffffff0u}) {
        anew.restart(), ops.restart();
        Insn insn;
        Op op, expected;
        const bool is = anew.decode_anew(code, address, insn);
        ASSERT_EQ(ops.decode(code, address, op), is);
        if (!is) continue;
        ++met;
        translator.translate(insn, expected);
        ASSERT_EQ(op, expected) << anew.set().opcode_name(insn.opcode) << std::hex << " " << bits << " at " << address;
      }
    }
  }
  EXPECT_EQ(met > 1000, numbered != 0);
}

TEST(Remembering, ACallOfWhatFollowsIsNoneThereAlone) {
  const Code call = {std::byte{0x0c}, std::byte{0}, std::byte{0x41}, std::byte{0}};  // jal 0x10400
  OpDecoder ops(Processor::kMips32Be, Dialect::kUsual);
  Op op;
  ASSERT_TRUE(ops.decode(call, 0x10100, op));
  EXPECT_EQ(op.flow, Flow::kCall);
  EXPECT_EQ(op.target, 0x10400u);
  ASSERT_TRUE(ops.decode(call, 0x103f8, op));
  EXPECT_EQ(op.flow, Flow::kNone);
  EXPECT_TRUE(op.links);
}

TEST(Remembering, AJumpBehindTheLastAddressIsToTheFirstRegion) {
  const Code call = {std::byte{0x0c}, std::byte{0}, std::byte{0x41}, std::byte{0}};  // jal 0x10400
  OpDecoder anew(Processor::kMips32Be, Dialect::kUsual), ops(Processor::kMips32Be, Dialect::kUsual);
  Op op;
  ASSERT_TRUE(anew.decode(call, 0xfffffffc, op));
  EXPECT_EQ(op.target, 0x10400u);
  ASSERT_TRUE(ops.decode(call, 0x10100, op));
  ASSERT_TRUE(ops.decode(call, 0xfffffffc, op));
  EXPECT_EQ(op.target, 0x10400u);
}

TEST(Remembering, ForgetsWhatComesLater) {
  struct Noted {
    Word own = kNoWord;
    int value = 0;
    Word& word() { return own; }
  };
  Words<Noted> words(1);
  words.put(1).value = 5;
  EXPECT_EQ(words.find(1)->value, 5);
  for (Word w = 2; w < 64; ++w) words.put(w).value = 6;
  EXPECT_EQ(words.find(1), nullptr);
}

TEST(WordAt, IsWhatTheFirstBytesTell) {
  const auto size = [](Processor p, std::initializer_list<int> bytes) {
    Code code;
    for (const int b : bytes) code.push_back(static_cast<std::byte>(b));
    return size_of(word_at(p, code));
  };
  EXPECT_EQ(size(Processor::kMips32Be, {0, 0, 0, 0}), 4);
  EXPECT_EQ(size(Processor::kMips32Be, {0, 0, 0}), 0);
  EXPECT_EQ(size(Processor::kThumb, {0x70, 0x47, 0, 0}), 2);
  EXPECT_EQ(size(Processor::kThumb, {0x00, 0xf0, 0, 0xf8}), 4);
  EXPECT_EQ(size(Processor::kRiscv64, {0x82, 0x80}), 2);
  EXPECT_EQ(size(Processor::kX86_64, {0x48, 0x89, 0xe5, 0x90}), 3);
  EXPECT_EQ(size(Processor::kX86_64, {0xf6, 0xc2, 0x0f}), 3);  // test dl, 15
  EXPECT_EQ(size(Processor::kX86_64, {0xf6, 0xd2, 0x0f}), 2);  // not dl
  EXPECT_EQ(size(Processor::kX86, {0x66, 0xc7, 0x44, 0x24, 8, 1, 0}), 7);
  EXPECT_EQ(size(Processor::kX86_64, {0xe8, 0, 0, 0, 0}), 0);  // too seldom the same
}

}  // namespace
}  // namespace assay::code
