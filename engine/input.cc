#include "engine/input.h"

#include "core/pack.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace assay::engine {
namespace {

constexpr int kDeepestFolder = 64;
constexpr size_t kMostFiles = 1'000'000;

std::unexpected<Error> io(const std::string& what) { return fail(Fault::kIo, what + ": " + std::strerror(errno)); }

// Appends everything that `fd` yields; how much it was.
Result<uint64_t> copy_all(int fd, SharedArena& into) {
  std::array<std::byte, 1 << 16> buffer;
  uint64_t total = 0;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io("cannot read");
    if (got == 0) return total;
    TRY_VOID(into.append(std::span(buffer).first(static_cast<size_t>(got))));
    total += static_cast<uint64_t>(got);
  }
}

std::string base_name(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const size_t slash = path.rfind('/');
  return slash == std::string::npos || path.size() == 1 ? path : path.substr(slash + 1);
}

class Walker {
 public:
  explicit Walker(SharedArena& arena) : arena_(arena) {}
  Unpacked tree;
  std::vector<Problem> problems;

  void walk(int fd, const std::string& prefix, int depth) {
    std::vector<std::string> names;
    DIR* folder = fdopendir(fd);
    if (!folder) {
      close(fd);
      return problem(prefix, "cannot be read");
    }
    while (const dirent* entry = readdir(folder))
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
        names.emplace_back(entry->d_name);
    std::ranges::sort(names);  // readdir's order is the host's, not the input's
    for (const std::string& name : names) {
      if (tree.entries.size() >= kMostFiles) {
        problems.push_back({"", Fault::kLimit, "more than 1000000 entries; the rest is not read", 0});
        break;
      }
      visit(dirfd(folder), name, prefix + name, depth);
    }
    closedir(folder);
  }

 private:
  void problem(const std::string& path, const std::string& what) {
    problems.push_back({path, Fault::kIo, path + " " + what + ": " + std::strerror(errno), 0});
  }

  void visit(int folder, const std::string& name, const std::string& path, int depth) {
    struct stat at{};
    if (fstatat(folder, name.c_str(), &at, AT_SYMLINK_NOFOLLOW) != 0) return problem(path, "cannot be read");
    Entry entry;
    entry.node.path = path;
    entry.node.mode = at.st_mode & 07777;
    entry.node.uid = at.st_uid;
    entry.node.gid = at.st_gid;
    entry.node.mtime = at.st_mtime;
    entry.place.held = true;
    if (S_ISDIR(at.st_mode)) {
      entry.node.kind = Kind::kDirectory;
      tree.entries.push_back(std::move(entry));
      return descend(folder, name, path, depth);
    }
    if (S_ISREG(at.st_mode)) {
      read_file(folder, name, path, entry);
    } else if (S_ISLNK(at.st_mode)) {
      entry.node.kind = Kind::kSymlink;
      std::array<char, 4096> target;
      const ssize_t length = readlinkat(folder, name.c_str(), target.data(), target.size());
      if (length > 0) entry.node.target.assign(target.data(), static_cast<size_t>(length));
    } else if (S_ISCHR(at.st_mode) || S_ISBLK(at.st_mode)) {
      entry.node.kind = S_ISCHR(at.st_mode) ? Kind::kCharDevice : Kind::kBlockDevice;
      entry.node.device = static_cast<uint64_t>(major(at.st_rdev)) << 32 | minor(at.st_rdev);
    } else {
      entry.node.kind = S_ISFIFO(at.st_mode) ? Kind::kFifo : Kind::kSocket;
    }
    tree.entries.push_back(std::move(entry));
  }

  void descend(int folder, const std::string& name, const std::string& path, int depth) {
    if (depth >= kDeepestFolder) {
      problems.push_back({path, Fault::kLimit, path + " is deeper than 64 folders; it is not read", 0});
      return;
    }
    const int fd = openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return problem(path, "cannot be read");
    walk(fd, path + "/", depth + 1);
  }

  void read_file(int folder, const std::string& name, const std::string& path, Entry& entry) {
    entry.node.kind = Kind::kFile;
    const int fd = openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return problem(path, "cannot be read");
    const uint64_t before = arena_.size();
    const auto size = copy_all(fd, arena_);
    close(fd);
    if (!size) {
      problems.push_back({path, size.error().fault, path + ": " + size.error().what, 0});
      return;
    }
    entry.has_content = true;
    entry.offset = before;
    entry.size = *size;
    entry.place = {0, before, *size, true};
    entry.sha256 = arena_.digest(arena_.view(before, *size));
  }

  SharedArena& arena_;
};

Result<Input> open_directory(int fd, std::string name, const std::shared_ptr<Likeness>& likeness) {
  SharedArena arena = TRY(SharedArena::create(0));
  arena.tell_apart_by(likeness);
  Walker walker(arena);
  walker.walk(fd, "", 0);
  walker.tree.format = "directory";
  walker.tree.version = 1;
  walker.tree.container = true;
  walker.tree.verified = true;
  Unpacked listing = walker.tree;
  for (Entry& entry : listing.entries) entry.place = {}, entry.offset = 0;
  const uint64_t size = arena.size();
  return Input{std::move(arena),       std::move(name),           size, sha256(Bytes(pack(listing))),
               std::move(walker.tree), std::move(walker.problems)};
}

Result<Input> open_stream(int fd, std::string name, bool digested) {
  SharedArena arena = TRY(SharedArena::create(0));
  const uint64_t size = TRY(copy_all(fd, arena));
  const Digest digest = digested ? sha256(arena.view(0, size)) : Digest{};
  return Input{std::move(arena), std::move(name), size, digest, std::nullopt, {}};
}

}  // namespace

Result<Input> open_input(const std::string& path, const std::shared_ptr<Likeness>& likeness) {
  const bool digested = likeness == nullptr;
  if (path == "-") return open_stream(STDIN_FILENO, "stdin", digested);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return io("cannot open " + path);
  struct stat at{};
  if (fstat(fd, &at) != 0) return io("cannot read " + path);
  if (S_ISDIR(at.st_mode)) return open_directory(fd, base_name(path), likeness);
  if (!S_ISREG(at.st_mode)) {
    Result<Input> input = open_stream(fd, base_name(path), digested);
    close(fd);
    return input;
  }
  const auto size = static_cast<uint64_t>(at.st_size);
  SharedArena arena = TRY(SharedArena::open(0, fd, size));
  const Digest digest = digested ? sha256(arena.view(0, size)) : Digest{};
  return Input{std::move(arena), base_name(path), size, digest, std::nullopt, {}};
}

}  // namespace assay::engine
