// Reports print an examination and decide nothing. Each is a pure function: the same examination, the same bytes.
#pragma once
#include "core/code.h"
#include "core/finding.h"

#include <string>

namespace assay::report {

struct Terminal {
  unsigned width = 80;
  bool color = false;
  std::string image;  // as the user wrote it, for the commands shown
};
std::string terminal(const Examination& examination, const Terminal& how);  // one screen

std::string json(const Examination& examination);                              // docs/report.schema.json
std::string sarif(const Examination& examination);                             // SARIF 2.1.0
std::string cyclonedx(const Examination& examination);                         // CycloneDX 1.6 JSON
std::string openvex(const Examination& examination);                           // OpenVEX 0.2.0; it wants a finding
std::string html(const Examination& examination, const CodeViews& code = {});  // one self-contained file

// The command that shows an evidence again: "assay cat IMAGE 'trx/…/passwd' | sed -n 3p". `image` as the user wrote it.
std::string command_for(const Examination& examination, const Evidence& evidence, std::string_view image);

// One finding with its evidence in full, for `assay show`.
std::string finding(const Examination& examination, const Finding& finding, const Terminal& how);

}  // namespace assay::report
