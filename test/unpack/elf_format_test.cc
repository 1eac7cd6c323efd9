// ELF as a leaf of unpacking: measured to the byte, verified when its fields agree, refused when damaged.
#include "test/elf/elf_builder.h"
#include "unpack/format.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace assay::unpack {
namespace {

TEST(ElfFormat, EndsWhereItsSegmentsEnd) {
  elf::ElfBuilder builder;
  builder.imports = {"socket"};
  const std::string bytes = builder.build();
  const Format* format = find_format("elf");
  ASSERT_NE(format, nullptr);
  const auto measured = format->measure(Bytes(bytes + "something else"));
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->length, bytes.size());
  EXPECT_TRUE(measured->verified);
}

TEST(ElfFormat, IsNotVerifiedWhenSizesDisagree) {
  std::string bytes = elf::ElfBuilder{}.build();
  bytes[40] = 0, bytes[41] = 50;  // header size of 50 bytes
  const auto measured = find_format("elf")->measure(Bytes(bytes));
  ASSERT_TRUE(measured);
  EXPECT_FALSE(measured->verified);
}

TEST(ElfFormat, EveryTruncationIsRefused) {
  const std::string bytes = elf::ElfBuilder{}.build();
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(find_format("elf")->measure(Bytes(bytes).head(n))) << n;
}

TEST(ElfFormat, MeasuresAProgramExactly) {
  std::ifstream file("/bin/sh", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (!bytes.starts_with("\x7f"
                         "ELF"))
    GTEST_SKIP() << "/bin/sh is no ELF file that can be read";
  const auto measured = find_format("elf")->measure(Bytes(bytes + std::string(4096, '\0')));
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->length, bytes.size());
  EXPECT_TRUE(measured->verified);
}

}  // namespace
}  // namespace assay::unpack
