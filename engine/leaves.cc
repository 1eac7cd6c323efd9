#include "engine/leaves.h"

namespace assay::engine {
namespace {

constexpr uint64_t kLargestLeaf = 8 << 20;  // beyond, another worker may have it meanwhile
constexpr uint64_t kWorthKnowing = 4096;    // below, looking it up takes as long as looking at it again

}  // namespace

bool Leaves::saw(size_t number, const Entry& entry, Bytes bytes) {
  if (bytes.size() > kLargestLeaf) return false;
  if (bytes.size() < kWorthKnowing) return examine(number, entry, bytes) && forget_;
  const auto [it, fresh] = known_.try_emplace(entry.sha256, false);
  if (fresh) it->second = examine(number, entry, bytes);
  return it->second && forget_;
}

bool Leaves::examine(size_t number, const Entry& entry, Bytes bytes) {
  // The first entry sets `limited`, and so do false starts of codecs that yield more than that.
  const unpack::Budget nothing_inside{.bytes = kMostInVain, .entries = 0, .leaf = true};
  Unpacked unpacked = unpack::examine(bytes, entry.place, unpack::Role::kFile, keys_, nothing_inside, in_vain_);
  if (unpacked.limited) return false;
  found_.push_back({static_cast<uint32_t>(number), std::move(unpacked)});
  return true;
}

}  // namespace assay::engine
