// The journal of ext3 and ext4 (jbd2): what it holds that is newer than the file system.
#pragma once
#include "core/bytes.h"

#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace assay::unpack::ext {

struct Journal {
  uint32_t block_size = 0, first = 0, last = 0, start = 0, sequence = 0;  // start 0: nothing to apply
  uint32_t features = 0;                                                  // incompatible ones
  uint32_t seed = 0;                                                      // of its checksums
  bool has(uint32_t feature) const { return (features & feature) != 0; }
  bool checksums() const { return has(0x18); }
};
Result<Journal> read_journal(Bytes super);  // its first block

struct Newer {
  uint64_t at = 0;       // the block of the journal's file that holds the newer bytes
  bool altered = false;  // its first word, which is the journal's magic, is stored as 0
};

struct Replay {
  std::map<uint64_t, Newer> blocks;  // of the file system
  uint64_t transactions = 0, revoked = 0;
  std::vector<Error> problems;
};

// `block`: a block of the journal's file, or nothing where it has none. `blocks`: of the file system; no number that
// the journal names reaches it, and no more of its blocks are looked at. `charge` is asked for each, and for each
// number.
using LogBlock = std::function<std::optional<Bytes>(uint64_t)>;
using Charge = std::function<Result<void>(uint64_t)>;
Result<Replay> replay(const Journal& journal, const LogBlock& block, uint64_t blocks, const Charge& charge);

}  // namespace assay::unpack::ext
