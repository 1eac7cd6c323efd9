// Which program this is: what a result must not outlive.
#pragma once
#include <string>

namespace assay::engine {

// What every key starts with: the program's version and, for one that is not released, its build id: a digest of all
// that was linked, which the linker left in it. Where it left none, the digest of the program's file.
const std::string& program_identity();

}  // namespace assay::engine
