#include "certify/witness.h"

#include "certify/files.h"

#include <fcntl.h>
#include <sys/file.h>

namespace assay::certify {

Result<void> check_growth(const Checkpoint& old, const Checkpoint& now, const TileReader& tiles) {
  const std::string sizes = std::to_string(old.size) + " entries before, " + std::to_string(now.size) + " now";
  if (now.size < old.size) return fail(Fault::kMalformed, now.origin + ": the log was cut: " + sizes);
  const auto proof = TRY(Tree(tiles, now.size).consistency(old.size));
  if (!verify_consistency(old.size, old.root, now.size, now.root, proof))
    return fail(Fault::kMalformed,
                now.origin + ": the log was rewritten or forked: " + sizes + ", and they are not the same history");
  return {};
}

Result<Cosignature> witness(const Witness& who, const SigningKey& key, const Checkpoint& now, const VerifierKey& log,
                            const TileReader& tiles) {
  const VerifierKey own = TRY(verifier_key(who.name, kNoteCosignature, key.public_key()));
  TRY_VOID(make_folders(who.folder));
  const std::string file = who.folder + "/" + sha256(Bytes(now.origin)).hex();
  // Two at once must not both compare with the older one (c2sp.org/tlog-witness): compare and remember under a lock.
  const File lock(::open((file + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock || flock(lock.fd(), LOCK_EX) != 0) return system_error("lock " + file);
  if (file_exists(file)) {
    const std::string old = TRY(read_file(file, 1 << 20));
    TRY_VOID(check_growth(TRY(open_checkpoint(old, log, file)), now, tiles));
  }
  const Note note = TRY(parse_note(now.note, "checkpoint"));
  Cosignature out{own, TRY(cosign_note(note.text, who.name, key, who.time))};
  TRY_VOID(write_durably(file, now.note));
  return out;
}

}  // namespace assay::certify
