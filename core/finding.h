// What checks conclude, and everything a report prints.
#pragma once
#include "core/facts.h"

namespace assay {

enum class Severity : uint8_t { kNote, kLow, kMedium, kHigh, kCritical };
enum class Confidence : uint8_t { kPossible, kLikely, kCertain };
std::string_view name_of(Severity severity);
std::string_view name_of(Confidence confidence);

struct Finding {
  std::string id;    // the same for the same rule and evidence: 12 hex digits
  std::string rule;  // check id
  uint32_t version = 1;
  std::string title;
  Severity severity = Severity::kNote;
  Confidence confidence = Confidence::kPossible;
  std::vector<uint32_t> cwe;
  std::vector<std::string> requirements;  // "TS 33.117 TC_NO_UNNECESSARY_SERVICE"
  std::string claim;                      // the mechanism, in a sentence
  std::vector<Evidence> evidence;         // at least one; the first is the place
  FIELDS(v("id", s.id); v("rule", s.rule); v("version", s.version); v("title", s.title); v("severity", s.severity);
         v("confidence", s.confidence); v("cwe", s.cwe); v("requirements", s.requirements); v("claim", s.claim);
         v("evidence", s.evidence))
};

struct Rule {  // a check as a report prints it
  std::string id;
  uint32_t version = 1;
  std::string title, means, misses, mistakes;
  std::vector<uint32_t> cwe;
  std::vector<std::string> requirements;
  FIELDS(v("id", s.id); v("version", s.version); v("title", s.title); v("means", s.means); v("misses", s.misses);
         v("mistakes", s.mistakes); v("cwe", s.cwe); v("requirements", s.requirements))
};

struct Artifact {   // a node of the whole tree
  std::string way;  // relative to the image, escaped; "" is the image itself
  Node node;
  std::string format;  // id of the format its content was read as; "" none
  bool verified = false;
  uint64_t offset = kNowhere;  // in its parent
  uint64_t size = 0;
  std::string codec;
  bool has_content = false;
  Digest sha256;
  int32_t parent = -1;      // index of the artifact that contains it
  std::vector<Span> spans;  // of containers and parts
  bool unread = false;      // its content could not be read, or it is a part that no format knows
  Place place;              // this run only
  FIELDS(v("way", s.way); v("node", s.node); v("format", s.format); v("verified", s.verified); v("offset", s.offset);
         v("size", s.size); v("codec", s.codec); v("has_content", s.has_content); v("sha256", s.sha256);
         v("parent", s.parent); v("spans", s.spans); v("unread", s.unread); v("place", s.place))
};

struct Excerpt {  // bytes around an evidence, for people
  std::string artifact;
  uint64_t offset = 0;
  std::string bytes;
  FIELDS(v("artifact", s.artifact); v("offset", s.offset); v("bytes", s.bytes))
};

struct FileCount {
  uint64_t total = 0, read = 0, unread = 0;
};

// Everything one run of `assay inspect` found. Reports print it and decide nothing.
struct Examination {
  std::string tool_version, rules_digest, as_of;  // as_of: YYYY-MM-DD
  std::string name;                               // of the input, its last path component
  uint64_t size = 0;
  Digest sha256;
  bool directory = false;  // the input was a directory tree
  bool complete = false;
  std::vector<std::string> incomplete_because;
  ByteCount bytes;  // of the input itself
  FileCount files;
  std::vector<Artifact> artifacts;  // in stored order, parents before children
  Facts facts;
  std::vector<Finding> findings;  // most severe first, then by rule and place
  std::vector<Rule> rules;
  std::string declaration_digest;                              // "" : none was given
  std::vector<std::pair<std::string, std::string>> keys_used;  // name of the format, sha256 of the key file
  std::vector<std::string> sandbox;  // what protects the workers here: "seccomp", "landlock", …, or "no landlock: …"
  std::vector<Excerpt> excerpts;
  std::vector<uint8_t> entropy;  // of equal blocks of the input, 0..255 for 0..8 bits a byte
  uint64_t entropy_block = 0;    // bytes
};

}  // namespace assay
