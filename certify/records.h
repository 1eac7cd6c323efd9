// The evidence that a policy judges: facts, findings and the declaration as flat records in named collections.
//
// A collection that is not complete may hold more than is seen, so nothing can be concluded from what it lacks.
#pragma once
#include "engine/inspect.h"

#include <map>

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

struct Evidences {
  std::map<std::string, Collection> collections;  // "services", "findings", "declaration.accounts", …
  std::vector<std::string> rules;                 // that were run
  std::string network_class;                      // "" : not declared
};

Record make_record(std::map<std::string, std::string> fields);
Evidences gather(const Examination& examination, const checks::Declaration* declaration);
std::vector<std::string> collection_names();  // that a policy may name

}  // namespace assay::certify
