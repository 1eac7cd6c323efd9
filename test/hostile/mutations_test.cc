// Damaged inputs of every kind: each truncation and each flipped byte must give a value in bounded time, with every
// byte of every container in exactly one span. Inputs up to 16 KiB are damaged at every byte, longer ones at a share
// of them. A crash names the sample and the damage on standard error.
#include "test/hostile/pipeline.h"
#include "test/hostile/samples.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define ASSAY_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASSAY_SANITIZED 1
#endif
#endif

namespace assay::hostile {
namespace {

#ifdef ASSAY_SANITIZED
constexpr uint64_t kWholeUpTo = 512, kDamagesOfLonger = 40;
constexpr double kLongestSeconds = 20;
#else
constexpr uint64_t kWholeUpTo = 16 << 10, kDamagesOfLonger = 4000;
constexpr double kLongestSeconds = 4;
#endif

std::array<char, 256> doing{};

void say_what_it_was(int signal) {
  const ssize_t ignored = write(STDERR_FILENO, doing.data(), strnlen(doing.data(), doing.size()));
  static_cast<void>(ignored);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

class Mutations : public testing::Test {
 protected:
  void SetUp() override {
    for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) std::signal(signal, say_what_it_was);
  }
  void TearDown() override {
    for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) std::signal(signal, SIG_DFL);
  }

  // One input through everything; false: a promise was broken.
  void put_through(const Sample& sample, const std::string& bytes, const char* damage, uint64_t at) {
    std::snprintf(doing.data(), doing.size(), "while reading %s, %s %llu\n", sample.name.c_str(), damage,
                  static_cast<unsigned long long>(at));
    const auto begun = std::chrono::steady_clock::now();
    const Outcome outcome = everything(bytes);
    const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    ++runs_;
    EXPECT_EQ(outcome.wrong, "") << doing.data();
    EXPECT_LT(spent, kLongestSeconds) << doing.data();
  }

  void damage(const Sample& sample) {
    const std::string& good = sample.bytes;
    put_through(sample, good, "whole", 0);
    const uint64_t stride = good.size() <= kWholeUpTo ? 1 : std::max<uint64_t>(1, good.size() / kDamagesOfLonger);
    for (uint64_t at = 0; at < good.size() && !HasFailure(); at += at < 64 ? 1 : stride) {
      put_through(sample, good.substr(0, at), "cut at", at);
      for (const char with : at < 256 ? std::string("\xff\x01\x80") : std::string("\xff")) {
        std::string damaged = good;
        damaged[at] = static_cast<char>(damaged[at] ^ with);
        put_through(sample, damaged, "flipped at", at);
      }
    }
  }

  void damage_all(const std::vector<Sample>& samples) {
    for (const Sample& sample : samples) {
      const auto begun = std::chrono::steady_clock::now();
      const uint64_t before = runs_;
      damage(sample);
      const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
      std::printf("  %-24s %7zu bytes %6llu runs %6.2f s\n", sample.name.substr(sample.name.rfind('/') + 1).c_str(),
                  sample.bytes.size(), static_cast<unsigned long long>(runs_ - before), spent);
    }
    std::fflush(stdout);
  }

  uint64_t runs_ = 0;
};

TEST_F(Mutations, OfCases) {
  const std::vector<Sample> samples = case_samples();
  ASSERT_FALSE(samples.empty());
  damage_all(samples);
}

TEST_F(Mutations, OfContainersMadeByTools) {
  const std::vector<Sample> samples = tool_samples();
  if (samples.empty()) GTEST_SKIP() << "none of the tools is here";
  damage_all(samples);
}

TEST_F(Mutations, OfSingleFiles) { damage_all(file_samples()); }

TEST_F(Mutations, OfADevice) {
  const Sample device = device_sample();
  const Outcome outcome = everything(device.bytes);
  EXPECT_GT(outcome.facts.accounts.size(), 2u);
  EXPECT_GT(outcome.facts.startup.size(), 3u);
  EXPECT_GT(outcome.facts.services.size(), 2u);
  EXPECT_GT(outcome.findings.size(), 5u);
  damage_all({device});
}

}  // namespace
}  // namespace assay::hostile
