// A small fixed share of ./dev bench lift: instructions of each form seen in real programs (test/lift/forms, written by
// lift_bench --forms), held against the emulator; and what the lifters print for them, held to one digest, so that
// compilers that evaluate arguments in another order cannot make another result.
#include "core/hash.h"
#include "lift/agreement.h"
#include "lift/oracle.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace assay::code::lift {
namespace {

constexpr size_t kStates = 8;

struct Line {
  std::vector<std::byte> code;
  std::string form;
};

std::string folder() {
  const char* source = std::getenv("ASSAY_SOURCE");
  return std::string(source ? source : ".") + "/test/lift/forms/";
}

std::vector<Line> lines_of(Processor processor, std::string_view what = "") {
  std::ifstream in(folder() + std::string(name_of(processor)) + std::string(what) + ".txt");
  std::vector<Line> out;
  for (std::string hex, form; in >> hex >> form;) {
    Line line{.code = {}, .form = form};
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
      line.code.push_back(static_cast<std::byte>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    out.push_back(std::move(line));
  }
  return out;
}

std::string digest_of(Processor processor) {
  std::ifstream in(folder() + "digests.txt");
  for (std::string name, digest; in >> name >> digest;)
    if (name == name_of(processor)) return digest;
  return "";
}

class Lifter : public testing::TestWithParam<Processor> {};

TEST_P(Lifter, AgreesWithTheEmulator) {
  Oracle oracle(GetParam());
  const std::vector<Line> lines = lines_of(GetParam());
  ASSERT_GT(lines.size(), 100U);
  Counts all;
  for (const Line& line : lines) {
    Counts counts;
    oracle.run(line.code, kStates, counts, line.form);
    EXPECT_EQ(counts[Verdict::kDifferent], 0U) << line.form;
    EXPECT_EQ(counts[Verdict::kOpaque], 0U) << line.form;
    for (size_t i = 0; i < kVerdicts; ++i) all.of[i] += counts.of[i];
  }
  EXPECT_GT(all.tried(), lines.size() * kStates / 2);
}

// Straight lines out of real programs (lift_bench --samples), simplified.
TEST_P(Lifter, SimplifiedBlocksAgreeWithTheEmulator) {
  Oracle oracle(GetParam());
  const std::vector<Line> blocks = lines_of(GetParam(), "-blocks");
  ASSERT_GT(blocks.size(), 90U);
  Counts counts;
  for (const Line& line : blocks) oracle.run_simplified(line.code, 3, counts, "block");
  EXPECT_EQ(counts[Verdict::kDifferent], 0U);
  EXPECT_GT(counts.tried(), blocks.size());
  EXPECT_LT(oracle.simplified().operations_after, oracle.simplified().operations_before);
}

// ./dev fuzz says the same of bytes made at random.
TEST_P(Lifter, WritesWhatTheDecoderSays) {
  const Isa isa = make_isa(GetParam());
  Decoder decoder(GetParam());
  for (const Line& line : lines_of(GetParam())) EXPECT_EQ(disagreements(isa, decoder, line.code), "") << line.form;
}

TEST_P(Lifter, PrintsTheSameWithEveryCompiler) {
  const Isa isa = make_isa(GetParam());
  EXPECT_EQ(isa.unbound, std::vector<std::string>());
  Decoder decoder(GetParam());
  ir::Function function;
  function.file = &isa.file;
  std::string text;
  for (const Line& line : lines_of(GetParam())) {
    std::vector<Insn> insns;
    decoder.restart();
    for (size_t at = 0; at < line.code.size(); at += insns.back().size) {
      insns.emplace_back();
      ASSERT_TRUE(decoder.decode(std::span(line.code).subspan(at), 0x1000 + at, insns.back())) << line.form;
    }
    function.clear();
    Machine(isa, function).lift_block(insns);
    text += print(function);
  }
  EXPECT_EQ(sha256(Bytes(text)).hex(), digest_of(GetParam())) << "test/lift/forms/digests.txt has another";
}

INSTANTIATE_TEST_SUITE_P(All, Lifter,
                         testing::Values(Processor::kMips32Be, Processor::kMips32Le, Processor::kMips64Be,
                                         Processor::kMips64Le, Processor::kAArch64, Processor::kArm, Processor::kThumb,
                                         Processor::kPpc32, Processor::kX86, Processor::kX86_64, Processor::kRiscv32,
                                         Processor::kRiscv64),
                         [](const auto& at) {
                           std::string name(name_of(at.param));
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace assay::code::lift
