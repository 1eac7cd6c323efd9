// A reader of flattened device trees (DTB), used for device trees and for FIT images, which are device trees.
//
//   0   0xd00dfeed, then 9 numbers of 32 bits, big endian: total size, offsets of the structure block, the strings
//       block and the memory reservations, version, last compatible version, boot CPU, sizes of strings and structure
//   structure block: tokens BEGIN_NODE name, END_NODE, PROP (length, name offset, value), NOP, END
//
// Everything is checked while it is read: bounds, nesting, termination. Source: Devicetree Specification 0.4,
// chapter 5.
#pragma once
#include "core/bytes.h"

#include <optional>
#include <vector>

namespace assay::unpack {

struct FdtProperty {
  std::string_view name;
  Bytes value;
};

struct FdtNode {
  std::string_view name;  // empty: the root
  int32_t parent = -1;
  uint32_t depth = 0;
  uint64_t offset = 0;
  std::vector<FdtProperty> properties;
};

struct Fdt {
  uint64_t size = 0;  // total size as stated
  uint32_t version = 0;
  std::vector<std::pair<uint64_t, uint64_t>> blocks;  // offset and length of header, reservations, structure, strings
  std::vector<FdtNode> nodes;                         // as stored: parents before children; nodes[0] is the root

  std::optional<size_t> child(size_t parent, std::string_view name) const;
  std::vector<size_t> children(size_t parent) const;
  const FdtProperty* property(size_t node, std::string_view name) const;
  std::string text(size_t node, std::string_view name) const;  // first string of a property, or ""
  std::vector<std::string> texts(size_t node, std::string_view name) const;
  std::optional<uint64_t> number(size_t node, std::string_view name) const;  // of 4 or 8 bytes
};

// Views point into `from`, which must outlive the result.
Result<Fdt> read_fdt(Bytes from);

}  // namespace assay::unpack
