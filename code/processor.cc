// Names and properties of the instruction sets.
#include "code/processor.h"

namespace assay::code {
namespace {

struct Row {
  Family family;
  std::string_view name;
  bool wide;
  Order order;
  uint8_t alignment;
  Processor other;
};

using enum Processor;
using enum Order;
// In the order of the enumerators.
constexpr Row kRows[kProcessors] = {
    {Family::kNone, "unknown", false, kLittle, 1, kUnknown},
    {Family::kMips, "mips32-be", false, kBig, 4, kMicroMipsBe},
    {Family::kMips, "mips32-le", false, kLittle, 4, kMicroMipsLe},
    {Family::kMips, "mips64-be", true, kBig, 4, kUnknown},
    {Family::kMips, "mips64-le", true, kLittle, 4, kUnknown},
    {Family::kMips, "micromips-be", false, kBig, 2, kMips32Be},
    {Family::kMips, "micromips-le", false, kLittle, 2, kMips32Le},
    {Family::kArm, "arm", false, kLittle, 4, kThumb},
    {Family::kArm, "thumb", false, kLittle, 2, kArm},
    {Family::kArm, "arm-be", false, kBig, 4, kThumbBe},
    {Family::kArm, "thumb-be", false, kBig, 2, kArmBe},
    {Family::kAArch64, "aarch64", true, kLittle, 4, kUnknown},
    {Family::kX86, "x86", false, kLittle, 1, kUnknown},
    {Family::kX86, "x86-64", true, kLittle, 1, kUnknown},
    {Family::kPpc, "ppc32", false, kBig, 4, kUnknown},
    {Family::kPpc, "ppc64-be", true, kBig, 4, kUnknown},
    {Family::kPpc, "ppc64-le", true, kLittle, 4, kUnknown},
    {Family::kRiscv, "riscv32", false, kLittle, 2, kUnknown},
    {Family::kRiscv, "riscv64", true, kLittle, 2, kUnknown},
};

const Row& row(Processor processor) { return kRows[static_cast<size_t>(processor)]; }

}  // namespace

Family family_of(Processor processor) { return row(processor).family; }
std::string_view name_of(Processor processor) { return row(processor).name; }
bool is_64_bit(Processor processor) { return row(processor).wide; }
Order instruction_order(Processor processor) { return row(processor).order; }
uint32_t instruction_alignment(Processor processor) { return row(processor).alignment; }
Processor other_mode(Processor processor) { return row(processor).other; }

Processor processor_named(std::string_view name) {
  for (size_t i = 1; i < kProcessors; ++i)
    if (kRows[i].name == name) return static_cast<Processor>(i);
  return kUnknown;
}

}  // namespace assay::code
