// The arrow "code", a pure function of a program's bytes, and answers to questions about one program. What the rest of
// the program may ask of this room in one place; both run in workers.
#pragma once
#include "core/code.h"

namespace assay::code {

constexpr uint32_t kCodeVersion = 18;  // raised when a result of read_code changes

// Adds one CodeUnit: how far the code could be read. Of what is no program for a processor that is read here, the unit
// says why in `unread`.
void read_code(Bytes content, Facts& out);

CodeAnswer answer(Bytes content, const CodeQuestion& question);

}  // namespace assay::code
