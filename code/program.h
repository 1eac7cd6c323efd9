// A program as its loader sees it: what is mapped where, which processor runs it, and where its own tables say that
// functions start. Read through segments, so that stripping the section table costs nothing; sections, where they are,
// narrow what is executable.
// Sources: System V gABI chapters 4 and 5; MIPS psABI (DT_MIPS_*, $gp = DT_PLTGOT + 0x7ff0); LSB .eh_frame_hdr; ARM
// EHABI.
#pragma once
#include "code/processor.h"
#include "elf/elf.h"

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
  bool executable = false;
  uint64_t end() const { return address + bytes.size(); }
};

struct Seed {
  uint64_t address = 0;
  Processor processor = Processor::kUnknown;
  Found found = Found::kCall;
  Sure sure = Sure::kHigh;
  uint64_t size = 0;  // as a symbol states it
  std::string name;
};

struct Program {
  Processor processor = Processor::kUnknown;
  Dialect dialect = Dialect::kUsual;
  Order order = Order::kLittle;  // of data
  uint32_t pointer = 4;
  uint64_t global_pointer = 0;   // MIPS; 0: none
  std::vector<Area> code, data;  // ascending; data: everything mapped, code too
  std::vector<Seed> seeds;
  std::vector<uint64_t> pointers;  // values of words that may point at functions, ascending
  std::vector<Error> problems;

  const Area* code_at(uint64_t address) const;
  // A word of `size` bytes of what is mapped.
  std::optional<uint64_t> word(uint64_t address, uint32_t size) const;
};

Result<Program> load(Bytes file);

// ARM code addresses carry the mode in bit 0; where nothing says it, the first words decide. Clears the bit.
Processor mode_at(const Program& program, uint64_t& address);

}  // namespace assay::code
