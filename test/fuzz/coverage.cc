// Source: clang's SanitizerCoverage (inline-8bit-counters, pc-table), whose sections the linker bounds with names.
#include "test/fuzz/coverage.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

extern "C" {
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];
extern const uintptr_t __start___sancov_pcs[];  // of each edge: address, flags
extern const char __executable_start[];
}

namespace assay::fuzz {
namespace {

class Edges {
 public:
  Edges() : file_(std::getenv("ASSAY_COVERAGE")) {
    if (file_) reached_.resize(counters().size());
  }
  ~Edges() {
    if (!file_) return;
    std::FILE* out = std::fopen(file_, "wb");
    if (!out) return;
    for (size_t i = 0; i < reached_.size(); ++i) {
      const uint64_t at = __start___sancov_pcs[2 * i] - reinterpret_cast<uintptr_t>(__executable_start);
      std::fwrite(&at, sizeof at, 1, out);
      std::fputc(reached_[i] != 0, out);
    }
    std::fclose(out);
  }
  Edges(const Edges&) = delete;
  Edges& operator=(const Edges&) = delete;

  void add() {
    if (!file_) return;
    const auto now = counters();
    for (size_t i = 0; i < now.size(); ++i) reached_[i] |= now[i];
  }

 private:
  static std::span<const uint8_t> counters() { return {__start___sancov_cntrs, __stop___sancov_cntrs}; }
  const char* file_;
  std::vector<uint8_t> reached_;
};

}  // namespace

void count_edges() {
  static Edges edges;
  edges.add();
}

}  // namespace assay::fuzz
