// in-toto Statements (in-toto/attestation spec/v1/statement.md): what a signature is put under.
//
// The bytes are fixed: keys in the order of the specification, no white space, so that the same statement has the same
// digest everywhere. That digest, SHA-256 over statement_bytes, is how one statement names another (SLSA's
// inputAttestations) and what the log holds.
#pragma once
#include "core/hash.h"

#include <vector>

namespace assay::certify {

inline constexpr char kStatementType[] = "https://in-toto.io/Statement/v1";
inline constexpr char kStatementPayload[] = "application/vnd.in-toto+json";

// The certificate proper is a SLSA verification summary. What SLSA has no field for lies under one field of ours in the
// predicate, named by a URI as its parsing rules ask; `assay verify` reads from it, each member optional:
//   {"program": {"version": "0.1.0", "sha256": HEX}, "validFrom": "YYYY-MM-DD", "validUntil": "YYYY-MM-DD",
//    "images": [{"name": "fw.bin", "sha256": HEX, "factRoot": HEX, "arrows": 12}], "asOf": "YYYY-MM-DD",
//    "keys": [{"format": "x", "sha256": HEX}], "declaration": {"sha256": HEX},
//    "product": {"vendor": TEXT, "product": TEXT, "model": TEXT, "release": TEXT, "uniqueId": TEXT, "class": CLASS},
//    "waivers": [{"ref": REF, "until": "YYYY-MM-DD", "sha256": HEX}]}
inline constexpr char kVerdictType[] = "https://slsa.dev/verification_summary/v1";
inline constexpr char kExtension[] = "urn:assay:certificate:v1";
inline constexpr char kTestResultType[] = "https://in-toto.io/attestation/test-result/v0.1";
inline constexpr char kSbomType[] = "https://cyclonedx.org/bom";
inline constexpr char kStatusType[] = "urn:assay:status:v1";

struct Subject {
  std::string name;
  std::string sha256;  // 64 lower-case hex digits
};

struct Statement {
  std::string predicate_type;
  std::vector<Subject> subjects;
  std::string predicate_json;  // one JSON object, kept byte for byte
};

// kMalformed: no subject, a digest that is none, a predicate that is no JSON object.
Result<std::string> statement_bytes(const Statement& statement);

}  // namespace assay::certify
