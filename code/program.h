// A program as its loader sees it: what is mapped where, which processor runs it, and where its own tables say that
// functions start. Read through segments, so that stripping the section table costs nothing; sections, where they are,
// narrow what is executable.
// Sources: System V gABI chapters 4 and 5; MIPS psABI (DT_MIPS_*, $gp = DT_PLTGOT + 0x7ff0); LSB .eh_frame_hdr; ARM
// EHABI.
#pragma once
#include "code/processor.h"
#include "elf/elf.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace assay::code {

enum class Found : uint8_t {
  kSymbol,
  kDynamicSymbol,
  kEntry,
  kInit,
  kUnwind,
  kGoTable,
  kCall,
  kTailCall,
  kPointer,
  kPrologue,
  kGap
};
std::string_view name_of(Found found);
// Ascending doubt.
enum class Sure : uint8_t { kCertain, kHigh, kMedium };
std::string_view name_of(Sure sure);

struct Area {  // bytes of the file that are mapped
  uint64_t address = 0;
  Bytes bytes;
  bool executable = false, writable = false;
  uint64_t end() const { return address + bytes.size(); }
};

struct Seed {
  uint64_t address = 0;
  Processor processor = Processor::kUnknown;  // ARM's unwind table: not said
  Found found = Found::kCall;
  Sure sure = Sure::kHigh;
  uint64_t size = 0;  // as a symbol states it
  std::string name;
};

// What the dynamic linker provides.
struct Import {
  std::string name;
  uint64_t slot = 0;  // the first word that will hold its address; 0: none is known
  uint64_t stub = 0;  // the first code that leads to it (PLT, MIPS stub); 0: none
};

constexpr uint32_t kNoImport = ~uint32_t{0};
constexpr uint64_t kImportSize = 16;  // bytes between the places of two imports in Program::outside

// A word that the dynamic linker fills: with the address of an import, or with `value`.
struct Filled {
  uint64_t address = 0, value = 0;
  uint32_t import = kNoImport;  // Program::imports
};

struct Range {
  uint64_t from = 0, to = 0;
  bool holds(uint64_t address) const { return address >= from && address < to; }
};

constexpr uint64_t kGpBias = 0x7ff0;  // MIPS: of $gp, from where its table of offsets begins

struct Program {
  Processor processor = Processor::kUnknown;
  Dialect dialect = Dialect::kUsual;
  bool micro_mips = false;       // EF_MIPS_MICROMIPS: the other mode of MIPS is that; else it can only be MIPS16e
  Order order = Order::kLittle;  // of data
  uint32_t pointer = 4;
  uint64_t global_pointer = 0;   // MIPS, RISC-V; 0: none
  uint64_t offset_table = 0;     // DT_PLTGOT; 0: none
  std::vector<Area> code, data;  // ascending; data: everything mapped, code too
  std::vector<Seed> seeds;
  std::vector<uint64_t> pointers;  // values of words that may point at functions, ascending
  std::vector<uint64_t> literals;  // of words within ARM's code, which may be distances or instructions too; ascending
  std::vector<Import> imports;
  Range outside;  // object files: a place of kImportSize bytes for each import; empty: none
  std::shared_ptr<const std::vector<std::byte>> linked;  // object files: their bytes, relocated
  std::vector<Filled> filled;                            // ascending by address
  std::vector<Range> unwound;    // each one function's, or a piece's, as .eh_frame states; ascending, apart
  std::vector<Range> constants;  // mapped and never written once the program runs; ascending, apart
  bool has_sections = false;     // they tell code from stubs and constants
  bool is_raw = false;           // bytes without a header: code and data lie anywhere in them
  bool moves = false;            // no address of it is fixed: position-independent
  std::vector<Error> problems;

  const Area* data_at(uint64_t address) const;
  const Filled* filled_at(uint64_t address) const;
  bool constant(uint64_t address) const;
  const Range* unwound_at(uint64_t address) const;
  uint32_t import_at(uint64_t address) const;  // whose place in `outside` this is; kNoImport: nobody's
  const Area* code_at(uint64_t address) const;
  // A word of `size` bytes (1, 2, 4, 8) of what is mapped.
  std::optional<uint64_t> word(uint64_t address, uint32_t size) const;
};

Result<Program> load(Bytes file);

std::string hexadecimal(uint64_t address);  // as people read it: 0x…

// ARM code addresses carry the mode in bit 0, which is cleared.
Processor mode_at(const Program& program, uint64_t& address);

// For readers of tables: a function starts there, if code lies there.
void seed(Program& program, uint64_t address, Found found, Sure sure, uint64_t size = 0, std::string_view name = {});
// When all of Program::pointers are collected: ascending and each once.
void settle_pointers(Program& program);

}  // namespace assay::code
