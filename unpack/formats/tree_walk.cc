#include "unpack/formats/tree_walk.h"

#include "unpack/formats/inode_tree.h"

#include <map>
#include <set>

namespace assay::unpack {
namespace {

constexpr size_t kMostDepth = 256, kLongestPath = 4096;

class Walk {
 public:
  Walk(TreeSource& source, Sink& into) : source_(source), into_(into) {}

  Result<void> run(uint64_t root) {
    TRY_VOID(visit({"", root, 0}, ""));
    while (!open_.empty()) {
      Open& top = open_.back();
      if (top.next == top.entries.size()) {
        open_.pop_back();
        continue;
      }
      const Listed entry = std::move(top.entries[top.next++]);
      if (entry.name == "." || entry.name == "..") continue;
      TRY_VOID(enter(entry, top.path));
    }
    return {};
  }

 private:
  struct Open {
    std::string path;
    std::vector<Listed> entries;
    size_t next = 0;
  };

  Result<void> complain(const std::string& path, const Error& error) {
    if (error.fault == Fault::kLimit) return std::unexpected(error);
    into_.problem({error.fault, (path.empty() ? "/" : path) + ": " + error.what, error.offset});
    return {};
  }

  Result<void> enter(const Listed& entry, const std::string& above) {
    if (!is_component(entry.name))
      return complain(above, {Fault::kMalformed, "an entry's name is no file name", entry.at});
    const std::string path = above.empty() ? entry.name : above + "/" + entry.name;
    TRY_VOID(into_.step(1 + path.size() / 64));
    if (path.size() > kLongestPath) return complain(above, {Fault::kMalformed, "a path is too long", entry.at});
    return visit(entry, path);
  }

  Result<void> visit(const Listed& entry, const std::string& path) {
    auto found = source_.find(entry.inode);
    if (!found) return complain(path, found.error());
    Node node = std::move(found->node);
    node.path = path;
    node.links = found->links;
    if (node.kind == Kind::kDirectory) return directory(entry.inode, std::move(node), found->at);
    if (found->links != 1) {
      const auto [first, fresh] = names_.try_emplace(entry.inode, path);
      if (!fresh) {
        node.kind = Kind::kHardLink;
        node.target = first->second;
        node.xattrs.clear();
        return into_.node(std::move(node), nothing());
      }
    }
    if (node.kind != Kind::kFile) return into_.node(std::move(node), nothing());
    auto content = source_.content(entry.inode);
    if (!content) {
      into_.discard();
      TRY_VOID(complain(path, content.error()));
      content = unreadable();
    }
    return into_.node(std::move(node), *std::move(content));
  }

  Result<void> directory(uint64_t inode, Node node, uint64_t at) {
    const std::string path = node.path;
    TRY_VOID(into_.node(std::move(node), nothing()));
    if (!directories_.insert(inode).second)
      return complain(path, {Fault::kMalformed, "directory has a second name", at});
    if (open_.size() >= kMostDepth) return complain(path, {Fault::kMalformed, "directories are nested too deep", at});
    auto entries = source_.list(inode);
    if (!entries) return complain(path, entries.error());
    open_.push_back({path, *std::move(entries), 0});
    return {};
  }

  TreeSource& source_;
  Sink& into_;
  std::vector<Open> open_;
  std::set<uint64_t> directories_;
  std::map<uint64_t, std::string> names_;  // of inodes with several: the first
};

}  // namespace

Result<void> walk_tree(TreeSource& source, uint64_t root, Sink& into) { return Walk(source, into).run(root); }

}  // namespace assay::unpack
