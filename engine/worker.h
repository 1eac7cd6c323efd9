// A worker: one process, closed in, that runs arrows on bytes it is pointed to and says what came out.
#pragma once
#include "engine/arena.h"
#include "engine/protocol.h"

namespace assay::engine {

struct WorkerSetup {
  int socket = -1;
  std::vector<SharedArena>* arenas = nullptr;  // by id; those of others are made read-only here
  uint32_t own_arena = 0;
  const unpack::Keys* keys = nullptr;
  unsigned helpers = 0;  // threads that decode ahead of it
};

// First frame: the sandbox's protections, packed vector<string>. Then a frame of packed Replies for each task of each
// Job until the socket closes. Never returns.
[[noreturn]] void run_worker(const WorkerSetup& setup);

}  // namespace assay::engine
