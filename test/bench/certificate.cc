// ./dev bench certificate: changes N random bytes of a certificate, one at a time, and counts those that are not
// refused.
//
//   certificate_bench FILE N
#include "certify/certificate.h"
#include "certify/files.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

int main(int argc, char** argv) {
  using namespace assay;
  if (argc != 3) return 2;
  const auto whole = certify::read_file(argv[1], 1 << 30);
  if (!whole || !certify::read_certificate(*whole, argv[1])) {
    std::fprintf(stderr, "certificate_bench: %s is not a certificate that holds\n", argv[1]);
    return 1;
  }
  const auto begun = std::chrono::steady_clock::now();
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  const uint64_t each = std::strtoull(argv[2], nullptr, 10) / threads;
  std::atomic<uint64_t> accepted{0};
  std::vector<std::jthread> running;
  for (unsigned t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      std::mt19937_64 random(20261127 + t);
      std::string text = *whole;
      for (uint64_t n = 0; n < each; ++n) {
        const size_t at = random() % text.size();
        const char was = text[at];
        text[at] = static_cast<char>(was ^ (1 << random() % 8));
        if (certify::read_certificate(text, "changed")) {
          std::printf("accepted with byte %zu changed\n", at);
          ++accepted;
        }
        text[at] = was;
      }
    });
  running.clear();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf("%s: %zu bytes, %lu random bytes changed, %lu accepted, %.0f s\n", argv[1], whole->size(),
              static_cast<unsigned long>(each * threads), static_cast<unsigned long>(accepted), seconds);
  return accepted > 0 ? 1 : 0;
}
