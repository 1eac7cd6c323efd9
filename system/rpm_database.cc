#include "system/rpm_database.h"

#include "core/rpm_header.h"

namespace assay::system {
namespace {

constexpr std::string_view kSqlite("SQLite format 3\0", 16), kNdb = "RpmP";
constexpr uint32_t kBdbHash = 0x061561;
constexpr uint64_t kBdbMagicAt = 12;
constexpr size_t kMostPackages = 50'000, kMostProblems = 8;

// lib/rpmtag.h
enum Tag : uint32_t { kName = 1000, kVersion = 1001, kRelease = 1002, kEpoch = 1003, kArchitecture = 1022 };

Result<RpmPackage> read_package(Bytes bytes, std::optional<RpmPlace> at) {
  const RpmHeader header = TRY(RpmHeader::read(bytes));
  RpmPackage package{header.text(kName), header.text(kVersion), header.text(kArchitecture), header.number(kEpoch), at};
  if (package.name.empty()) return fail(Fault::kMalformed, "a package's header without a name", bytes.base());
  if (const std::string release = header.text(kRelease); !release.empty()) package.version += "-" + release;
  const uint64_t name_at = header.find(kName)->at;
  if (at && name_at + package.name.size() <= at->length) package.at = {at->at + name_at, package.name.size()};
  return package;
}

void visit_any(Bytes database, const RpmVisitor& visitor) {
  if (database.starts_with(kSqlite)) return visit_rpm_sqlite(database, visitor);
  if (database.starts_with(kNdb)) return visit_rpm_ndb(database, visitor);
  for (const Order order : {Order::kLittle, Order::kBig})
    if (database.get<uint32_t>(kBdbMagicAt, order, "magic").value_or(0) == kBdbHash)
      return visit_rpm_bdb(database, visitor);
  visitor.problem({Fault::kUnsupported, "neither SQLite nor ndb nor a Berkeley DB hash", database.base()});
}

}  // namespace

RpmDatabase read_rpm_database(Bytes database) {
  RpmDatabase out;
  const auto problem = [&](Error error) {
    if (out.problems.size() < kMostProblems) out.problems.push_back(std::move(error));
  };
  size_t seen = 0;
  const auto header = [&](Bytes bytes, std::optional<RpmPlace> at) {
    if (++seen > kMostPackages) return;
    auto package = read_package(bytes, at);
    if (!package) return problem(std::move(package).error());
    if (package->name != "gpg-pubkey") out.packages.push_back(std::move(*package));
  };
  visit_any(database, {header, problem});
  if (seen > kMostPackages)
    problem({Fault::kLimit, "packages beyond the first " + std::to_string(kMostPackages) + " left out", 0});
  return out;
}

}  // namespace assay::system
