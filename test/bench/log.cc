// ./dev bench log: how many entries 64 writers get acknowledged per second and how long one waits, beside a plain loop
// of write and fdatasync on the same disk; whether kill -9 loses one; how long a proof takes in a log of ten million.
//
//   log_bench FOLDER SECONDS KILLS ENTRIES
#include "certify/log.h"
#include "certify/files.h"
#include "certify/integrate.h"
#include "certify/log_view.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>

using namespace assay;
using namespace assay::certify;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWriters = 64;
constexpr size_t kMostEach = 1 << 18;

double since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// Of this process: what a loaded machine does not change.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

template <class T>
T must(Result<T> value) {
  if (value) return std::move(*value);
  std::fprintf(stderr, "log_bench: %s\n", value.error().what.c_str());
  std::exit(1);
}
void must(Result<void> done) {
  if (done) return;
  std::fprintf(stderr, "log_bench: %s\n", done.error().what.c_str());
  std::exit(1);
}

// Shared by the writers, each of which has its own row.
struct Row {
  std::atomic<uint64_t> count;
  float waited[kMostEach];    // milliseconds
  uint32_t index[kMostEach];  // acknowledged
};
struct Board {
  std::atomic<bool> stop;
  Row rows[kWriters];
};
Board* shared_board() {
  void* at = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSAY_CHECK(at != MAP_FAILED);
  return static_cast<Board*>(at);
}

std::string text(int writer, uint64_t n) { return "writer " + std::to_string(writer) + " entry " + std::to_string(n); }

std::string new_log(const std::string& folder, const std::string& name) {
  const auto key = must(SigningKey::generate(Algorithm::kEd25519));
  must(make_folders(folder));
  must(write_durably(folder + "/" + name + ".key", must(key.pem()), 0600));
  must(Log::init(folder + "/" + name, folder + "/" + name + ".key", "log.example/bench"));
  return folder + "/" + name;
}

void write_until_stopped(const std::string& folder, int writer, Board& board) {
  Log log = must(Log::open(folder));
  Row& row = board.rows[writer];
  for (uint64_t n = 0; n < kMostEach && !board.stop; ++n) {
    const auto begun = Clock::now();
    const uint64_t index = must(log.append({text(writer, n)}));
    row.waited[n] = static_cast<float>(since(begun) * 1000);
    row.index[n] = static_cast<uint32_t>(index);
    row.count = n + 1;
  }
}

template <class Do>
pid_t child(Do work) {
  const pid_t pid = fork();
  ASSAY_CHECK(pid >= 0);
  if (pid > 0) return pid;
  work();
  _exit(0);
}

// Writes per second: each lengthens the file, or fills room that was written before, as the log's do.
double plain_loop(const std::string& folder, double seconds, bool filled) {
  const File file(open((folder + "/plain").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
  const std::string record = text(0, 0);
  if (filled) {
    ASSAY_CHECK(write_all(file.fd(), std::string(16 << 20, '\xff')) && fdatasync(file.fd()) == 0);
    ASSAY_CHECK(lseek(file.fd(), 0, SEEK_SET) == 0);
  }
  const auto begun = Clock::now();
  uint64_t count = 0;
  for (; since(begun) < seconds; ++count) ASSAY_CHECK(write_all(file.fd(), record) && fdatasync(file.fd()) == 0);
  return static_cast<double>(count) / since(begun);
}

void writers(const std::string& folder, double seconds) {
  const double before = plain_loop(folder, seconds / 4, false), before_filled = plain_loop(folder, seconds / 4, true);
  const std::string log = new_log(folder, "writers");
  Board* board = shared_board();
  std::vector<pid_t> pids;
  const auto begun = Clock::now();
  for (int i = 0; i < kWriters; ++i) pids.push_back(child([&, i] { write_until_stopped(log, i, *board); }));
  pids.push_back(child([&] {
    Log publisher = must(Log::open(log));
    while (!board->stop) must(publisher.publish()), usleep(200000);
  }));
  while (since(begun) < seconds) usleep(10000);
  uint64_t total = 0;
  for (const Row& row : board->rows) total += row.count;
  const double rate = static_cast<double>(total) / since(begun);
  board->stop = true;
  for (const pid_t pid : pids) waitpid(pid, nullptr, 0);
  std::vector<float> waited;
  for (const Row& row : board->rows) waited.insert(waited.end(), row.waited, row.waited + row.count);
  std::ranges::sort(waited);
  std::printf("writers: %.0f entries/s acknowledged by %d processes; median %.1f ms, p99 %.1f ms, longest %.1f ms\n",
              rate, kWriters, waited[waited.size() / 2], waited[waited.size() * 99 / 100], waited.back());
  const double plain = (before + plain_loop(folder, seconds / 4, false)) / 2;
  const double filled = (before_filled + plain_loop(folder, seconds / 4, true)) / 2;
  std::printf(
      "plain:   %.0f write+fdatasync/s in one process on the same disk, before and after, %.0f where the room was "
      "written before: the log gives %.0f and %.0f times that\n",
      plain, filled, rate / plain, rate / filled);
  Log end = must(Log::open(log));
  const Checkpoint now = must(end.publish());
  must(verify_tree(tiles_in(log), now));
  std::printf("         the log of %lu entries holds\n", static_cast<unsigned long>(now.size));
}

// What was acknowledged in the round stands at its index.
uint64_t lost(const std::string& folder, const Checkpoint& now, const Board& board, int count) {
  std::vector<std::pair<uint64_t, std::string>> wanted;
  for (int w = 0; w < count; ++w)
    for (uint64_t n = 0; n < board.rows[w].count; ++n) wanted.emplace_back(board.rows[w].index[n], text(w, n));
  std::ranges::sort(wanted);
  uint64_t missing = 0, bundle = ~0ull;
  std::vector<std::string> entries;
  const Tree tree(tiles_in(folder), now.size);
  for (const auto& [index, entry] : wanted) {
    if (index >= now.size) {
      ++missing;
      continue;
    }
    if (index / kTileWidth != bundle) entries = must(tree.bundle(bundle = index / kTileWidth));
    if (entries[index % kTileWidth] != entry) ++missing;
  }
  return missing;
}

void kills(const std::string& folder, int rounds) {
  constexpr int kFew = 4;
  const std::string log = new_log(folder, "kills");
  Board* board = shared_board();
  std::mt19937_64 random(20261127);
  uint64_t acknowledged = 0, missing = 0;
  for (int round = 0; round < rounds; ++round) {
    for (Row& row : board->rows) row.count = 0;
    std::vector<pid_t> pids;
    for (int i = 0; i < kFew; ++i) pids.push_back(child([&, i] { write_until_stopped(log, i, *board); }));
    pids.push_back(child([&] {
      Log publisher = must(Log::open(log));
      while (true) must(publisher.publish());
    }));
    usleep(static_cast<useconds_t>(2000 + random() % 60000));
    for (const pid_t pid : pids) kill(pid, SIGKILL);
    for (const pid_t pid : pids) waitpid(pid, nullptr, 0);
    // Every third time as after a restart of the machine: the mapped state is not believed.
    if (round % 3 == 0) unlink((log + "/state").c_str());
    Log again = must(Log::open(log));
    const Checkpoint now = must(again.publish());
    for (int w = 0; w < kFew; ++w) acknowledged += board->rows[w].count;
    missing += lost(log, now, *board, kFew);
    if (round % 20 == 19 || round + 1 == rounds) must(verify_tree(tiles_in(log), now));
  }
  std::printf(
      "kills:   %d times kill -9 of %d writers and a publisher: %lu entries acknowledged, %lu lost; the log holds\n",
      rounds, kFew, static_cast<unsigned long>(acknowledged), static_cast<unsigned long>(missing));
  if (missing > 0) std::exit(1);
}

void proofs(const std::string& folder, uint64_t entries) {
  const std::string log = new_log(folder, "large");
  Log writer = must(Log::open(log));
  const auto begun = Clock::now();
  for (uint64_t n = 0; n < entries;) {
    std::vector<std::string> batch;
    for (; batch.size() < 100000 && n < entries; ++n) batch.push_back("entry " + std::to_string(n));
    must(writer.append(batch));
    must(writer.publish());
  }
  std::printf("large:   %lu entries in %.0f s\n", static_cast<unsigned long>(entries), since(begun));
  const LogView view = must(view_log(log, {}));
  const Checkpoint now = must(view.checkpoint());
  std::mt19937_64 random(7);
  std::vector<double> took, worked;
  for (int i = 0; i < 2000; ++i) {
    const uint64_t index = random() % now.size;
    const auto start = Clock::now();
    const double work = cpu_seconds();
    Tree tree(view.read, now.size);
    const auto proof = must(tree.inclusion(index));
    took.push_back(since(start) * 1000);
    worked.push_back((cpu_seconds() - work) * 1000);
    ASSAY_CHECK(verify_inclusion(leaf_hash("entry " + std::to_string(index)), index, now.size, proof, now.root));
  }
  std::ranges::sort(took);
  std::ranges::sort(worked);
  std::printf("proofs:  2000 of random entries, all verified; median %.3f ms, p99 %.3f ms, longest %.3f ms\n",
              took[1000], took[1980], took.back());
  std::printf("         of the processor's time: median %.3f ms, p99 %.3f ms, longest %.3f ms\n", worked[1000],
              worked[1980], worked.back());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string folder = argv[1];
  if (std::atof(argv[2]) > 0) writers(folder, std::atof(argv[2]));
  if (std::atoi(argv[3]) > 0) kills(folder, std::atoi(argv[3]));
  if (std::atoll(argv[4]) > 0) proofs(folder, static_cast<uint64_t>(std::atoll(argv[4])));
  return 0;
}
