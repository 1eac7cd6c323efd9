#include "engine/sandbox.h"

#include "core/hash.h"
#include "core/text.h"
#include "unpack/libarchive.h"

#include <linux/landlock.h>
#include <openssl/crypto.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define ASSAY_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASSAY_SANITIZED 1
#endif
#endif

namespace assay::engine {
namespace {

std::string because(const char* what, int error) { return std::string("no ") + what + ": " + std::strerror(error); }

std::string limit_memory([[maybe_unused]] uint64_t most) {
#ifdef ASSAY_SANITIZED
  return "no memory limit: a sanitizer build";
#else
  const rlimit limit{most, most};
  if (setrlimit(RLIMIT_DATA, &limit) != 0) return because("memory limit", errno);
  return "memory " + human_size(most);
#endif
}

// An empty rule set that handles every access right: nothing in the file system can be opened.
std::string enter_landlock() {
  landlock_ruleset_attr rules{};
  rules.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // the thirteen rights of its first version
  const long fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
  if (fd < 0) return because("landlock", errno);
  const long done = syscall(SYS_landlock_restrict_self, static_cast<int>(fd), 0);
  const int error = errno;
  close(static_cast<int>(fd));
  return done == 0 ? "landlock" : because("landlock", error);
}

std::string enter_seccomp() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter) return "no seccomp: out of memory";
  constexpr int kAllowed[] = {SCMP_SYS(read),          SCMP_SYS(write),
                              SCMP_SYS(recvfrom),      SCMP_SYS(sendto),
                              SCMP_SYS(brk),           SCMP_SYS(mmap),
                              SCMP_SYS(munmap),        SCMP_SYS(mremap),
                              SCMP_SYS(mprotect),      SCMP_SYS(madvise),
                              SCMP_SYS(ftruncate),     SCMP_SYS(futex),
                              SCMP_SYS(exit),          SCMP_SYS(exit_group),
                              SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),
                              SCMP_SYS(rt_sigaction),  SCMP_SYS(sigaltstack),
                              SCMP_SYS(getpid),        SCMP_SYS(gettid),
                              SCMP_SYS(tgkill),        SCMP_SYS(getrandom),
                              SCMP_SYS(clock_gettime), SCMP_SYS(close),
                              SCMP_SYS(sched_yield),   SCMP_SYS(sched_getaffinity),
                              SCMP_SYS(pwrite64),      SCMP_SYS(fallocate)};
#ifdef ASSAY_SANITIZED
  // UndefinedBehaviorSanitizer asks through a pipe whether an object's memory can be read.
  seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(pipe), 0);
  seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(pipe2), 0);
#endif
  int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);  // threads that run already obey too
  for (const int call : kAllowed)
    if (error == 0) error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  if (error == 0) error = seccomp_load(filter);
  seccomp_release(filter);
  return error == 0 ? "seccomp" : because("seccomp", -error);
}

}  // namespace

void warm_up_libraries() {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  unpack::warm_up_archives();
  const Bytes none;
  sha256(none), md5(none), sha1(none);
}

std::vector<std::string> enter_sandbox(uint64_t most_memory, const std::function<void()>& start_threads) {
  std::vector<std::string> holds;
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  holds.push_back(limit_memory(most_memory));
  holds.push_back(enter_landlock());
  if (start_threads) start_threads();
  holds.push_back(enter_seccomp());
  return holds;
}

}  // namespace assay::engine
