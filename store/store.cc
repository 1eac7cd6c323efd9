#include "store/store.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace assay::store {
namespace {

constexpr int64_t kMostBytes = int64_t{2} << 30;  // beyond it the oldest third of the results goes

bool make_folders(const std::string& path) {
  for (size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    if (mkdir(path.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST) return false;
  }
  return true;
}

Bytes blob(sqlite3_stmt* statement, int column) {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
  return Bytes(std::string_view(data, data ? static_cast<size_t>(sqlite3_column_bytes(statement, column)) : 0));
}

void bind(sqlite3_stmt* statement, int index, const Digest& digest) {
  sqlite3_bind_blob(statement, index, digest.bytes.data(), static_cast<int>(digest.bytes.size()), SQLITE_STATIC);
}

}  // namespace

std::string default_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) return std::string(cache) + "/assay";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/assay";
  return {};
}

Store::Store(const std::string& folder) {
  if (!folder.empty()) start(folder);
}

void Store::start(const std::string& folder) {
  if (!make_folders(folder)) return fail("cannot make the folder " + folder);
  const std::string file = folder + "/results.db";
  if (open(file)) return;
  const int error = db_ ? sqlite3_errcode(db_) : SQLITE_NOMEM;
  const std::string reason = db_ ? sqlite3_errmsg(db_) : "out of memory";
  close();
  if (error != SQLITE_NOTADB && error != SQLITE_CORRUPT) return fail("cannot use " + file + ": " + reason);
  // Not a database of ours any more: keep it for whoever wants to look, begin anew.
  std::rename(file.c_str(), (file + ".damaged").c_str());
  std::remove((file + "-wal").c_str());
  std::remove((file + "-shm").c_str());
  if (!open(file)) return fail("cannot use " + file);
  trouble_ = file + " was damaged (" + reason + "); it is kept as results.db.damaged and a new one was begun";
}

bool Store::open(const std::string& file) {
  if (sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK)
    return false;
  sqlite3_busy_timeout(db_, 5000);
  const char* setup =
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
      "CREATE TABLE IF NOT EXISTS result(key BLOB PRIMARY KEY, digest BLOB NOT NULL, value BLOB NOT NULL);";
  return sqlite3_exec(db_, setup, nullptr, nullptr, nullptr) == SQLITE_OK &&
         sqlite3_prepare_v2(db_, "SELECT digest, value FROM result WHERE key = ?", -1, &get_, nullptr) == SQLITE_OK &&
         sqlite3_prepare_v2(db_, "INSERT OR REPLACE INTO result VALUES(?, ?, ?)", -1, &put_, nullptr) == SQLITE_OK;
}

void Store::close() {
  sqlite3_finalize(get_);
  sqlite3_finalize(put_);
  sqlite3_close(db_);
  get_ = put_ = nullptr;
  db_ = nullptr;
  in_transaction_ = false;
}

void Store::fail(const std::string& what) {
  trouble_ = what + "; results are not kept";
  close();
}

Store::~Store() {
  flush();
  close();
}

std::optional<std::string> Store::get(const Digest& key) {
  if (!db_) return std::nullopt;
  bind(get_, 1, key);
  std::optional<std::string> value;
  const int state = sqlite3_step(get_);
  if (state == SQLITE_ROW) {
    const Bytes digest = blob(get_, 0), bytes = blob(get_, 1);
    const Digest actual = sha256(bytes);
    if (digest.text() == std::string_view(reinterpret_cast<const char*>(actual.bytes.data()), actual.bytes.size()))
      value = bytes.text();
    else if (trouble_.empty())
      trouble_ = "a stored result does not match its digest; it was computed again";
  }
  const std::string reason = state == SQLITE_ROW || state == SQLITE_DONE ? "" : sqlite3_errmsg(db_);
  sqlite3_reset(get_);
  if (!reason.empty()) fail("reading the store failed: " + reason);
  return value;
}

void Store::put(const Digest& key, std::string_view value) {
  if (!db_) return;
  if (!in_transaction_) in_transaction_ = sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK;
  const Digest digest = sha256(Bytes(value));
  bind(put_, 1, key);
  bind(put_, 2, digest);
  sqlite3_bind_blob64(put_, 3, value.data(), value.size(), SQLITE_STATIC);
  const std::string reason = sqlite3_step(put_) == SQLITE_DONE ? "" : sqlite3_errmsg(db_);
  sqlite3_reset(put_);
  if (!reason.empty()) fail("writing the store failed: " + reason);
}

void Store::flush() {
  if (!db_ || !in_transaction_) return;
  const std::string prune =
      "DELETE FROM result WHERE (SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()) > " +
      std::to_string(kMostBytes) + " AND rowid < (SELECT min(rowid) + (max(rowid) - min(rowid)) / 3 FROM result)";
  sqlite3_exec(db_, prune.c_str(), nullptr, nullptr, nullptr);
  in_transaction_ = false;
  if (sqlite3_exec(db_, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(std::string("writing the store failed: ") + sqlite3_errmsg(db_));
}

}  // namespace assay::store
