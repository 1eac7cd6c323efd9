// A worker: one process, closed in, that runs arrows on bytes it is pointed to and says what came out.
#pragma once
#include "engine/arena.h"
#include "engine/protocol.h"

#include <atomic>

namespace assay::engine {

// How many tasks of its job a worker has begun, in memory shared with the supervisor: of one that dies with several
// unanswered it says which it was working on.
struct alignas(64) Begun {
  std::atomic<uint32_t> tasks = 0;
};

struct WorkerSetup {
  int socket = -1;
  std::vector<SharedArena>* arenas = nullptr;  // by id; those of others are made read-only here
  uint32_t own_arena = 0;
  const unpack::Keys* keys = nullptr;
  unsigned helpers = 0;  // threads that decode ahead of it
  Begun* begun = nullptr;
  bool forget = false;  // nobody asks for the bytes of leaves
};

// First frame: the sandbox's protections, packed vector<string>. Then, until the socket closes, for each Job frames of
// packed vector<Reply>, together one for each task in their order. Never returns.
[[noreturn]] void run_worker(const WorkerSetup& setup);

}  // namespace assay::engine
