// Object files: what clang writes for every CPU, read, has the functions, calls and strings of its source; and every
// field of a relocation gives back what was put into it.
#include "code/object.h"

#include "code/answer.h"
#include "code/relocation.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace assay::code {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSource = R"(
unsigned long strlen(const char*);
int puts(const char*);
int printf(const char*, ...);
void qsort(void*, unsigned long, unsigned long, int (*)(const void*, const void*));
__attribute__((noreturn)) void exit(int);
#define APART __attribute__((noinline))
int counter;
static int hidden = 5;
static APART int inner(const char* s) { counter += (int)strlen(s); return counter * hidden; }
int gate(int n) {
  switch (n) {
    case 0: return inner("alpha one");
    case 1: return puts("beta two") + 7;
    case 2: return inner("gamma three") + 1;
    case 3: return counter;
    case 4: return hidden * 3;
    case 5: return 9 - hidden;
    case 6: return hidden++;
  }
  return -1;
}
static APART int first(int x) { return printf("first handler %d\n", x) + 1; }
static APART int second(int x) { return printf("second handler %d\n", x) + hidden; }
static int (*const handlers[])(int) = {first, second, gate};
int dispatch(int n, int x) { return handlers[n & 1](x) + 2; }
static APART int compare(const void* a, const void* b) { return *(const int*)a - *(const int*)b; }
void sorter(int* v, unsigned long n) { qsort(v, n, sizeof *v, compare); exit(gate((int)n)); }
)";

struct Target {
  const char* name;
  const char* flags;
};
constexpr Target kTargets[] = {
    {"mips", "--target=mips-linux-gnu -mno-abicalls -mlong-calls -fno-pic"},
    {"mips pic", "--target=mips-linux-gnu -fPIC"},
    {"mipsel", "--target=mipsel-linux-gnu -mno-abicalls -fno-pic"},
    {"mips64el pic", "--target=mips64el-linux-gnuabi64 -fPIC"},
    {"arm", "--target=arm-linux-gnueabi -march=armv7-a -marm -fno-pic"},
    {"arm pic", "--target=arm-linux-gnueabi -march=armv5te -fPIC"},
    {"thumb", "--target=arm-linux-gnueabi -march=armv7-a -mthumb -fno-pic"},
    {"aarch64", "--target=aarch64-linux-gnu -fno-pic"},
    {"aarch64 pic", "--target=aarch64-linux-gnu -fPIC"},
    {"x86", "--target=i686-linux-gnu -fno-pic"},
    {"x86 pic", "--target=i686-linux-gnu -fPIC"},
    {"x86-64", "--target=x86_64-linux-gnu -mcmodel=kernel -fno-pic"},
    {"x86-64 pic", "--target=x86_64-linux-gnu -fPIC -fno-plt"},
    {"powerpc", "--target=powerpc-linux-gnu -fno-pic"},
    {"riscv64", "--target=riscv64-linux-gnu -march=rv64gc -fno-pic"},
    {"riscv64 pic", "--target=riscv64-linux-gnu -march=rv64gc -fPIC"},
};

struct Folder {
  fs::path path;
  Folder() {
    char name[] = "/tmp/assay-object-XXXXXX";
    path = mkdtemp(name);
    std::ofstream(path / "t.c") << kSource;
  }
  ~Folder() { fs::remove_all(path); }
};

std::string compiled(const Folder& folder, const std::string& flags) {
  const std::string out = (folder.path / "t.o").string();
  const std::string command =
      "clang-19 -O2 -ffreestanding -c -w " + flags + " " + (folder.path / "t.c").string() + " -o " + out;
  if (std::system(command.c_str()) != 0) return {};
  std::ifstream file(out, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

using Pairs = std::set<std::pair<std::string, std::string>>;

Pairs calls_of(const std::string& file) {
  Pairs out;
  for (const CodeCall& c : answer(Bytes(file), {.kind = CodeQuestion::kCalls}).calls)
    if (c.how != "callback" && !c.callee.empty()) out.insert({c.caller, c.callee});
  return out;
}

TEST(Object, FunctionsCallsAndStringsOfTheirSource) {
  if (std::system("command -v clang-19 >/dev/null 2>&1") != 0) GTEST_SKIP() << "clang-19 is not installed";
  const Folder folder;
  const Pairs expected = {{"inner", "strlen"},  {"gate", "inner"},   {"gate", "puts"},   {"first", "printf"},
                          {"second", "printf"}, {"sorter", "qsort"}, {"sorter", "gate"}, {"sorter", "exit"}};
  for (const Target& target : kTargets) {
    const std::string file = compiled(folder, target.flags);
    ASSERT_FALSE(file.empty()) << target.name;
    const CodeAnswer all = answer(Bytes(file), {.kind = CodeQuestion::kFunctions});
    EXPECT_EQ(all.refused, "") << target.name;
    EXPECT_EQ(all.unit.unread, "") << target.name;
    EXPECT_EQ(all.unit.undecodable, 0u) << target.name;
    std::set<std::string> names, strings;
    for (const CodeFunction& f : all.functions) names.insert(f.name);
    for (const char* name : {"inner", "gate", "first", "second", "dispatch", "compare", "sorter"})
      EXPECT_TRUE(names.contains(name)) << target.name << ": " << name;
    for (const CodeReference& r : all.references) strings.insert(r.shows);
    for (const char* text : {"\"alpha one\"", "\"beta two\"", "\"gamma three\"", "\"first handler %d\n\""})
      EXPECT_TRUE(strings.contains(text)) << target.name << ": " << text;
    const Pairs calls = calls_of(file);
    for (const auto& pair : expected)
      EXPECT_TRUE(calls.contains(pair)) << target.name << ": " << pair.first << " calls " << pair.second;
    for (const auto& [caller, callee] : calls)
      EXPECT_TRUE(expected.contains({caller, callee}) || caller == "dispatch" || caller.starts_with("__") ||
                  callee.starts_with("__"))
          << target.name << ": " << caller << " does not call " << callee;
  }
}

TEST(Object, EveryTruncationEnds) {
  if (std::system("command -v clang-19 >/dev/null 2>&1") != 0) GTEST_SKIP() << "clang-19 is not installed";
  const Folder folder;
  const std::string file = compiled(folder, kTargets[0].flags);
  ASSERT_FALSE(file.empty());
  for (size_t length = 0; length < file.size(); length += length < 64 ? 1 : 13) {
    const auto cut = load(Bytes(std::string_view(file).substr(0, length)));
    EXPECT_TRUE(!cut || !cut->problems.empty() || cut->seeds.empty()) << length;
  }
}

TEST(Object, TypesThatAreNotAppliedAreSaid) {
  if (std::system("command -v clang-19 >/dev/null 2>&1") != 0) GTEST_SKIP() << "clang-19 is not installed";
  const Folder folder;
  std::string file = compiled(folder, "--target=i686-linux-gnu -fno-pic");
  // R_386_PC32 of strlen becomes R_386_TLS_LE, which nothing here needs.
  const auto parsed = elf::read(Bytes(file));
  ASSERT_TRUE(parsed);
  const elf::Section* table = parsed->section(".rel.text");
  ASSERT_TRUE(table);
  file[table->offset + 4] = 17;
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  ASSERT_EQ(program->problems.size(), 1u);
  EXPECT_EQ(program->problems[0].what, "1 relocation is not applied, the first of type 17");
  EXPECT_EQ(program->problems[0].offset, table->offset);
}

struct Kept {
  Field field;
  uint8_t shift;
  int64_t value;  // what the field can hold
};
constexpr Kept kKept[] = {
    {Field::kByte, 0, -7},
    {Field::kHalf, 0, -700},
    {Field::kWord, 0, -70000},
    {Field::kLong, 0, -1},
    {Field::kMips26, 0, 0x0123458},
    {Field::kMipsLow, 0, -32768},
    {Field::kMips16, 0, -0x20000},
    {Field::kArm24, 0, -0x2000000},
    {Field::kArmMov, 0, 0x1abc},
    {Field::kArmPrel31, 0, -0x3001},
    {Field::kThumb24, 0, -0xfffffe},
    {Field::kThumb24, 0, 0xabcdee},
    {Field::kThumbMov, 0, 0x7bcd},
    {Field::kA64Branch26, 2, -0x8000000},
    {Field::kA64Branch19, 2, 0xffffc},
    {Field::kA64Branch14, 2, -0x8000},
    {Field::kPpc24, 0, -0x2000000},
    {Field::kPpc14, 0, 0x7ffc},
    {Field::kPpcLow, 0, -4},
};

TEST(Relocation, FieldsGiveBackWhatWasPut) {
  for (const Order order : {Order::kLittle, Order::kBig})
    for (const Kept& k : kKept)
      for (const uint8_t fill : {0x00, 0xff}) {
        std::array<std::byte, 8> bytes;
        bytes.fill(static_cast<std::byte>(fill));
        put(k.field, k.shift, static_cast<uint64_t>(k.value), bytes, order);
        EXPECT_EQ(addend_in(k.field, k.shift, bytes, order), k.value) << static_cast<int>(k.field);
        for (size_t i = size_of(k.field); i < bytes.size(); ++i) EXPECT_EQ(bytes[i], static_cast<std::byte>(fill));
      }
}

}  // namespace
}  // namespace assay::code
