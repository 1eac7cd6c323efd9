// Mounts that the image states (fstab(5), mount commands of start scripts), and which volume of the image each one is.
//
// A flash partition is named by number (/dev/mtdblock3) or by name (mtd:system, ubi0:rootfs_data). Numbers and names
// are given by "mtdparts=" (Linux drivers/mtd/parsers/cmdlinepart.c: mtdparts=<id>:<size>[@<offset>][(<name>)],…) in a
// boot environment or kernel; the volume is the one that lies in that range of the image. Without it nothing is
// assumed.
#include "core/text.h"
#include "system/startup.h"

#include <cstring>

namespace assay::system::mounts {
namespace {

constexpr uint64_t kSearched = 64u << 20;  // bytes of one artifact searched for "mtdparts="
constexpr size_t kMaximumPartitions = 64;

struct Partition {
  std::string name;
  uint64_t offset = 0, size = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits with k, m or g; 0x… too. `at` moves past it.
std::optional<uint64_t> read_size(std::string_view text, size_t& at) {
  uint64_t value = 0;
  const bool hexadecimal = text.substr(at).starts_with("0x");
  if (hexadecimal) at += 2;
  const size_t start = at;
  for (; at < text.size() && at - start < 15; ++at) {
    const char c = text[at];
    if (is_digit(c))
      value = value * (hexadecimal ? 16 : 10) + static_cast<uint64_t>(c - '0');
    else if (hexadecimal && c >= 'a' && c <= 'f')
      value = value * 16 + static_cast<uint64_t>(c - 'a' + 10);
    else if (hexadecimal && c >= 'A' && c <= 'F')
      value = value * 16 + static_cast<uint64_t>(c - 'A' + 10);
    else
      break;
  }
  if (at == start) return {};
  const char unit = at < text.size() ? text[at] : '\0';
  const int shift = unit == 'k' || unit == 'K'   ? 10
                    : unit == 'm' || unit == 'M' ? 20
                    : unit == 'g' || unit == 'G' ? 30
                                                 : 0;
  if (shift > 0) ++at;
  if (value > (uint64_t{1} << 48) >> shift) return {};
  return value << shift;
}

// The text after "mtdparts=", first device only: partitions of a second one count on, but lie in another chip.
std::vector<Partition> read_mtdparts(std::string_view text) {
  std::vector<Partition> found;
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon > 64) return found;
  uint64_t next = 0;
  for (size_t at = colon + 1; at < text.size() && found.size() < kMaximumPartitions;) {
    Partition made;
    if (text[at] == '-') {
      ++at;
      made.size = ~uint64_t{0} >> 1;
    } else if (const auto size = read_size(text, at)) {
      made.size = *size;
    } else {
      break;
    }
    made.offset = next;
    if (at < text.size() && text[at] == '@') {
      ++at;
      const auto offset = read_size(text, at);
      if (!offset) break;
      made.offset = *offset;
    }
    if (at < text.size() && text[at] == '(') {
      const size_t end = text.find(')', at);
      if (end == std::string_view::npos || end - at > 64) break;
      made.name = text.substr(at + 1, end - at - 1);
      at = end + 1;
    }
    while (at + 1 < text.size() && (text.substr(at, 2) == "ro" || text.substr(at, 2) == "lk")) at += 2;
    next = made.offset + std::min(made.size, ~uint64_t{0} >> 2);
    found.push_back(std::move(made));
    if (at >= text.size() || text[at] != ',') break;
    ++at;
  }
  return found;
}

// Offset in the image of a container's first byte; nothing where a codec lies between.
std::optional<uint64_t> offset_in_image(const Tree& tree, const Artifact& container) {
  uint64_t sum = 0;
  const Artifact* at = &container;
  for (int depth = 0; depth < 64; ++depth) {
    if (at->parent < 0) return sum;
    if (at->offset == kNowhere || !at->codec.empty()) return {};
    sum += at->offset;
    if (static_cast<size_t>(at->parent) >= tree.artifacts().size()) return {};
    at = &tree.artifacts()[static_cast<size_t>(at->parent)];
  }
  return {};
}

int volume_in(const Tree& tree, const Partition& partition) {
  int best = -1;
  uint64_t best_offset = ~uint64_t{0};
  for (size_t i = 0; i < tree.volumes().size(); ++i) {
    const auto offset = offset_in_image(tree, *tree.volumes()[i].container);
    if (!offset || *offset < partition.offset || *offset - partition.offset >= partition.size) continue;
    if (*offset < best_offset) {
      best = static_cast<int>(i);
      best_offset = *offset;
    }
  }
  return best;
}

std::vector<std::vector<Partition>> layouts(const Tree& tree) {
  std::vector<std::vector<Partition>> found;
  const auto look = [&found](std::string_view text) {
    constexpr std::string_view kKey = "mtdparts=";
    for (size_t at = text.find(kKey); at != std::string_view::npos && found.size() < 8; at = text.find(kKey, at + 1)) {
      std::vector<Partition> parts = read_mtdparts(text.substr(at + kKey.size(), 2048));
      if (parts.size() >= 2) found.push_back(std::move(parts));
    }
  };
  for (const Boot& boot : tree.file_facts().boot) look(boot.value);
  for (const FormatNote& note : tree.file_facts().format_notes) look(note.value);
  if (!found.empty()) return found;
  for (const Artifact& artifact : tree.artifacts()) {
    if (artifact.node.kind != Kind::kImage && artifact.node.kind != Kind::kPart) continue;
    const Bytes content = tree.content(artifact).head(kSearched);
    if (content.empty()) continue;
    const auto* start = reinterpret_cast<const char*>(content.data());
    const void* hit = memmem(start, content.size(), "mtdparts=", 9);
    if (hit) look(content.text().substr(static_cast<size_t>(static_cast<const char*>(hit) - start)));
    if (!found.empty()) break;
  }
  return found;
}

class Mounts {
 public:
  Mounts(Tree& tree, Facts& out) : tree_(tree), out_(out) {}

  void add(int volume, Mount mount) {
    const std::string key = mount.at.artifact + "\n" + mount.source + "\n" + mount.target;
    if (!stated_.insert(key).second) return;
    if (const int source = volume_of(mount.source); source >= 0) tree_.mount(volume, mount.target, source);
    out_.mounts.push_back(std::move(mount));
  }

 private:
  int volume_of(std::string_view source) {
    for (const std::string_view lead : {"/dev/mtdblock/", "/dev/mtdblock", "/dev/mtd/", "/dev/mtd", "mtd:", "mtd"}) {
      if (!source.starts_with(lead) || source.size() == lead.size()) continue;
      return volume_of_partition(source.substr(lead.size()), lead == "mtd:");
    }
    const size_t colon = source.find(':');
    const std::string_view name = source.starts_with("ubi")
                                      ? source.substr(colon == std::string_view::npos ? source.size() : colon + 1)
                                      : std::string_view();
    if (name.empty()) return -1;
    for (size_t i = 0; i < tree_.volumes().size(); ++i) {
      if (tree_.volumes()[i].container->node.path == name) return static_cast<int>(i);
    }
    return -1;
  }

  int volume_of_partition(std::string_view which, bool by_name) {
    if (!read_) layouts_ = layouts(tree_);
    read_ = true;
    for (const std::vector<Partition>& layout : layouts_) {
      for (size_t i = 0; i < layout.size(); ++i) {
        if (by_name ? layout[i].name != which : std::to_string(i) != which) continue;
        if (const int volume = volume_in(tree_, layout[i]); volume >= 0) return volume;
      }
    }
    return -1;
  }

  Tree& tree_;
  Facts& out_;
  std::vector<std::vector<Partition>> layouts_;
  bool read_ = false;
  std::set<std::string> stated_;
};

void read_fstab(const Tree& tree, int volume, Mounts& mounts) {
  const Artifact* table = tree.find(volume, "/etc/fstab");
  if (!table || table->node.kind != Kind::kFile) return;
  for (const Line& line : lines(tree.content(*table).text().substr(0, 1 << 16))) {
    const std::vector<std::string_view> field = words(line.text);
    if (field.size() < 3 || field[0].starts_with('#')) continue;
    mounts.add(volume, {.source = std::string(field[0]),
                        .target = std::string(field[1]),
                        .type = std::string(field[2]),
                        .options = field.size() > 3 ? std::string(field[3]) : "",
                        .at = evidence_at(*table, line.offset, line.text)});
  }
}

void run(Tree& tree, Facts& out) {
  Mounts mounts(tree, out);
  for (int volume = 0; volume < static_cast<int>(tree.volumes().size()); ++volume) read_fstab(tree, volume, mounts);
  Facts passing;  // the starts themselves are stated by the analysis "startup", once every mount is known
  const size_t before = tree.mount_count();
  read_startup(tree, passing, [&](const MountCommand& found) { mounts.add(found.volume, found.mount); });
  if (tree.mount_count() == before) tree.starts = std::move(passing);
}

}  // namespace

extern const TreeAnalysis kMounts;
const TreeAnalysis kMounts = {.id = "mounts", .version = 1, .run = run};

}  // namespace assay::system::mounts
