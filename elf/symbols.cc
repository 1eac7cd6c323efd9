// Symbol tables. The dynamic one is read as the loader reads it: without the section table, which sstrip removes.
#include "elf/elf.h"

#include <algorithm>

namespace assay::elf {
namespace {

constexpr uint64_t kHash = 4, kSymbols = 6, kStrings = 5, kStringsSize = 10, kGnuHash = 0x6ffffef5;  // DT_*
constexpr uint64_t kMipsSymbolCount = 0x70000011;                                                    // DT_MIPS_SYMTABNO
constexpr uint16_t kMips = 8, kAlpha = 0x9026, kS390 = 22;

uint64_t symbol_record(const Header& header) { return header.bits == 64 ? 24 : 16; }

Symbol read_symbol(Bytes r, const Header& h, Bytes names) {
  const auto word = [&](uint64_t at) -> uint64_t { return r.get<uint32_t>(at, h.order, "symbol").value_or(0); };
  const auto wide = [&](uint64_t at) -> uint64_t { return r.get<uint64_t>(at, h.order, "symbol").value_or(0); };
  const uint64_t base = h.bits == 64 ? 4 : 12;  // of info, other, section
  Symbol s;
  s.value = h.bits == 64 ? wide(8) : word(4);
  s.size = h.bits == 64 ? wide(16) : word(8);
  s.bind = r[base] >> 4;
  s.type = r[base] & 15;
  s.section = r.get<uint16_t>(base + 2, h.order, "symbol").value_or(0);
  if (const uint64_t at = word(0); at < names.size()) {
    const std::string_view rest = names.text().substr(at, kMaxName);
    s.name = rest.substr(0, rest.find('\0'));
  }
  return s;
}

std::vector<Symbol> read_symbols(Bytes table, const Header& header, Bytes names) {
  const uint64_t record = symbol_record(header);
  std::vector<Symbol> symbols;
  symbols.reserve(table.size() / record);
  for (uint64_t at = 0; at + record <= table.size(); at += record)
    symbols.push_back(read_symbol(table.head(record, at), header, names));
  return symbols;
}

// DT_HASH: the number of chains is the number of symbols. Its words are 8 bytes on Alpha and 64-bit S/390.
Result<uint64_t> count_by_hash(const File& file, uint64_t address) {
  const Header& h = file.header;
  const bool wide = h.bits == 64 && (h.machine == kAlpha || h.machine == kS390);
  const Bytes table = TRY(file.at_address(address, "DT_HASH"));
  if (wide) return table.get<uint64_t>(8, h.order, "number of chains");
  return TRY(table.get<uint32_t>(4, h.order, "number of chains"));
}

// DT_GNU_HASH: the last chain that a bucket starts ends with a value whose lowest bit is set; the table says nothing
// about symbols below its first one, which come before. Walking on from the highest bucket visits each chain word once.
Result<uint64_t> count_by_gnu_hash(const File& file, uint64_t address) {
  const Order order = file.header.order;
  const Bytes table = TRY(file.at_address(address, "DT_GNU_HASH"));
  const uint64_t buckets = TRY(table.get<uint32_t>(0, order, "number of buckets"));
  const uint64_t first = TRY(table.get<uint32_t>(4, order, "first symbol"));
  const uint64_t bloom = TRY(table.get<uint32_t>(8, order, "size of the Bloom filter"));
  const uint64_t start = 16 + bloom * (file.header.bits / 8);
  TRY(table.slice(start, buckets * 4, "buckets"));
  uint64_t last = 0;
  for (uint64_t i = 0; i < buckets; ++i)
    last = std::max<uint64_t>(last, TRY(table.get<uint32_t>(start + 4 * i, order, "bucket")));
  if (last < first) return first;
  for (const uint64_t chains = start + 4 * buckets;; ++last)
    if (TRY(table.get<uint32_t>(chains + 4 * (last - first), order, "chain")) & 1) return last + 1;
}

Result<uint64_t> symbol_count(const File& file, uint64_t symbols, uint64_t strings) {
  const auto hash = file.tag(kHash), gnu = file.tag(kGnuHash), mips = file.tag(kMipsSymbolCount);
  if (hash)
    if (const auto count = count_by_hash(file, *hash)) return *count;
  if (file.header.machine == kMips && mips) return *mips;
  if (gnu)
    if (const auto count = count_by_gnu_hash(file, *gnu)) return *count;
  for (const Section& s : file.sections)
    if (s.type == kDynamicSymbols) return s.size / symbol_record(file.header);
  // Every linker puts the strings behind the symbols; with nothing else left, that bounds them.
  if (strings > symbols) return (strings - symbols) / symbol_record(file.header);
  return fail(Fault::kMalformed, "nothing states the number of dynamic symbols", file.bytes.base());
}

}  // namespace

Result<std::vector<Symbol>> dynamic_symbols(const File& file) {
  const auto symbols = file.tag(kSymbols), strings = file.tag(kStrings);
  if (!symbols || !strings) return std::vector<Symbol>{};
  const Bytes table = TRY(file.at_address(*symbols, "dynamic symbols"));
  Bytes names = TRY(file.at_address(*strings, "dynamic string table"));
  if (const auto size = file.tag(kStringsSize)) names = names.head(*size);
  const uint64_t count = TRY(symbol_count(file, *symbols, *strings)), record = symbol_record(file.header);
  if (count > table.size() / record)
    return fail(Fault::kTruncated, "dynamic symbols: " + std::to_string(count) + " run past their segment",
                table.base());
  return read_symbols(table.head(count * record), file.header, names);
}

Result<std::vector<Symbol>> section_symbols(const File& file) {
  for (const Section& s : file.sections) {
    if (s.type != kSymbolTable) continue;
    const Bytes table = TRY(file.bytes.slice(s.offset, s.size, "symbol table"));
    if (s.link >= file.sections.size())
      return fail(Fault::kMalformed, "symbol table links to section " + std::to_string(s.link), table.base());
    const Section& strings = file.sections[s.link];
    return read_symbols(table, file.header, TRY(file.bytes.slice(strings.offset, strings.size, "symbol names")));
  }
  return std::vector<Symbol>{};
}

}  // namespace assay::elf
