#include "unpack/formats/inode_tree.h"

#include <set>

namespace assay::unpack {
namespace {

constexpr uint32_t kDeepestDirectory = 256;  // directories inside each other; a path of Linux has at most 4096 bytes

}  // namespace

bool is_component(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
}

std::optional<Kind> kind_of_mode(uint32_t mode) {
  switch (mode & 0170000) {
    case 0010000:
      return Kind::kFifo;
    case 0020000:
      return Kind::kCharDevice;
    case 0040000:
      return Kind::kDirectory;
    case 0060000:
      return Kind::kBlockDevice;
    case 0100000:
      return Kind::kFile;
    case 0120000:
      return Kind::kSymlink;
    case 0140000:
      return Kind::kSocket;
    default:
      return std::nullopt;
  }
}

uint64_t device_of_old(uint16_t stored) { return uint64_t{stored} >> 8 << 32 | (stored & 0xffu); }
uint64_t device_of_new(uint32_t stored) {
  return uint64_t{stored >> 8 & 0xfff} << 32 | (stored & 0xff) | (stored >> 12 & 0xfff00);
}

Result<void> InodeTree::walk(uint64_t inode, const std::string& path,
                             const std::function<Result<void>(const Visit&)>& emit) {
  std::vector<Directory> left;
  first_path_.try_emplace(inode, path);
  left.push_back({inode, path, 0});
  while (!left.empty()) {
    const Directory directory = std::move(left.back());
    left.pop_back();
    std::vector<Directory> below;
    TRY_VOID(list(directory, below, emit));
    for (auto it = below.rbegin(); it != below.rend(); ++it) left.push_back(std::move(*it));
  }
  return {};
}

Result<void> InodeTree::walk_volume(uint64_t root, bool stored, const std::string& word,
                                    const std::function<Result<void>(const Visit&)>& emit) {
  if (stored) TRY_VOID(emit({"", {root, Kind::kDirectory, 0}, Kind::kDirectory, ""}));
  TRY_VOID(walk(root, "", emit));
  for (const uint64_t inode : lost_directories()) {
    if (visited(inode)) continue;
    const std::string path = word + "-" + std::to_string(inode);
    into_.problem({Fault::kMalformed,
                   "directory " + word + " " + std::to_string(inode) +
                       " has no name in this image; what it holds stands under " + path,
                   0});
    TRY_VOID(emit({path, {inode, Kind::kDirectory, 0}, Kind::kDirectory, ""}));
    TRY_VOID(walk(inode, path, emit));
  }
  return {};
}

std::vector<uint64_t> InodeTree::lost_directories() const {
  std::vector<uint64_t> tops, rest;
  std::set<uint64_t> named;
  for (const auto& [inode, names] : directories_)
    if (!visited(inode))
      for (const auto& [name, entry] : names) named.insert(entry.inode);
  for (const auto& [inode, names] : directories_)
    if (!visited(inode)) (named.contains(inode) ? rest : tops).push_back(inode);
  tops.insert(tops.end(), rest.begin(), rest.end());
  return tops;
}

Result<void> InodeTree::list(const Directory& directory, std::vector<Directory>& below,
                             const std::function<Result<void>(const Visit&)>& emit) {
  const auto found = directories_.find(directory.inode);
  if (found == directories_.end()) return {};
  for (const auto& [name, entry] : found->second) {
    TRY_VOID(into_.step(1 + directory.path.size() / 64));
    if (!is_component(name)) {
      into_.problem({Fault::kMalformed, "a name in directory \"" + directory.path + "\" is no file name", entry.at});
      continue;
    }
    std::string path = directory.path.empty() ? name : directory.path + "/" + name;
    const Kind kind = kind_of_(entry.inode).value_or(entry.kind);
    const auto [first, fresh] = first_path_.try_emplace(entry.inode, path);
    if (kind == Kind::kDirectory && (!fresh || directory.depth >= kDeepestDirectory)) {
      const std::string why = fresh ? "lies too deep" : "has a second name: \"" + first->second + "\" is the first";
      into_.problem({fresh ? Fault::kLimit : Fault::kMalformed, "directory " + path + " " + why, entry.at});
      continue;
    }
    TRY_VOID(emit({path, entry, kind, fresh ? std::string() : first->second}));
    if (kind == Kind::kDirectory) below.push_back({entry.inode, std::move(path), directory.depth + 1});
  }
  return {};
}

}  // namespace assay::unpack
