// What every fallible function returns. Bad input is a value of this type; an exception means a bug or an
// exhausted machine and is caught in one place, where a worker or the program ends.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace assay {

enum class Fault : uint8_t {
  kTruncated,    // the input ends before the structure does
  kMalformed,    // a field contradicts its format or another field
  kUnsupported,  // well formed, but a variant that is not read: the report says so
  kEncrypted,    // well formed, not readable without a key
  kLimit,        // a budget was hit: depth, bytes, nodes or steps
  kIo,           // the operating system refused
  kForeign,      // not this structure at all: what looked like its magic stands there for another reason
};

std::string_view fault_name(Fault fault);

struct Error {
  Fault fault;
  std::string what;     // the field and its value, in the words of the format's specification
  uint64_t offset = 0;  // in the artifact being read
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Fault fault, std::string what, uint64_t offset = 0) {
  return std::unexpected(Error{fault, std::move(what), offset});
}

// A broken invariant of ours, never of the input: stops this process with the place.
[[noreturn]] void stop_on_bug(const char* condition, const char* file, int line);

}  // namespace assay

#define ASSAY_CHECK(condition) ((condition) ? void() : ::assay::stop_on_bug(#condition, __FILE__, __LINE__))

// Yields the value, or returns the error to our caller. Not to be nested in itself.
#define TRY(expression)                                       \
  __extension__({                                             \
    auto try_result_ = (expression);                          \
    if (!try_result_) [[unlikely]]                            \
      return std::unexpected(std::move(try_result_).error()); \
    *std::move(try_result_);                                  \
  })

// The same for a Result<void>; a TRY may stand inside it.
#define TRY_VOID(expression)                                  \
  do {                                                        \
    auto try_status_ = (expression);                          \
    if (!try_status_) [[unlikely]]                            \
      return std::unexpected(std::move(try_status_).error()); \
  } while (false)
