#include "engine/pool.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace assay::engine {
namespace {

// A job of small files: large enough that messages do not matter, small enough that both workers end together.
constexpr size_t kTasksPerJob = 32;
constexpr uint64_t kBytesPerJob = 1 << 20;
constexpr uint64_t kOnDiskFrom = 256 << 20;  // size of the input from which decoded bytes lie in files on disk
// Of one worker: a single large content keeps as many processors busy as there are workers, up to this many.
constexpr unsigned kMostThreads = 4;
// The watchdog only protects the operator: budgets end arrows long before. A fired one marks the result incomplete.
constexpr int64_t kLongestSilence = 300'000;  // milliseconds

int64_t now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
  }
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

Result<TasksBegun> map_counts(uint32_t workers) {
  const size_t size = std::max(1u, workers) * sizeof(Begun);
  void* made = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED) return fail(Fault::kIo, std::string("cannot share memory: ") + std::strerror(errno));
  return TasksBegun(static_cast<Begun*>(made), Unmapped{size});
}

// Blocks of a few hundred KiB come and go all the time: giving each back to the system has its pages cleared anew.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
}

}  // namespace

void Unmapped::operator()(Begun* counts) const { munmap(counts, size); }

Result<Pool> Pool::start(SharedArena input, uint32_t workers, const unpack::Keys& keys, const std::string& folder,
                         const std::shared_ptr<Likeness>& likeness, bool forget) {
  const std::string where = input.size() >= kOnDiskFrom ? folder : std::string();
  keep_freed_memory();
  Pool pool;
  pool.keys_ = keys;
  pool.forget_ = forget;
  input.flush();
  pool.arenas_.reserve(workers + 1);
  pool.arenas_.push_back(std::move(input));
  for (uint32_t i = 0; i < workers; ++i) {
    pool.arenas_.push_back(TRY(SharedArena::create(1 + i, where)));
    pool.arenas_.back().tell_apart_by(likeness);
  }
  pool.processes_.resize(workers);
  pool.begun_ = TRY(map_counts(workers));
  for (uint32_t i = 0; i < workers; ++i) TRY_VOID(pool.spawn(i));
  for (uint32_t i = 0; i < workers; ++i) pool.greet(i);
  return pool;
}

Pool::Pool(Pool&&) noexcept = default;

Pool::~Pool() {
  // All first, so that their memory is given back side by side.
  for (const Process& process : processes_) {
    if (process.socket >= 0) close(process.socket);
    if (process.pid > 0) kill(process.pid, SIGKILL);
  }
  for (const Process& process : processes_)
    if (process.pid > 0) waitpid(process.pid, nullptr, 0);
}

Result<void> Pool::spawn(uint32_t index) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return fail(Fault::kIo, std::string("cannot make a socket pair: ") + std::strerror(errno));
  const pid_t supervisor = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    close(pair[0]), close(pair[1]);
    return fail(Fault::kIo, std::string("cannot start a worker: ") + std::strerror(errno));
  }
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(0);
    close(pair[0]);
    for (const Process& other : processes_)
      if (other.socket >= 0) close(other.socket);
    const auto helpers = std::min(static_cast<unsigned>(processes_.size()), kMostThreads) - 1;
    run_worker({pair[1], &arenas_, 1 + index, &keys_, helpers, &begun_[index], forget_});
  }
  close(pair[1]);
  processes_[index] = {.pid = pid, .socket = pair[0], .since = now()};
  return {};
}

void Pool::greet(uint32_t index) {
  std::string frame;
  if (receive_frame(processes_[index].socket, frame))
    if (auto protections = unpack_as<std::vector<std::string>>(frame)) sandbox_ = std::move(*protections);
}

void Pool::respawn(uint32_t index) {
  ASSAY_CHECK(spawn(index).has_value());
  greet(index);
}

std::string Pool::bury(uint32_t index) {
  Process& process = processes_[index];
  kill(process.pid, SIGKILL);
  int status = 0;
  waitpid(process.pid, &status, 0);
  close(process.socket);
  process.pid = -1, process.socket = -1;
  return describe(status);
}

void Pool::give(Process& process, std::deque<Task>& waiting) {
  Job job;
  uint64_t bytes = 0;
  // Few large tasks are spread over the workers.
  const size_t most = std::min(kTasksPerJob, (waiting.size() + processes_.size() - 1) / processes_.size());
  while (!waiting.empty() && job.tasks.size() < most && (job.tasks.empty() || bytes < kBytesPerJob)) {
    bytes += waiting.front().place.size;
    job.tasks.push_back(waiting.front());
    process.open.push_back(waiting.front());
    waiting.pop_front();
  }
  process.answered = 0;
  begun_[static_cast<size_t>(&process - processes_.data())].tasks = 0;
  process.since = now();
  send_frame(process.socket, pack(job));  // a failure shows as the worker's death
}

int Pool::wait(int milliseconds) {
  std::vector<pollfd> polled;
  polled.reserve(processes_.size());
  for (const Process& process : processes_) polled.push_back({process.socket, POLLIN, 0});
  if (poll(polled.data(), polled.size(), milliseconds) <= 0) return -1;
  for (size_t i = 0; i < polled.size(); ++i)
    if (polled[i].revents != 0) return static_cast<int>(i);
  return -1;
}

bool Pool::overdue(const Process& process) const {
  return (!process.open.empty() || process.busy_with_job) && now() - process.since > kLongestSilence;
}

void Pool::stop_overdue() {
  for (const Process& process : processes_)
    if (overdue(process)) kill(process.pid, SIGKILL);
}

Outcome Pool::bury_late_or_dead(uint32_t index) {
  Outcome outcome;
  const bool late = overdue(processes_[index]);
  outcome.died = bury(index);
  if (late) outcome.died = "was silent for five minutes and was stopped";
  return outcome;
}

// What a worker that lives says of its open tasks; empty: nothing, or something senseless.
std::vector<Pool::Answer> Pool::read_answers(uint32_t index) {
  Process& process = processes_[index];
  std::string frame;
  if (!receive_frame(process.socket, frame)) return {};
  auto replies = unpack_as<std::vector<Reply>>(frame);
  if (!replies || replies->size() > process.open.size()) return {};
  for (size_t i = 0; i < replies->size(); ++i)
    if ((*replies)[i].task != process.open[i].id) return {};
  std::vector<Answer> answers;
  for (Reply& reply : *replies) {
    arenas_[1 + index].set_size(reply.arena_size);
    answers.push_back({process.open.front(), {std::move(reply), {}}, process.early});
    process.open.pop_front();
  }
  process.answered += static_cast<uint32_t>(answers.size());
  process.since = now();
  return answers;
}

// What one worker has to say; nothing: it had nothing to do and died, or nobody said anything for a while. What a dead
// one had not begun, or had done and not said, goes back to those waiting.
std::vector<Pool::Answer> Pool::next_answers(std::deque<Task>& waiting, const std::function<void()>& idle) {
  const int ready = wait(100);
  if (idle) idle();
  if (ready < 0) {
    stop_overdue();
    return {};
  }
  const auto index = static_cast<uint32_t>(ready);
  if (auto answers = read_answers(index); !answers.empty()) return answers;
  Process& process = processes_[index];
  const bool early = process.early;
  const uint64_t begun = begun_[index].tasks, answered = process.answered;
  Outcome outcome = bury_late_or_dead(index);
  std::deque<Task> open = std::move(process.open);
  respawn(index);
  if (open.empty()) return {};
  // The count is the worker's own word: it decides whom to blame and no more.
  const auto at = std::min<uint64_t>(begun > answered ? begun - answered - 1 : 0, open.size() - 1);
  const auto victim = open.begin() + static_cast<std::ptrdiff_t>(at);
  std::vector<Answer> answers{{*victim, std::move(outcome), early}};
  open.erase(victim);
  waiting.insert(waiting.begin(), open.begin(), open.end());
  return answers;
}

// Gives out what waits, and beyond that what is offered, and takes answers, until `over`.
void Pool::work(std::deque<Task> waiting, const std::function<bool()>& over,
                const std::function<void(const Task&, Outcome)>& done, const std::function<void()>& idle) {
  while (!over()) {
    for (Process& process : processes_) {
      if (!process.open.empty()) continue;
      process.early = waiting.empty();
      if (!process.early) {
        give(process, waiting);
      } else if (auto task = early_.next ? early_.next() : std::nullopt) {
        std::deque<Task> alone{*task};
        give(process, alone);
      }
    }
    for (Answer& answer : next_answers(waiting, idle))
      (answer.early ? early_.back : done)(answer.task, std::move(answer.outcome));
  }
}

void Pool::run(std::vector<Task> tasks, const std::function<void(const Task&, Outcome)>& done,
               const std::function<void()>& idle) {
  size_t left = tasks.size();
  const auto counted = [&](const Task& task, Outcome outcome) {
    --left;
    done(task, std::move(outcome));
  };
  work({tasks.begin(), tasks.end()}, [&] { return left == 0; }, counted, idle);
}

void Pool::wait_early(const std::function<bool()>& back, const std::function<void()>& idle) {
  work({}, back, {}, idle);
}

void Pool::finish_early() {
  early_.next = {};
  std::deque<Task> none;
  while (std::ranges::any_of(processes_, [](const Process& p) { return !p.open.empty(); }))
    for (Answer& answer : next_answers(none, {})) early_.back(answer.task, std::move(answer.outcome));
}

Outcome Pool::run(const Job& job, const std::function<void()>& idle) {
  finish_early();
  Process& process = processes_[0];
  process.busy_with_job = true;
  process.since = now();
  send_frame(process.socket, pack(job));
  for (;;) {
    pollfd polled{process.socket, POLLIN, 0};
    if (poll(&polled, 1, 100) > 0) break;
    if (idle) idle();
    if (overdue(process)) kill(process.pid, SIGKILL);
  }
  Outcome outcome;
  std::string frame;
  process.busy_with_job = false;
  if (receive_frame(process.socket, frame)) {
    if (auto replies = unpack_as<std::vector<Reply>>(frame); replies && replies->size() == 1) {
      outcome.reply = std::move(replies->front());
      return outcome;
    }
  }
  outcome.died = bury(0);
  respawn(0);
  return outcome;
}

Bytes Pool::bytes_at(const Place& place) const {
  if (!place.held || place.size == 0 || place.arena >= arenas_.size()) return {};
  const SharedArena& arena = arenas_[place.arena];
  return arena.holds(place.at, place.size) ? arena.view(place.at, place.size) : Bytes();
}

}  // namespace assay::engine
