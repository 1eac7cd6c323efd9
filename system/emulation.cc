// Leftovers of running a product's root file system in an emulator on a workstation, by mechanism, not by name:
//  - a folder outside every library path that holds a library in the place of the product's own configuration store: it
//    exports the access functions of such stores (of several makers at once, or those that a library of the image
//    exports too), no program of the image can need it from there, and no start script names the folder;
//  - a folder outside the program paths with a static multi-call binary although the product has its own, no script
//    naming the folder;
//  - device nodes that belong to a workstation: numbers that Linux assigns to hardware of a PC and to its virtual
//    machines (Documentation/admin-guide/devices.txt), and the nodes stored within an hour of those.
// A volume has at most one such leftover; its count is the files of the folders and the nodes.
#include "core/text.h"
#include "system/leftovers.h"
#include "system/shell_walk.h"

#include <algorithm>
#include <array>
#include <set>

namespace assay::system {
namespace {

constexpr size_t kStoreFunctions = 3;    // of the stores below, to be a store
constexpr size_t kSameFunctions = 6;     // exported by a library of the product too
constexpr size_t kWorkstationKinds = 3;  // kinds of workstation nodes, to be a copy of a workstation's /dev
constexpr int64_t kTogether = 3600;      // seconds

// Families of functions by which programs read a configuration store in flash; one product has one of them.
constexpr std::array<std::string_view, 8> kStores{"nvram_",  "acos_nvram_", "acosNvramConfig_", "apmib_",
                                                  "envram_", "artblock_",   "WAN_ith_CONFIG_",  "bcm_nvram_"};

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

bool in_library_path(std::string_view folder) {
  for (const std::string_view path :
       {"/lib", "/usr/lib", "/usr/local/lib", "/lib32", "/lib64", "/usr/lib32", "/usr/lib64"}) {
    if (folder == path || (folder.starts_with(path) && folder[path.size()] == '/')) return true;
  }
  return false;
}

// Kinds of nodes that no router, camera or switch has: kvm, hpet, mcelog, tpm, vhost, PC nvram, screens, many
// terminals.
std::string_view workstation_kind(const Node& node, size_t terminals) {
  if (node.kind != Kind::kCharDevice || !node.device) return {};
  const auto major = static_cast<uint32_t>(*node.device >> 32), minor = static_cast<uint32_t>(*node.device);
  if (major == 10) {
    switch (minor) {
      case 144:
        return "nvram of a PC";
      case 224:
        return "tpm";
      case 227:
        return "mcelog";
      case 228:
        return "hpet";
      case 232:
        return "kvm";
      case 238:
        return "vhost-net";
      case 241:
        return "vhost-vsock";
      default:
        return {};
    }
  }
  if (major == 7) return "screens of virtual terminals";
  if (major == 4 && minor >= 1 && minor < 64 && terminals > 16) return "virtual terminals";
  return {};
}

struct Nodes {
  std::set<std::string_view> kinds;
  std::vector<const Artifact*> all;
};

Nodes workstation_nodes(const Tree& tree, int volume) {
  std::vector<const Artifact*> devices, marked;
  size_t terminals = 0;
  for (const Artifact& artifact : tree.artifacts()) {
    const Kind kind = artifact.node.kind;
    if ((kind != Kind::kCharDevice && kind != Kind::kBlockDevice) || tree.volume_of(artifact) != volume) continue;
    devices.push_back(&artifact);
    const uint64_t number = artifact.node.device.value_or(0);
    terminals +=
        kind == Kind::kCharDevice && number >> 32 == 4 && (number & 0xffffffff) >= 1 && (number & 0xffffffff) < 64;
  }
  Nodes found;
  for (const Artifact* device : devices) {
    const std::string_view kind = workstation_kind(device->node, terminals);
    if (kind.empty()) continue;
    found.kinds.insert(kind);
    marked.push_back(device);
  }
  if (found.kinds.size() < kWorkstationKinds) return {};
  std::set<int64_t> times;
  for (const Artifact* device : marked) {
    if (device->node.mtime) times.insert(*device->node.mtime);
  }
  for (const Artifact* device : devices) {
    bool with = std::find(marked.begin(), marked.end(), device) != marked.end();
    if (!with && device->node.mtime) {
      const auto next = times.lower_bound(*device->node.mtime - kTogether);
      with = next != times.end() && *next <= *device->node.mtime + kTogether;
    }
    if (with) found.all.push_back(device);
  }
  return found;
}

class Folders {
 public:
  Folders(const Tree& tree, const Facts& facts, int volume) : tree_(tree), facts_(facts), volume_(volume) {
    for (const Artifact& artifact : tree.artifacts()) {
      if (tree.volume_of(artifact) != volume || artifact.node.kind != Kind::kFile) continue;
      const Elf* elf = tree.elf(artifact);
      if (!elf) continue;
      elves_.emplace_back(&artifact, elf);
      const bool multi_call = std::find(elf->traits.begin(), elf->traits.end(), "multi-call") != elf->traits.end();
      product_multi_call_ |=
          multi_call && !elf->is_static && folder_of(tree.path_in_volume(artifact)).ends_with("/bin");
      if (in_library_path(folder_of(tree.path_in_volume(artifact)))) {
        libraries_.insert(std::string(base_name(artifact.way)));
        exported_.insert(elf->exports.begin(), elf->exports.end());
      }
      needed_.insert(elf->needed.begin(), elf->needed.end());
    }
  }

  struct Found {
    const Artifact* artifact = nullptr;
    std::string folder, shows;
  };
  std::vector<Found> find() const {
    std::vector<Found> found;
    for (const auto& [artifact, elf] : elves_) {
      const std::string folder(folder_of(tree_.path_in_volume(*artifact)));
      if (folder.empty() || in_library_path(folder) || is_named(folder)) continue;
      if (std::string shows = stands_in(*artifact, *elf); !shows.empty())
        found.push_back({artifact, folder, std::move(shows)});
      else if (is_second_multi_call(*elf, folder))
        found.push_back({artifact, folder, "static multi-call binary beside the product's own"});
    }
    return found;
  }

 private:
  // What a library outside the library paths exports in place of a library of the product; "" : nothing of that kind.
  std::string stands_in(const Artifact& artifact, const Elf& elf) const {
    const std::string name(base_name(artifact.way));
    if (elf.type != "shared" || elf.is_program) return {};
    if (needed_.contains(name) && !libraries_.contains(name)) return {};
    size_t store = 0, same = 0;
    std::set<std::string_view> families;
    std::string shown;
    for (const std::string& symbol : elf.exports) {
      same += symbol.size() > 5 && symbol[0] != '_' && exported_.contains(symbol);
      for (const std::string_view family : kStores) {
        if (!symbol.starts_with(family)) continue;
        ++store;
        if (families.insert(family).second) shown += (shown.empty() ? "" : ", ") + symbol;
        break;
      }
    }
    if (store >= kStoreFunctions && (families.size() >= 2 || same >= kStoreFunctions))
      return "exports " + std::to_string(store) + " functions of configuration stores: " + shown;
    if (same >= kSameFunctions && elf.exports.size() < same * 3)
      return "exports " + std::to_string(same) + " functions that libraries of the product export too";
    return {};
  }

  bool is_second_multi_call(const Elf& elf, std::string_view folder) const {
    const bool multi_call = std::find(elf.traits.begin(), elf.traits.end(), "multi-call") != elf.traits.end();
    return multi_call && elf.is_static && product_multi_call_ && !folder.ends_with("bin");
  }

  // A start names the folder: in its program, its arguments or its whole line.
  bool is_named(std::string_view folder) const {
    const std::string path = std::string(folder) + "/";
    for (const Startup& start : facts_.startup) {
      if (start.program.starts_with(path) || start.command.find(path) != std::string::npos) return true;
    }
    for (const Mount& mount : facts_.mounts) {
      if (mount.target == folder) return true;
    }
    (void)volume_;
    return false;
  }

  const Tree& tree_;
  const Facts& facts_;
  int volume_;
  std::vector<std::pair<const Artifact*, const Elf*>> elves_;
  std::set<std::string> libraries_, exported_, needed_;
  bool product_multi_call_ = false;
};

void state(const Tree& tree, int volume, const std::vector<Folders::Found>& folders, const Nodes& nodes, Facts& out) {
  Leftover leftover{.kind = "emulation", .count = 0};
  std::set<std::string> names;
  for (const Folders::Found& found : folders) names.insert(found.folder);
  for (const std::string& name : names) leftover.detail += (leftover.detail.empty() ? "folder " : ", ") + name;
  for (const Artifact& artifact : tree.artifacts()) {
    if (tree.volume_of(artifact) != volume || artifact.node.kind == Kind::kDirectory) continue;
    const std::string_view path = tree.path_in_volume(artifact);
    for (const std::string& name : names) {
      if (!path.starts_with(name + "/")) continue;
      ++leftover.count;
      const bool stated =
          std::any_of(folders.begin(), folders.end(), [&](const auto& f) { return f.artifact == &artifact; });
      if (!stated && leftover.more.size() < 8)
        leftover.more.push_back(evidence_of(artifact, std::string(base_name(path))));
      break;
    }
  }
  if (!nodes.all.empty()) {
    std::string kinds;
    for (const std::string_view kind : nodes.kinds) kinds += (kinds.empty() ? "" : ", ") + std::string(kind);
    leftover.detail += (leftover.detail.empty() ? "" : "; ") + std::to_string(nodes.all.size()) +
                       " device nodes of a workstation (" + kinds + ")";
    leftover.count += nodes.all.size();
    for (size_t i = 0; i < nodes.all.size() && i < 4; ++i)
      leftover.more.push_back(evidence_of(*nodes.all[i], std::string(base_name(nodes.all[i]->way))));
  }
  leftover.at = folders.empty() ? evidence_of(*nodes.all.front(), std::string(base_name(nodes.all.front()->way)))
                                : evidence_of(*folders.front().artifact,
                                              folders.front().shows + "; no start script names its folder");
  for (size_t i = 1; i < folders.size() && i < 4; ++i)
    leftover.more.push_back(evidence_of(*folders[i].artifact, folders[i].shows));
  out.leftovers.push_back(std::move(leftover));
}

}  // namespace

void find_emulation(const Tree& tree, Facts& out) {
  for (int volume = 0; volume < static_cast<int>(tree.volumes().size()); ++volume) {
    const std::vector<Folders::Found> folders = Folders(tree, out, volume).find();
    const Nodes nodes = workstation_nodes(tree, volume);
    if (!folders.empty() || !nodes.all.empty()) state(tree, volume, folders, nodes, out);
  }
}

}  // namespace assay::system
