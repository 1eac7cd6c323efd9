// The ranges of the tree that no format explains, each with what it looks like (unpack/unknown.h).
#pragma once
#include "core/facts.h"
#include "engine/contents.h"

#include <functional>

namespace assay::engine {

// Of unknown and encrypted spans of 256 bytes and more, in the order of the tree. Adds a problem where its budget ends.
void describe_unknown_ranges(const std::vector<Artifact>& artifacts, const std::function<Bytes(const Place&)>& bytes_at,
                             Facts& facts);

}  // namespace assay::engine
