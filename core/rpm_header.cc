#include "core/rpm_header.h"

namespace assay {
namespace {

constexpr uint32_t kMostEntries = 1 << 16;
constexpr uint64_t kHead = 8, kEntry = 16;
enum Type : uint32_t { kInt32 = 4, kInt64 = 5, kString = 6, kStrings = 8, kStringsByLanguage = 9 };

}  // namespace

Result<RpmHeader> RpmHeader::read(Bytes from) {
  RpmHeader h;
  h.entries_ = TRY(from.be<uint32_t>(0, "entries"));
  const auto store = TRY(from.be<uint32_t>(4, "size of the store"));
  if (h.entries_ > kMostEntries)
    return fail(Fault::kMalformed, "entries of a package's header: " + std::to_string(h.entries_), from.base());
  h.all_ = TRY(from.slice(0, kHead + kEntry * h.entries_ + store, "a package's header"));
  return h;
}

std::optional<RpmField> RpmHeader::find(uint32_t tag) const {
  for (uint32_t i = 0; i < entries_; ++i) {
    const uint64_t at = kHead + kEntry * i;
    if (all_.be<uint32_t>(at, "tag").value_or(0) != tag) continue;
    return RpmField{all_.be<uint32_t>(at + 4, "type").value_or(0), all_.be<uint32_t>(at + 12, "count").value_or(0),
                    kHead + kEntry * entries_ + all_.be<uint32_t>(at + 8, "offset").value_or(0)};
  }
  return std::nullopt;
}

std::string RpmHeader::text(uint32_t tag) const {
  const auto field = find(tag);
  if (!field || (field->type != kString && field->type != kStrings && field->type != kStringsByLanguage)) return {};
  return all_.text_field(field->at, all_.head(all_.size(), field->at).size(), "text").value_or("");
}

std::optional<uint64_t> RpmHeader::number(uint32_t tag) const {
  const auto field = find(tag);
  if (field && field->type == kInt64) return all_.be<uint64_t>(field->at, "number").value_or(0);
  if (field && field->type == kInt32) return all_.be<uint32_t>(field->at, "number").value_or(0);
  return std::nullopt;
}

}  // namespace assay
