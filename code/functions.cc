// Functions alone.
#include "code/functions.h"

#include "code/analysis.h"

namespace assay::code {

Functions find_functions(const Program& program) { return analyse(program).functions; }

}  // namespace assay::code
