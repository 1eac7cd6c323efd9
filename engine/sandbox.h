// What keeps a worker from the host: no file, no network, no new program, bounded memory.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace assay::engine {

// Closes the calling process in, for good. Each protection is probed by using it; the result says for the report what
// holds ("seccomp", "landlock", "memory 1.0 GiB") and what does not ("no landlock: Function not implemented").
// No thread can start behind the door: `start_threads` starts those that are closed in as well.
std::vector<std::string> enter_sandbox(uint64_t most_memory, const std::function<void()>& start_threads = {});

// What libraries do at their first use (reading configuration, probing the CPU) must happen before the door closes.
void warm_up_libraries();

}  // namespace assay::engine
