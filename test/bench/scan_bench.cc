// ./dev bench scan: how fast magics are sought and candidates validated, on one core. Inputs are given as files; each
// is scanned, and every candidate is measured or decoded as the driver does, from left to right, an accepted one jumped
// over. Decoding is counted apart: what a stream decodes to is work of the codec, not of the search.
#include "unpack/probe.h"
#include "unpack/scan.h"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>

namespace {

using namespace assay;
using namespace assay::unpack;

struct Total {
  uint64_t bytes = 0, hits = 0, tried = 0, accepted = 0;
  double scanning = 0, measuring = 0, decoding = 0;
};

// Seconds of this thread on a processor: what else the machine does is not our speed.
double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
double since(double begun) { return now() - begun; }

uint64_t validate(const Hit& hit, Bytes bytes, Total& total) {
  const Bytes from = bytes.head(bytes.size(), hit.start);
  const double begun = now();
  ++total.tried;
  uint64_t length = 0;
  if (hit.format->decode) {
    Trial trial;
    if (const auto decoded = hit.format->decode(from, trial)) length = decoded->length;
  } else if (const auto measured = hit.format->measure(from)) {
    length = measured->length;
  }
  const bool decoded = hit.format->decode && length > 0;
  (decoded ? total.decoding : total.measuring) += since(begun);
  return length;
}

void run(const std::string& text, Total& total) {
  const Bytes bytes(text);
  const double begun = now();
  const auto hits = scan(bytes);
  total.scanning += since(begun);
  total.bytes += bytes.size(), total.hits += hits.size();
  uint64_t cursor = 0;
  for (const Hit& hit : hits) {
    if (hit.start < cursor) continue;
    const uint64_t length = validate(hit, bytes, total);
    if (length == 0) continue;
    ++total.accepted;
    cursor = hit.start + length;
  }
}

}  // namespace

int main(int count, char** paths) {
  Total total;
  for (int i = 1; i < count; ++i) {
    std::ifstream file(paths[i], std::ios::binary);
    run({std::istreambuf_iterator<char>(file), {}}, total);
  }
  const double mib = static_cast<double>(total.bytes) / 1e6;
  std::printf(
      "%.1f MB in %d files: scan %.0f MB/s, scan and validation %.0f MB/s; %llu magics, %llu candidates tried, %llu "
      "accepted; "
      "decoding accepted streams took %.2f s more\n",
      mib, count - 1, mib / total.scanning, mib / (total.scanning + total.measuring),
      static_cast<unsigned long long>(total.hits), static_cast<unsigned long long>(total.tried),
      static_cast<unsigned long long>(total.accepted), total.decoding);
  return 0;
}
