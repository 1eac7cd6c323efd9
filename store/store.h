// Results of arrows by key: a pure function that ran once need not run again. One SQLite file in a folder.
// The store is a convenience: whatever is wrong with it (damaged, full, read-only) is said once and costs only speed.
#pragma once
#include "core/hash.h"

#include <optional>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace assay::store {

class Store {
 public:
  // Opens or creates `folder`/results.db; a damaged file is moved aside and begun anew. Never throws; without a usable
  // file every get misses and every put is dropped, and trouble() says why. An empty folder: no store is wanted.
  explicit Store(const std::string& folder);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  std::optional<std::string> get(const Digest& key);  // a value whose own digest does not match is a miss
  void put(const Digest& key, std::string_view value);
  void flush();  // commits what was put; the destructor does too

  const std::string& trouble() const { return trouble_; }  // empty: none

 private:
  void start(const std::string& folder);
  bool open(const std::string& file);
  void fail(const std::string& what);
  void close();

  sqlite3* db_ = nullptr;
  sqlite3_stmt *get_ = nullptr, *put_ = nullptr;
  bool in_transaction_ = false;
  std::string trouble_;
};

// The user's cache folder for assay: $XDG_CACHE_HOME/assay, else $HOME/.cache/assay; empty when neither is set.
std::string default_folder();

}  // namespace assay::store
