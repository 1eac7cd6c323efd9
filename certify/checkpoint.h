// C2SP tlog-checkpoint: a signed note whose text is origin, tree size and root hash. Extension lines are refused:
// nobody could audit them.
#pragma once
#include "certify/merkle.h"
#include "certify/note.h"

namespace assay::certify {

struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  Digest root;
  std::string note;  // the signed note as it stands in the file
};

std::string checkpoint_text(const std::string& origin, uint64_t size, const Digest& root);
// The log's signature must be there and hold. Other signatures stay in the note, unjudged.
Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& log, const std::string& file);
Result<uint64_t> decimal(std::string_view text, const std::string& field);  // no leading zeros

// C2SP tlog-proof, for a file of its own.
std::string tlog_proof(uint64_t index, const std::vector<Digest>& proof, const Checkpoint& checkpoint);
// The body of C2SP tlog-witness: that the first `old_size` entries are as they were, and the checkpoint of now.
std::string tlog_consistency(uint64_t old_size, const std::vector<Digest>& proof, const Checkpoint& checkpoint);

}  // namespace assay::certify
