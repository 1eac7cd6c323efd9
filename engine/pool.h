// The supervisor's side of the workers: hands out jobs, takes replies, notices deaths.
#pragma once
#include "engine/worker.h"

#include <sys/types.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>

namespace assay::engine {

struct Outcome {  // of one task
  Reply reply;
  std::string died;  // not empty: the worker that had this task died, and how
};

struct Unmapped {
  size_t size = 0;
  void operator()(Begun* counts) const;
};
using TasksBegun = std::unique_ptr<Begun[], Unmapped>;

class Pool {
 public:
  // Forks `workers` processes. The input is arena 0, worker i appends to arena 1 + i.
  // `folder`: where large arenas may lie as unlinked files; "" keeps them in memory. With `likeness` no digest is made.
  // `forget`: nobody asks for the bytes of what a task's Leaf tells of.
  static Result<Pool> start(SharedArena input, uint32_t workers, const unpack::Keys& keys,
                            const std::string& folder = {}, const std::shared_ptr<Likeness>& likeness = {},
                            bool forget = false);
  Pool(Pool&&) noexcept;
  Pool& operator=(Pool&&) = delete;
  ~Pool();

  // Runs the tasks in any order on any worker; `done` is called in the order of completion, in this process.
  // A task whose worker dies is reported dead once; the others of its job are run again. Between replies `idle` is
  // called at least ten times a second (progress).
  void run(std::vector<Task> tasks, const std::function<void(const Task&, Outcome)>& done,
           const std::function<void()>& idle = {});
  Outcome run(const Job& job, const std::function<void()>& idle = {});

  // While run() waits for the last tasks, workers with nothing to do are given what `next` offers; `back` gets the
  // outcome, during that run, a later one or finish_early(). Its deaths are told there and nowhere else.
  struct Early {
    std::function<std::optional<Task>()> next;
    std::function<void(const Task&, Outcome)> back;
  };
  void offer_early(Early early) { early_ = std::move(early); }
  void wait_early(const std::function<bool()>& back, const std::function<void()>& idle);  // goes on offering till then
  void finish_early();  // waits for those that were given out, and offers no more

  // The bytes a place names, or empty when it is none (a worker may have lied).
  Bytes bytes_at(const Place& place) const;
  const std::vector<std::string>& sandbox() const { return sandbox_; }

 private:
  struct Process {
    pid_t pid = -1;
    int socket = -1;
    std::deque<Task> open;  // tasks it has and has not answered, in their order
    uint32_t answered = 0;  // tasks of its job that it has answered
    bool early = false;     // they were offered, not asked for
    bool busy_with_job = false;
    int64_t since = 0;  // milliseconds, for the watchdog
  };
  Pool() = default;
  Result<void> spawn(uint32_t index);  // its greeting is still to be read
  void greet(uint32_t index);
  void respawn(uint32_t index);
  std::string bury(uint32_t index);
  void give(Process& process, std::deque<Task>& waiting);
  int wait(int milliseconds);  // index of a worker with something to say, or -1
  bool overdue(const Process& process) const;
  void stop_overdue();
  struct Answer {
    Task task;
    Outcome outcome;
    bool early = false;
  };
  void work(std::deque<Task> waiting, const std::function<bool()>& over,
            const std::function<void(const Task&, Outcome)>& done, const std::function<void()>& idle);
  std::vector<Answer> next_answers(std::deque<Task>& waiting, const std::function<void()>& idle);
  std::vector<Answer> read_answers(uint32_t index);
  Outcome bury_late_or_dead(uint32_t index);

  std::vector<SharedArena> arenas_;
  std::vector<Process> processes_;
  TasksBegun begun_;  // by worker
  std::vector<std::string> sandbox_;
  Early early_;
  unpack::Keys keys_;
  bool forget_ = false;
};

}  // namespace assay::engine
