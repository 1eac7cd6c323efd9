#include "certify/integrate.h"

#include "certify/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace assay::certify {
namespace {

constexpr size_t kManyFiles = 32;  // more are synced with their file system at once

class Writer {
 public:
  Writer(std::string folder, uint64_t size) : folder_(std::move(folder)), old_(size) {}

  // The hashes that the rightmost tile of `level` has already: in the whole one, where a publisher removed the partial
  // one and died before its checkpoint.
  Result<std::string> partial(unsigned level) const {
    const uint64_t count = old_ >> (8 * level), width = count % kTileWidth;
    if (width == 0) return std::string();
    const auto partial = read_file(folder_ + "/" + tile_path(level, count / kTileWidth, width), 32 * width);
    if (partial) return *partial;
    return TRY(read_file(folder_ + "/" + tile_path(level, count / kTileWidth, kTileWidth))).substr(0, 32 * width);
  }
  Result<std::vector<std::string>> partial_bundle() const {
    const uint64_t width = old_ % kTileWidth;
    if (width == 0) return std::vector<std::string>();
    const std::string path = bundle_path(old_ / kTileWidth, width);
    const auto partial = read_file(folder_ + "/" + path);
    if (partial) return unpack_entries(*partial, width, path);
    const std::string whole = bundle_path(old_ / kTileWidth, kTileWidth);
    const std::string bytes = TRY(read_file(folder_ + "/" + whole));
    auto entries = TRY(unpack_entries(bytes, kTileWidth, whole));
    entries.resize(width);
    return entries;
  }
  Result<void> write(const std::string& path, std::string_view bytes) {
    const std::string whole = folder_ + "/" + path;
    TRY_VOID(make_folders(folder_of(whole)));
    TRY_VOID(write_renamed(whole, bytes));
    written_.push_back(whole);
    return {};
  }
  // Partial tiles may go once the whole one is durable.
  void replaced(const std::string& path) { replaced_.push_back(folder_ + "/" + path + ".p"); }

  Result<void> finish() {
    if (written_.size() <= kManyFiles) {
      TRY_VOID(sync_files(written_));
    } else {
      const File root(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!root || syncfs(root.fd()) != 0) return system_error("make " + folder_ + " durable");
    }
    for (const std::string& folder : replaced_) remove_partial(folder);
    return {};
  }

 private:
  static void remove_partial(const std::string& folder) {
    DIR* open = opendir(folder.c_str());
    if (!open) return;
    while (const dirent* entry = readdir(open)) unlink((folder + "/" + entry->d_name).c_str());
    closedir(open);
    rmdir(folder.c_str());
  }

  std::string folder_;
  uint64_t old_;
  std::vector<std::string> written_, replaced_;
};

// Hashes that join a level: full tiles and the partial one are written; what the full ones fold to joins the next.
Result<std::string> write_level(Writer& writer, unsigned level, uint64_t old_count, std::string_view added) {
  std::string hashes = TRY(writer.partial(level)), up;
  hashes += added;
  uint64_t index = old_count / kTileWidth;
  for (size_t at = 0; at < hashes.size(); at += 32 * kTileWidth, ++index) {
    const auto tile = std::string_view(hashes).substr(at, 32 * kTileWidth);
    const uint64_t width = tile.size() / 32;
    TRY_VOID(writer.write(tile_path(level, index, width), tile));
    if (width < kTileWidth) break;
    writer.replaced(tile_path(level, index, kTileWidth));
    up += bytes_of(root_of_hashes(tile));
  }
  return up;
}

Result<void> write_bundles(Writer& writer, uint64_t old_size, const std::vector<std::string>& added) {
  std::vector<std::string> entries = TRY(writer.partial_bundle());
  entries.insert(entries.end(), added.begin(), added.end());
  uint64_t index = old_size / kTileWidth;
  for (size_t at = 0; at < entries.size(); at += kTileWidth, ++index) {
    const size_t width = std::min<size_t>(kTileWidth, entries.size() - at);
    TRY_VOID(writer.write(bundle_path(index, width), pack_entries(std::span(entries).subspan(at, width))));
    if (width == kTileWidth) writer.replaced(bundle_path(index, kTileWidth));
  }
  return {};
}

}  // namespace

Result<Digest> integrate(const std::string& folder, const Checkpoint& before, const std::vector<std::string>& entries) {
  if (TRY(Tree(tiles_in(folder), before.size).root()) != before.root)
    return fail(Fault::kMalformed,
                folder + "/tile does not match " + folder +
                    "/checkpoint: somebody changed it; nothing is signed. `assay log verify` says where");
  Writer writer(folder, before.size);
  TRY_VOID(write_bundles(writer, before.size, entries));
  std::string added;
  for (const std::string& entry : entries) added += bytes_of(leaf_hash(entry));
  for (unsigned level = 0; !added.empty(); ++level)
    added = TRY(write_level(writer, level, before.size >> (8 * level), added));
  TRY_VOID(writer.finish());
  return Tree(tiles_in(folder), before.size + entries.size()).root();
}

Result<void> verify_tree(const TileReader& reader, const Checkpoint& checkpoint) {
  Tree tree(reader, checkpoint.size);
  std::vector<std::string> levels(8);  // hashes of whole tiles, level by level, made from the entries
  for (uint64_t index = 0; index * kTileWidth < checkpoint.size; ++index) {
    const auto entries = TRY(tree.bundle(index));
    for (size_t i = 0; i < entries.size(); ++i) {
      const Digest leaf = leaf_hash(entries[i]);
      if (TRY(tree.subtree(0, index * kTileWidth + i)) != leaf)
        return fail(Fault::kMalformed, "entry " + std::to_string(index * kTileWidth + i) +
                                           " does not hash to its place in " + tile_path(0, index, entries.size()));
      levels[0] += bytes_of(leaf);
    }
    for (unsigned level = 0; level + 1 < levels.size() && levels[level].size() == 32 * kTileWidth; ++level) {
      const Digest up = root_of_hashes(levels[level]);
      const uint64_t at = ((index + 1) * kTileWidth >> (8 * (level + 1))) - 1;
      if (TRY(tree.subtree(8 * (level + 1), at)) != up)
        return fail(Fault::kMalformed, "tile of level " + std::to_string(level + 1) + ": hash " + std::to_string(at) +
                                           " is not that of its entries");
      levels[level + 1] += bytes_of(up);
      levels[level].clear();
    }
  }
  if (TRY(tree.root()) != checkpoint.root)
    return fail(Fault::kMalformed, "the root of the tiles is not the checkpoint's");
  return {};
}

}  // namespace assay::certify
