// Facts of a whole tree: the arrow "system". Sees every artifact with its content and the facts of single files.
#pragma once
#include "core/facts.h"
#include "core/finding.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>

namespace assay::system {

// A volume is one file system (or archive of files) in the image: the smallest world in which absolute paths resolve.
class Tree {
 public:
  // `artifacts` in stored order; `content` yields an artifact's bytes (empty where they could not be read);
  // both outlive the tree. `file_facts`: the merged facts of single files, with at.artifact set.
  using Read = std::function<Bytes(const Artifact&)>;
  Tree(std::span<const Artifact> artifacts, const Facts& file_facts, Read read);

  std::span<const Artifact> artifacts() const { return artifacts_; }
  const Facts& file_facts() const { return file_facts_; }
  Bytes content(const Artifact& artifact) const { return read_(artifact); }

  struct Volume {
    const Artifact* container;  // whose entries these are
    std::string prefix;         // way of the volume with a '/' at its end, escaped: "trx/part1/squashfs/"
  };
  std::span<const Volume> volumes() const { return volumes_; }
  int volume_of(const Artifact& artifact) const;  // -1: in none (a part)

  // The entry at an absolute or relative path within one volume (escaped form); symbolic links are followed as the
  // device would, at most 16 times, and links that leave the volume are tried in the volumes mounted there by mounts
  // the image itself states. Null: not there.
  const Artifact* find(int volume, std::string_view path) const;
  // As find; the path may also be a bare program name, looked up in /bin, /sbin, /usr/bin, /usr/sbin, /usr/local/bin.
  const Artifact* find_program(int volume, std::string_view name) const;
  // All files (not links) of a volume whose path matches `glob` (* within a component, ** across), in stored order.
  std::vector<const Artifact*> match(int volume, std::string_view glob) const;
  std::string_view path_in_volume(const Artifact& artifact) const;  // "/etc/passwd"
  const Elf* elf(const Artifact& artifact) const;                   // null: no ELF file
  const FileType* type(const Artifact& artifact) const;

  // A mount the image states (fstab, `mount` in scripts): set by the analysis "mounts" before the others run.
  void mount(int volume, std::string_view target, int source_volume);
  size_t mount_count() const;

  // What "mounts" read of the starts, where no mount that it met on the way could have changed it: "startup" takes it.
  std::optional<Facts> starts;

 private:
  const Artifact* lookup(int volume, std::string_view path, int depth) const;
  std::span<const Artifact> artifacts_;
  const Facts& file_facts_;
  Read read_;
  std::vector<Volume> volumes_;
  std::vector<int> volume_of_;                                  // by artifact
  std::vector<std::map<std::string, int, std::less<>>> paths_;  // per volume: "/etc/passwd" -> artifact
  std::vector<std::string_view> path_of_;                       // by artifact: its key in these
  std::map<std::string, const Elf*, std::less<>> elf_;
  std::map<std::string, const FileType*, std::less<>> types_;
  std::vector<std::map<std::string, int, std::less<>>> mounts_;  // per volume: target -> source volume
};

// Evidence for `length` bytes at `offset` of an artifact, its text as `shows` (cut to 200 characters).
Evidence evidence_at(const Artifact& artifact, uint64_t offset, std::string_view text);
Evidence evidence_of(const Artifact& artifact, std::string shows);  // of the artifact itself: its mode, its name

struct TreeAnalysis {
  std::string_view id;
  uint32_t version;
  void (*run)(Tree& tree, Facts& out);  // reads tree and what earlier analyses in the registry put into `out`
};
std::span<const TreeAnalysis* const> tree_analyses();  // in the order they run

}  // namespace assay::system
