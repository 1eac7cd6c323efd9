// A witness (C2SP tlog-cosignature): remembers the newest checkpoint of each log it saw and cosigns only growth, so
// that a log cannot show two histories. The time in a cosignature is the witness's word, not the log's.
#pragma once
#include "certify/checkpoint.h"
#include "certify/tiles.h"

namespace assay::certify {

// kMalformed: `now` does not continue `old`: the log was rewritten, forked or cut.
Result<void> check_growth(const Checkpoint& old, const Checkpoint& now, const TileReader& tiles);

struct Witness {
  std::string name;
  std::string folder;  // one file a log, named by the SHA-256 of its origin
  uint64_t time = 0;
};
struct Cosignature {
  VerifierKey key;
  NoteSignature signature;
};
Result<Cosignature> witness(const Witness& who, const SigningKey& key, const Checkpoint& now, const VerifierKey& log,
                            const TileReader& tiles);

}  // namespace assay::certify
