#include "certify/note.h"

#include "certify/base64.h"
#include "core/text.h"

#include <algorithm>

namespace assay::certify {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";
constexpr size_t kMostSignatures = 64;  // the specification asks for 16 at least

// Unicode's White_Space beyond ASCII, in UTF-8.
constexpr std::string_view kSpaces[] = {"\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
                                        "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
                                        "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
                                        "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

bool is_key_name(std::string_view name) {
  if (name.empty() || name.find('+') != std::string_view::npos) return false;
  for (const char c : name)
    if (static_cast<uint8_t>(c) <= 0x20 || c == 0x7F) return false;
  return std::ranges::none_of(kSpaces,
                              [&](std::string_view space) { return name.find(space) != std::string_view::npos; });
}

bool is_note_text(std::string_view text) {
  for (const std::string_view line : split(text, '\n')) {
    std::string plain(line);
    std::erase(plain, '\\');  // which escape() would double
    if (escape(plain) != plain) return false;
  }
  return true;
}

Result<NoteSignature> parse_signature(std::string_view line, const std::string& file) {
  const std::string field = file + ": signature line";
  if (!line.starts_with(kDash)) return fail(Fault::kMalformed, field + " does not begin with a dash and a space");
  line.remove_prefix(kDash.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space)))
    return fail(Fault::kMalformed, field + ": no key name");
  const std::string bytes = TRY(from_base64(line.substr(space + 1), field));
  if (bytes.size() < 5) return fail(Fault::kMalformed, field + ": shorter than a key id and a signature");
  return NoteSignature{std::string(line.substr(0, space)), bytes.substr(0, 4), bytes.substr(4)};
}

std::string big_endian(uint64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
  return out;
}

std::string cosigned_message(const std::string& text, uint64_t time) {
  return "cosignature/v1\ntime " + std::to_string(time) + "\n" + text;
}

std::span<const uint8_t> octets(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string VerifierKey::id() const {
  const Digest digest = sha256(Bytes(name + "\n" + static_cast<char>(type) + key.raw()));
  return {reinterpret_cast<const char*>(digest.bytes.data()), 4};
}
std::string VerifierKey::text() const {
  return name + "+" + hex(octets(id())) + "+" + base64(static_cast<char>(type) + key.raw());
}

Result<VerifierKey> verifier_key(std::string_view name, uint8_t type, const PublicKey& key) {
  if (!is_key_name(name))
    return fail(Fault::kMalformed, "name " + std::string(name) + ": empty, or it has white space or a plus sign");
  if (key.algorithm != Algorithm::kEd25519)
    return fail(Fault::kUnsupported, "wrong key type: checkpoints are signed with Ed25519, this key is " +
                                         std::string(algorithm_name(key.algorithm)));
  return VerifierKey{std::string(name), type, key};
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  // Name and id hold no plus sign, base64 may.
  const size_t first = text.find('+'), second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos)
    return fail(Fault::kMalformed, "verifier key " + std::string(text) + ": expected name+id+key");
  const std::string material = TRY(from_base64(text.substr(second + 1), "verifier key"));
  if (material.size() != 33 || (material[0] != kNoteEd25519 && material[0] != kNoteCosignature))
    return fail(Fault::kUnsupported, "verifier key " + std::string(text) + ": wrong key type, only Ed25519 is used");
  auto key = TRY(verifier_key(text.substr(0, first), static_cast<uint8_t>(material[0]),
                              ed25519_public_key(std::string_view(material).substr(1))));
  if (key.text() != text)
    return fail(Fault::kMalformed, "verifier key " + std::string(text) + ": its id does not match");
  return key;
}

Result<Note> parse_note(std::string_view note, const std::string& file) {
  const size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return fail(Fault::kMalformed, file + ": no blank line before the signatures");
  Note out{.text = std::string(note.substr(0, blank + 1))};
  std::string_view rest = note.substr(blank + 2);
  if (rest.empty() || !rest.ends_with('\n') || !is_note_text(note))
    return fail(Fault::kMalformed,
                file + ": not a signed note: " +
                    (rest.empty() ? "no signature" : "control bytes, not UTF-8, or no last newline"));
  rest.remove_suffix(1);
  for (const std::string_view line : split(rest, '\n')) {
    if (out.signatures.size() == kMostSignatures) return fail(Fault::kLimit, file + ": more than 64 signatures");
    out.signatures.push_back(TRY(parse_signature(line, file)));
  }
  return out;
}

std::string note_bytes(const Note& note) {
  std::string out = note.text + "\n";
  for (const NoteSignature& s : note.signatures)
    out += std::string(kDash) + s.name + " " + base64(s.id + s.signature) + "\n";
  return out;
}

Result<NoteSignature> sign_note(const std::string& text, const std::string& name, const SigningKey& key) {
  const VerifierKey signer = TRY(verifier_key(name, kNoteEd25519, key.public_key()));
  return NoteSignature{name, signer.id(), TRY(key.sign(text))};
}

Result<NoteSignature> cosign_note(const std::string& text, const std::string& name, const SigningKey& key,
                                  uint64_t time) {
  const VerifierKey signer = TRY(verifier_key(name, kNoteCosignature, key.public_key()));
  return NoteSignature{name, signer.id(), big_endian(time) + TRY(key.sign(cosigned_message(text, time)))};
}

Result<uint64_t> cosignature_time(const NoteSignature& signature) {
  const uint64_t time = TRY(Bytes(signature.signature).be<uint64_t>(0, "cosignature: timestamp"));
  if (time >> 63) return fail(Fault::kMalformed, "cosignature: timestamp exceeds 2^63 - 1");
  return time;
}

Result<bool> is_signed_by(const Note& note, const NoteSignature& signature, const VerifierKey& key) {
  if (signature.name != key.name || signature.id != key.id()) return false;
  std::string message = note.text;
  std::string_view bytes = signature.signature;
  if (key.type == kNoteCosignature) {
    message = cosigned_message(note.text, TRY(cosignature_time(signature)));
    bytes.remove_prefix(8);
  }
  if (!verify(key.key, message, bytes))
    return fail(Fault::kMalformed, "the signature of " + key.name + " does not verify");
  return true;
}

}  // namespace assay::certify
