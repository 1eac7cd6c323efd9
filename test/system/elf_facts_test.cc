// ELF facts and traits on files made here.
#include "test/elf/elf_builder.h"
#include "test/system/run_file.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::system {
namespace {

using elf::ElfBuilder;
using Words = std::vector<std::string>;

Elf facts_of(ElfBuilder builder) {
  const Facts out = run_file("elf_facts", builder.build());
  return out.elf.empty() ? Elf{} : out.elf[0];
}

bool has(const Elf& e, std::string_view trait) { return std::ranges::find(e.traits, trait) != e.traits.end(); }

ElfBuilder program() {
  ElfBuilder builder;
  builder.interpreter = "/lib/ld-uClibc.so.0";
  builder.needed = {"libc.so.0"};
  return builder;
}

std::string words_of(const ElfBuilder& b, std::initializer_list<uint32_t> code) {
  std::string out;
  for (const uint32_t w : code) b.put(out, w, 4);
  return out;
}

TEST(ElfFacts, DescribesAProgram) {
  ElfBuilder builder = program();
  builder.imports = {"strcpy", "abort"};
  builder.texts = {{15, "/lib:/opt/lib"}};
  const Elf e = facts_of(builder);
  EXPECT_EQ(e.machine, "mips");
  EXPECT_EQ(e.byte_order, "big");
  EXPECT_EQ(e.type, "executable");
  EXPECT_TRUE(e.is_program);
  EXPECT_FALSE(e.is_static);
  EXPECT_FALSE(e.position_independent);
  EXPECT_TRUE(e.stripped);
  EXPECT_EQ(e.interpreter, "/lib/ld-uClibc.so.0");
  EXPECT_EQ(e.needed, Words{"libc.so.0"});
  EXPECT_EQ(e.rpath, (Words{"/lib", "/opt/lib"}));
  EXPECT_EQ(e.imports, (Words{"abort", "strcpy"}));
  EXPECT_EQ(e.relro, "none");
  EXPECT_EQ(e.canary, Known::kNo);
  EXPECT_EQ(e.fortify, Known::kNo);
}

TEST(ElfFacts, StackIsDataOnlyWhereHeaderOrArchitectureSaysSo) {
  ElfBuilder builder = program();
  EXPECT_EQ(facts_of(builder).nx, Known::kNo);  // MIPS without PT_GNU_STACK
  builder.stack_flags = 7;
  EXPECT_EQ(facts_of(builder).nx, Known::kNo);
  builder.stack_flags = 6;
  EXPECT_EQ(facts_of(builder).nx, Known::kYes);
  ElfBuilder other{.machine = 183, .bits = 64, .order = Order::kLittle};
  EXPECT_EQ(facts_of(other).nx, Known::kYes);
  other.machine = 62;
  EXPECT_EQ(facts_of(other).nx, Known::kUnknown);
}

TEST(ElfFacts, RelroCanaryFortify) {
  ElfBuilder builder = program();
  builder.relro = true;
  builder.imports = {"__stack_chk_fail", "__memcpy_chk"};
  EXPECT_EQ(facts_of(builder).relro, "partial");
  EXPECT_EQ(facts_of(builder).canary, Known::kYes);
  EXPECT_EQ(facts_of(builder).fortify, Known::kYes);
  builder.tags = {{30, 8}};
  EXPECT_EQ(facts_of(builder).relro, "full");
  builder.tags = {{0x6ffffffb, 1}};
  EXPECT_EQ(facts_of(builder).relro, "full");
}

TEST(ElfFacts, TellsLibraryFromPositionIndependentProgram) {
  ElfBuilder library{.type = 3};
  library.texts = {{14, "libx.so.1"}};
  library.exports = {"second", "first"};
  const Elf l = facts_of(library);
  EXPECT_EQ(l.soname, "libx.so.1");
  EXPECT_FALSE(l.is_program);
  EXPECT_EQ(l.exports, (Words{"first", "second"}));
  ElfBuilder pie = program();
  pie.type = 3;
  pie.exports = {"main"};
  const Elf p = facts_of(pie);
  EXPECT_TRUE(p.is_program);
  EXPECT_TRUE(p.position_independent);
  EXPECT_TRUE(p.exports.empty());
}

TEST(ElfFacts, ShellBehindASocketHasAllThreeTraits) {
  ElfBuilder builder = program();
  builder.imports = {"socket", "bind", "listen", "accept", "dup2", "execve"};
  EXPECT_FALSE(has(facts_of(builder), "starts-shell"));  // it may execute anything
  builder.strings = std::string("/bin/sh\0", 8);
  const Elf e = facts_of(builder);
  EXPECT_EQ(e.traits, (Words{"executes", "listens", "redirects-descriptors", "starts-shell"}));
  builder.imports.push_back("crypt");
  EXPECT_TRUE(has(facts_of(builder), "checks-password"));
}

TEST(ElfFacts, EachMechanismNeedsAllItsParts) {
  ElfBuilder builder = program();
  builder.imports = {"socket", "bind", "listen"};
  EXPECT_FALSE(has(facts_of(builder), "listens"));
  builder.imports = {"socket", "bind", "recvfrom"};
  EXPECT_TRUE(has(facts_of(builder), "listens-udp"));
  builder.imports = {"execl"};
  builder.strings = "/bin/shutdown";  // not a shell
  EXPECT_FALSE(has(facts_of(builder), "starts-shell"));
  builder.imports = {"strcmp"};
  builder.strings = "/etc/shadow";
  EXPECT_FALSE(has(facts_of(builder), "checks-password"));
  builder.strings += " Password: ";
  EXPECT_TRUE(has(facts_of(builder), "checks-password"));
}

TEST(ElfFacts, ACommandInterpreterIsNotSaidToStartAShell) {
  ElfBuilder builder = program();
  builder.imports = {"execve"};
  builder.strings = std::string("/bin/sh\0readonly\0umask\0shift\0unset\0export\0times\0", 48);
  EXPECT_TRUE(has(facts_of(builder), "command-interpreter"));
  EXPECT_FALSE(has(facts_of(builder), "starts-shell"));
}

// The calls of a static program: li v0,4000+n; syscall and the like.
TEST(ElfFacts, StaticProgramsAreReadBySystemCallNumber) {
  ElfBuilder mips{.dynamic = false};
  mips.code = words_of(mips, {0x24021057, 0x0000000c, 0x24021049, 0x0000000c, 0x2402104e, 0x00000000, 0x0000000c,
                              0x24021048, 0x0000000c, 0x24020fdf, 0x0000000c});
  const Elf m = facts_of(mips);
  EXPECT_TRUE(m.is_static);
  EXPECT_TRUE(has(m, "listens"));
  EXPECT_TRUE(has(m, "redirects-descriptors"));
  ElfBuilder arm{.machine = 40, .order = Order::kLittle, .dynamic = false};
  arm.code = words_of(arm, {0xe3a0700b, 0xef000000});  // mov r7,#11; svc 0: execve
  EXPECT_TRUE(has(facts_of(arm), "executes"));
  arm.code = words_of(arm, {0xe59f7004, 0xef000000, 0xe12fff1e, 63});  // ldr r7,[pc,#4]; svc 0 …: dup2
  EXPECT_TRUE(has(facts_of(arm), "redirects-descriptors"));
  ElfBuilder aarch64{.machine = 183, .bits = 64, .order = Order::kLittle, .dynamic = false};
  aarch64.code = words_of(aarch64, {0xd2801ba8, 0xd4000001});  // mov x8,#221; svc 0: execve
  EXPECT_TRUE(has(facts_of(aarch64), "executes"));
  ElfBuilder amd64{.machine = 62, .bits = 64, .order = Order::kLittle, .dynamic = false};
  amd64.code = std::string("\xb8\x21\0\0\0\x0f\x05", 7);  // mov eax,33; syscall: dup2
  EXPECT_TRUE(has(facts_of(amd64), "redirects-descriptors"));
  ElfBuilder ppc{.machine = 20, .dynamic = false};
  ppc.code = words_of(ppc, {0x3800000b, 0x44000002});  // li r0,11; sc: execve
  EXPECT_TRUE(has(facts_of(ppc), "executes"));
  ElfBuilder riscv{.machine = 243, .bits = 64, .order = Order::kLittle, .dynamic = false};
  riscv.code = words_of(riscv, {0x0dd00893, 0x00000073});  // li a7,221; ecall: execve
  EXPECT_TRUE(has(facts_of(riscv), "executes"));
  riscv.code = words_of(riscv, {0x0dd00893, 0x00000013});  // no trap
  EXPECT_FALSE(has(facts_of(riscv), "executes"));
}

TEST(ElfFacts, DamageIsAProblemAndNeverACrash) {
  ElfBuilder builder = program();
  builder.imports = {"socket", "bind"};
  std::string bytes = builder.build();
  for (size_t n = 4; n < bytes.size(); ++n) {
    const Facts out = run_file("elf_facts", bytes.substr(0, n));
    EXPECT_FALSE(out.problems.empty() && out.elf.empty()) << n;
  }
  for (size_t i = 4; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0xff);
    run_file("elf_facts", bad);
  }
}

}  // namespace
}  // namespace assay::system
