// Facts of one file, read from its content alone: the arrow "file". The same content gives the same facts wherever it
// lies, so nothing here may look at a name. `at.artifact` stays empty.
#pragma once
#include "core/facts.h"

namespace assay::system {

struct FileAnalysis {
  std::string_view id;
  uint32_t version;
  void (*run)(Bytes content, Facts& out);  // costs bounded by the content's size; problems go to out.problems
};
std::span<const FileAnalysis* const> file_analyses();

}  // namespace assay::system
