// A transparency log on plain files: C2SP tlog-tiles, RFC 6962 hashing, checkpoints signed with Ed25519.
//
//   L/log.json             origin, verifier key, where the private key is, witnesses; not served
//   L/checkpoint           the newest signed checkpoint, with cosignatures
//   L/tile/…               hash tiles and entry bundles
//   L/journal, L/state     entries that are durable, perhaps not yet in tiles (certify/journal.h)
//
// An entry is acknowledged when the journal holds it durably; publish() moves what is durable into tiles, makes those
// durable, then signs and replaces the checkpoint. So a checkpoint never says more than the disk holds, and nothing
// acknowledged is lost by a kill or a loss of power. Many processes may append at once.
#pragma once
#include "certify/checkpoint.h"

#include <memory>
#include <optional>
#include <vector>

namespace assay::certify {

inline constexpr uint64_t kLongestEntry = 65535;  // the length field of an entry bundle has two bytes

struct LogEntry {
  uint64_t index = 0;
  std::vector<Digest> proof;  // RFC 6962 2.1.1, leaf's sibling first
  Checkpoint checkpoint;
};

class Log {
 public:
  static Result<void> init(const std::string& folder, const std::string& key, const std::string& origin);
  static Result<Log> open(const std::string& folder);
  Log(Log&&) noexcept;
  ~Log();

  const VerifierKey& key() const;  // its name is the origin

  // Durable when it returns: the index of the first; the others follow it without a gap.
  Result<uint64_t> append(const std::vector<std::string>& entries);
  Result<Checkpoint> publish();  // everything that is durable now
  Result<Checkpoint> checkpoint() const;
  Result<LogEntry> prove(uint64_t index, const Checkpoint& at) const;
  Result<void> add_cosignature(const NoteSignature& signature, const VerifierKey& witness);  // to the checkpoint

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace assay::certify
