// Questions about the code of one program, answered by a worker.
#pragma once
#include "engine/pool.h"

namespace assay::engine {

Result<CodeAnswer> ask(Pool& pool, const Place& program, const CodeQuestion& question);

}  // namespace assay::engine
