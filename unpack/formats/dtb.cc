// A flattened device tree (DTB): the description of a board's hardware that a boot loader hands to its kernel.
// The layout stands in unpack/fdt.h. It has no checksum; it counts as verified because every token, name and
// value of it was walked to the end. FIT images share the layout: formats/fit.cc takes trees with a node /images.
#include "unpack/describe.h"
#include "unpack/fdt.h"

#include <algorithm>

namespace assay::unpack::dtb {
namespace {

constexpr Magic kMagics[] = {{"\xd0\x0d\xfe\xed"}};

Result<Measured> measure(Bytes from) {
  const Fdt tree = TRY(read_fdt(from));
  if (tree.child(0, "images")) return fail(Fault::kMalformed, "a FIT image, no plain device tree", from.base());
  return Measured{tree.size, true};
}

uint64_t at(Bytes whole, const FdtProperty& p) { return p.value.base() - whole.base(); }

void note_text(const Fdt& tree, Bytes whole, size_t node, std::string_view property, std::string_view name,
               Sink& into) {
  const FdtProperty* p = tree.property(node, property);
  if (!p) return;
  std::string all;
  for (const std::string& text : tree.texts(node, property)) all += (all.empty() ? "" : ", ") + text;
  into.note(name, all, at(whole, *p));
}

// The partitions of one "fixed-partitions" node: reg is (offset, size) in cells of the node.
void note_partitions(const Fdt& tree, Bytes whole, size_t node, Sink& into) {
  const uint64_t cells = tree.number(node, "#address-cells").value_or(1);
  if (cells < 1 || cells > 2 || tree.number(node, "#size-cells").value_or(cells) != cells) return;
  for (const size_t part : tree.children(node)) {
    const FdtProperty* reg = tree.property(part, "reg");
    if (!reg || reg->value.size() != 8 * cells) continue;
    const auto number = [&](uint64_t from) -> uint64_t {
      return cells == 1 ? *reg->value.be<uint32_t>(from, "reg") : *reg->value.be<uint64_t>(from, "reg");
    };
    std::string label = tree.text(part, "label");
    if (label.empty()) label = tree.nodes[part].name;
    const bool read_only = tree.property(part, "read-only");
    into.note(
        "partition",
        label + " " + hex_number(number(0)) + "+" + hex_number(number(4 * cells)) + (read_only ? " read-only" : ""),
        at(whole, *reg));
  }
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Fdt tree = TRY(read_fdt(whole));
  for (const auto& [offset, length] : tree.blocks)
    into.range(offset == 0 ? Range::kHeader : Range::kContent, offset, length);
  uint64_t end = 0;
  for (const auto& [offset, length] : tree.blocks) end = std::max(end, offset + length);
  if (end < tree.size && is_run(whole.head(tree.size - end, end))) into.range(Range::kPadding, end, tree.size - end);
  note_text(tree, whole, 0, "model", "model", into);
  note_text(tree, whole, 0, "compatible", "compatible", into);
  if (const auto chosen = tree.child(0, "chosen")) {
    note_text(tree, whole, *chosen, "bootargs", "bootargs", into);
    note_text(tree, whole, *chosen, "stdout-path", "stdout-path", into);
  }
  for (size_t node = 0; node < tree.nodes.size(); ++node) {
    TRY_VOID(into.step());
    for (const std::string& kind : tree.texts(node, "compatible"))
      if (kind == "fixed-partitions") note_partitions(tree, whole, node, into);
  }
  return {};
}

}  // namespace

extern const Format kDtb;
const Format kDtb = {.id = "dtb",
                     .title = "Flattened device tree",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .readable = true,
                     .reads = "versions 16 and 17",
                     .source = "Devicetree Specification 0.4, chapter 5",
                     .checked = "foreign tool: dtc"};

}  // namespace assay::unpack::dtb
