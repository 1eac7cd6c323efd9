// What the supervisor and its workers say to each other: frames of a length and packed bytes over a socket pair.
#pragma once
#include "checks/check.h"
#include "core/code.h"
#include "core/finding.h"
#include "core/pack.h"
#include "unpack/examine.h"

namespace assay::engine {

// A content to unpack, to read facts of, or both.
struct Task {
  uint32_t id = 0;
  Place place;
  unpack::Role role = unpack::Role::kFile;
  bool unpack = true, facts = true;  // arrows wanted; facts only where the unpack result says the content is readable
  bool code = false;                 // of programs, with their facts
  std::optional<CodeQuestion> question;  // asked of its code; alone, no arrow
  bool drop_if_limited = false;          // a hit budget will be tried again with a larger one: keep nothing
  bool leaves = false;  // of stored files that hold nothing further say so too, while their bytes are in memory
  unpack::Budget budget;
  FIELDS(v("id", s.id); v("place", s.place); v("role", s.role); v("unpack", s.unpack); v("facts", s.facts);
         v("code", s.code); v("question", s.question); v("drop_if_limited", s.drop_if_limited); v("leaves", s.leaves);
         v("budget", s.budget))
};

struct Leaf {  // what unpacking an entry gave, in which nothing lies
  uint32_t entry = 0;
  Unpacked unpacked;
  FIELDS(v("entry", s.entry); v("unpacked", s.unpacked))
};

enum class JobKind : uint8_t { kContents, kSystem, kJudge };

struct Job {
  JobKind kind = JobKind::kContents;
  std::vector<Task> tasks;
  std::string payload;  // of kSystem a packed SystemInput, of kJudge a packed JudgeInput
  FIELDS(v("kind", s.kind); v("tasks", s.tasks); v("payload", s.payload))
};

struct Reply {
  uint32_t task = 0;
  std::string unpacked;      // packed Unpacked; empty: not run
  std::string facts;         // packed Facts; empty: not run
  std::string code;          // packed Facts; empty: not run
  std::string output;        // of kSystem and kJudge; of a question the packed CodeAnswer
  std::string failure;       // the worker lives, but this task could not be done: "out of memory"
  std::vector<Leaf> leaves;  // where they were wanted: ascending by entry
  uint64_t arena_size = 0;
  FIELDS(v("task", s.task); v("unpacked", s.unpacked); v("facts", s.facts); v("code", s.code); v("output", s.output);
         v("failure", s.failure); v("leaves", s.leaves); v("arena_size", s.arena_size))
};

struct SystemInput {
  std::vector<Artifact> artifacts;
  Facts facts;  // of single files, at.artifact set
  FIELDS(v("artifacts", s.artifacts); v("facts", s.facts))
};
struct SystemOutput {
  Facts facts;
  std::vector<uint8_t> entropy;
  uint64_t entropy_block = 0;
  FIELDS(v("facts", s.facts); v("entropy", s.entropy); v("entropy_block", s.entropy_block))
};
struct JudgeInput {
  Facts facts;
  std::optional<checks::Declaration> declaration;
  std::string as_of;
  int64_t as_of_seconds = 0;
  std::vector<std::pair<std::string, Place>> places;  // way -> content, for excerpts
  FIELDS(v("facts", s.facts); v("declaration", s.declaration); v("as_of", s.as_of); v("as_of_seconds", s.as_of_seconds);
         v("places", s.places))
};
struct JudgeOutput {
  std::vector<Finding> findings;
  std::vector<Excerpt> excerpts;
  FIELDS(v("findings", s.findings); v("excerpts", s.excerpts))
};

constexpr uint64_t kLongestFrame = uint64_t{1} << 30;
// False: the other end is gone, or said something senseless.
bool send_frame(int fd, std::string_view bytes);
bool receive_frame(int fd, std::string& bytes);

}  // namespace assay::engine
