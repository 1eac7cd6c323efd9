// Sources: ISO C 7.22.4, POSIX.1-2017, glibc's, musl's and uClibc's headers (noreturn), Itanium C++ ABI chapter 2.
#include "code/no_return.h"

#include <algorithm>

namespace assay::code {

bool never_returns(std::string_view name) {
  constexpr std::string_view kNames[] = {"_Exit",
                                         "_Unwind_Resume",
                                         "_ZSt10unexpectedv",
                                         "_ZSt9terminatev",
                                         "__assert",
                                         "__assert_fail",
                                         "__assert_perror_fail",
                                         "__chk_fail",
                                         "__cxa_bad_cast",
                                         "__cxa_bad_typeid",
                                         "__cxa_call_unexpected",
                                         "__cxa_pure_virtual",
                                         "__cxa_rethrow",
                                         "__cxa_throw",
                                         "__fortify_fail",
                                         "__libc_fatal",
                                         "__libc_start_main",
                                         "__longjmp_chk",
                                         "__stack_chk_fail",
                                         "__stack_chk_fail_local",
                                         "__uClibc_main",
                                         "_exit",
                                         "_longjmp",
                                         "abort",
                                         "err",
                                         "errx",
                                         "exit",
                                         "longjmp",
                                         "pthread_exit",
                                         "quick_exit",
                                         "siglongjmp",
                                         "svc_run_exit",
                                         "thrd_exit",
                                         "verr",
                                         "verrx"};
  static_assert(std::ranges::is_sorted(kNames));
  name = name.substr(0, name.find('@'));
  return std::ranges::binary_search(kNames, name) || (name.starts_with("_ZSt") && name.find("__throw_") != name.npos);
}

}  // namespace assay::code
