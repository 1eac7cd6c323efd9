#include "certify/dsse.h"

#include "certify/base64.h"
#include "certify/json.h"

namespace assay::certify {

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
  std::string out = "DSSEv1 " + std::to_string(type.size()) + " ";
  out.append(type).append(" ").append(std::to_string(payload.size())).append(" ").append(payload);
  return out;
}

Result<Envelope> sign_envelope(const std::string& payload, const std::string& payload_type, const SigningKey& key) {
  return Envelope{payload, payload_type, key.public_key().id(),
                  TRY(key.sign(pre_authentication_encoding(payload_type, payload)))};
}

bool verify_envelope(const Envelope& envelope, const PublicKey& key) {
  return verify(key, pre_authentication_encoding(envelope.payload_type, envelope.payload), envelope.signature);
}

std::string envelope_json(const Envelope& e) {
  return "{\"payload\":" + json_string(base64(e.payload)) + ",\"payloadType\":" + json_string(e.payload_type) +
         ",\"signatures\":[{\"sig\":" + json_string(base64(e.signature)) + ",\"keyid\":" + json_string(e.key_id) +
         "}]}";
}

}  // namespace assay::certify
