// See fdt.h.
#include "unpack/fdt.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr uint32_t kBeginNode = 1, kEndNode = 2, kProperty = 3, kNop = 4, kEnd = 9;
constexpr uint64_t kFdtHeaderSize = 40;
constexpr uint32_t kMostFdtDepth = 64;
constexpr size_t kMostNodes = 100'000;

struct FdtBlocks {
  Bytes all, structure, strings;
};

Result<FdtBlocks> read_header(Bytes from, Fdt& tree) {
  if (TRY(from.be<uint32_t>(0, "magic")) != 0xd00dfeed) return fail(Fault::kMalformed, "magic", from.base());
  tree.size = TRY(from.be<uint32_t>(4, "total size"));
  const uint64_t structure = TRY(from.be<uint32_t>(8, "structure offset"));
  const uint64_t strings = TRY(from.be<uint32_t>(12, "strings offset"));
  const uint64_t reserved = TRY(from.be<uint32_t>(16, "reservations offset"));
  tree.version = TRY(from.be<uint32_t>(20, "version"));
  if (tree.version < 16 || tree.version > 17 || TRY(from.be<uint32_t>(24, "last compatible version")) > 17)
    return fail(Fault::kUnsupported, "version " + std::to_string(tree.version), from.base() + 20);
  const uint64_t strings_size = TRY(from.be<uint32_t>(32, "strings size"));
  FdtBlocks blocks;
  blocks.all = TRY(from.slice(0, tree.size, "device tree"));
  const uint64_t structure_size =
      tree.version == 17 ? TRY(from.be<uint32_t>(36, "structure size")) : tree.size - std::min(tree.size, structure);
  blocks.structure = TRY(blocks.all.slice(structure, structure_size, "structure block"));
  blocks.strings = TRY(blocks.all.slice(strings, strings_size, "strings block"));
  if (structure < kFdtHeaderSize - 4 || structure % 4 || reserved % 8 || reserved > structure)
    return fail(Fault::kMalformed, "offsets of the blocks", from.base() + 8);
  const uint64_t header = tree.version == 17 ? kFdtHeaderSize : kFdtHeaderSize - 4;
  tree.blocks = {{0, header}, {structure, structure_size}, {strings, strings_size}};
  for (uint64_t at = reserved; reserved >= header; at += 16)
    if (TRY(blocks.all.be<uint64_t>(at + 8, "reservation")) == 0) {
      tree.blocks.insert(tree.blocks.begin() + 1, {reserved, at + 16 - reserved});
      break;
    }
  return blocks;
}

// Text at `at` of `block`, ended by NUL inside it.
Result<std::string_view> text_at(Bytes block, uint64_t at, std::string_view field) {
  const Bytes rest = TRY(block.from(at, field));
  const size_t end = rest.text().find('\0');
  if (end == std::string_view::npos) return fail(Fault::kTruncated, std::string(field) + " has no end", rest.base());
  return rest.text().substr(0, end);
}

struct FdtWalk {
  Fdt& tree;
  FdtBlocks blocks;
  uint64_t at = 0;
  int32_t current = -1;
};

Result<void> begin_node(FdtWalk& w) {
  const Bytes s = w.blocks.structure;
  if (w.tree.nodes.size() >= kMostNodes) return fail(Fault::kLimit, "more than 100000 nodes", s.base() + w.at);
  if (w.current < 0 && !w.tree.nodes.empty()) return fail(Fault::kMalformed, "a second root", s.base() + w.at);
  FdtNode node;
  node.name = TRY(text_at(s, w.at, "node name"));
  node.parent = w.current;
  node.offset = s.base() + w.at - w.blocks.all.base();
  node.depth = w.current < 0 ? 0 : w.tree.nodes[static_cast<size_t>(w.current)].depth + 1;
  if (node.depth > kMostFdtDepth) return fail(Fault::kLimit, "nodes nested deeper than 64", s.base() + w.at);
  w.at += (node.name.size() + 4) / 4 * 4;
  w.current = static_cast<int32_t>(w.tree.nodes.size());
  w.tree.nodes.push_back(std::move(node));
  return {};
}

Result<void> property(FdtWalk& w) {
  const Bytes s = w.blocks.structure;
  const uint64_t length = TRY(s.be<uint32_t>(w.at, "property length"));
  const uint64_t name = TRY(s.be<uint32_t>(w.at + 4, "property name"));
  if (w.current < 0) return fail(Fault::kMalformed, "a property outside any node", s.base() + w.at);
  FdtProperty p;
  p.name = TRY(text_at(w.blocks.strings, name, "property name"));
  p.value = TRY(s.slice(w.at + 8, length, "property value"));
  w.tree.nodes[static_cast<size_t>(w.current)].properties.push_back(p);
  w.at += 8 + (length + 3) / 4 * 4;
  return {};
}

Result<void> walk(FdtWalk& w) {
  for (;;) {
    const auto token = TRY(w.blocks.structure.be<uint32_t>(w.at, "token"));
    w.at += 4;
    if (token == kBeginNode) {
      TRY_VOID(begin_node(w));
    } else if (token == kProperty) {
      TRY_VOID(property(w));
    } else if (token == kEndNode) {
      if (w.current < 0)
        return fail(Fault::kMalformed, "a node ends that never began", w.blocks.structure.base() + w.at);
      w.current = w.tree.nodes[static_cast<size_t>(w.current)].parent;
    } else if (token == kEnd) {
      break;
    } else if (token != kNop) {
      return fail(Fault::kMalformed, "token " + std::to_string(token), w.blocks.structure.base() + w.at - 4);
    }
  }
  if (w.current >= 0 || w.tree.nodes.empty())
    return fail(Fault::kMalformed, "the tree ends inside a node", w.blocks.structure.base() + w.at);
  return {};
}

}  // namespace

Result<Fdt> read_fdt(Bytes from) {
  Fdt tree;
  FdtWalk w{tree, TRY(read_header(from, tree))};
  TRY_VOID(walk(w));
  return tree;
}

std::optional<size_t> Fdt::child(size_t parent, std::string_view name) const {
  for (size_t i = parent + 1; i < nodes.size(); ++i)
    if (nodes[i].parent == static_cast<int32_t>(parent) && nodes[i].name == name) return i;
  return std::nullopt;
}

std::vector<size_t> Fdt::children(size_t parent) const {
  std::vector<size_t> found;
  for (size_t i = parent + 1; i < nodes.size() && nodes[i].depth > nodes[parent].depth; ++i)
    if (nodes[i].parent == static_cast<int32_t>(parent)) found.push_back(i);
  return found;
}

const FdtProperty* Fdt::property(size_t node, std::string_view name) const {
  for (const FdtProperty& p : nodes[node].properties)
    if (p.name == name) return &p;
  return nullptr;
}

std::vector<std::string> Fdt::texts(size_t node, std::string_view name) const {
  std::vector<std::string> found;
  const FdtProperty* p = property(node, name);
  if (!p) return found;
  std::string_view rest = p->value.text();
  while (!rest.empty()) {
    const size_t end = rest.find('\0');
    found.emplace_back(rest.substr(0, end));
    if (end == rest.npos) break;
    rest.remove_prefix(end + 1);
  }
  return found;
}

std::string Fdt::text(size_t node, std::string_view name) const {
  const auto all = texts(node, name);
  return all.empty() ? std::string() : all.front();
}

std::optional<uint64_t> Fdt::number(size_t node, std::string_view name) const {
  const FdtProperty* p = property(node, name);
  if (!p) return std::nullopt;
  if (p->value.size() == 4) return *p->value.be<uint32_t>(0, name);
  if (p->value.size() == 8) return *p->value.be<uint64_t>(0, name);
  return std::nullopt;
}

}  // namespace assay::unpack
