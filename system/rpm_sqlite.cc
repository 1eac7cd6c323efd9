// The SQLite container (rpm, lib/backend/sqlite.cc): CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT
// NULL). SQLite reads it from memory; a hostile schema gets bounded work and may not write or call out.
#include "system/rpm_database.h"

#include <sqlite3.h>

#include <cstring>
#include <memory>

namespace assay::system {
namespace {

constexpr int kStepsBetween = 1000, kMostLength = 64 << 20;
constexpr uint64_t kChecksPerMebibyte = 200, kFirstChecks = 2000;  // a full read takes about a hundred per MiB
constexpr size_t kWriteVersionAt = 18, kReadVersionAt = 19;

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

int spend(void* left) { return --*static_cast<uint64_t*>(left) == 0; }

std::unexpected<Error> refuse(sqlite3* db, Bytes database) {
  return fail(Fault::kMalformed, std::string("SQLite: ") + (db ? sqlite3_errmsg(db) : "out of memory"),
              database.base());
}

// A copy of the bytes as the database "main". In it the two bytes that say that a log is written beside the file say
// that none is: in memory there is no such file, and SQLite would refuse.
Result<Database> open(Bytes database) {
  sqlite3* opened = nullptr;
  const int status =
      sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(opened);
  auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(database.size()));
  if (status != SQLITE_OK || !copy) return refuse(db.get(), database);
  std::memcpy(copy, database.data(), database.size());
  copy[kWriteVersionAt] = copy[kReadVersionAt] = 1;
  const auto size = static_cast<sqlite3_int64>(database.size());
  if (sqlite3_deserialize(db.get(), "main", copy, size, size,
                          SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
    return refuse(db.get(), database);
  sqlite3_limit(db.get(), SQLITE_LIMIT_LENGTH, kMostLength);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return db;
}

Result<void> read(Bytes database, const RpmVisitor& visitor) {
  TRY(database.slice(0, kReadVersionAt + 1, "header"));
  const Database db = TRY(open(database));
  uint64_t left = kFirstChecks + kChecksPerMebibyte * (database.size() >> 20);
  sqlite3_progress_handler(db.get(), kStepsBetween, spend, &left);
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(db.get(), "SELECT blob FROM main.Packages ORDER BY hnum", -1, &prepared, nullptr);
  const Statement rows(prepared);
  if (!rows) return refuse(db.get(), database);
  int status = SQLITE_OK;
  while ((status = sqlite3_step(rows.get())) == SQLITE_ROW) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(rows.get(), 0));
    const auto length = static_cast<size_t>(sqlite3_column_bytes(rows.get(), 0));
    visitor.header(Bytes(std::string_view(bytes ? bytes : "", bytes ? length : 0)), std::nullopt);
  }
  if (status == SQLITE_INTERRUPT)
    return fail(Fault::kLimit, "SQLite: more work than its size explains", database.base());
  return status == SQLITE_DONE ? Result<void>() : Result<void>(refuse(db.get(), database));
}

}  // namespace

void visit_rpm_sqlite(Bytes database, const RpmVisitor& visitor) {
  if (const auto done = read(database, visitor); !done) visitor.problem(done.error());
}

}  // namespace assay::system
