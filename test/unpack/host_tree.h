// A source tree on the host with every kind of entry, to make file systems of with foreign tools, and the comparison
// of what a format read with that tree.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <utime.h>

#include <filesystem>

#include "test/unpack/collect.h"
#include "test/unpack/seeds.h"
#include "test/unpack/tool.h"
#include "unpack/account.h"

namespace assay::unpack {

// A real image, where the samples are installed beside the checkout; else empty.
inline std::string sample_image(const std::string& path) {
  const char* source = std::getenv("ASSAY_SOURCE");
  return slurp(std::string(source ? source : ".") + "/../shared/" + path);
}

class HostTree {
 public:
  HostTree() {
    char name[] = "/tmp/assay-test-XXXXXX";
    if (const char* made = mkdtemp(name)) directory_ = made;
    std::filesystem::create_directory(root());
  }
  ~HostTree() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  HostTree(const HostTree&) = delete;
  HostTree& operator=(const HostTree&) = delete;

  std::string root() const { return directory_ + "/root"; }
  std::string at(const std::string& path) const { return root() + "/" + path; }

  void directory(const std::string& path, mode_t mode = 0755) {
    std::filesystem::create_directories(at(path));
    chmod(at(path).c_str(), mode);
  }
  void file(const std::string& path, const std::string& content, mode_t mode = 0644) {
    std::ofstream(at(path), std::ios::binary) << content;
    chmod(at(path).c_str(), mode);
  }
  // Everything the formats have: needs root for the devices and owners, and leaves those out otherwise.
  void fill(bool hard_links = true) {
    directory("bin");
    directory("etc", 0700);
    directory("empty");
    directory("tmp", 01777);
    directory("a/b/c/d/e");
    file("etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0600);
    file("bin/noise", noise(30'000), 0755);
    file("bin/su", "set user\n", 04755);
    file("a/b/c/d/e/text", words(100'000));
    file("nothing", "");
    file("zeros", std::string(20'000, '\0'));
    file("exact", words(8192));
    file("name with spaces and \xc3\xa4", "umlaut");
    file(std::string(100, 'n'), "long name");
    for (int i = 0; i < 60; ++i) file("a/file" + std::to_string(i), words(100 + i * 97));
    std::filesystem::create_symlink("../etc/passwd", at("bin/link"));
    std::filesystem::create_symlink(std::string(200, 't'), at("long-link"));
    if (hard_links) std::filesystem::create_hard_link(at("bin/noise"), at("bin/noise-too"));
    if (geteuid() == 0) {
      directory("dev");
      mknod(at("dev/console").c_str(), S_IFCHR | 0600, makedev(5, 1));
      mknod(at("dev/mtdblock3").c_str(), S_IFBLK | 0640, makedev(31, 3));
      mkfifo(at("dev/pipe").c_str(), 0622);
      if (chown(at("etc/passwd").c_str(), 12, 34) != 0) ADD_FAILURE();
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root())) settle(entry.path().string());
    settle(root());
  }
  // Runs `command` in the directory that holds "root"; what it leaves in the file "out".
  std::string image(const std::string& command) const {
    std::filesystem::remove(directory_ + "/out");
    const std::string whole = "cd " + directory_ + " && (set -e; " + command + ") >/dev/null 2>&1";
    if (std::system(whole.c_str()) != 0) return {};
    return slurp(directory_ + "/out");
  }

  static std::string words(size_t size) {
    std::string text;
    for (uint32_t x = 1; text.size() < size; x = x * 1664525 + 1013904223)
      text += "word " + std::to_string(x >> 22) + "\n";
    return text.substr(0, size);
  }
  static std::string noise(size_t size) {
    std::string text;
    for (uint32_t x = 7; text.size() < size; x = x * 1664525 + 1013904223) text.push_back(static_cast<char>(x >> 24));
    return text;
  }

 private:
  static void settle(const std::string& path) {
    const timespec times[2] = {{1'500'000'000, 0}, {1'500'000'000 + static_cast<time_t>(path.size()), 0}};
    utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
  }
  std::string directory_;
};

struct Compare {  // what the format stores
  bool mode = true, owner = true, mtime = true, empty_directories = true;
};

inline Kind kind_on_host(const struct stat& s) {
  if (S_ISDIR(s.st_mode)) return Kind::kDirectory;
  if (S_ISLNK(s.st_mode)) return Kind::kSymlink;
  if (S_ISCHR(s.st_mode)) return Kind::kCharDevice;
  if (S_ISBLK(s.st_mode)) return Kind::kBlockDevice;
  if (S_ISFIFO(s.st_mode)) return Kind::kFifo;
  return Kind::kFile;
}

inline void expect_entry(const Collect& got, const std::string& host, const std::string& path, const Compare& what) {
  struct stat s{};
  ASSERT_EQ(lstat(host.c_str(), &s), 0) << host;
  const Collect::Item* item = got.find(path);
  ASSERT_TRUE(item) << path << " is missing";
  const Collect::Item* content = item;
  if (item->node.kind == Kind::kHardLink) {
    EXPECT_GT(s.st_nlink, 1u) << path;
    content = got.find(item->node.target);
    ASSERT_TRUE(content) << path << " links to " << item->node.target;
  } else {
    EXPECT_EQ(item->node.kind, kind_on_host(s)) << path;
  }
  if (what.mode) {
    EXPECT_EQ(item->node.mode, s.st_mode & 07777) << path;
  }
  if (what.owner) {
    EXPECT_EQ(item->node.uid, s.st_uid) << path;
  }
  if (what.owner) {
    EXPECT_EQ(item->node.gid, s.st_gid) << path;
  }
  if (what.mtime) {
    EXPECT_EQ(item->node.mtime, s.st_mtime) << path;
  }
  if (S_ISREG(s.st_mode)) {
    EXPECT_TRUE(content->content == slurp(host)) << path << " differs";
  }
  if (S_ISLNK(s.st_mode)) {
    EXPECT_EQ(item->node.target, std::filesystem::read_symlink(host).string()) << path;
  }
  if (S_ISCHR(s.st_mode) || S_ISBLK(s.st_mode)) {
    EXPECT_EQ(item->node.device, uint64_t{major(s.st_rdev)} << 32 | minor(s.st_rdev)) << path;
  }
}

// Every entry of the tree is in `got` as it is on the host, and nothing else is.
inline void expect_same(const HostTree& tree, const Collect& got, const Compare& what = {}) {
  size_t entries = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree.root())) {
    expect_entry(got, entry.path().string(), entry.path().lexically_relative(tree.root()).string(), what);
    ++entries;
  }
  size_t named = 0;
  for (const Collect::Item& item : got.items) named += !item.node.path.empty();
  EXPECT_EQ(named, entries);
}

inline uint64_t unknown_bytes(const std::string& image, const Collect& got) {
  const Bytes whole(image);
  std::vector<Span> claims = got.spans;
  for (const Collect::Item& item : got.items)
    for (const Bytes& extent : item.extents)
      claims.push_back({Range::kContent, static_cast<uint64_t>(extent.data() - whole.data()), extent.size()});
  return count(settle(std::move(claims), whole)).unknown;
}

// Every truncation (all the short ones, then ever larger steps) and every 1 in `stride` flipped byte: no crash, no
// claim beyond the end; what is measured stays inside.
inline void expect_survives(const Format& format, const std::string& good, size_t stride) {
  if (keep_as_seed(format.id, good)) return;
  const auto run = [&](const std::string& bytes) {
    const auto measured = format.measure(Bytes(bytes));
    if (measured) {
      EXPECT_LE(measured->length, bytes.size());
    }
    Collect sink;
    (void)format.unpack(Bytes(bytes), sink);
    for (const Collect::Item& item : sink.items)
      for (const Bytes& extent : item.extents) {
        EXPECT_GE(extent.data(), Bytes(bytes).data());
        EXPECT_LE(extent.data() + extent.size(), Bytes(bytes).data() + bytes.size());
      }
  };
  for (size_t length = 0; length < good.size(); length += 1 + (length > 600 ? length / 40 : 0))
    run(good.substr(0, length));
  for (size_t at = 0; at < good.size(); at += at < 256 ? 1 : stride) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    run(bad);
    bad[at] = '\xff';
    run(bad);
  }
}

}  // namespace assay::unpack
