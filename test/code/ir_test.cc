// The intermediate language's text and the lifter of MIPS, by what they print. What instructions compute is held
// against an emulator in test/lift.
#include "code/lift/machine.h"

#include <gtest/gtest.h>

namespace assay::code::ir {
namespace {

RegisterFile small_file() {
  RegisterFile file;
  file.add("a", 32);
  file.add("b", 32);
  file.add("f", 1);
  file.add("v", 0);
  return file;
}

TEST(Array, HoldsWhatWasPutIn) {
  Array<uint64_t> a{7};
  for (uint64_t i = 0; i < 10'000; ++i) a.push_back(i);
  Array<uint64_t> copy = a;
  a.resize(2);
  a.shrink_to_fit();
  a.resize(4);
  EXPECT_EQ(std::vector(a.begin(), a.end()), (std::vector<uint64_t>{7, 0, 0, 0}));
  a = std::move(copy);
  ASSERT_EQ(a.size(), 10'001U);
  EXPECT_EQ(a.back(), 9'999U);
  EXPECT_EQ(a[1], 0U);
  a.clear();
  EXPECT_TRUE(a.empty());
}

TEST(IrText, PrintsWhatItRead) {
  const RegisterFile file = small_file();
  const std::string text =
      "block 0x10 next 0x18\n@0x10\n  %1 = get.32 a\n  %2 = const.32 0xffffffff\n  %3 = add.32 %1 %2\n  %4 = eq.1 %3 "
      "%1\n"
      "  put f %4\n  %5 = load.16be %3 if %4\n  %6 = zext.32 %5\n  put b %6\n@0x14\n  store.32le %1 %6 if %4\n"
      "  opaque \"FOO\" reads a v writes b v loads stores leaves if %4\n  trap syscall\n  %7 = select.32 %4 %1 %3\n"
      "  jump %7 if %4\n  call %1\nblock 0x18 next 0x1c\n@0x18\n  %1 = get.32 a\n  ret %1\n";
  const auto function = parse(text, file);
  ASSERT_TRUE(function) << function.error().what;
  EXPECT_EQ(print(*function), text);
}

TEST(IrText, SaysWhatIsWrong) {
  const RegisterFile file = small_file();
  const auto error = [&](std::string_view line) {
    const auto function =
        parse("block 0x0 next 0x4\n  %1 = get.32 a\n  %2 = get.1 f\n" + std::string(line) + "\n", file);
    return function ? std::string() : function.error().what;
  };
  EXPECT_EQ(error("  put b %1"), "");
  EXPECT_NE(error("  put b %3"), "");           // no such value
  EXPECT_NE(error("  put b %2"), "");           // of another width
  EXPECT_NE(error("  put c %1"), "");           // no such register
  EXPECT_NE(error("  %3 = add.32 %1 %2"), "");  // widths differ
  EXPECT_NE(error("  %3 = trunc.32 %1"), "");   // does not narrow
  EXPECT_NE(error("  jump %1 if %1"), "");      // a guard has one bit
  EXPECT_NE(error("  %3 = fly.32 %1"), "");     // no such operation
  EXPECT_NE(error("  trap mouse"), "");
  EXPECT_NE(error("  put b %1 twice"), "");
}

std::string lift(Processor processor, std::initializer_list<uint8_t> bytes) {
  static std::vector<std::unique_ptr<lift::Isa>> isas;
  isas.push_back(std::make_unique<lift::Isa>(lift::make_mips(processor)));
  Decoder decoder(processor);
  std::vector<Insn> insns;
  const std::span<const uint8_t> all(bytes);
  for (size_t at = 0; at < all.size(); at += 4) {
    Insn insn;
    EXPECT_TRUE(decoder.decode(std::as_bytes(all.subspan(at)), 0x1000 + at, insn));
    insns.push_back(insn);
  }
  Function function;
  function.file = &isas.back()->file;
  lift::Machine(*isas.back(), function).lift_block(insns);
  EXPECT_EQ(malformed(function), "");
  return print(function);
}

TEST(Mips, TablesNameOpcodesThatTheDecoderHas) {
  for (Processor p : {Processor::kMips32Be, Processor::kMips32Le, Processor::kMips64Be, Processor::kMips64Le})
    EXPECT_EQ(lift::make_mips(p).unbound, std::vector<std::string>()) << name_of(p);
}

TEST(Mips, ReadsTheConditionBeforeTheDelaySlot) {  // beqz v0, 0x1010; addiu v0, zero, 5
  EXPECT_EQ(lift(Processor::kMips32Be, {0x10, 0x40, 0x00, 0x03, 0x24, 0x02, 0x00, 0x05}),
            "block 0x1000 next 0x1008\n@0x1000\n  %1 = const.32 0x1010\n  %2 = get.32 v0\n  %3 = const.32 0x0\n  %4 = "
            "eq.1 %2 %3\n"
            "@0x1004\n  %5 = const.32 0x0\n  %6 = const.32 0x5\n  %7 = add.32 %5 %6\n  put v0 %7\n  jump %1 if %4\n");
}

TEST(Mips, FloatingPointIsOpaqueWithWhatItWrites) {  // sqrt.s $f0, $f2
  EXPECT_EQ(lift(Processor::kMips32Be, {0x46, 0x00, 0x10, 0x04}),
            "block 0x1000 next 0x1004\n@0x1000\n  opaque \"FSQRT_S\" reads f2 writes f0\n");
}

}  // namespace
}  // namespace assay::code::ir
