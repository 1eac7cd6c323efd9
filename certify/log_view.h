// A log as its readers see it: a folder or a URL of C2SP tlog-tiles, opened without writing anything, so that a log
// that is read-only, on a full disk or somebody else's can be proven from and checked.
#pragma once
#include "certify/checkpoint.h"
#include "certify/tiles.h"

#include <optional>

namespace assay::certify {

struct LogView {
  std::string where;
  VerifierKey key;
  TileReader read;  // any file of the log by its path in it

  Result<Checkpoint> checkpoint() const;
};

// `where`: a folder, or http://HOST[:PORT]/PATH. Without a key, a folder's own log.json names it.
Result<LogView> view_log(const std::string& where, const std::optional<VerifierKey>& key);

// Every entry of [from, size), each proven to stand where it is said to.
using Visit = std::function<Result<void>(uint64_t index, const std::string& entry)>;
Result<void> each_entry(const TileReader& read, const Checkpoint& at, uint64_t from, const Visit& visit);

}  // namespace assay::certify
