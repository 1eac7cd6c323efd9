#include "certify/tiles.h"

#include "certify/files.h"

#include <algorithm>

namespace assay::certify {
namespace {

std::string three_digits(uint64_t value) {
  std::string text = std::to_string(1000 + value % 1000);
  return text.substr(1);
}

std::string place(std::string path, uint64_t index, uint64_t width) {
  std::string tail = three_digits(index);
  for (index /= 1000; index > 0; index /= 1000) tail = "x" + three_digits(index) + "/" + tail;
  path += tail;
  if (width < kTileWidth) path += ".p/" + std::to_string(width);
  return path;
}

uint64_t width_at(uint64_t count, uint64_t index) { return std::min(kTileWidth, count - index * kTileWidth); }

}  // namespace

std::string tile_path(unsigned level, uint64_t index, uint64_t width) {
  return place("tile/" + std::to_string(level) + "/", index, width);
}
std::string bundle_path(uint64_t index, uint64_t width) { return place("tile/entries/", index, width); }

TileReader tiles_in(const std::string& folder) {
  return [folder](const std::string& path) { return read_file(folder + "/" + path, kTileWidth * 65537); };
}

Result<const std::string*> Tree::tile(unsigned level, uint64_t index) {
  if (const auto known = tiles_.find({level, index}); known != tiles_.end()) return &known->second;
  const uint64_t width = width_at(size_ >> (8 * level), index);
  auto bytes = reader_(tile_path(level, index, width));
  if (!bytes && width < kTileWidth)
    bytes = reader_(tile_path(level, index, kTileWidth));  // the partial one may be gone
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() < 32 * width || bytes->size() % 32 != 0)
    return fail(Fault::kMalformed, tile_path(level, index, width) + " has " + std::to_string(bytes->size()) +
                                       " bytes, not " + std::to_string(32 * width));
  return &(tiles_[{level, index}] = bytes->substr(0, 32 * width));
}

Result<Digest> Tree::subtree(unsigned level, uint64_t index) {
  const unsigned tile_level = level / 8, inside = level % 8;
  const uint64_t first = index << inside, count = uint64_t{1} << inside;
  const std::string* hashes = TRY(tile(tile_level, first / kTileWidth));
  ASSAY_CHECK((first % kTileWidth + count) * 32 <= hashes->size());
  return root_of_hashes(std::string_view(*hashes).substr(first % kTileWidth * 32, count * 32));
}

Result<Digest> Tree::root() { return root_of(size_, source()); }
Result<std::vector<Digest>> Tree::inclusion(uint64_t index) { return inclusion_proof(index, size_, source()); }
Result<std::vector<Digest>> Tree::consistency(uint64_t old_size) {
  return consistency_proof(old_size, size_, source());
}

Result<std::vector<std::string>> Tree::bundle(uint64_t index) const {
  const uint64_t width = width_at(size_, index);
  auto bytes = reader_(bundle_path(index, width));
  if (!bytes && width < kTileWidth) bytes = reader_(bundle_path(index, kTileWidth));
  if (!bytes) return std::unexpected(bytes.error());
  return unpack_entries(*bytes, width, bundle_path(index, width));
}

std::string pack_entries(std::span<const std::string> entries) {
  std::string out;
  for (const std::string& entry : entries) {
    out.push_back(static_cast<char>(entry.size() >> 8));
    out.push_back(static_cast<char>(entry.size()));
    out += entry;
  }
  return out;
}

Result<std::vector<std::string>> unpack_entries(std::string_view bundle, uint64_t count, const std::string& path) {
  std::vector<std::string> out;
  const Bytes bytes(bundle);
  for (uint64_t at = 0; out.size() < count;) {
    const auto length = TRY(bytes.be<uint16_t>(at, path + ": length"));
    out.emplace_back(TRY(bytes.slice(at + 2, length, path + ": entry")).text());
    at += 2 + length;
  }
  return out;
}

}  // namespace assay::certify
