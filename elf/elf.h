// The reader of ELF files that unpacking, the analyses of files and the reading of machine code share.
//
// Layout (System V ABI, chapters 4 and 5; the same fields in 32 and 64 bits, little- and big-endian):
//   0    "\x7fELF", class (1: 32 bits, 2: 64), order (1: little, 2: big), version 1, OS ABI
//   16   type, machine, version, entry, offsets of the segment and section tables, flags, sizes and counts
// Equipment ships ELF files without section tables (sstrip), so all that the loader needs is read through the segments
// and PT_DYNAMIC; sections add to it where they are.
// Source: System V ABI 4.1 and gABI drafts; MIPS psABI 3rd edition (DT_MIPS_*); binutils include/elf/*.h for numbers.
#pragma once
#include "core/bytes.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::elf {

// Names are cut here, so that a million symbols sharing one endless name cost no more than their number.
constexpr uint64_t kMaxName = 4096;

constexpr uint16_t kRelocatable = 1, kExecutable = 2, kShared = 3, kCore = 4;  // e_type

constexpr uint32_t kLoad = 1, kDynamicSegment = 2, kInterpreter = 3, kNoteSegment = 4;  // p_type
constexpr uint32_t kGnuStack = 0x6474e551, kGnuRelro = 0x6474e552;
constexpr uint32_t kExecute = 1, kWrite = 2, kRead = 4;  // p_flags

constexpr uint32_t kSymbolTable = 2, kStringTable = 3, kNoBits = 8, kDynamicSymbols = 11;  // sh_type
constexpr uint64_t kSectionAllocated = 2, kSectionExecutable = 4;                          // sh_flags

struct Header {
  uint32_t bits = 0;  // 32 or 64
  Order order = Order::kLittle;
  uint8_t abi = 0;
  uint16_t type = 0, machine = 0;
  uint64_t entry = 0, segment_offset = 0, section_offset = 0;
  uint32_t flags = 0;
  uint16_t header_size = 0, segment_size = 0, section_size = 0;
  uint32_t segment_count = 0, section_count = 0, name_section = 0;  // extended numbering resolved
};

struct Segment {
  uint32_t type = 0, flags = 0;
  uint64_t offset = 0, address = 0, file_size = 0, memory_size = 0;
};

struct Section {
  std::string_view name;  // in the file's bytes
  uint32_t type = 0, link = 0, info = 0;
  uint64_t flags = 0, address = 0, offset = 0, size = 0, entry_size = 0;
};

struct Dynamic {
  uint64_t tag = 0, value = 0;
};

struct Symbol {
  std::string_view name;  // in the file's bytes
  uint64_t value = 0, size = 0;
  uint8_t bind = 0, type = 0;  // STB_*, STT_*
  uint16_t section = 0;        // 0: undefined
};
constexpr uint8_t kBindLocal = 0, kTypeFunction = 2, kTypeSection = 3;

// A view: `bytes` must outlive it, and so must every string_view taken out of it.
struct File {
  Bytes bytes;
  Header header;
  std::vector<Segment> segments;
  std::vector<Section> sections;
  std::vector<Dynamic> dynamic;  // up to DT_NULL
  std::vector<Error> problems;   // what could not be read; the rest was

  const Segment* segment(uint32_t type) const;  // the first of the type
  const Section* section(std::string_view name) const;
  std::optional<uint64_t> tag(uint64_t tag) const;  // the first entry
  // File bytes behind a virtual address, as far as the segment that holds it reaches in the file.
  Result<Bytes> at_address(uint64_t address, std::string_view field) const;
  // Text of the dynamic string table.
  Result<std::string_view> dynamic_text(uint64_t offset, std::string_view field) const;
};

// Fails only where the header itself is no ELF header; damaged tables are problems.
Result<File> read(Bytes bytes);

// Symbols of PT_DYNAMIC. Their number is nowhere stored: it comes from DT_HASH, DT_MIPS_SYMTABNO, DT_GNU_HASH or the
// section table, in this order, and is bounded by what the file can hold. No dynamic table: an empty vector.
Result<std::vector<Symbol>> dynamic_symbols(const File& file);
// Symbols of SHT_SYMTAB; none: an empty vector.
Result<std::vector<Symbol>> section_symbols(const File& file);

// The length of the file as its own tables state it, and whether all its fields agree with each other.
struct Extent {
  uint64_t length = 0;
  bool consistent = false;
};
Result<Extent> measure(Bytes from);

std::string machine_name(const Header& header);  // "mips", "x86-64", …; "machine 123" for one we have no word for
std::string_view type_name(uint16_t type);       // executable, shared, relocatable, core, other

}  // namespace assay::elf
