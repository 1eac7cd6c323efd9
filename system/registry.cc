// Every analysis. Tree analyses run in this order: later ones read what earlier ones put into the facts.
#include "system/file.h"
#include "system/tree.h"

namespace assay::system {

// File analyses, alphabetical: each in the file of its name.

// Tree analyses, in the order they run.

namespace {

constexpr std::array<const FileAnalysis*, 0> kFileAnalyses{};
constexpr std::array<const TreeAnalysis*, 0> kTreeAnalyses{};

}  // namespace

std::span<const FileAnalysis* const> file_analyses() { return kFileAnalyses; }
std::span<const TreeAnalysis* const> tree_analyses() { return kTreeAnalyses; }

}  // namespace assay::system
