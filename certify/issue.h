// Making a certificate: statements are signed (DSSE), their entries appended to the log, and all that a stranger needs
// to check them offline is written into one file (certify/certificate.h has the layout).
#pragma once
#include "certify/keys.h"
#include "certify/log.h"
#include "certify/statement.h"

namespace assay::certify {

// The file's text. `verdict` is the certificate proper; `inputs` are the statements it rests on, which its
// inputAttestations name by the digest of statement_bytes, in this order (checked). All are logged or none.
Result<std::string> issue(const Statement& verdict, const std::vector<Statement>& inputs, const SigningKey& key,
                          Log& log);

}  // namespace assay::certify
