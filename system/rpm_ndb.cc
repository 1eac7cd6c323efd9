// The "ndb" container (rpm, lib/backend/ndb/rpmpkg.c), little endian:
//   0   "RpmP", version (4), generation (4), number of slot pages (4), next package's number (4), 12
//   32  slots of 16 to the end of the slot pages of 4096: "Slot", number (0: free), block, blocks of 16 bytes
//   a block: "BlbS", number, generation, length; the header; padding; checksum, length, "BlbE"
#include "system/rpm_database.h"

namespace assay::system {
namespace {

constexpr uint64_t kPage = 4096, kSlot = 16, kBlock = 16, kBlobHead = 16;

Result<void> visit_slot(Bytes database, uint64_t slot, const RpmVisitor& visitor) {
  if (!database.starts_with("Slot", slot)) return fail(Fault::kMalformed, "magic of a slot", database.base() + slot);
  const auto number = TRY(database.le<uint32_t>(slot + 4, "number"));
  if (number == 0) return {};
  const uint64_t at = TRY(database.le<uint32_t>(slot + 8, "block")) * kBlock;
  if (!database.starts_with("BlbS", at))
    return fail(Fault::kMalformed, "magic of a package's block", database.base() + at);
  if (TRY(database.le<uint32_t>(at + 4, "number")) != number)
    return fail(Fault::kMalformed, "number of a package's block", database.base() + at + 4);
  const auto length = TRY(database.le<uint32_t>(at + 12, "length"));
  visitor.header(TRY(database.slice(at + kBlobHead, length, "a package's block")), RpmPlace{at + kBlobHead, length});
  return {};
}

}  // namespace

void visit_rpm_ndb(Bytes database, const RpmVisitor& visitor) {
  const auto pages = database.le<uint32_t>(12, "number of slot pages");
  if (!pages) return visitor.problem(pages.error());
  uint64_t end = *pages * kPage;
  if (end > database.size()) {
    visitor.problem({Fault::kTruncated, "number of slot pages: " + std::to_string(*pages), database.base() + 12});
    end = database.size();
  }
  for (uint64_t slot = 2 * kSlot; slot + kSlot <= end; slot += kSlot)
    if (const auto visited = visit_slot(database, slot, visitor); !visited) visitor.problem(visited.error());
}

}  // namespace assay::system
