// The fact root: one digest over all that an evaluation computed, so that whoever has the image can run the analyses
// again and compare, all of them or some.
//
// Each arrow that ran gives a leaf: the digest of what it read (the program, versions, keys, its input: the arrow's
// key, engine/inspect.h) and that of its result. The leaves stand in the order of their keys, and the root is RFC
// 6962's. The list itself is a statement beside the verdict, so that one arrow can be found in it and run again.
#pragma once
#include "certify/statement.h"
#include "engine/inspect.h"

namespace assay::certify {

// Predicate: {"factRoot": HEX, "arrows": [[NAME, WAY, KEY, RESULT], …]}
inline constexpr char kArrowsType[] = "urn:assay:arrows:v1";

struct FactRoot {
  Digest root;
  std::vector<engine::Arrow> arrows;  // by key, each once
};

FactRoot fact_root(std::vector<engine::Arrow> ran);
Statement arrows_statement(const Subject& image, const FactRoot& facts);
// Of such a statement's bytes; its root is computed again and compared.
Result<FactRoot> read_arrows(std::string_view statement, const std::string& file);

// What differs between what a certificate lists and what ran now, in words, most important first; "": nothing. With
// `all`, what is listed and did not run is a difference too.
std::string difference(const FactRoot& listed, const FactRoot& now, bool all);

}  // namespace assay::certify
