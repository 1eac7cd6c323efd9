// What a signing key is made of, for the two places a key can be.
#pragma once
#include "certify/keys.h"

namespace assay::certify {

struct SigningKey::Backend {
  PublicKey public_key;
  virtual ~Backend() = default;
  virtual Result<std::string> sign(std::string_view message) = 0;
  virtual Result<std::string> pem() = 0;
};

}  // namespace assay::certify
