// The certificate's file: the verdict's bundle and those of the statements it rests on, one line of JSON.
//
//   {"mediaType": kCertificateType, "log": VKEY, "certificate": BUNDLE, "attestations": [BUNDLE, …]}
//
// A bundle is a Sigstore bundle v0.3 with a DSSE envelope, a public key hint, and a log entry of Rekor v2's kind
// dsse/0.0.2 with inclusion proof and C2SP checkpoint. There is one encoding: what was read is written again and
// compared, so every byte either follows from others or is signed.
//
// In a public view an attestation may be withheld: {"withheld": SHA-256 of its statement} stands in its place, and
// since the verdict names that digest, the view still verifies.
#pragma once
#include "certify/dsse.h"
#include "certify/log.h"

namespace assay::certify {

inline constexpr char kCertificateType[] = "application/vnd.assay.certificate.v1+json";

struct Bundle {
  std::string withheld;  // hex: of an attestation that is not shown; nothing else is known of it
  Envelope envelope;
  PublicKey signer;
  LogEntry entry;
};
struct Certificate {
  VerifierKey log;
  std::vector<Bundle> bundles;  // the verdict first
};

std::string statement_type(const Bundle& bundle);                         // its predicateType; "" : withheld
std::string digest_of(const Bundle& bundle);                              // hex, of its statement
std::string log_body(const Envelope& envelope, const PublicKey& signer);  // the log's entry: digests, never contents
std::string bundle_json(const Bundle& bundle, const VerifierKey& log);
std::string certificate_json(const Certificate& certificate);

// Reads and checks all that the file alone can show: encoding, signatures, inclusion, the log's signature, and that the
// verdict names exactly these attestations. Whose keys these are it cannot know.
Result<Certificate> read_certificate(std::string_view text, const std::string& file);

// A public view: attestations of these predicate types withheld.
Certificate redacted(Certificate certificate, const std::vector<std::string>& types);

}  // namespace assay::certify
