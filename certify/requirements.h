// Requirements as data (certify/requirements/*.tsv): clauses of standards with the evidence that can decide them and
// the rules of ours that bear on them. No text of a standard: numbers, ids, and titles by leave of their source or in
// our own words; each standard says where they come from and whether somebody reviewed them against its text.
#pragma once
#include "certify/policy.h"

namespace assay::certify {

struct Requirement {
  std::string clause, id;          // id "" : the standard gives none
  std::string title, editions;     // releases of the standard that have it; "" : not said
  std::string evidence;            // letters F P S D; upper case: can decide, lower case: supports
  std::vector<std::string> rules;  // sorted
};

struct Standard {
  std::string stem;  // "ts-33117": the file's name
  std::string prefix, name, title, version, owner, source, tests;
  bool reviewed = false;
  std::vector<Requirement> requirements;
};

// What a policy's `ref` says for it: "TS 33.117:4.3.2.1 TC_NO_UNNECESSARY_SERVICE".
std::string reference_of(const Standard& standard, const Requirement& requirement);
// Whether rules of ours decide it from the image and the declaration.
bool is_wired(const Requirement& requirement);

Result<Standard> read_standard(std::string_view stem, std::string_view tsv);  // errors name line and field
std::span<const Embedded> embedded_standards();
std::vector<Standard> standards();  // the embedded ones, read

// CycloneDX 1.6 with definitions.standards, for one or several.
std::string standards_cyclonedx(const std::vector<Standard>& standards);

}  // namespace assay::certify
