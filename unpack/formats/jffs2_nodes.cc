#include "unpack/formats/jffs2_nodes.h"

#include "core/hash.h"

#include <array>
#include <map>
#include <numeric>

namespace assay::unpack {
namespace {

constexpr uint16_t kMagic = 0x1985, kOldMagic = 0x1984;
constexpr uint64_t kSmallestBlock = 4096;
constexpr uint64_t kUnknownBlock = 128 << 10;  // bytes without a node that end the search when no block size is known
constexpr uint64_t kErasedAfterMarker = 256;   // a lone clean marker counts when this much erased flash follows it

struct Layout {
  uint16_t type;
  uint32_t size;         // of the fixed fields
  uint32_t checked, at;  // node_crc covers the first bytes and stands at an offset; 0: the type has none
};
constexpr Layout kLayouts[] = {
    {kJffs2Dirent, kJffs2DirentSize, 32, 32},   {kJffs2Inode, kJffs2InodeSize, 60, 64},
    {kJffs2Summary, kJffs2SummarySize, 24, 28}, {kJffs2Xattr, kJffs2XattrSize, 28, 28},
    {kJffs2Xref, kJffs2XrefSize, 24, 24},
};
constexpr Layout kOther = {0, kJffs2HeaderSize, 0, 0};

const Layout& layout_of(uint16_t type) {
  for (const Layout& layout : kLayouts)
    if (layout.type == type) return layout;
  return kOther;
}

// The header's checksum is that of the node as it was written, before it was marked obsolete.
bool header_holds(Bytes header, Order order, uint16_t type, uint32_t stored) {
  std::array<char, 8> written;
  std::memcpy(written.data(), header.data(), written.size());
  const auto accurate = static_cast<uint16_t>(type | kJffs2Accurate);
  written[2] = static_cast<char>(order == Order::kLittle ? accurate & 0xff : accurate >> 8);
  written[3] = static_cast<char>(order == Order::kLittle ? accurate >> 8 : accurate & 0xff);
  return checksum_holds(crc32_raw(Bytes(std::string_view(written.data(), written.size())), 0), stored);
}

Result<Jffs2Node> read_node(Bytes whole, uint64_t at, Order order, uint16_t magic) {
  const Bytes header = TRY(whole.slice(at, kJffs2HeaderSize, "node header"));
  if (*header.get<uint16_t>(0, order, "magic") != magic) return fail(Fault::kMalformed, "no magic", header.base());
  const uint16_t type = *header.get<uint16_t>(2, order, "nodetype");
  Jffs2Node node = {at, *header.get<uint32_t>(4, order, "totlen"), static_cast<uint16_t>(type | kJffs2Accurate),
                    !(type & kJffs2Accurate)};
  if (node.length < layout_of(node.type).size)
    return fail(Fault::kMalformed, "totlen " + std::to_string(node.length) + " is below the node's size",
                header.base() + 4);
  if (node.length > whole.size() - at) return fail(Fault::kTruncated, "node runs past the end", header.base() + 4);
  if (!header_holds(header, order, type, *header.get<uint32_t>(8, order, "hdr_crc")))
    return fail(Fault::kMalformed, "hdr_crc does not match", header.base() + 8);
  return node;
}

uint64_t erased_until(Bytes from, uint64_t at) {
  while (at < from.size() && from[at] == 0xff) ++at;
  return at;
}

// The distance of clean markers: one stands at the start of every erased block.
uint64_t block_size(const std::vector<Jffs2Node>& nodes) {
  uint64_t common = 0, first = kNowhere;
  for (const Jffs2Node& node : nodes) {
    if (node.type != kJffs2CleanMarker) continue;
    if (first == kNowhere) first = node.at;
    common = std::gcd(common, node.at - first);
  }
  return common >= kSmallestBlock && common % 1024 == 0 ? common : 0;
}

struct NodeWalk {
  std::vector<Jffs2Node> nodes;
  uint64_t end = 0;
};

NodeWalk walk_nodes(Bytes from, Order order, uint16_t magic) {
  NodeWalk walk;
  uint64_t common = 0, first = kNowhere, strange = 0;
  for (uint64_t at = 0; at + 4 <= from.size();) {
    if (const auto node = read_node(from, at, order, magic)) {
      if (node->type == kJffs2CleanMarker) {
        if (first == kNowhere) first = at;
        common = std::gcd(common, at - first);
      }
      walk.nodes.push_back(*node);
      walk.end = at = std::min(node->end(), from.size());
      strange = 0;
    } else if (from[at] == 0xff && from[at + 1] == 0xff && from[at + 2] == 0xff && from[at + 3] == 0xff) {
      at = erased_until(from, at) & ~uint64_t{3};
    } else {
      at += 4;
      strange += 4;
      if (strange >= (common >= kSmallestBlock ? common : kUnknownBlock)) break;
    }
  }
  return walk;
}

uint64_t end_with_erased_flash(Bytes from, uint64_t end, uint64_t block, uint64_t phase) {
  const uint64_t erased = erased_until(from, end);
  if (erased == from.size() || block == 0) return erased;
  const uint64_t in_block = erased < phase ? 0 : (erased - phase) % block;
  return std::max(end, erased - std::min(erased, in_block));
}

// Two file systems may lie back to back. In one, a version of an inode (or of a directory's names) is written once,
// or copied unchanged; so a block in which most versions contradict earlier blocks begins another file system.
class Border {
 public:
  Border(Bytes whole, Order order) : whole_(whole), order_(order) {}

  void add(const Jffs2Node& node) {
    if (node.obsolete || (node.type != kJffs2Inode && node.type != kJffs2Dirent)) return;
    const bool dirent = node.type == kJffs2Dirent;
    const Key key = {node.type, word(node, 12), word(node, 16)};
    const uint64_t value = uint64_t{word(node, dirent ? 32 : 64)} << 32 | word(node, dirent ? 36 : 60);
    ++compared_;
    if (const auto it = seen_.find(key); it != seen_.end()) contradictions_ += it->second != value;
    fresh_.emplace_back(key, value);
  }
  // Whether the block just added belongs to another file system than those before it.
  bool close_block() {
    const bool other = contradictions_ >= 2 && contradictions_ * 2 >= compared_;
    for (const auto& [key, value] : fresh_) seen_.try_emplace(key, value);
    fresh_.clear();
    compared_ = contradictions_ = 0;
    return other;
  }

 private:
  struct Key {
    uint16_t type;
    uint32_t inode, version;
    auto operator<=>(const Key&) const = default;
  };
  uint32_t word(const Jffs2Node& node, uint64_t at) const {
    return whole_.get<uint32_t>(node.at + at, order_, "word").value_or(0);
  }

  Bytes whole_;
  Order order_;
  std::map<Key, uint64_t> seen_;
  std::vector<std::pair<Key, uint64_t>> fresh_;
  uint64_t compared_ = 0, contradictions_ = 0;
};

// Where the next file system begins, or kNowhere.
uint64_t find_border(Bytes whole, const Jffs2Nodes& all, uint64_t phase) {
  if (all.erase_block == 0) return kNowhere;
  Border border(whole, all.order);
  const auto block_of = [&](const Jffs2Node& node) { return (node.at + all.erase_block - phase) / all.erase_block; };
  for (size_t i = 0, first = 0; i < all.nodes.size(); ++i) {
    border.add(all.nodes[i]);
    if (i + 1 < all.nodes.size() && block_of(all.nodes[i + 1]) == block_of(all.nodes[i])) continue;
    if (border.close_block()) return all.nodes[first].at;
    first = i + 1;
  }
  return kNowhere;
}

Result<void> check_alone(Bytes from, const Jffs2Nodes& all) {
  const Jffs2Node& first = all.nodes[0];
  if (all.nodes.size() > 1 || first.type == kJffs2Inode || first.type == kJffs2Dirent) return {};
  const uint64_t erased = erased_until(from, first.end());
  if (erased == from.size() || erased - first.end() >= kErasedAfterMarker) return {};
  return fail(Fault::kMalformed, "a lone node without erased flash behind it", from.base());
}

}  // namespace

bool jffs2_node_holds(Bytes whole, Order order, const Jffs2Node& node) {
  const Layout& layout = layout_of(node.type);
  if (layout.checked == 0) return true;
  const auto stored = whole.get<uint32_t>(node.at + layout.at, order, "node_crc");
  return stored && checksum_holds(crc32_raw(whole.head(layout.checked, node.at), 0), *stored);
}

Result<Jffs2Nodes> read_jffs2_nodes(Bytes from) {
  Jffs2Nodes all;
  const uint16_t magic = TRY(from.le<uint16_t>(0, "magic"));
  all.order = magic == kMagic || magic == kOldMagic ? Order::kLittle : Order::kBig;
  all.magic = all.order == Order::kLittle ? magic : std::byteswap(magic);
  if (all.magic != kMagic && all.magic != kOldMagic)
    return fail(Fault::kMalformed, "magic is none of JFFS2's", from.base());
  const Jffs2Node first = TRY(read_node(from, 0, all.order, all.magic));
  if (!first.obsolete && !jffs2_node_holds(from, all.order, first))
    return fail(Fault::kMalformed, "node_crc does not match", from.base());
  NodeWalk walk = walk_nodes(from, all.order, all.magic);
  all.nodes = std::move(walk.nodes);
  TRY_VOID(check_alone(from, all));
  all.erase_block = block_size(all.nodes);
  uint64_t phase = 0;
  for (const Jffs2Node& node : all.nodes)
    if (all.erase_block && node.type == kJffs2CleanMarker) {
      phase = node.at % all.erase_block;
      break;
    }
  if (const uint64_t border = find_border(from, all, phase); border != kNowhere) {
    while (!all.nodes.empty() && all.nodes.back().at >= border) all.nodes.pop_back();
    all.length = border;
  } else {
    all.length = end_with_erased_flash(from, walk.end, all.erase_block, phase);
  }
  return all;
}

}  // namespace assay::unpack
