// What a certificate says, read back from its verdict (certify/statement.h names the fields): for checking and showing.
#pragma once
#include "core/result.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace assay::certify {

struct CertifiedImage {
  std::string name, sha256, fact_root;
  uint64_t arrows = 0;
};
struct Terms {
  bool passed = false;
  std::vector<std::string> levels;
  std::string policy_uri, policy_sha256;
  std::string program_version, program_sha256;
  std::string valid_from, valid_until, as_of;
  std::vector<CertifiedImage> images;
  std::vector<std::pair<std::string, std::string>> keys;                  // format -> SHA-256 of the key that opened it
  std::vector<std::pair<std::string, std::string>> waived;                // requirement -> last day
  std::string declaration_sha256;                                         // "" : none
  std::string vendor, product, model, release, unique_id, network_class;  // as the declaration says
};

std::string product_line(const Terms& terms);  // "Example EX-100, model EX-100v2, release 2.4.1"; "" : it has no names
// Of a statement that must be a verdict; the errors name the field.
Result<Terms> read_terms(const std::string& statement, const std::string& file);

}  // namespace assay::certify
