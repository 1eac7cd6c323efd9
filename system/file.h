// Facts of one file, read from its content alone: the arrow "file". The same content gives the same facts wherever it
// lies, so nothing here may look at a name. `at.artifact` stays empty.
#pragma once
#include "core/facts.h"
#include "system/marks.h"

namespace assay::system {

struct FileAnalysis {
  std::string_view id;
  uint32_t version;
  // Costs bounded by the content's size; problems go to out.problems. `marks`: where this analysis' words occur.
  void (*run)(Bytes content, const Marks& marks, Facts& out);
  std::span<const std::string_view> (*words)() = nullptr;  // of four bytes at least; none: it looks for no literals
};
std::span<const FileAnalysis* const> file_analyses();

// All analyses in the registry's order, the words of all of them looked for in one pass; or one analysis alone.
void read_facts(Bytes content, Facts& out);
void read_facts(const FileAnalysis& analysis, Bytes content, Facts& out);

}  // namespace assay::system
