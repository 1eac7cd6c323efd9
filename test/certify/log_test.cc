#include "certify/log.h"

#include "certify/files.h"
#include "certify/integrate.h"
#include "certify/witness.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>

namespace assay::certify {
namespace {

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/assay-log-XXXXXX";
    folder_ = mkdtemp(name);
    const auto key = SigningKey::generate(Algorithm::kEd25519);
    ASSERT_TRUE(write_durably(folder_ + "/key", *key->pem(), 0600));
    log_ = folder_ + "/log";
    ASSERT_TRUE(Log::init(log_, folder_ + "/key", "log.example/t"));
  }
  void TearDown() override { ASSERT_EQ(std::system(("rm -rf " + folder_).c_str()), 0); }

  // The whole log holds, and entry i of `first` on is `text i`.
  void expect_sound(uint64_t size) {
    const auto log = Log::open(log_);
    ASSERT_TRUE(log) << log.error().what;
    const auto now = log->checkpoint();
    ASSERT_TRUE(now) << now.error().what;
    EXPECT_EQ(now->size, size);
    const auto good = verify_tree(tiles_in(log_), *now);
    EXPECT_TRUE(good) << good.error().what;
  }
  std::string folder_, log_;
};

std::string text(uint64_t i) { return "entry " + std::to_string(i); }

TEST_F(LogTest, GrowsAndProves) {
  auto log = Log::open(log_);
  ASSERT_TRUE(log);
  uint64_t size = 0;
  for (const uint64_t step : {1u, 1u, 253u, 1u, 1u, 300u, 66000u, 7u}) {
    std::vector<std::string> entries;
    for (uint64_t i = 0; i < step; ++i) entries.push_back(text(size + i));
    EXPECT_EQ(*log->append(entries), size);
    size += step;
    const auto now = log->publish();
    ASSERT_TRUE(now) << now.error().what;
    EXPECT_EQ(now->size, size);
    for (const uint64_t index : {uint64_t{0}, size / 2, size - 1}) {
      const auto entry = log->prove(index, *now);
      ASSERT_TRUE(entry) << entry.error().what;
      EXPECT_TRUE(verify_inclusion(leaf_hash(text(index)), index, size, entry->proof, now->root)) << index;
    }
  }
  expect_sound(size);
  EXPECT_FALSE(log->prove(size, *log->checkpoint()));
  EXPECT_FALSE(log->append({std::string(65536, 'x')}));
}

TEST_F(LogTest, AChangedByteInTilesIsFoundAndNothingIsSignedOnTop) {
  auto log = Log::open(log_);
  ASSERT_TRUE(log->append({"a", "b", "c"}) && log->publish());
  for (const std::string& path : {tile_path(0, 0, 3), bundle_path(0, 3)}) {
    std::string bytes = *read_file(log_ + "/" + path);
    bytes[5] ^= 1;
    ASSERT_TRUE(write_durably(log_ + "/" + path, bytes));
    EXPECT_FALSE(verify_tree(tiles_in(log_), *log->checkpoint())) << path;
    if (path == tile_path(0, 0, 3)) {
      ASSERT_TRUE(log->append({"d"}));
      EXPECT_FALSE(log->publish());
      bytes[5] ^= 1;
      ASSERT_TRUE(write_durably(log_ + "/" + path, bytes));
    }
  }
}

TEST_F(LogTest, ARewrittenLogIsNoticedByAWitness) {
  auto log = Log::open(log_);
  ASSERT_TRUE(log->append({"a", "b", "c"}));
  const auto before = log->publish();
  const auto key = SigningKey::generate(Algorithm::kEd25519);
  const Witness who{"witness.example/w", folder_ + "/seen", 1700000000};
  const auto seen = witness(who, *key, *before, log->key(), tiles_in(log_));
  ASSERT_TRUE(seen) << seen.error().what;
  ASSERT_TRUE(log->add_cosignature(seen->signature, seen->key));
  const VerifierKey origin = log->key();
  ASSERT_EQ(std::system(("rm -rf " + log_).c_str()), 0);
  ASSERT_TRUE(Log::init(log_, folder_ + "/key", "log.example/t"));
  auto forked = Log::open(log_);
  EXPECT_FALSE(witness(who, *key, *forked->checkpoint(), origin, tiles_in(log_)));  // cut
  ASSERT_TRUE(forked->append({"a", "B", "c", "d"}));
  const auto now = forked->publish();
  ASSERT_TRUE(now);
  EXPECT_FALSE(witness(who, *key, *now, origin, tiles_in(log_)));
  EXPECT_FALSE(check_growth(*before, *now, tiles_in(log_)));
}

// What a loss of power leaves: any prefix of what was not synced, and bytes that were never written.
TEST_F(LogTest, ATornTailCostsOnlyWhatWasNotAcknowledged) {
  {
    auto log = Log::open(log_);
    ASSERT_TRUE(log->append({"a", "b", "c"}));
    ASSERT_TRUE(log->publish());
    ASSERT_TRUE(log->append({"acknowledged"}));
  }
  std::string journal = *read_file(log_ + "/journal");
  journal.resize(journal.find_last_not_of('\xff') + 1);  // without the end mark and what follows it
  const std::string tail("\x05\0\0\0\0\0\0\0hello", 13);
  // Behind it the file ends, or room was made in advance.
  for (const size_t room : {0, 100})
    for (size_t keep = 0; keep <= tail.size(); ++keep) {
      ASSERT_TRUE(write_durably(log_ + "/journal", journal + tail.substr(0, keep) + std::string(room, '\xff')));
      unlink((log_ + "/state").c_str());
      auto log = Log::open(log_);
      EXPECT_EQ(*log->append({"next"}), 4u) << keep;
    }
  auto log = Log::open(log_);
  ASSERT_TRUE(log->publish());
  expect_sound(5);
  // Less than the checkpoint says is damage, and said.
  ASSERT_TRUE(write_durably(log_ + "/journal", journal.substr(0, 20)));
  unlink((log_ + "/state").c_str());
  auto damaged = Log::open(log_);
  EXPECT_FALSE(damaged->append({"x"}));
}

TEST_F(LogTest, APublisherKilledAfterTheCheckpointIsFollowed) {
  std::string state;
  {
    auto log = Log::open(log_);
    ASSERT_TRUE(log->append({"a", "b", "c"}) && log->publish() && log->append({"d"}));
    state = *read_file(log_ + "/state");
    ASSERT_TRUE(log->publish());
  }
  ASSERT_TRUE(write_durably(log_ + "/state", state));
  auto log = Log::open(log_);
  ASSERT_TRUE(log->append({"e"}));
  const auto now = log->publish();
  ASSERT_TRUE(now) << now.error().what;
  expect_sound(5);
  EXPECT_EQ((*Tree(tiles_in(log_), 5).bundle(0))[4], "e");
}

// The same one step earlier, where the partial tiles are gone already.
TEST_F(LogTest, APublisherKilledBeforeTheCheckpointIsFollowed) {
  auto log = Log::open(log_);
  ASSERT_TRUE(log->append(std::vector<std::string>(250, "x")) && log->publish());
  const std::string checkpoint = *read_file(log_ + "/checkpoint");
  ASSERT_TRUE(log->append(std::vector<std::string>(10, "y")) && log->publish());
  ASSERT_TRUE(write_durably(log_ + "/checkpoint", checkpoint));
  ASSERT_TRUE(log->append({"z"}));
  const auto now = log->publish();
  ASSERT_TRUE(now) << now.error().what;
  expect_sound(261);
}

// Killed with its records written and not counted; the next writer is acknowledged, then the machine restarts.
TEST_F(LogTest, WhatAKilledWriterLeftDoesNotReplaceWhatWasAcknowledged) {
  {
    auto log = Log::open(log_);
    ASSERT_TRUE(log->append({"a"}) && log->publish());
    const std::string state = *read_file(log_ + "/state");
    ASSERT_TRUE(log->append({"stray", "left"}));
    ASSERT_TRUE(write_durably(log_ + "/state", state));
  }
  {
    auto log = Log::open(log_);
    EXPECT_EQ(*log->append({"acked"}), 1u);
  }
  unlink((log_ + "/state").c_str());
  auto log = Log::open(log_);
  ASSERT_TRUE(log->publish());
  expect_sound(2);
  EXPECT_EQ((*Tree(tiles_in(log_), 2).bundle(0))[1], "acked");
}

// Writers are killed at any point; what they were told is in the log at the index they were told.
TEST_F(LogTest, KilledWritersLoseNothingAcknowledged) {
  std::mt19937 random(1);
  std::vector<std::pair<uint64_t, std::string>> told;
  for (int round = 0; round < 4; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    std::vector<pid_t> children;
    for (int writer = 0; writer < 4; ++writer) {
      const pid_t child = fork();
      if (child == 0) {
        auto log = Log::open(log_);
        for (int i = 0;; ++i) {
          const std::string entry = std::to_string(round) + "/" + std::to_string(writer) + "/" + std::to_string(i);
          const auto index = log->append({entry});
          if (!index) _exit(1);
          const std::string line = std::to_string(*index) + " " + entry + "\n";
          if (write(pipe_ends[1], line.data(), line.size()) < 0) _exit(1);
          if (i % 5 == writer && !log->publish()) _exit(1);
        }
      }
      children.push_back(child);
    }
    close(pipe_ends[1]);
    std::string lines;
    char buffer[4096];
    const size_t until = 300 + random() % 1000;
    while (lines.size() < until) {
      const ssize_t got = read(pipe_ends[0], buffer, sizeof buffer);
      ASSERT_GT(got, 0) << "a writer gave up";
      lines.append(buffer, static_cast<size_t>(got));
    }
    for (const pid_t child : children) kill(child, SIGKILL);
    for (const pid_t child : children) waitpid(child, nullptr, 0);
    for (ssize_t got; (got = read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
      lines.append(buffer, static_cast<size_t>(got));
    close(pipe_ends[0]);
    for (size_t at = 0, end; (end = lines.find('\n', at)) != std::string::npos; at = end + 1) {
      const size_t space = lines.find(' ', at);
      told.emplace_back(std::stoull(lines.substr(at)), lines.substr(space + 1, end - space - 1));
    }
  }
  auto log = Log::open(log_);
  const auto now = log->publish();
  ASSERT_TRUE(now) << now.error().what;
  expect_sound(now->size);
  Tree tree(tiles_in(log_), now->size);
  for (const auto& [index, entry] : told) {
    ASSERT_LT(index, now->size);
    EXPECT_EQ((*tree.bundle(index / 256))[index % 256], entry);
  }
  EXPECT_GT(told.size(), 20u);
}

}  // namespace
}  // namespace assay::certify
