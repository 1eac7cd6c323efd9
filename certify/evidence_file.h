// The evidence of a submission as a file, so that another policy can be tried on it later without the image. Its digest
// stands in the certificate made from it. It holds what the image holds, password hashes too: it is not for
// publication.
#pragma once
#include "certify/records.h"

namespace assay::certify {

// One encoding: keys in the alphabet, records in the order of their ids.
std::string evidence_json(const Evidences& evidence);
Result<Evidences> read_evidence(std::string_view json);  // refuses what evidence_json would not have written

}  // namespace assay::certify
