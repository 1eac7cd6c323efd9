#include "certify/certificate.h"

#include "certify/base64.h"
#include "certify/issue.h"
#include "certify/json.h"
#include "core/json_parse.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

using Json = nlohmann::json;

std::string member(const char* name, const std::string& value) { return json_string(name) + ":" + json_string(value); }
std::string encoded(const char* name, std::string_view value) { return member(name, base64(value)); }

std::string proof_json(const LogEntry& entry) {
  std::string out = "{" + member("logIndex", std::to_string(entry.index)) + "," +
                    encoded("rootHash", bytes_of(entry.checkpoint.root)) + "," +
                    member("treeSize", std::to_string(entry.checkpoint.size)) + ",\"hashes\":[";
  for (size_t i = 0; i < entry.proof.size(); ++i) out += (i ? "," : "") + json_string(base64(bytes_of(entry.proof[i])));
  return out + "],\"checkpoint\":{" + member("envelope", entry.checkpoint.note) + "}}";
}

// A certificate's checkpoint carries the log's signature alone: another's could not be checked here, and so could be
// changed unnoticed.
Result<Checkpoint> read_own_checkpoint(const std::string& note, const VerifierKey& log, const std::string& file) {
  Checkpoint out = TRY(open_checkpoint(note, log, file));
  if (TRY(parse_note(note, file)).signatures.size() != 1)
    return fail(Fault::kMalformed, file + ": it has a signature beside the log's");
  return out;
}

Result<std::string> read_withheld(const Json& json, const std::string& file) {
  std::string digest = json.at("withheld").get<std::string>();
  if (digest.size() == 64) return digest;
  return fail(Fault::kMalformed, file + ": withheld: not a SHA-256");
}

// The caller catches what the library throws where a field is missing or of another kind.
Result<Bundle> read_bundle(const Json& json, const VerifierKey& log, const std::string& file) {
  const Json& entry = json.at("verificationMaterial").at("tlogEntries").at(0);
  const Json& proof = entry.at("inclusionProof");
  const Json& envelope = json.at("dsseEnvelope");
  const Json& signature = envelope.at("signatures").at(0);
  const auto text = [](const Json& value) { return value.get<std::string>(); };
  Bundle out;
  out.envelope.payload = TRY(from_base64(text(envelope.at("payload")), file + ": payload"));
  out.envelope.payload_type = text(envelope.at("payloadType"));
  out.envelope.signature = TRY(from_base64(text(signature.at("sig")), file + ": sig"));
  const std::string body = TRY(from_base64(text(entry.at("canonicalizedBody")), file + ": canonicalizedBody"));
  const Json parsed = TRY(parse_json(body, file + ": canonicalizedBody"));
  const std::string spki = TRY(from_base64(
      text(parsed.at("spec").at("dsseV002").at("signatures").at(0).at("verifier").at("publicKey").at("rawBytes")),
      file + ": publicKey"));
  out.signer = TRY(public_key_from_spki(spki));
  out.envelope.key_id = out.signer.id();
  out.entry.index = TRY(decimal(text(entry.at("logIndex")), file + ": logIndex"));
  for (const Json& hash : proof.at("hashes")) {
    const std::string bytes = TRY(from_base64(text(hash), file + ": hashes"));
    if (bytes.size() != 32 || out.entry.proof.size() == 64)
      return fail(Fault::kMalformed, file + ": hashes: not a proof");
    out.entry.proof.push_back(digest_of_bytes(bytes));
  }
  out.entry.checkpoint =
      TRY(read_own_checkpoint(text(proof.at("checkpoint").at("envelope")), log, file + ": checkpoint"));
  return out;
}

Result<Bundle> read_attestation(const Json& json, const VerifierKey& log, const std::string& file) {
  if (!json.contains("withheld")) return read_bundle(json, log, file);
  return Bundle{.withheld = TRY(read_withheld(json, file))};
}

Result<Certificate> read_json(std::string_view text, const std::string& file) {
  try {
    const Json json = TRY(parse_json(text, file));
    Certificate out;
    out.log = TRY(parse_verifier_key(json.at("log").get<std::string>()));
    out.bundles.push_back(TRY(read_bundle(json.at("certificate"), out.log, file)));
    for (const Json& bundle : json.at("attestations"))
      out.bundles.push_back(TRY(read_attestation(bundle, out.log, file)));
    return out;
  } catch (const Json::exception& error) {
    return fail(Fault::kMalformed, file + ": not a certificate, or a damaged or truncated one: " + error.what());
  }
}

Result<void> check_bundle(const Bundle& b, const std::string& file) {
  if (!verify_envelope(b.envelope, b.signer))
    return fail(Fault::kMalformed, file + ": the signature of key " + b.signer.id() + " does not verify");
  if (b.envelope.payload_type != kStatementPayload)
    return fail(Fault::kMalformed, file + ": payloadType " + b.envelope.payload_type);
  TRY(parse_json(b.envelope.payload, file + ": a statement"));
  const Digest leaf = leaf_hash(log_body(b.envelope, b.signer));
  if (!verify_inclusion(leaf, b.entry.index, b.entry.checkpoint.size, b.entry.proof, b.entry.checkpoint.root))
    return fail(Fault::kMalformed,
                file + ": entry " + std::to_string(b.entry.index) + " is not in the log the checkpoint speaks of");
  return {};
}

std::vector<std::string> named_inputs(const Json& json) {
  std::vector<std::string> out;
  for (const Json& input : json.at("predicate").value("inputAttestations", Json::array()))
    out.push_back(input.at("digest").at("sha256").get<std::string>());
  return out;
}

// The verdict's inputAttestations name the statements of these digests, in this order.
Result<void> check_inputs(std::string_view verdict, const std::vector<std::string>& inputs, const std::string& file) {
  try {
    if (named_inputs(TRY(parse_json(verdict, file + ": the verdict"))) == inputs) return {};
    return fail(Fault::kMalformed, file + ": inputAttestations of the verdict do not name the attestations beside it");
  } catch (const Json::exception& error) {
    return fail(Fault::kMalformed, file + ": inputAttestations of the verdict: " + error.what());
  }
}

Result<std::vector<Bundle>> sign_all(const std::vector<std::string>& statements, const SigningKey& key) {
  std::vector<Bundle> out;
  for (const std::string& statement : statements)
    out.push_back({"", TRY(sign_envelope(statement, kStatementPayload, key)), key.public_key(), {}});
  return out;
}

// The log's own signature alone; a witness's would be a byte that nobody checks.
Result<Checkpoint> without_cosignatures(const Checkpoint& now, const VerifierKey& log) {
  Note note = TRY(parse_note(now.note, "checkpoint"));
  std::erase_if(note.signatures, [&](const NoteSignature& one) { return one.name != log.name || one.id != log.id(); });
  return open_checkpoint(note_bytes(note), log, "checkpoint");
}

}  // namespace

std::string digest_of(const Bundle& bundle) {
  return bundle.withheld.empty() ? sha256(Bytes(bundle.envelope.payload)).hex() : bundle.withheld;
}

std::string statement_type(const Bundle& bundle) {
  const auto json = parse_json(bundle.envelope.payload, "statement");
  if (!json || !json->is_object() || !json->contains("predicateType")) return "";
  const Json& type = (*json)["predicateType"];
  return type.is_string() ? type.get<std::string>() : "";
}

std::string log_body(const Envelope& e, const PublicKey& signer) {
  const char* details = signer.algorithm == Algorithm::kEd25519 ? "PKIX_ED25519" : "PKIX_ECDSA_P256_SHA_256";
  return "{\"apiVersion\":\"0.0.2\",\"kind\":\"dsse\",\"spec\":{\"dsseV002\":{\"payloadHash\":{\"algorithm\":\"SHA2_"
         "256\"," +
         encoded("digest", bytes_of(sha256(Bytes(e.payload)))) + "},\"signatures\":[{" +
         encoded("content", e.signature) + ",\"verifier\":{" + member("keyDetails", details) + ",\"publicKey\":{" +
         encoded("rawBytes", signer.spki) + "}}}]}}}";
}

std::string bundle_json(const Bundle& b, const VerifierKey& log) {
  if (!b.withheld.empty()) return "{" + member("withheld", b.withheld) + "}";
  return "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{" +
         member("hint", b.signer.id()) + "},\"tlogEntries\":[{" + member("logIndex", std::to_string(b.entry.index)) +
         ",\"logId\":{" + encoded("keyId", log.id()) +
         "},\"kindVersion\":{\"kind\":\"dsse\",\"version\":\"0.0.2\"},\"inclusionProof\":" + proof_json(b.entry) + "," +
         encoded("canonicalizedBody", log_body(b.envelope, b.signer)) +
         "}]},\"dsseEnvelope\":" + envelope_json(b.envelope) + "}";
}

std::string certificate_json(const Certificate& certificate) {
  std::string out =
      "{" + member("mediaType", kCertificateType) + "," + member("log", certificate.log.text()) + ",\"certificate\":";
  for (size_t i = 0; i < certificate.bundles.size(); ++i)
    out += (i == 0 ? "" : i == 1 ? ",\"attestations\":[" : ",") + bundle_json(certificate.bundles[i], certificate.log);
  return out + (certificate.bundles.size() == 1 ? ",\"attestations\":[]}\n" : "]}\n");
}

Result<Certificate> read_certificate(std::string_view text, const std::string& file) {
  Certificate out = TRY(read_json(text, file));
  if (certificate_json(out) != text)
    return fail(Fault::kMalformed, file + ": not in the one encoding of a certificate: a byte was changed");
  std::vector<std::string> inputs;
  for (const Bundle& bundle : out.bundles) {
    if (bundle.withheld.empty()) TRY_VOID(check_bundle(bundle, file));
    if (&bundle != &out.bundles[0]) inputs.push_back(digest_of(bundle));
  }
  TRY_VOID(check_inputs(out.bundles[0].envelope.payload, inputs, file));
  return out;
}

Certificate redacted(Certificate certificate, const std::vector<std::string>& types) {
  for (Bundle& bundle : std::span(certificate.bundles).subspan(1))
    if (bundle.withheld.empty() && std::ranges::find(types, statement_type(bundle)) != types.end())
      bundle = Bundle{.withheld = digest_of(bundle)};
  return certificate;
}

Result<std::string> issue(const Statement& verdict, const std::vector<Statement>& inputs, const SigningKey& key,
                          Log& log) {
  std::vector<std::string> statements = {TRY(statement_bytes(verdict))};
  for (const Statement& input : inputs) statements.push_back(TRY(statement_bytes(input)));
  std::vector<std::string> digests;
  for (size_t i = 1; i < statements.size(); ++i) digests.push_back(sha256(Bytes(statements[i])).hex());
  TRY_VOID(check_inputs(statements[0], digests, "certificate"));
  Certificate out{log.key(), TRY(sign_all(statements, key))};
  std::vector<std::string> bodies;
  for (const Bundle& bundle : out.bundles) bodies.push_back(log_body(bundle.envelope, bundle.signer));
  const uint64_t first = TRY(log.append(bodies));
  const Checkpoint published = TRY(log.publish());
  const Checkpoint now = TRY(without_cosignatures(published, log.key()));
  for (size_t i = 0; i < out.bundles.size(); ++i) out.bundles[i].entry = TRY(log.prove(first + i, now));
  return certificate_json(out);
}

}  // namespace assay::certify
