// A tree made in test code: volumes of files, links and devices with their contents, as unpacking would yield them.
//
//   TreeBuilder builder;                       // an image with one volume, "squashfs/"
//   builder.file("etc/inittab", "::sysinit:/etc/rcS\n").link("bin/sh", "busybox");
//   Tree tree = builder.tree();                // the builder must outlive it
#pragma once
#include "system/tree.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

namespace assay::system {

// The tree analysis of that id; of another id there is none, and the program ends.
inline const TreeAnalysis& analysis(std::string_view id) {
  const auto found = std::ranges::find(tree_analyses(), id, &TreeAnalysis::id);
  ASSAY_CHECK(found != tree_analyses().end());
  return **found;
}

class TreeBuilder {
 public:
  explicit TreeBuilder(std::string_view format = "squashfs") {
    artifacts_.push_back({.way = "", .node = {.kind = Kind::kImage}, .format = std::string(format)});
    contents_.emplace_back();
  }

  // Entries added from now on lie in a new volume: a part of the image, read as `format`.
  TreeBuilder& volume(std::string_view part, std::string_view format, uint64_t offset = kNowhere) {
    const std::string way = std::string(artifacts_[0].format) + "/" + std::string(part);
    Artifact made{.way = way, .node = {.kind = Kind::kPart, .path = std::string(part)}, .format = std::string(format)};
    made.offset = offset;
    made.parent = 0;
    container_ = static_cast<int>(artifacts_.size());
    keep(std::move(made), "");
    return *this;
  }

  TreeBuilder& file(std::string_view path, std::string_view text, uint32_t mode = 0644) {
    Artifact made = entry(Kind::kFile, path);
    made.node.mode = mode;
    made.size = text.size();
    made.has_content = true;
    made.sha256 = sha256(Bytes(text));
    keep(std::move(made), text);
    return *this;
  }
  TreeBuilder& program(std::string_view path, std::string_view text =
                                                  "\x7f"
                                                  "ELF") {
    return file(path, text, 0755);
  }
  TreeBuilder& link(std::string_view path, std::string_view target) {
    Artifact made = entry(Kind::kSymlink, path);
    made.node.target = target;
    keep(std::move(made), "");
    return *this;
  }
  TreeBuilder& hard_link(std::string_view path, std::string_view first) {
    Artifact made = entry(Kind::kHardLink, path);
    made.node.target = first;
    keep(std::move(made), "");
    return *this;
  }
  TreeBuilder& directory(std::string_view path, uint32_t mode = 0755) {
    Artifact made = entry(Kind::kDirectory, path);
    made.node.mode = mode;
    keep(std::move(made), "");
    return *this;
  }
  TreeBuilder& device(std::string_view path, uint32_t major, uint32_t minor, Kind kind = Kind::kCharDevice) {
    Artifact made = entry(kind, path);
    made.node.device = uint64_t{major} << 32 | minor;
    made.node.mode = 0600;
    keep(std::move(made), "");
    return *this;
  }

  // Facts about the entry added last, as the analyses of single files would state them.
  TreeBuilder& is_elf(Elf elf) {
    elf.at.artifact = artifacts_.back().way;
    if (elf.type.empty()) elf.type = "executable";
    facts.elf.push_back(std::move(elf));
    facts.file_types.push_back({.type = "elf", .at = {.artifact = artifacts_.back().way}});
    return *this;
  }
  TreeBuilder& traits(std::vector<std::string> traits) {
    return is_elf({.machine = "mips", .is_program = true, .traits = std::move(traits)});
  }

  std::string way(std::string_view path) const { return prefix() + std::string(path); }
  std::vector<Artifact>& artifacts() { return artifacts_; }

  Tree tree() {
    return Tree(artifacts_, facts, [this](const Artifact& a) { return Bytes(contents_[&a - artifacts_.data()]); });
  }

  Facts facts;

 private:
  std::string prefix() const {
    const Artifact& container = artifacts_[container_];
    return container.way + (container.way.empty() ? "" : "/") + container.format + "/";
  }
  Artifact entry(Kind kind, std::string_view path) const {
    Artifact made{.way = prefix() + escaped(path), .node = {.kind = kind, .path = std::string(path)}};
    made.parent = container_;
    return made;
  }
  static std::string escaped(std::string_view raw);
  void keep(Artifact artifact, std::string_view text) {
    artifacts_.push_back(std::move(artifact));
    contents_.emplace_back(text);
  }

  std::vector<Artifact> artifacts_;
  std::deque<std::string> contents_;
  int container_ = 0;
};

}  // namespace assay::system

#include "core/text.h"
inline std::string assay::system::TreeBuilder::escaped(std::string_view raw) { return escape(raw); }
