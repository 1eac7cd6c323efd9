// Threads of one worker that decode ahead of it. They read bytes and write memory, nothing else, so what they do shows
// in time alone: whoever uses them must come to the same result without them.
//
// They start before the worker's door closes (engine/sandbox.h) and are covered by what closes it; where none was
// started (tests, fuzz targets, a run with one worker) everything happens on the caller's thread.
#pragma once
#include <functional>

namespace assay::unpack {

// Once in a process; returns when each of them waits for work.
void start_helpers(unsigned count);
unsigned helper_count();
bool helpers_free();  // none where they have a job already: what is opened inside of what they decode does without

// While it lives, every helper runs `job` once, at the same time as the caller.
// The destructor waits until all have returned: let the job know in time that nobody wants it any more.
class HelpersAtWork {
 public:
  explicit HelpersAtWork(std::function<void()> job);
  ~HelpersAtWork();
  HelpersAtWork(const HelpersAtWork&) = delete;
  HelpersAtWork& operator=(const HelpersAtWork&) = delete;
};

// Does `aside` on a helper, or here where there is none, and `here` on this thread. An exception of either comes out.
void once_beside(const std::function<void()>& aside, const std::function<void()>& here);

}  // namespace assay::unpack
