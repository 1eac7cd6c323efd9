// The evidence that a policy judges: facts, findings and the declaration as flat records in named collections.
//
// A collection that is not complete may hold more than is seen, so nothing can be concluded from what it lacks.
#pragma once
#include "engine/inspect.h"

#include <map>
#include <span>

namespace assay::certify {

struct Record {
  std::string id;                             // 12 hex digits over its fields: what a verdict names
  std::map<std::string, std::string> fields;  // "" and "unknown": not known
};

struct Collection {
  bool complete = false;
  std::string why;  // it is not
  std::vector<Record> records;
};

inline constexpr char kNoEvidence[] = "no evidence of this kind was given";  // why of a collection that nobody gave

struct Evidences {
  std::map<std::string, Collection> collections;  // "services", "findings", "declaration.accounts", …
  std::vector<std::string> rules;                 // that were run
  std::string network_class;                      // "" : not declared
  std::vector<std::string> images;                // sha256, hex, in the order given
  std::string as_of;                              // YYYY-MM-DD
};

Record make_record(std::map<std::string, std::string> fields);
// Of one submission: its images' records stand side by side, each with the field "image". A collection is complete
// when every image was examined completely and an operating system was recognised in at least one.
Evidences gather(std::span<const Examination* const> examinations, const checks::Declaration* declaration);
std::vector<std::string> collection_names();                          // that a policy may name
std::vector<std::string> field_names(const std::string& collection);  // of such a collection's records
// A record more in it is never good news: a finding, a port that was seen open.
bool is_adverse(const std::string& collection);

}  // namespace assay::certify
