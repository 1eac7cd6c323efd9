// Bytes without a header: a boot loader, the image of a real-time system. Which processor runs them and where they lie
// in memory is told by whoever asks.
#pragma once
#include "code/program.h"

namespace assay::code {

// All of `bytes`, code and data alike, mapped at `base`. Fails where they reach past the processor's last address.
Result<Program> raw_program(Bytes bytes, Processor processor, uint64_t base);

}  // namespace assay::code
