// The LEB properties tree of UBIFS: nodes of a few bytes, packed in bits from the low end, one behind the other.
//
//   CRC-16 (polynomial 0xa001, from ~0) over what follows it, 4 bits of type, then fields whose widths follow from the
//   geometry
//   types: 0 pnode (space of 4 blocks), 1 nnode (4 children), 2 ltab (the tree's own blocks), 3 lsave (block numbers)
//
// Nothing in them is needed to read files; a node whose checksum holds is accounted for.
// Source: Linux fs/ubifs/lpt.c, studied for the widths.
#include "core/hash.h"
#include "unpack/formats/ubifs_nodes.h"

#include <array>
#include <bit>

namespace assay::unpack {
namespace {

constexpr uint64_t kFixedBits = 16 + 4, kFanOut = 4;
constexpr uint64_t kFirstBlock = 3;  // of the log; the tree stands behind it

uint64_t bits_of(uint64_t value) { return static_cast<uint64_t>(std::bit_width(value)); }

// Sizes in bytes, by type.
std::array<uint64_t, 4> sizes(const UbifsSuper& super) {
  const uint64_t reserved = kFirstBlock + super.log_blocks + uint64_t{super.lpt_blocks} + super.orphan_blocks;
  const uint64_t most = super.most > reserved ? super.most - reserved : 1;
  const uint64_t number = super.flags & kUbifsBigTree ? bits_of((most + kFanOut - 1) / kFanOut - 1) : 0;
  const std::array<uint64_t, 4> bits = {
      kFixedBits + number + (2 * (bits_of(super.block) - 3) + 1) * kFanOut,
      kFixedBits + number + (bits_of(super.lpt_blocks) + bits_of(super.block - 1)) * kFanOut,
      kFixedBits + super.lpt_blocks * 2 * bits_of(super.block),
      kFixedBits + uint64_t{super.save_count} * bits_of(super.most ? super.most - 1 : 0),
  };
  std::array<uint64_t, 4> bytes;
  for (size_t i = 0; i < bits.size(); ++i) bytes[i] = (bits[i] + 7) / 8;
  return bytes;
}

bool node_holds(Bytes block, uint64_t at, uint64_t size) {
  const auto node = block.slice(at, size, "node");
  return node && checksum_holds(crc16_arc(*node->from(2, "node"), 0xffff), *node->le<uint16_t>(0, "crc"));
}

}  // namespace

Result<void> claim_ubifs_properties(Bytes whole, const UbifsSuper& super, Sink& into) {
  const auto size_of = sizes(super);
  const uint64_t first = kFirstBlock + super.log_blocks;
  for (uint64_t i = 0; i < super.lpt_blocks && (first + i) * super.block < whole.size(); ++i) {
    const uint64_t start = (first + i) * super.block;
    const Bytes block = whole.head(super.block, start);
    for (uint64_t at = 0; at + 3 <= block.size();) {
      const uint8_t type = block[at + 2] & 15;
      if (block[at] == 0xff && block[at + 1] == 0xff && type == 15) {
        ++at;  // erased, or the padding of a write
        continue;
      }
      if (type >= size_of.size() || size_of[type] > block.size()) {
        ++at;
        continue;
      }
      TRY_VOID(into.step(1 + size_of[type] / 64));
      if (node_holds(block, at, size_of[type])) {
        into.range(Range::kHeader, start + at, size_of[type]);
        at += size_of[type];
      } else {
        ++at;
      }
    }
  }
  return {};
}

}  // namespace assay::unpack
