#include "system/rpm_database.h"

namespace assay::system {
namespace {

constexpr std::string_view kSqlite("SQLite format 3\0", 16), kNdb = "RpmP";
constexpr uint32_t kBdbHash = 0x061561;
constexpr uint64_t kBdbMagicAt = 12;
constexpr uint32_t kMostEntries = 1 << 16;
constexpr size_t kMostPackages = 50'000, kMostProblems = 8;

// lib/rpmtag.h
enum Tag : uint32_t { kName = 1000, kVersion = 1001, kRelease = 1002, kEpoch = 1003, kArchitecture = 1022 };
enum Type : uint32_t { kNumber = 4, kText = 6 };

struct Field {
  uint64_t at = 0;  // in the header
  std::string text;
};

// Number of entries and size of the store (4 each, big endian); entries of tag, type, offset, count; the store.
class Header {
 public:
  static Result<Header> read(Bytes b) {
    Header h;
    h.entries_ = TRY(b.be<uint32_t>(0, "entries"));
    const auto store = TRY(b.be<uint32_t>(4, "size of the store"));
    if (h.entries_ > kMostEntries) return fail(Fault::kMalformed, "entries of a package's header", b.base());
    h.all_ = TRY(b.slice(0, 8 + uint64_t{16} * h.entries_ + store, "a package's header"));
    return h;
  }

  Field text(Tag tag) const {
    const uint64_t at = place(tag, kText);
    if (at == 0) return {};
    return {at, all_.text_field(at, all_.head(all_.size(), at).size(), "text").value_or("")};
  }

  std::optional<uint32_t> number(Tag tag) const {
    const uint64_t at = place(tag, kNumber);
    if (at == 0) return std::nullopt;
    const auto value = all_.be<uint32_t>(at, "number");
    return value ? std::optional(*value) : std::nullopt;
  }

 private:
  uint64_t place(Tag tag, Type type) const {  // 0: not there
    for (uint32_t i = 0; i < entries_; ++i) {
      const uint64_t entry = 8 + uint64_t{16} * i;
      if (all_.be<uint32_t>(entry, "tag").value_or(0) == tag)
        return all_.be<uint32_t>(entry + 4, "type").value_or(0) == type
                   ? 8 + uint64_t{16} * entries_ + all_.be<uint32_t>(entry + 8, "offset").value_or(0)
                   : 0;
    }
    return 0;
  }

  Bytes all_;
  uint32_t entries_ = 0;
};

Result<RpmPackage> read_package(Bytes bytes, std::optional<RpmPlace> at) {
  const Header header = TRY(Header::read(bytes));
  const Field name = header.text(kName);
  if (name.text.empty()) return fail(Fault::kMalformed, "a package's header without a name", bytes.base());
  RpmPackage package{name.text, header.text(kVersion).text, header.text(kArchitecture).text, at};
  if (const std::string release = header.text(kRelease).text; !release.empty()) package.version += "-" + release;
  if (const auto epoch = header.number(kEpoch)) package.version = std::to_string(*epoch) + ":" + package.version;
  if (at && name.at + name.text.size() <= at->length) package.at = {at->at + name.at, name.text.size()};
  return package;
}

Result<void> visit_any(Bytes database, const RpmVisit& visit) {
  if (database.starts_with(kSqlite)) return visit_rpm_sqlite(database, visit);
  if (database.starts_with(kNdb)) return visit_rpm_ndb(database, visit);
  for (const Order order : {Order::kLittle, Order::kBig})
    if (database.get<uint32_t>(kBdbMagicAt, order, "magic").value_or(0) == kBdbHash)
      return visit_rpm_bdb(database, visit);
  return fail(Fault::kUnsupported, "neither SQLite nor ndb nor a Berkeley DB hash", database.base());
}

}  // namespace

RpmDatabase read_rpm_database(Bytes database) {
  RpmDatabase out;
  const auto problem = [&](Error error) {
    if (out.problems.size() < kMostProblems) out.problems.push_back(std::move(error));
  };
  size_t seen = 0;
  const auto visited = visit_any(database, [&](Bytes header, std::optional<RpmPlace> at) {
    if (++seen > kMostPackages) return;
    auto package = read_package(header, at);
    if (!package) return problem(std::move(package).error());
    if (package->name != "gpg-pubkey") out.packages.push_back(std::move(*package));
  });
  if (!visited) problem(visited.error());
  if (seen > kMostPackages)
    problem({Fault::kLimit, "packages beyond the first " + std::to_string(kMostPackages) + " left out", 0});
  return out;
}

}  // namespace assay::system
