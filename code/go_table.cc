#include "code/go_table.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr uint32_t kGo12 = 0xfffffffb, kGo116 = 0xfffffffa, kGo118 = 0xfffffff0, kGo120 = 0xfffffff1;
constexpr uint64_t kLongestName = 4096, kMostFunctions = 1 << 22;

class GoTable {
 public:
  // `at`: the address of what may be a table.
  GoTable(const Program& program, uint64_t at) : program_(program), at_(at), area_(*program.data_at(at)) {}

  // Whether the header is one and the first functions ascend within code.
  bool read_header() {
    const uint32_t p = program_.pointer;
    const auto magic = number(0, 4);
    if (!magic || byte(4) != 0 || byte(5) != 0 || (byte(6) != 1 && byte(6) != 2 && byte(6) != 4) || byte(7) != p)
      return false;
    const auto field = [&](uint64_t index) { return number(8 + index * p, p).value_or(0); };
    offsets_ = *magic == kGo118 || *magic == kGo120;
    count_ = field(0);
    if (*magic == kGo12) {
      list_ = 8 + p, rows_ = 0, names_ = 0;
    } else if (*magic == kGo116) {
      names_ = field(2), rows_ = list_ = field(6);
    } else if (offsets_) {
      text_ = text_start(8 + uint64_t{2} * p), names_ = field(3), rows_ = list_ = field(7);
    } else {
      return false;
    }
    if (count_ == 0 || count_ > kMostFunctions) return false;
    const auto first = start_of(0), second = start_of(1);
    return first && second && *first < *second && program_.code_at(*first);
  }

  void seed_all(Program& program) const {
    for (uint64_t i = 0; i < count_; ++i) {
      const auto start = start_of(i), next = start_of(i + 1);
      if (!start || !next || *next < *start) return;
      seed(program, *start, Found::kGoTable, Sure::kCertain, *next - *start, name_of_row(i));
    }
  }

 private:
  std::optional<uint64_t> number(uint64_t offset, uint32_t size) const {
    if (offset > area_.bytes.size()) return std::nullopt;
    return program_.word(at_ + offset, size);
  }
  uint64_t byte(uint64_t offset) const { return number(offset, 1).value_or(0xff); }
  uint32_t entry_size() const { return offsets_ ? 4 : program_.pointer; }

  // Of position-independent programs the dynamic linker writes it.
  uint64_t text_start(uint64_t offset) const {
    const Filled* filled = program_.filled_at(at_ + offset);
    return filled ? filled->value : number(offset, program_.pointer).value_or(0);
  }
  std::optional<uint64_t> start_of(uint64_t index) const {
    const uint64_t offset = list_ + index * 2 * entry_size();
    if (offsets_) {
      const auto value = number(offset, 4);
      return value ? std::optional(text_ + *value) : std::nullopt;
    }
    const Filled* filled = program_.filled_at(at_ + offset);
    return filled ? filled->value : number(offset, program_.pointer);
  }
  // The row of a function begins with its start, then says where its name is.
  std::string_view name_of_row(uint64_t index) const {
    const auto row = number(list_ + (index * 2 + 1) * entry_size(), entry_size());
    const auto name = row ? number(rows_ + *row + entry_size(), 4) : std::nullopt;
    if (!name || names_ + *name >= area_.bytes.size()) return {};
    const uint64_t from = at_ - area_.address + names_ + *name;
    const std::string_view rest = area_.bytes.head(kLongestName, from).text();
    const size_t end = rest.find('\0');
    return end == rest.npos ? std::string_view() : rest.substr(0, end);
  }

  const Program& program_;
  uint64_t at_;
  const Area& area_;
  bool offsets_ = false;  // starts count from text_, in 4 bytes
  uint64_t count_ = 0, text_ = 0, names_ = 0;
  uint64_t list_ = 0, rows_ = 0;  // of pairs (start, row); what rows count from
};

bool is_magic(uint64_t value) { return value == kGo12 || value == kGo116 || value == kGo118 || value == kGo120; }

// Linkers align it to 32 bytes; 4 are looked at, for other tools move sections.
std::optional<GoTable> find_table(const Program& program) {
  for (const Area& area : program.data)
    for (uint64_t i = 0; i + 8 <= area.bytes.size(); i += 4) {
      const uint64_t at = area.address + i;
      if (area.bytes[i + 4] != 0 || area.bytes[i + 7] != program.pointer || area.bytes[i + 1] != 0xff) continue;
      if (!is_magic(program.word(at, 4).value_or(0))) continue;
      if (GoTable table(program, at); table.read_header()) return table;
    }
  return std::nullopt;
}

}  // namespace

void seed_go(const elf::File& file, Program& program) {
  // The build's own mark is in every Go program; nothing else is searched.
  const bool named =
      file.section(".gopclntab") || file.section(".data.rel.ro.gopclntab") || file.section(".note.go.buildid");
  const bool marked = named || file.bytes.text().find("\xff Go buildinf:") != std::string_view::npos;
  if (!marked) return;
  if (const auto table = find_table(program)) table->seed_all(program);
}

}  // namespace assay::code
