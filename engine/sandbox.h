// What keeps a worker from the host: no file, no network, no new program, bounded memory.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace assay::engine {

// Closes the calling process in, for good. Each protection is probed by using it; the result says for the report what
// holds ("seccomp", "landlock", "memory 1.0 GiB") and what does not ("no landlock: Function not implemented").
std::vector<std::string> enter_sandbox(uint64_t most_memory);

// What libraries do at their first use (reading configuration, probing the CPU) must happen before the door closes.
void warm_up_libraries();

}  // namespace assay::engine
