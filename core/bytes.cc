#include "core/bytes.h"

namespace assay {

// A run equals itself shifted by one byte: memcmp does the walking.
bool is_run(Bytes bytes) {
  return !bytes.empty() && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace assay
