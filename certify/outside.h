// Evidence from outside: what another tool or a person found. It enters as a statement of its own that names the file
// by its digest and holds the records read from it; nothing in it is edited, and what was not read is said.
#pragma once
#include "certify/records.h"
#include "certify/statement.h"

namespace assay::certify {

inline constexpr char kOutsideType[] = "urn:assay:evidence:v1";

struct Outside {
  std::string kind;                // nmap, sarif, manual
  std::string file, sha256;        // the file's name, and its digest (hex)
  std::string producer, settings;  // tool with version, or who tested; how it was called
  std::map<std::string, Collection> collections;
};

// nmap's XML (nmap.dtd): ports of tcp and udp that are open or may be, each declared or not. The collection of a
// protocol is complete when the scan ended well and asked for all of its 65535 ports, every host that was up answered
// at one of them, open or closed, none timed out, and no ports that may be open are only counted (extraports).
Result<Outside> read_nmap(std::string_view xml, const checks::Declaration* declaration);
// SARIF 2.1.0: results of other tools. Complete when every run says that it ended successfully.
Result<Outside> read_sarif(std::string_view json);
// YAML: results of tests by hand (docs/policy.md).
Result<Outside> read_manual(std::string_view yaml);

// Several files of one kind add up; what is incomplete in one is incomplete in all.
void add(Evidences& evidence, const Outside& outside);
Statement statement_of(const Outside& outside, const std::vector<Subject>& subjects);
Result<Outside> read_outside(std::string_view statement);  // such a statement's bytes

}  // namespace assay::certify
