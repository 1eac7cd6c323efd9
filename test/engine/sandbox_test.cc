// What a worker cannot do: every way to a file, the network or another program is tried from inside the sandbox.
#include "engine/sandbox.h"

#include "unpack/helpers.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>

namespace assay::engine {
namespace {

// Runs `attempt` inside the sandbox: the exit status is 0 when it was refused, 1 when it went through.
int status_inside(const std::function<bool()>& attempt) {
  const pid_t pid = fork();
  if (pid == 0) {
    warm_up_libraries();
    enter_sandbox(uint64_t{1} << 30);
    _exit(attempt() ? 1 : 0);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool has_seccomp() {
  // Asked in a child: entering cannot be undone.
  return status_inside([] { return syscall(SYS_getppid) > 0; }) == 0;
}

TEST(Sandbox, RefusesFilesNetworkAndPrograms) {
  if (!has_seccomp()) GTEST_SKIP() << "this kernel has no seccomp";
  const char* const arguments[] = {"/bin/true", nullptr};
  const std::pair<const char*, std::function<bool()>> attempts[] = {
      {"open", [] { return open("/etc/passwd", O_RDONLY) >= 0; }},
      {"open for writing", [] { return open("/tmp/assay-sandbox", O_WRONLY | O_CREAT, 0600) >= 0; }},
      {"open (the old call)", [] { return syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY) >= 0; }},
      {"execve", [&] { return execv("/bin/true", const_cast<char* const*>(arguments)) == 0; }},
      {"execveat", [&] { return syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, environ, 0) == 0; }},
      {"fork", [] { return fork() >= 0; }},
      {"socket", [] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }},
      {"unix socket", [] { return socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }},
      {"unlink", [] { return unlink("/tmp/assay-sandbox-absent") == 0 || errno == ENOENT; }},
      {"mkdir", [] { return mkdir("/tmp/assay-sandbox-folder", 0700) == 0; }},
      {"ptrace", [] { return syscall(SYS_ptrace, 0, 0, 0, 0) == 0; }},
      {"kill", [] { return kill(getpid(), 0) == 0; }},
      {"memfd_create", [] { return memfd_create("x", 0) >= 0; }},
      {"io_uring", [] { return syscall(SYS_io_uring_setup, 1, nullptr) >= 0 || errno == EFAULT; }},
      {"mount", [] { return syscall(SYS_mount, "none", "/", "tmpfs", 0, nullptr) == 0; }},
  };
  for (const auto& [name, attempt] : attempts) EXPECT_EQ(status_inside(attempt), 0) << name;
}

TEST(Sandbox, LeavesWhatWorkersNeed) {
  EXPECT_EQ(status_inside([] { return malloc(1 << 20) != nullptr && getpid() > 0; }), 1);
}

// The exit status is 0 when the thread was refused; 1 when it opened a file; 2 when it did not run.
int status_of_a_thread() {
  const pid_t pid = fork();
  if (pid == 0) {
    warm_up_libraries();
    enter_sandbox(uint64_t{1} << 30, [] { unpack::start_helpers(1); });
    std::atomic<int> status = 2;
    {
      const unpack::HelpersAtWork work([&] { status = open("/etc/passwd", O_RDONLY) >= 0 ? 1 : 0; });
    }
    _exit(status);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Sandbox, HoldsThreadsToo) {
  if (!has_seccomp()) GTEST_SKIP() << "this kernel has no seccomp";
  EXPECT_EQ(status_of_a_thread(), 0);
  EXPECT_EQ(
      status_inside([] { return pthread_create(new pthread_t, nullptr, [](void* p) { return p; }, nullptr) == 0; }), 0);
}

TEST(Sandbox, BoundsMemory) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "sanitizer builds have no memory limit";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "sanitizer builds have no memory limit";
#endif
#endif
  EXPECT_EQ(status_inside([] {
              void* more = mmap(nullptr, size_t{2} << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return more != MAP_FAILED;
            }),
            0);
}

TEST(Sandbox, SaysWhatHolds) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    warm_up_libraries();
    std::string all;
    for (const std::string& line : enter_sandbox(uint64_t{1} << 30)) all += line + "\n";
    if (write(ends[1], all.data(), all.size()) < 0) _exit(1);
    _exit(0);
  }
  waitpid(pid, nullptr, 0);
  char text[512] = {};
  ASSERT_GT(read(ends[0], text, sizeof text - 1), 0);
  const std::string said = text;
  for (const char* word : {"memory", "landlock", "seccomp"}) EXPECT_NE(said.find(word), std::string::npos) << said;
  close(ends[0]), close(ends[1]);
}

}  // namespace
}  // namespace assay::engine
