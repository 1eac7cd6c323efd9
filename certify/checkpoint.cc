#include "certify/checkpoint.h"

#include "certify/base64.h"
#include "core/text.h"

#include <charconv>

namespace assay::certify {
namespace {

std::string with_proof(std::string out, const std::vector<Digest>& proof, const Checkpoint& checkpoint) {
  for (const Digest& hash : proof) out += base64(bytes_of(hash)) + "\n";
  return out + "\n" + checkpoint.note;
}

}  // namespace

std::string checkpoint_text(const std::string& origin, uint64_t size, const Digest& root) {
  return origin + "\n" + std::to_string(size) + "\n" + base64(bytes_of(root)) + "\n";
}

Result<uint64_t> decimal(std::string_view text, const std::string& field) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || std::to_string(value) != text)
    return fail(Fault::kMalformed, field + " is not a decimal number: " + std::string(text.substr(0, 24)));
  return value;
}

Result<Checkpoint> open_checkpoint(std::string_view bytes, const VerifierKey& log, const std::string& file) {
  const Note note = TRY(parse_note(bytes, file));
  bool is_signed = false;
  for (const NoteSignature& signature : note.signatures) {
    const auto good = is_signed_by(note, signature, log);
    if (!good) return fail(good.error().fault, file + ": " + good.error().what);
    is_signed |= *good;
  }
  if (!is_signed) return fail(Fault::kMalformed, file + ": no signature of the log's key " + log.text());
  const auto rows = split(note.text, '\n');
  if (rows.size() != 4 || !rows[3].empty())
    return fail(Fault::kMalformed, file + ": expected origin, size and root hash");
  if (rows[0] != log.name)
    return fail(Fault::kMalformed, file + ": origin is " + std::string(rows[0]) + ", not " + log.name);
  const std::string root = TRY(from_base64(rows[2], file + ": root hash"));
  if (root.size() != 32) return fail(Fault::kMalformed, file + ": root hash is not 32 bytes");
  return Checkpoint{log.name, TRY(decimal(rows[1], file + ": size")), digest_of_bytes(root), std::string(bytes)};
}

std::string tlog_proof(uint64_t index, const std::vector<Digest>& proof, const Checkpoint& checkpoint) {
  return with_proof("c2sp.org/tlog-proof@v1\nindex " + std::to_string(index) + "\n", proof, checkpoint);
}

std::string tlog_consistency(uint64_t old_size, const std::vector<Digest>& proof, const Checkpoint& checkpoint) {
  return with_proof("old " + std::to_string(old_size) + "\n", proof, checkpoint);
}

}  // namespace assay::certify
