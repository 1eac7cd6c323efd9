#include "core/result.h"

#include <cstdio>
#include <cstdlib>

namespace assay {

std::string_view fault_name(Fault fault) {
  switch (fault) {
    case Fault::kTruncated:
      return "truncated";
    case Fault::kMalformed:
      return "malformed";
    case Fault::kUnsupported:
      return "unsupported";
    case Fault::kEncrypted:
      return "encrypted";
    case Fault::kLimit:
      return "limit";
    case Fault::kIo:
      return "io";
    case Fault::kForeign:
      return "foreign";
  }
  return "unknown";
}

void stop_on_bug(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "assay: bug: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace assay
