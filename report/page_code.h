// The code of programs as the page has it (engine/code_view.h says which programs and functions).
#pragma once
#include "report/page_data.h"

namespace assay::report {

Json page_code(const Examination& examination, const WayIndex& ways, const CodeViews& code);

}  // namespace assay::report
