// DSSE 1.0.2 (secure-systems-lab/dsse): a signature over PAE(type, payload), so that neither can be taken for another.
#pragma once
#include "certify/keys.h"

namespace assay::certify {

struct Envelope {
  std::string payload;
  std::string payload_type;
  std::string key_id;  // PublicKey::id of the signer; a hint, never trusted
  std::string signature;
};

std::string pre_authentication_encoding(std::string_view type, std::string_view payload);
Result<Envelope> sign_envelope(const std::string& payload, const std::string& payload_type, const SigningKey& key);
bool verify_envelope(const Envelope& envelope, const PublicKey& key);
std::string envelope_json(const Envelope& envelope);

}  // namespace assay::certify
