// Which edges of the program a fuzz target's inputs reach, to be counted by source file (coverage.py): libFuzzer's own
// count is of the whole program, and forgets it from one input to the next.
#pragma once

namespace assay::fuzz {

// At the end of each input. With ASSAY_COVERAGE=FILE in the environment every edge is written there at exit: its
// address in the program (64 bits, little-endian), then whether any input reached it (one byte); else nothing happens.
void count_edges();

}  // namespace assay::fuzz
