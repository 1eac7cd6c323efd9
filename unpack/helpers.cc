#include "unpack/helpers.h"

#include "core/result.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

namespace assay::unpack {
namespace {

constexpr size_t kStack = 2 << 20;  // touched pages alone cost memory

struct Helpers {
  std::mutex lock;
  std::condition_variable changed;
  std::function<void()> job;
  unsigned count = 0, ready = 0, busy = 0;
  uint64_t round = 0;
};

// Never destroyed: its threads end with the process.
Helpers& helpers() {
  static auto* all = new Helpers;
  return *all;
}

void* serve(void*) {
  Helpers& h = helpers();
  std::unique_lock lock(h.lock);
  ++h.ready;
  h.changed.notify_all();
  for (uint64_t seen = 0;; --h.busy, h.changed.notify_all()) {
    h.changed.wait(lock, [&] { return h.round != seen; });
    seen = h.round;
    lock.unlock();
    h.job();
    lock.lock();
  }
}

bool start_one() {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  const bool started = pthread_create(&thread, &attributes, serve, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace

void start_helpers(unsigned count) {
  Helpers& h = helpers();
  ASSAY_CHECK(h.count == 0);
  unsigned started = 0;
  while (started < count && start_one()) ++started;
  std::unique_lock lock(h.lock);
  h.count = started;
  h.changed.wait(lock, [&] { return h.ready == started; });
}

unsigned helper_count() { return helpers().count; }

bool helpers_free() {
  Helpers& h = helpers();
  const std::lock_guard lock(h.lock);
  return h.count > 0 && h.busy == 0 && !h.job;
}

HelpersAtWork::HelpersAtWork(std::function<void()> job) {
  Helpers& h = helpers();
  const std::lock_guard lock(h.lock);
  ASSAY_CHECK(h.busy == 0);
  h.job = std::move(job);
  h.busy = h.count;
  ++h.round;
  h.changed.notify_all();
}

HelpersAtWork::~HelpersAtWork() {
  Helpers& h = helpers();
  std::unique_lock lock(h.lock);
  h.changed.wait(lock, [&] { return h.busy == 0; });
  h.job = nullptr;
}

void once_beside(const std::function<void()>& aside, const std::function<void()>& here) {
  std::atomic<bool> taken = false;
  std::exception_ptr failed;
  const auto take = [&] {
    if (taken.exchange(true)) return;
    try {
      aside();
    } catch (...) {
      failed = std::current_exception();
    }
  };
  {
    const HelpersAtWork helpers(take);
    here();
  }
  take();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace assay::unpack
