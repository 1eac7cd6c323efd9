#include "certify/base64.h"
#include "certify/dsse.h"
#include "certify/note.h"

#include <gtest/gtest.h>

namespace assay::certify {
namespace {

TEST(Base64, HasOneEncodingPerValue) {
  for (const std::string& bytes : {std::string(), std::string("f"), std::string("fo"), std::string("foo\0\xff", 5)})
    EXPECT_EQ(*from_base64(base64(bytes), "x"), bytes);
  EXPECT_EQ(base64("foob"), "Zm9vYg==");  // RFC 4648, section 10
  for (const char* bad : {"Zm9vYg", "Zm9vYh==", "Zm9v\n", " Zm9v", "Zm9vYg==Zm9v", "Zm9-", "=", "Z"})
    EXPECT_FALSE(from_base64(bad, "x")) << bad;
}

TEST(Dsse, EncodesTheSpecificationsExample) {
  EXPECT_EQ(pre_authentication_encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

TEST(Keys, SignAndRefuseWhatWasChanged) {
  for (const Algorithm algorithm : {Algorithm::kEd25519, Algorithm::kP256}) {
    const auto key = SigningKey::generate(algorithm);
    ASSERT_TRUE(key);
    const auto again = SigningKey::from_pem(*key->pem(), "k");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->public_key(), key->public_key());
    EXPECT_EQ(*public_key_from_pem(key->public_key().pem(), "k.pub"), key->public_key());
    const auto envelope = sign_envelope("payload", "type", *again);
    ASSERT_TRUE(envelope);
    EXPECT_TRUE(verify_envelope(*envelope, key->public_key()));
    for (size_t i = 0; i < envelope->signature.size(); ++i) {
      Envelope changed = *envelope;
      changed.signature[i] = static_cast<char>(changed.signature[i] ^ 1);
      EXPECT_FALSE(verify_envelope(changed, key->public_key())) << i;
    }
    Envelope changed = *envelope;
    changed.payload_type = "typf";
    EXPECT_FALSE(verify_envelope(changed, key->public_key()));
  }
}

TEST(Keys, RefuseOtherKinds) {
  EXPECT_EQ(public_key_from_spki("\x30\x00").error().fault, Fault::kUnsupported);
  EXPECT_FALSE(SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "k"));
  EXPECT_FALSE(SigningKey::open("/nonexistent/key"));
}

// The examples of c2sp.org/signed-note.
constexpr char kExampleKey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr char kExampleNote[] =
    "This is an example message.\n\n\xE2\x80\x94 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

TEST(Note, ReadsTheSpecificationsExample) {
  const auto key = parse_verifier_key(kExampleKey);
  ASSERT_TRUE(key) << key.error().what;
  EXPECT_EQ(key->text(), kExampleKey);
  const auto note = parse_note(kExampleNote, "note");
  ASSERT_TRUE(note) << note.error().what;
  EXPECT_EQ(note_bytes(*note), kExampleNote);
  EXPECT_TRUE(*is_signed_by(*note, note->signatures[0], *key));
}

TEST(Note, EveryChangedByteIsNoticed) {
  const auto key = *parse_verifier_key(kExampleKey);
  for (size_t i = 0; i < sizeof kExampleNote - 1; ++i)
    for (const int bit : {1, 32, 128}) {
      std::string changed = kExampleNote;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      const auto note = parse_note(changed, "note");
      bool accepted = false;
      if (note)
        for (const NoteSignature& signature : note->signatures)
          if (const auto good = is_signed_by(*note, signature, key); good && *good) accepted = true;
      EXPECT_FALSE(accepted) << i;
    }
}

TEST(Note, CosignaturesCarryTheirTime) {
  const auto key = SigningKey::generate(Algorithm::kEd25519);
  const auto witness = *verifier_key("witness.example/w1", kNoteCosignature, key->public_key());
  Note note{"origin\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", {}};
  note.signatures.push_back(*cosign_note(note.text, witness.name, *key, 1679315147));
  EXPECT_TRUE(*is_signed_by(note, note.signatures[0], witness));
  EXPECT_EQ(*cosignature_time(note.signatures[0]), 1679315147u);
  note.signatures[0].signature[7] ^= 1;
  EXPECT_FALSE(is_signed_by(note, note.signatures[0], witness));
}

TEST(Note, NamesAndKeysAreChecked) {
  const auto ecdsa = SigningKey::generate(Algorithm::kP256);
  EXPECT_EQ(verifier_key("a.example", kNoteEd25519, ecdsa->public_key()).error().fault, Fault::kUnsupported);
  const auto key = SigningKey::generate(Algorithm::kEd25519);
  for (const char* bad : {"", "a b", "a+b",
                          "a\xC2\xA0"
                          "b",
                          "a\nb"})
    EXPECT_FALSE(verifier_key(bad, kNoteEd25519, key->public_key())) << bad;
  std::string other = kExampleKey;
  other[17] = '6';
  EXPECT_FALSE(parse_verifier_key(other));
}

}  // namespace
}  // namespace assay::certify
