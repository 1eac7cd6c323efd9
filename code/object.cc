#include "code/object.h"

#include "code/relocation.h"

#include <algorithm>
#include <map>

namespace assay::code {
namespace {

constexpr uint16_t kMachineMips = 8, kMachinePpc = 20, kMachineAArch64 = 183;      // e_machine
constexpr uint16_t kUndefined = 0, kReserved = 0xff00, kAbsoluteSection = 0xfff1;  // st_shndx
constexpr uint32_t kPltCall = 18;                                                  // R_PPC_PLTREL24
constexpr uint32_t kRela = 4, kRel = 9;                                            // sh_type
constexpr uint64_t kSectionWritable = 1, kAlignment = 64, kMostUnwritten = 64 << 20;
constexpr uint64_t kMipsPage = 0xffff;

uint64_t aligned(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

struct Placed {
  uint64_t address = 0;
  std::span<std::byte> bytes;
  bool there = false;
};

// One record of a relocation section.
struct Record {
  uint64_t at = 0;  // in its section
  uint32_t type = 0, symbol = 0;
  std::optional<int64_t> addend;  // none: the field holds it
};

class ObjectLinker {
 public:
  ObjectLinker(const elf::File& file, Program program) : file_(file), program_(std::move(program)) {}

  Result<Program> run() {
    symbols_ = TRY(elf::section_symbols(file_));
    place_sections();
    place_symbols();
    place_table();
    records_left_ = 2 * file_.bytes.size();
    for (const elf::Section& s : file_.sections)
      if (s.type == kRela || s.type == kRel) relocate(s);
    say_what_was_left();
    give_areas();
    give_seeds();
    give_pointers();
    return std::move(program_);
  }

 private:
  void problem(Fault fault, std::string what, uint64_t offset) {
    program_.problems.push_back({fault, std::move(what), offset});
  }
  static bool is_loaded(const elf::Section& s) { return (s.flags & elf::kSectionAllocated) != 0; }

  // The bytes of all sections, in one piece. Sections may state the same bytes again and again: twice the file at most.
  void place_sections() {
    sections_.resize(file_.sections.size());
    uint64_t left = 2 * file_.bytes.size(), next = 0;
    std::vector<uint64_t> starts(sections_.size());
    for (size_t i = 0; i < sections_.size(); ++i) {
      const elf::Section& s = file_.sections[i];
      if (!is_loaded(s) || s.type == elf::kNoBits) continue;
      const Bytes bytes = file_.bytes.head(s.size, s.offset);
      if (bytes.size() < s.size)
        problem(Fault::kTruncated, "section " + std::string(s.name) + " runs past the end of the file", s.offset);
      if (bytes.size() > left) {
        problem(Fault::kLimit, "loaded bytes exceed twice the file, the rest is not read", s.offset);
        break;
      }
      left -= bytes.size();
      starts[i] = next;
      sections_[i] = {kObjectBase + next, std::span(static_cast<std::byte*>(nullptr), bytes.size()), true};
      next = aligned(next + bytes.size(), kAlignment);
    }
    memory_ = std::make_shared<std::vector<std::byte>>(next);
    for (size_t i = 0; i < sections_.size(); ++i) {
      if (!sections_[i].there) continue;
      sections_[i].bytes = std::span(*memory_).subspan(starts[i], sections_[i].bytes.size());
      const Bytes bytes = file_.bytes.head(file_.sections[i].size, file_.sections[i].offset);
      std::ranges::copy(bytes.span(), sections_[i].bytes.begin());
    }
    next_ = kObjectBase + next;
    for (size_t i = 0; i < sections_.size(); ++i) {
      const elf::Section& s = file_.sections[i];
      if (!is_loaded(s) || s.type != elf::kNoBits) continue;
      if (s.size > kMostUnwritten)
        problem(Fault::kLimit, "section " + std::string(s.name) + " is larger than 64 MiB and gets no place", s.offset);
      else
        sections_[i] = {reserve(s.size), {}, true};
    }
  }

  uint64_t reserve(uint64_t size) {
    const uint64_t at = next_;
    if (next_ - kObjectBase > kMostUnwritten * 2) return at;  // what lies there shares its place
    next_ = aligned(next_ + size, kAlignment);
    return at;
  }

  // What the file lacks: one import a name.
  void place_symbols() {
    addresses_.resize(symbols_.size());
    std::map<std::string_view, uint64_t> outside;
    for (const elf::Symbol& s : symbols_)
      if (s.section == kUndefined && !s.name.empty() && !is_own(s.name)) outside.try_emplace(s.name, outside.size());
    program_.outside = {next_, next_ + outside.size() * kImportSize};
    next_ = aligned(program_.outside.to, kAlignment);
    program_.imports.resize(outside.size());
    for (const auto& [name, index] : outside)
      program_.imports[index] = {.name = std::string(name), .stub = program_.outside.from + index * kImportSize};
    for (size_t i = 0; i < symbols_.size(); ++i) addresses_[i] = address_of(symbols_[i], outside);
  }

  // Names that stand for the table of offsets.
  static bool is_own(std::string_view name) { return name == "_gp_disp" || name == "_GLOBAL_OFFSET_TABLE_"; }

  std::optional<uint64_t> address_of(const elf::Symbol& s, const std::map<std::string_view, uint64_t>& outside) {
    if (s.section == kUndefined) {
      const auto at = outside.find(s.name);
      return at == outside.end() ? 0 : program_.outside.from + at->second * kImportSize;
    }
    if (s.section == kAbsoluteSection) return s.value;
    if (s.section >= kReserved) return reserve(std::min<uint64_t>(s.size, kMostUnwritten));  // common: room for it
    if (s.section >= sections_.size() || !sections_[s.section].there) return std::nullopt;
    return sections_[s.section].address + s.value;
  }

  template <class Do>
  void each_record(const elf::Section& section, Do work) {
    const bool wide = program_.pointer == 8, has_addend = section.type == kRela;
    const uint64_t record = uint64_t{program_.pointer} * (has_addend ? 3 : 2);
    const Bytes all = file_.bytes.head(std::min(section.size, records_left_), section.offset);
    if (all.size() < section.size)
      problem(Fault::kTruncated, "relocations run past the end of the file, or are more than twice as long",
              section.offset);
    records_left_ -= all.size();
    for (uint64_t i = 0; i + record <= all.size(); i += record) {
      const auto word = [&](uint64_t at) {
        return wide ? all.get<uint64_t>(i + at, program_.order, "relocation").value_or(0)
                    : all.get<uint32_t>(i + at, program_.order, "relocation").value_or(0);
      };
      const uint64_t info = word(program_.pointer);
      Record r{.at = word(0)};
      r.type = static_cast<uint32_t>(wide ? info & 0xffffffff : info & 0xff);
      r.symbol = static_cast<uint32_t>(wide ? info >> 32 : info >> 8);
      if (wide && file_.header.machine == kMachineMips) {  // symbol, special symbol, three types, each as stored
        r.symbol = all.get<uint32_t>(i + 8, program_.order, "symbol").value_or(0);
        r.type = all.get<uint32_t>(i + 12, Order::kBig, "types").value_or(0);
      }
      if (has_addend)
        r.addend = static_cast<int64_t>(
            wide ? word(16) : static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(word(8)))));
      work(r, all.base() + i);
    }
  }

  static bool wants_table(Formula f) {
    using enum Formula;
    return f == kFromTable || f == kTable || f == kOffset || f == kEntry || f == kEntryRelative || f == kEntryPages ||
           f == kFromPointer || f == kPointerOffset || f == kPagePointer || f == kBackToPointer;
  }

  // As many words as relocations ask for one.
  void place_table() {
    records_left_ = 2 * file_.bytes.size();
    uint64_t wanted = 0;
    bool any = false;
    for (const elf::Section& s : file_.sections) {
      if ((s.type != kRela && s.type != kRel) || s.info >= sections_.size() || !sections_[s.info].there) continue;
      each_record(s, [&](const Record& r, uint64_t) {
        const RelocationRecipe* recipe = recipe_of(file_.header.machine, r.type);
        if (recipe && wants_table(recipe->formula)) ++wanted;
        any |= r.symbol < symbols_.size() && is_own(symbols_[r.symbol].name);
      });
    }
    if (wanted == 0 && !any) return;
    table_ = {next_, next_ + wanted * program_.pointer};
    next_ = aligned(table_.to, kAlignment);
    if (file_.header.machine == kMachineMips) program_.global_pointer = table_.from + kGpBias;
    program_.offset_table = table_.from;
  }

  // The word of the table that holds `value`.
  uint64_t entry(uint64_t value) {
    const auto [at, fresh] = entries_.try_emplace(value, table_.from + entries_.size() * program_.pointer);
    if (fresh) fill(at->second, value);
    return at->second;
  }

  void fill(uint64_t at, uint64_t value) {
    const uint32_t import = program_.import_at(value);
    program_.filled.push_back({at, import == kNoImport ? value : 0, import});
  }

  void relocate(const elf::Section& section) {
    if (section.info >= sections_.size() || sections_[section.info].bytes.empty()) return;
    target_ = sections_[section.info];
    high_.clear();
    each_record(section, [&](const Record& r, uint64_t offset) {
      if (!apply(r) && ++left_ == 1) first_left_ = {r.type, offset};
    });
    for (const auto& [symbol, waiting] : high_) {
      if (left_ == 0) first_left_ = {waiting[0].record.type, section.offset};
      left_ += waiting.size();
    }
  }

  bool apply(const Record& r) {
    const RelocationRecipe* recipe = recipe_of(file_.header.machine, r.type);
    if (!recipe || r.symbol >= symbols_.size() || !addresses_[r.symbol]) return false;
    if (recipe->formula == Formula::kNothing) return true;
    if (r.at > target_.bytes.size() || size_of(recipe->field) > target_.bytes.size() - r.at) return false;
    const auto bytes = target_.bytes.subspan(r.at);
    const int64_t stored = addend_in(recipe->field, recipe->shift, bytes, order_of(recipe->field));
    if (file_.header.machine == kMachineMips && !r.addend && is_half_of_pair(*recipe, r)) {
      high_[r.symbol].push_back({r, *recipe, stored << 16});
      return true;
    }
    // PowerPC's calls through the PLT: the addend says which table $30 points at, not where to.
    const bool through_plt = file_.header.machine == kMachinePpc && r.type == kPltCall;
    const int64_t addend = through_plt ? 0 : r.addend.value_or(stored);
    if (recipe->field == Field::kMipsLow && recipe->formula == Formula::kAbsolute) finish_highs(r.symbol, addend);
    write(r, *recipe, addend);
    return true;
  }

  // MIPS: the upper half of an address whose lower half is stated by the next record of the same symbol.
  bool is_half_of_pair(const RelocationRecipe& recipe, const Record& r) const {
    constexpr uint32_t kGot16 = 9;
    return recipe.field == Field::kMipsHigh || (r.type == kGot16 && symbols_[r.symbol].bind == elf::kBindLocal);
  }
  void finish_highs(uint32_t symbol, int64_t low) {
    const auto waiting = high_.find(symbol);
    if (waiting == high_.end()) return;
    for (const High& h : waiting->second) write(h.record, h.recipe, h.addend + low);
    high_.erase(waiting);
  }

  void write(const Record& r, const RelocationRecipe& recipe, int64_t addend) {
    const uint64_t value = value_of(r, recipe, static_cast<uint64_t>(addend));
    if (recipe.field == Field::kRvHigh) stated_[target_.address + r.at] = value;
    put(recipe.field, recipe.shift, value, target_.bytes.subspan(r.at), order_of(recipe.field));
    const bool pointer =
        size_of(recipe.field) == program_.pointer && (recipe.field == Field::kWord || recipe.field == Field::kLong);
    if (pointer && recipe.formula == Formula::kAbsolute) fill(target_.address + r.at, value);
  }

  uint64_t value_of(const Record& r, const RelocationRecipe& recipe, uint64_t addend) {
    using enum Formula;
    constexpr uint64_t kPage = 0xfff;
    const uint64_t at = target_.address + r.at, gp = program_.global_pointer;
    const std::string_view name = symbols_[r.symbol].name;
    const uint64_t symbol =
        is_own(name) && symbols_[r.symbol].section == kUndefined ? table_.from : *addresses_[r.symbol];
    // _gp_disp: the way from here, or from one instruction before, to what $gp points at.
    if (name == "_gp_disp" && file_.header.machine == kMachineMips)
      return gp - at + addend + (recipe.field == Field::kMipsLow ? 4 : 0);
    const uint64_t sum = symbol + addend;
    switch (recipe.formula) {
      case kNothing:
      case kAbsolute:
        return sum;
      case kRelative:
        return sum - at;
      case kFromTable:
        return sum - table_.from;
      case kTable:
        return table_.from + addend - at;
      case kOffset:
        return entry(symbol) + addend - table_.from;
      case kEntry:
        return entry(symbol) + addend;
      case kEntryRelative:
        return entry(symbol) + addend - at;
      case kPages:
        return (sum & ~kPage) - (at & ~kPage);
      case kEntryPages:
        return (entry(symbol) & ~kPage) - (at & ~kPage);
      case kFromPointer:
        return sum - gp;
      case kAdd:
      case kSubtract:
        return static_cast<uint64_t>(addend_in(recipe.field, 0, target_.bytes.subspan(r.at), program_.order)) +
               (recipe.formula == kAdd ? sum : -sum);
      case kLowOfOther:
        return stated_.contains(symbol) ? stated_.at(symbol) : 0;
      case kPointerOffset:
        if (!is_half_of_pair(recipe, r)) return entry(sum) - gp;
        [[fallthrough]];
      case kPagePointer:
        return entry((sum + 0x8000) & ~kMipsPage) - gp;
      case kBackToPointer:
        return gp - sum;
    }
    return sum;
  }

  // AArch64's instructions are little-endian whatever its data are.
  Order order_of(Field field) const {
    return file_.header.machine == kMachineAArch64 && field >= Field::kA64Branch26 ? Order::kLittle : program_.order;
  }

  void say_what_was_left() {
    if (left_ == 0) return;
    problem(Fault::kUnsupported,
            std::to_string(left_) + (left_ == 1 ? " relocation is" : " relocations are") +
                " not applied, the first of type " + std::to_string(first_left_.type),
            first_left_.offset);
  }

  void give_areas() {
    program_.linked = memory_;
    for (size_t i = 0; i < sections_.size(); ++i) {
      const elf::Section& s = file_.sections[i];
      if (sections_[i].bytes.empty()) continue;
      const bool executable = (s.flags & elf::kSectionExecutable) != 0, writable = (s.flags & kSectionWritable) != 0;
      const Area area{sections_[i].address, Bytes(std::span<const std::byte>(sections_[i].bytes), s.offset), executable,
                      writable};
      program_.data.push_back(area);
      if (executable) program_.code.push_back(area);
      if (!writable || s.name.starts_with(".data.rel.ro") || s.name == ".got2")
        program_.constants.push_back({area.address, area.end()});
    }
    if (table_.to > table_.from) program_.constants.push_back(table_);
    program_.has_sections = true;
  }

  void give_seeds() {
    for (size_t i = 0; i < symbols_.size(); ++i) {
      const elf::Symbol& s = symbols_[i];
      if (s.type == elf::kTypeFunction && s.section != kUndefined && s.section < kReserved && addresses_[i])
        seed(program_, *addresses_[i], Found::kSymbol, Sure::kCertain, s.size, s.name);
    }
  }

  void give_pointers() {
    std::ranges::stable_sort(program_.filled, {}, &Filled::address);
    const auto rest = std::ranges::unique(program_.filled, {}, &Filled::address);
    program_.filled.erase(rest.begin(), rest.end());
    for (const Filled& f : program_.filled) {
      const bool page = table_.holds(f.address) && file_.header.machine == kMachineMips && (f.value & kMipsPage) == 0;
      if (f.import == kNoImport && !page && program_.code_at(f.value)) program_.pointers.push_back(f.value);
    }
    settle_pointers(program_);
  }

  struct High {
    Record record;
    RelocationRecipe recipe;
    int64_t addend = 0;
  };
  struct Left {
    uint32_t type = 0;
    uint64_t offset = 0;
  };

  const elf::File& file_;
  Program program_;
  std::vector<elf::Symbol> symbols_;
  std::vector<std::optional<uint64_t>> addresses_;  // of symbols; none: in a section that is not loaded
  std::vector<Placed> sections_;
  std::shared_ptr<std::vector<std::byte>> memory_;
  uint64_t next_ = kObjectBase;  // the first address that is free
  Range table_;
  std::map<uint64_t, uint64_t> entries_;        // of the table, by what they hold
  Placed target_;                               // the section that is being relocated
  std::map<uint32_t, std::vector<High>> high_;  // by symbol
  std::map<uint64_t, uint64_t> stated_;         // RISC-V: by the address of an auipc, how far it leads
  uint64_t records_left_ = 0;                   // bytes of them: sections may state the same ones again and again
  uint64_t left_ = 0;
  Left first_left_;
};

}  // namespace

Result<Program> load_object(const elf::File& file, Program program) {
  program = TRY(ObjectLinker(file, std::move(program)).run());
  if (program.code.empty()) return fail(Fault::kUnsupported, "nothing in the file is executable", file.bytes.base());
  return program;
}

}  // namespace assay::code
