// The tree as the device would see it: volumes, paths within them, links and mounts followed.
//
// A volume is the set of entries (all kinds but parts) that share a parent. Paths are walked one component at a time in
// the name space of one root volume: a path below a stated mount point is looked up in the mounted volume first and in
// the volume itself after that (a mount hides what lies below it, but not every device has the mounted one filled).
// Directories that an archive does not store are passed through. Links: POSIX.1-2017, 4.13 (pathname resolution).
#include "system/tree.h"

#include "core/text.h"

#include <algorithm>

namespace assay::system {
namespace {

constexpr int kMaximumLinks = 16;
constexpr size_t kMaximumComponents = 256;
constexpr size_t kShown = 200;  // characters of an evidence

// The path with one '/' before every component; "." and empty components dropped, ".." kept.
std::vector<std::string> components_of(std::string_view path) {
  std::vector<std::string> found;
  for (const std::string_view piece : split(path, '/')) {
    if (!piece.empty() && piece != ".") found.emplace_back(piece);
  }
  return found;
}

std::string stored_path(const Node& node) {
  std::string path;
  for (const std::string& piece : components_of(escape(node.path))) path += "/" + piece;
  return path.empty() ? "/" : path;
}

// '*' and '?' within one component: the usual walk with one point to come back to.
bool matches_component(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// The same walk over components, "**" standing for any number of them.
bool matches_path(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path) {
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < path.size()) {
    if (p < pattern.size() && pattern[p] == "**") {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && matches_component(pattern[p], path[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == "**") ++p;
  return p == pattern.size();
}

std::string way_of_volume(const Artifact& container, const Artifact& entry) {
  const std::string path = escape(entry.node.path);
  if (entry.way.ends_with(path) && !path.empty()) return entry.way.substr(0, entry.way.size() - path.size());
  return container.way + (container.way.empty() ? "" : "/") + container.format + "/";
}

}  // namespace

Tree::Tree(std::span<const Artifact> artifacts, const Facts& file_facts, Read read)
    : artifacts_(artifacts),
      file_facts_(file_facts),
      read_(std::move(read)),
      volume_of_(artifacts.size(), -1),
      path_of_(artifacts.size()) {
  std::vector<int> volume_in(artifacts.size(), -1);  // by container
  for (size_t i = 0; i < artifacts.size(); ++i) {
    const Artifact& entry = artifacts[i];
    const bool stored = entry.node.kind != Kind::kPart && entry.node.kind != Kind::kImage;
    if (!stored || entry.parent < 0 || static_cast<size_t>(entry.parent) >= artifacts.size()) continue;
    int& volume = volume_in[static_cast<size_t>(entry.parent)];
    if (volume < 0) {
      const Artifact& container = artifacts[static_cast<size_t>(entry.parent)];
      volume = static_cast<int>(volumes_.size());
      volumes_.push_back({&container, way_of_volume(container, entry)});
      paths_.emplace_back();
    }
    volume_of_[i] = volume;
    const auto [at, fresh] =
        paths_[static_cast<size_t>(volume)].insert_or_assign(stored_path(entry.node), static_cast<int>(i));
    static_cast<void>(fresh);  // the last of a name wins
    path_of_[i] = at->first;
  }
  mounts_.resize(volumes_.size());
  for (const Elf& elf : file_facts.elf) elf_.emplace(elf.at.artifact, &elf);
  for (const FileType& type : file_facts.file_types) types_.emplace(type.at.artifact, &type);
}

int Tree::volume_of(const Artifact& artifact) const {
  if (artifacts_.empty() || &artifact < artifacts_.data() || &artifact >= artifacts_.data() + artifacts_.size())
    return -1;
  return volume_of_[static_cast<size_t>(&artifact - artifacts_.data())];
}

const Artifact* Tree::find(int volume, std::string_view path) const {
  if (volume < 0 || static_cast<size_t>(volume) >= volumes_.size()) return nullptr;
  if (const Artifact* found = lookup(volume, path, 0)) return found;
  // Of a mounted volume: absolute paths start at the root that mounts it.
  for (size_t root = 0; root < mounts_.size(); ++root) {
    if (static_cast<int>(root) == volume) continue;
    for (const auto& [target, source] : mounts_[root]) {
      if (source != volume) continue;
      if (const Artifact* found = lookup(static_cast<int>(root), path, 0)) return found;
      break;
    }
  }
  return nullptr;
}

// The entry stored at a normal path: in the volume mounted above it, else in the volume itself.
static int entry_at(const std::vector<std::map<std::string, int, std::less<>>>& paths,
                    const std::map<std::string, int, std::less<>>& mounts, int volume, std::string_view path) {
  for (size_t end = path.size(); !mounts.empty() && end > 0 && end != std::string_view::npos;
       end = path.rfind('/', end - 1)) {
    const auto mounted = mounts.find(path.substr(0, end));
    if (mounted == mounts.end()) continue;
    const auto& below = paths[static_cast<size_t>(mounted->second)];
    const std::string_view rest = path.substr(end);
    if (const auto found = below.find(rest); !rest.empty() && found != below.end()) return found->second;
    break;
  }
  const auto& own = paths[static_cast<size_t>(volume)];
  const auto found = own.find(path);
  return found == own.end() ? -1 : found->second;
}

const Artifact* Tree::lookup(int volume, std::string_view path, int depth) const {
  std::vector<std::string> left = components_of(path);
  std::reverse(left.begin(), left.end());
  std::string here;
  int found = -1;
  size_t steps = 0;
  while (!left.empty()) {
    if (++steps > kMaximumComponents * kMaximumLinks || left.size() > kMaximumComponents) return nullptr;
    const std::string piece = std::move(left.back());
    left.pop_back();
    if (piece == "..") {
      here.erase(here.empty() ? 0 : here.rfind('/'));
      found = entry_at(paths_, mounts_[static_cast<size_t>(volume)], volume, here.empty() ? "/" : here);
      continue;
    }
    const size_t parent = here.size();
    here += "/" + piece;
    found = entry_at(paths_, mounts_[static_cast<size_t>(volume)], volume, here);
    if (found < 0) {
      if (left.empty()) return nullptr;
      continue;  // a directory that is not stored
    }
    const Node& node = artifacts_[static_cast<size_t>(found)].node;
    if (node.kind != Kind::kSymlink && node.kind != Kind::kHardLink) continue;
    if (++depth > kMaximumLinks) return nullptr;
    const std::string target = escape(node.target);
    const bool from_root = node.kind == Kind::kHardLink || target.starts_with('/');
    here.resize(from_root ? 0 : parent);
    std::vector<std::string> more = components_of(target);
    left.insert(left.end(), std::make_move_iterator(more.rbegin()), std::make_move_iterator(more.rend()));
    found = -1;
  }
  if (found >= 0) return &artifacts_[static_cast<size_t>(found)];
  const int root = here.empty() ? entry_at(paths_, {}, volume, "/") : -1;
  return root < 0 ? nullptr : &artifacts_[static_cast<size_t>(root)];
}

const Artifact* Tree::find_program(int volume, std::string_view name) const {
  if (name.empty()) return nullptr;
  if (name.find('/') != std::string_view::npos) return find(volume, name);
  for (const std::string_view folder : {"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
    const Artifact* found = find(volume, std::string(folder) + std::string(name));
    if (found && found->node.kind != Kind::kDirectory) return found;
  }
  return nullptr;
}

std::vector<const Artifact*> Tree::match(int volume, std::string_view glob) const {
  std::vector<const Artifact*> found;
  if (volume < 0 || static_cast<size_t>(volume) >= volumes_.size()) return found;
  const std::string pattern = glob.starts_with('/') ? std::string(glob) : "/" + std::string(glob);
  const std::string_view literal = std::string_view(pattern).substr(0, pattern.find_first_of("*?"));
  const std::vector<std::string_view> pieces = split(std::string_view(pattern).substr(1), '/');
  const auto& paths = paths_[static_cast<size_t>(volume)];
  for (auto at = paths.lower_bound(literal); at != paths.end() && at->first.starts_with(literal); ++at) {
    const Artifact& entry = artifacts_[static_cast<size_t>(at->second)];
    if (entry.node.kind != Kind::kFile) continue;
    if (matches_path(pieces, split(std::string_view(at->first).substr(1), '/'))) found.push_back(&entry);
  }
  std::sort(found.begin(), found.end());  // one array: addresses stand in stored order
  return found;
}

std::string_view Tree::path_in_volume(const Artifact& artifact) const {
  const int volume = volume_of(artifact);
  if (volume < 0) return {};
  const std::string_view way = artifact.way;
  const size_t prefix = volumes_[static_cast<size_t>(volume)].prefix.size();
  if (prefix == 0) return path_of_[static_cast<size_t>(&artifact - artifacts_.data())];  // a directory that was given
  return prefix > way.size() ? way : way.substr(prefix - 1);
}

const Elf* Tree::elf(const Artifact& artifact) const {
  const auto found = elf_.find(artifact.way);
  return found == elf_.end() ? nullptr : found->second;
}

const FileType* Tree::type(const Artifact& artifact) const {
  const auto found = types_.find(artifact.way);
  return found == types_.end() ? nullptr : found->second;
}

void Tree::mount(int volume, std::string_view target, int source_volume) {
  const int count = static_cast<int>(volumes_.size());
  if (volume < 0 || volume >= count || source_volume < 0 || source_volume >= count || volume == source_volume) return;
  std::string path;
  for (const std::string& piece : components_of(target)) path += "/" + piece;
  if (!path.empty()) mounts_[static_cast<size_t>(volume)].emplace(std::move(path), source_volume);
}

size_t Tree::mount_count() const {
  size_t count = 0;
  for (const auto& of_volume : mounts_) count += of_volume.size();
  return count;
}

Evidence evidence_at(const Artifact& artifact, uint64_t offset, std::string_view text) {
  return {
      .artifact = artifact.way, .offset = offset, .length = text.size(), .shows = std::string(text.substr(0, kShown))};
}

Evidence evidence_of(const Artifact& artifact, std::string shows) {
  if (shows.size() > kShown) shows.resize(kShown);
  return {.artifact = artifact.way, .shows = std::move(shows)};
}

}  // namespace assay::system
