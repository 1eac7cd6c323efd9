// A directory on disk as values, and what differs between it and what a format's reader gave to a sink: the other half
// of "our reader against the foreign tool".
#pragma once
#include "test/unpack/collect.h"
#include "test/unpack/tool.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace assay::unpack {

struct OnDisk {
  struct stat status{};
  std::string target;
  std::vector<std::pair<std::string, std::string>> xattrs;
};

inline OnDisk look_at(const std::string& path) {
  OnDisk entry;
  lstat(path.c_str(), &entry.status);
  if (S_ISLNK(entry.status.st_mode)) {
    char target[4097];
    const ssize_t length = readlink(path.c_str(), target, sizeof target);
    if (length > 0) entry.target.assign(target, static_cast<size_t>(length));
  }
  char names[65536], value[65536];
  const ssize_t length = llistxattr(path.c_str(), names, sizeof names);
  for (ssize_t at = 0; at < length;) {
    const std::string name = names + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value, sizeof value);
    if (size >= 0) entry.xattrs.emplace_back(name, std::string(value, static_cast<size_t>(size)));
  }
  std::ranges::sort(entry.xattrs);
  return entry;
}

// Path relative to `root` ("" is root itself) -> entry.
inline std::map<std::string, OnDisk> tree_on_disk(const std::string& root) {
  std::map<std::string, OnDisk> out;
  out[""] = look_at(root);
  namespace fs = std::filesystem;
  for (const auto& entry : fs::recursive_directory_iterator(root, fs::directory_options::none))
    out[entry.path().string().substr(root.size() + 1)] = look_at(entry.path().string());
  return out;
}

struct Compared {
  bool owners = true, modes = true, times = true, xattrs = true, root = true;
  size_t entries = 0;  // out: how many were compared
};

inline Kind kind_on_disk(mode_t mode) {
  if (S_ISDIR(mode)) return Kind::kDirectory;
  if (S_ISLNK(mode)) return Kind::kSymlink;
  if (S_ISCHR(mode)) return Kind::kCharDevice;
  if (S_ISBLK(mode)) return Kind::kBlockDevice;
  if (S_ISFIFO(mode)) return Kind::kFifo;
  if (S_ISSOCK(mode)) return Kind::kSocket;
  return Kind::kFile;
}

inline void compare_entry(const Collect& sink, const Collect::Item& item, const std::string& root, const OnDisk& disk,
                          Compared& what, std::vector<std::string>& out) {
  const std::string& path = item.node.path;
  const auto differ = [&](const char* field) { out.push_back(path + ": " + field); };
  const Collect::Item* named = item.node.kind == Kind::kHardLink ? sink.find(item.node.target) : &item;
  if (!named) return differ("hard link leads nowhere");
  if (named->node.kind != kind_on_disk(disk.status.st_mode)) return differ("kind");
  const Node& node = named->node;
  if (what.modes && node.kind != Kind::kSymlink && node.mode != (disk.status.st_mode & 07777)) differ("mode");
  if (what.owners && (node.uid != disk.status.st_uid || node.gid != disk.status.st_gid)) differ("owner");
  // A directory's count is of the file system that holds it.
  if (item.node.links && node.kind != Kind::kDirectory && *item.node.links != disk.status.st_nlink) differ("links");
  if (what.times && node.mtime && *node.mtime != disk.status.st_mtime) differ("mtime");
  if (node.kind == Kind::kSymlink && node.target != disk.target) differ("target");
  const uint64_t device = uint64_t{major(disk.status.st_rdev)} << 32 | minor(disk.status.st_rdev);
  if ((node.kind == Kind::kCharDevice || node.kind == Kind::kBlockDevice) && node.device != device) differ("device");
  if (node.kind == Kind::kFile && named->content != slurp(root + "/" + path)) differ("content");
  auto xattrs = node.xattrs;
  std::ranges::sort(xattrs);
  if (what.xattrs && xattrs != disk.xattrs) differ("xattrs");
  ++what.entries;
}

// What differs, one line each; nothing: both have the same entries with the same fields.
inline std::vector<std::string> differences(const Collect& sink, const std::string& root, Compared& what) {
  std::vector<std::string> out;
  const auto disk = tree_on_disk(root);
  std::set<std::string> seen;
  for (const Collect::Item& item : sink.items) {
    const std::string& path = item.node.path;
    if (path.empty() && !what.root) continue;
    if (!seen.insert(path).second) out.push_back(path + ": given twice");
    const auto found = disk.find(path);
    if (found == disk.end())
      out.push_back(path + ": not on disk");
    else
      compare_entry(sink, item, root, found->second, what, out);
  }
  for (const auto& [path, entry] : disk)
    if (!seen.contains(path) && (!path.empty() || what.root)) out.push_back(path + ": missing");
  return out;
}

// A fresh directory, removed at the end.
class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/assay-test-XXXXXX";
    if (const char* made = mkdtemp(name)) path_ = made;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }
  // Runs a shell script in the directory.
  bool run(const std::string& script) const {
    return std::system(("cd " + path_ + " && (set -e; " + script + ") >log 2>&1").c_str()) == 0;
  }

 private:
  std::string path_;
};

inline bool installed(const std::string& tool) {
  return std::system(("PATH=$PATH:/sbin:/usr/sbin command -v " + tool + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace assay::unpack
