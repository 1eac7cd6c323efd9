// What can be asked of one program's machine code, and what comes back. A worker answers (code/answer.h); commands and
// the page print. Addresses are those of the file's own address space, nothing is relocated.
#pragma once
#include "core/facts.h"

namespace assay {

struct CodeQuestion {
  enum Kind : uint8_t {
    kFunctions,   // functions, jump tables, uses of strings
    kListing,     // the function that holds `address`
    kReferences,  // who uses `address`, or what is called `text`: a name, or a string that holds it
    kCalls,       // who calls whom
    kView,        // for a page: the functions, and the `listings` that say most, of at most `most` lines each
  };
  Kind kind = kFunctions;
  uint64_t address = 0;
  std::string text;  // "" : `address` is meant
  uint64_t listings = 0, most = 0;
  std::string form;              // of a listing: "" : instructions; "ir": with what each does beside it; "c": pseudo-C
  std::string cpu;               // "" : a program with a header; else raw bytes for this processor, or "guess"
  std::optional<uint64_t> base;  // of raw bytes: the address of the first; none: to be guessed
  FIELDS(v("kind", s.kind); v("address", s.address); v("text", s.text); v("listings", s.listings); v("most", s.most);
         v("form", s.form); v("cpu", s.cpu); v("base", s.base))
};

struct CodeFunction {
  uint64_t address = 0, size = 0;
  std::string name;  // demangled; "" : the file has none
  std::string processor, found_by, confidence;
  FIELDS(v("address", s.address); v("size", s.size); v("name", s.name); v("processor", s.processor);
         v("found_by", s.found_by); v("confidence", s.confidence))
};

struct CodeTable {  // of a jump through a table
  uint64_t address = 0, table = 0;
  std::vector<uint64_t> targets;  // ascending, each once
  FIELDS(v("address", s.address); v("table", s.table); v("targets", s.targets))
};

struct CodeReference {  // an instruction that uses an address
  uint64_t from = 0, to = 0;
  uint64_t function = 0;  // that holds the instruction; its start
  std::string in;         // that function's name
  std::string shows;      // the string, or the name of what is there
  FIELDS(v("from", s.from); v("to", s.to); v("function", s.function); v("in", s.in); v("shows", s.shows))
};

struct CodeCall {
  uint64_t function = 0, from = 0;  // start of the caller; the instruction
  uint64_t to = 0;                  // 0: not known, or outside of the file
  std::string caller, callee;       // names; a callee outside of the file has nothing else
  std::string how;                  // direct, indirect, tail; callback: its address is handed over
  FIELDS(v("function", s.function); v("from", s.from); v("to", s.to); v("caller", s.caller); v("callee", s.callee);
         v("how", s.how))
};

struct CodeLine {
  uint64_t address = 0;
  std::string text, note;               // the instruction; what its operands stand for
  std::vector<std::string> operations;  // what it does in the intermediate language
  FIELDS(v("address", s.address); v("text", s.text); v("note", s.note); v("operations", s.operations))
};

struct CodeBlock {  // instructions that run one after the other
  uint64_t start = 0, end = 0;
  std::vector<uint64_t> next;  // starts of the blocks that may follow
  FIELDS(v("start", s.start); v("end", s.end); v("next", s.next))
};

struct CodeListing {
  CodeFunction function;
  std::vector<CodeLine> lines;
  std::vector<CodeBlock> blocks;
  std::vector<CodeCall> callers;
  uint64_t lines_left_off = 0, callers_left_off = 0;
  std::string simplified;  // what the simplifier counted, a line each
  std::string refused;     // why there is no listing in the form that was asked for
  FIELDS(v("function", s.function); v("lines", s.lines); v("blocks", s.blocks); v("callers", s.callers);
         v("lines_left_off", s.lines_left_off); v("callers_left_off", s.callers_left_off);
         v("simplified", s.simplified); v("refused", s.refused))
};

struct CodeAnswer {     // what was not asked for is empty
  std::string refused;  // not empty: nothing could be said, and why
  std::string raw;      // of raw bytes: what they were read as, and how it was guessed
  CodeUnit unit;
  std::vector<CodeFunction> functions;
  std::vector<CodeTable> tables;
  std::vector<CodeReference> references;
  std::vector<CodeCall> calls;
  std::vector<CodeListing> listings;
  uint64_t listings_left_off = 0;
  uint64_t places_left_off = 0;  // strings that hold the text, beyond those looked at
  FIELDS(v("refused", s.refused); v("raw", s.raw); v("unit", s.unit); v("functions", s.functions);
         v("tables", s.tables); v("references", s.references); v("calls", s.calls); v("listings", s.listings);
         v("listings_left_off", s.listings_left_off); v("places_left_off", s.places_left_off))
};

struct CodeView {        // of one program, for the page
  std::string artifact;  // way
  CodeAnswer answer;
};
struct CodeViews {
  std::vector<CodeView> programs;
  uint64_t left_off = 0;  // programs with code that are not shown
};

}  // namespace assay
