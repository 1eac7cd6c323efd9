// One run over one input: which arrows to run on what, in which order, and the tree that comes of it.
//
// Contents are opened generation by generation. Within a generation they are grouped in tree order so that the sum of
// what each group may decode is bounded; groups depend on sizes alone, so budgets fall the same with any number of
// workers. A content that needs more than its first allowance is run again alone with all that is left.
#pragma once
#include "checks/check.h"
#include "core/finding.h"
#include "engine/pool.h"

#include <functional>
#include <memory>

namespace assay::engine {

struct Progress {
  const char* step;  // "unpacking", "reading files", "system", "checks"
  uint64_t bytes = 0, bytes_total = 0;
  uint64_t contents = 0, contents_total = 0;
};

struct Options {
  std::string input;         // path, or "-"
  std::string store_folder;  // empty: no store
  uint32_t workers = 1;
  unpack::Keys keys;
  std::optional<checks::Declaration> declaration;
  std::string declaration_digest;
  std::string as_of;  // YYYY-MM-DD
  bool facts = true;  // false: unpack only
  // False: nobody asks for SHA-256 (Examination::sha256, Artifact::sha256); contents are only told apart, which takes
  // a third of the time. Facts, a store and `root` need it and have it anyway.
  bool digests = true;
  bool root = false;       // say of every arrow what it read and what it gave (Arrow::key, result), for a certificate
  bool code = true;        // read the machine code of programs
  bool code_view = false;  // and gather what a page shows of it
  bool hold = false;       // have every content in memory at the end (content() yields it), whatever the store knows
  // Only contents whose way leads to one of these are opened (assay cat); empty: all.
  std::vector<std::string> focus;
  std::function<void(const Progress&)> progress;
};

struct Arrow {       // one that ran or was found in the store
  std::string name;  // unpack, file, code, system, checks
  std::string way;
  bool stored = false;
  // With Options::root: the digest of what it read (program, versions, keys, input), and that of its result. An arrow
  // that died has none.
  Digest key, result;
};

class Inspection {
 public:
  static Result<Inspection> run(const Options& options);
  Inspection(Inspection&&) noexcept;
  ~Inspection();

  const Examination& examination() const;
  Bytes content(const Artifact& artifact) const;  // empty where it is not held (see hold)
  // Has a worker answer a question about the code of an artifact that is held.
  Result<CodeAnswer> ask(const Artifact& artifact, const CodeQuestion& question);
  const std::vector<Arrow>& arrows() const;
  const CodeViews& code_views() const;  // see Options::code_view
  const std::string& store_trouble() const;

 private:
  struct State;
  explicit Inspection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace assay::engine
