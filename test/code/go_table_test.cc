// Go's table of functions in each of its layouts, and one that lies.
#include "code/answer.h"
#include "small_elf.h"

#include "core/bytes.h"

#include <gtest/gtest.h>

#include <map>

namespace assay::code {
namespace {

constexpr uint64_t kCode = 0x10100, kTable = 0x40;  // the address of the code; where in it the table stands

// Two functions of one instruction, at 0x10100 and 0x10110, behind them the mark of Go's builds and a table.
struct GoProgram {
  uint32_t magic = 0;
  SmallElf elf = {62, true, false, kCode};
  std::string table;

  uint32_t pointer() const { return elf.wide ? 8 : 4; }
  void put(uint64_t value, uint32_t size) {
    for (uint32_t i = 0; i < size; ++i) table.push_back(static_cast<char>(value >> 8 * (elf.big ? size - 1 - i : i)));
  }
  void head(uint64_t count) {
    put(magic, 4), put(0, 2), put(1, 1), put(pointer(), 1);
    put(count, pointer());
  }
  // Pairs of start and row, rows counted from `rows`, then the rows, then the names at `names`.
  void lists(bool offsets, uint64_t rows, uint64_t names) {
    const uint32_t size = offsets ? 4 : pointer();
    const uint64_t base = offsets ? 0 : kCode, first = table.size() + uint64_t{5} * size;
    put(base, size), put(first - rows, size);
    put(base + 16, size), put(first + size + 4 - rows, size);
    put(base + 32, size);
    put(base, size), put(first + 2 * (size + 4) - names, 4);
    put(base + 16, size), put(first + 2 * (size + 4) + 5 - names, 4);
    table += std::string("main\0open\0", 10);
  }
  std::string file() const {
    std::string code = std::string("\xc3").append(15, '\xcc') + "\xc3" + std::string(15, '\xcc');
    code += "\xff Go buildinf:";
    code.resize(kTable);
    return elf.of(code + table);
  }
};

std::map<uint64_t, std::string> go_functions(const std::string& file) {
  std::map<uint64_t, std::string> out;
  for (const CodeFunction& f : answer(Bytes(file), {.kind = CodeQuestion::kFunctions}).functions)
    if (!f.name.empty()) out[f.address] = f.name;
  return out;
}

const std::map<uint64_t, std::string> kBoth = {{kCode, "main"}, {kCode + 16, "open"}};

TEST(GoTable, Of12) {
  GoProgram go{.magic = 0xfffffffb};
  go.head(2);
  go.lists(false, 0, 0);
  EXPECT_EQ(go_functions(go.file()), kBoth);
}

TEST(GoTable, Of116) {
  GoProgram go{.magic = 0xfffffffa};
  go.head(2);
  const uint64_t list = 8 + 7 * 8;
  for (const uint64_t offset : {uint64_t{0}, list, list, list, list, list}) go.put(offset, 8);
  go.lists(false, list, list);
  EXPECT_EQ(go_functions(go.file()), kBoth);
}

TEST(GoTable, Of118And120) {
  for (const uint32_t magic : {0xfffffff0, 0xfffffff1}) {
    GoProgram go{.magic = magic};
    go.head(2);
    const uint64_t list = 8 + 8 * 8;
    for (const uint64_t value : {uint64_t{0}, kCode, list, list, list, list, list}) go.put(value, 8);
    go.lists(true, list, list);
    EXPECT_EQ(go_functions(go.file()), kBoth);
  }
}

TEST(GoTable, LiesEnd) {
  for (const uint64_t count : {uint64_t{0}, uint64_t{3}, uint64_t{1} << 21, ~uint64_t{0}}) {
    GoProgram go{.magic = 0xfffffffb};
    go.head(count);
    go.lists(false, 0, 0);
    const auto found = go_functions(go.file());
    EXPECT_EQ(found.size(), count == 0 || count > 1 << 22 ? 0u : 2u) << count;
  }
  GoProgram go{.magic = 0xfffffffb};
  go.head(2);
  go.lists(false, 0, 0);
  const std::string whole = go.file();
  for (size_t length = whole.size() - go.table.size(); length < whole.size(); ++length)
    EXPECT_LE(go_functions(whole.substr(0, length)).size(), 2u);
}

}  // namespace
}  // namespace assay::code
