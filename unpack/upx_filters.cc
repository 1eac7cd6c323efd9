// A filter turns the relative targets of calls into places in the block, which recur:
//
//   0x26, 0x36, 0x46  x86 E8 and E9; 0x49 those and 0F 80 to 0F 8F: where the byte behind the opcode is the parameter,
//                     the next three are the target, highest byte first
//   0x50, 0x51        ARM BL, little and big endian: its 24 bits hold the target as a word's number
//   0x52              AArch64 B and BL: the same with 26 bits
//   0xd0              PowerPC B and BL: where the top four of its 26 bits are the parameter, the others are the target
//
// Source: UPX 4.2 src/filter/filter_impl.cpp, ct.h, ctok.h, ppcbxx.h.
#include "unpack/upx_filters.h"

namespace assay::unpack {
namespace {

using Block = std::span<uint8_t>;

uint32_t get_big(Block b, size_t at) {
  return uint32_t{b[at]} << 24 | uint32_t{b[at + 1]} << 16 | uint32_t{b[at + 2]} << 8 | b[at + 3];
}
uint32_t get_little(Block b, size_t at) { return __builtin_bswap32(get_big(b, at)); }
void put_big(Block b, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) b[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}
void put_little(Block b, size_t at, uint32_t value) { put_big(b, at, __builtin_bswap32(value)); }

void undo_x86(Block b, uint8_t parameter, bool conditional) {
  size_t behind_last = 0;
  for (size_t at = 0; at + 5 < b.size(); ++at) {
    const bool call = b[at] == 0xe8 || b[at] == 0xe9;
    const bool jump = conditional && at > 0 && at != behind_last && b[at - 1] == 0x0f && b[at] >= 0x80 && b[at] <= 0x8f;
    if ((!call && !jump) || b[at + 1] != parameter) continue;
    put_little(b, at + 1, (get_big(b, at + 1) & 0xffffff) - static_cast<uint32_t>(at) - 1);
    at += 4;
    behind_last = at + 1;
  }
}

// The last word is left as it is: the packer does not look at it.
void undo_arm(Block b, bool big) {
  for (size_t at = 0; at + 4 < b.size(); at += 4) {
    const uint32_t word = big ? get_big(b, at) : get_little(b, at);
    if ((word >> 24 & 0x0f) != 0x0b) continue;
    const uint32_t undone = (word & 0xff000000) | ((word - static_cast<uint32_t>(at / 4)) & 0xffffff);
    big ? put_big(b, at, undone) : put_little(b, at, undone);
  }
}

void undo_aarch64(Block b) {
  for (size_t at = 0; at + 4 < b.size(); at += 4) {
    const uint32_t word = get_little(b, at);
    if ((word >> 24 & 0x7c) != 0x14) continue;
    put_little(b, at, (word & 0xfc000000) | ((word - static_cast<uint32_t>(at / 4)) & 0x3ffffff));
  }
}

void undo_powerpc(Block b, uint8_t parameter) {
  constexpr size_t kReach = 1 << 22;
  for (size_t at = 0; at + 4 <= b.size() && at <= kReach; at += 4) {
    const uint32_t word = get_big(b, at);
    if (word >> 26 != 18 || (word >> 22 & 15) != parameter) continue;
    put_big(b, at, (word & 0xfc000003) | (((word & 0x3ffffc) - static_cast<uint32_t>(at)) & 0x3fffffc));
  }
}

}  // namespace

bool undo_upx_filter(uint8_t id, uint8_t parameter, std::span<uint8_t> block) {
  switch (id) {
    case 0:
      return true;
    case 0x26:
    case 0x36:
    case 0x46:
    case 0x49:
      undo_x86(block, parameter, id == 0x49);
      return true;
    case 0x50:
    case 0x51:
      undo_arm(block, id == 0x51);
      return true;
    case 0x52:
      undo_aarch64(block);
      return true;
    case 0xd0:
      undo_powerpc(block, parameter);
      return true;
    default:
      return false;
  }
}

}  // namespace assay::unpack
