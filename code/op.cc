// Relations turned round and mirrored.
#include "code/op.h"

namespace assay::code {

Relation opposite(Relation relation) {
  using enum Relation;
  constexpr Relation kOpposites[] = {kUnstated, kNotEqual,     kEqual,   kAboveEqual, kAbove, kBelowEqual,
                                     kBelow,    kGreaterEqual, kGreater, kLessEqual,  kLess};
  return kOpposites[static_cast<size_t>(relation)];
}

Relation mirrored(Relation relation) {
  using enum Relation;
  constexpr Relation kMirrored[] = {kUnstated,   kEqual,   kNotEqual,     kAbove, kAboveEqual, kBelow,
                                    kBelowEqual, kGreater, kGreaterEqual, kLess,  kLessEqual};
  return kMirrored[static_cast<size_t>(relation)];
}

}  // namespace assay::code
