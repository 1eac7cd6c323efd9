// RPM's database of installed packages (rpm, docs/manual/format.md and lib/backend/): each value is the header of a
// package as an RPM file has it, without its magic, in one of three containers:
//   rpmdb.sqlite  SQLite, table Packages                     rpm_sqlite.cc
//   Packages.db   "ndb", slots and blobs of its own          rpm_ndb.cc
//   Packages      Berkeley DB, a hash of number to header    rpm_bdb.cc
#pragma once
#include "core/bytes.h"
#include "core/result.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace assay::system {

// The first bytes of a header as they stand in the database in one piece.
struct RpmPlace {
  uint64_t at = 0, length = 0;
};

struct RpmPackage {
  std::string name, version, architecture;  // version: version-release
  std::optional<uint64_t> epoch;
  std::optional<RpmPlace> at;  // of its name where that is in one piece with the start, else of the start
};

// Who reads a container is told of every package's header, in stored order, and of what cannot be read; the rest goes
// on.
struct RpmVisitor {
  std::function<void(Bytes header, std::optional<RpmPlace> at)> header;
  std::function<void(Error)> problem;
};
void visit_rpm_sqlite(Bytes database, const RpmVisitor& visitor);
void visit_rpm_ndb(Bytes database, const RpmVisitor& visitor);
void visit_rpm_bdb(Bytes database, const RpmVisitor& visitor);

struct RpmDatabase {
  std::vector<RpmPackage> packages;
  std::vector<Error> problems;  // the first eight: what is damaged, and where
};
// By its first bytes one of the three; none: kUnsupported among the problems. OpenPGP keys that stand among the
// packages (gpg-pubkey) are left out.
RpmDatabase read_rpm_database(Bytes database);

}  // namespace assay::system
