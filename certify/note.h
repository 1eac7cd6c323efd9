// C2SP signed-note: text, a blank line, signature lines "— name base64(key id ‖ signature)"; and verifier keys.
// Read strictly: what is not in the one encoding we would write ourselves is refused, so every byte counts.
#pragma once
#include "certify/keys.h"

#include <vector>

namespace assay::certify {

// Signature types of c2sp.org/signed-note and c2sp.org/tlog-cosignature.
inline constexpr uint8_t kNoteEd25519 = 0x01, kNoteCosignature = 0x04;

struct VerifierKey {
  std::string name;
  uint8_t type = kNoteEd25519;
  PublicKey key;  // Ed25519

  std::string id() const;    // four bytes
  std::string text() const;  // name+hex+base64, the vkey
  bool operator==(const VerifierKey&) const = default;
};
Result<VerifierKey> verifier_key(std::string_view name, uint8_t type, const PublicKey& key);  // checks name and kind
Result<VerifierKey> parse_verifier_key(std::string_view text);

struct NoteSignature {
  std::string name;
  std::string id;         // four bytes
  std::string signature;  // what follows them
};
struct Note {
  std::string text;  // with its last newline
  std::vector<NoteSignature> signatures;
};

Result<Note> parse_note(std::string_view note, const std::string& file);
std::string note_bytes(const Note& note);

Result<NoteSignature> sign_note(const std::string& text, const std::string& name, const SigningKey& key);
// c2sp.org/tlog-cosignature, Ed25519: the time (POSIX seconds) is signed with the text.
Result<NoteSignature> cosign_note(const std::string& text, const std::string& name, const SigningKey& key,
                                  uint64_t time);
Result<uint64_t> cosignature_time(const NoteSignature& signature);

// Whether this is the key's signature; an error when it says it is and does not verify.
Result<bool> is_signed_by(const Note& note, const NoteSignature& signature, const VerifierKey& key);

}  // namespace assay::certify
