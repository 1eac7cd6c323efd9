// Who uses an address, a name or a string.
#pragma once
#include "code/reading.h"

namespace assay::code {

// References and calls that lead to what the question names; refused where the program holds no such thing.
void uses(Reading& reading, const CodeQuestion& question, CodeAnswer& out);

}  // namespace assay::code
