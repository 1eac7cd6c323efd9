// States to try code on: the values at which carries, overflows and signs turn, and pointers into the test's memory,
// which itself is full of pointers, so that loads through loaded values stay inside.
#pragma once
#include "lift/emulator.h"
#include "lift/random.h"

#include <iterator>

namespace assay::code::lift {

// Near the middle, so that displacements of 16 bits stay inside.
inline uint64_t pointer(Random& random) { return kAreaBase + kAreaSize / 2 - 0x8000 + random.below(0x1000) * 16; }

inline uint64_t edge(Random& random, unsigned bits) {
  static constexpr uint64_t kEdges[] = {0,  1,  2,  3,    4,    7,    8,     15,     16,     31,     32,
                                        33, 63, 64, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000};
  const uint64_t top = uint64_t{1} << (bits - 1);
  switch (random.below(6)) {
    case 0:
      return kEdges[random.below(std::size(kEdges))] & ir::mask(bits);
    case 1:
      return ~kEdges[random.below(std::size(kEdges))] & ir::mask(bits);
    case 2:
      return (top - 2 + random.below(4)) & ir::mask(bits);
    case 3:
      return (0x7ffffffe + random.below(4)) & ir::mask(bits);
    default:
      return random.next() & ir::mask(bits);
  }
}

// The memory both sides begin with.
inline ir::Area make_area(const Isa& isa) {
  Random random;
  ir::Area area{.base = kAreaBase, .bytes = std::vector<uint8_t>(kAreaSize), .writes = {}};
  const unsigned step = isa.pointer / 8;
  for (size_t i = 0; i + step <= area.bytes.size(); i += step) {
    const uint64_t v = random.below(4) != 0 ? pointer(random) : edge(random, isa.pointer);
    for (unsigned k = 0; k < step; ++k)
      area.bytes[i + k] = static_cast<uint8_t>(v >> 8 * (isa.order == Order::kLittle ? k : step - 1 - k));
  }
  return area;
}

// `pointers`: of 8 registers so many hold a pointer. Half of the states of 64-bit CPUs hold words, sign-extended:
// MIPS64 gives 32-bit operations no meaning on others.
inline void make_registers(const Isa& isa, Random& random, unsigned pointers, ir::State& out) {
  out.registers.clear();
  const bool words = random.below(2) == 0;
  const bool offsets = random.below(3) == 0;  // what is no pointer is near 0: an index beside a base
  for (const ir::Register& r : isa.file.registers) {
    uint64_t value = 0;
    if (r.bits == 1)
      value = r.name == "reserved" ? 0 : random.below(2);  // the emulator's reservation cannot be set
    else if (r.bits == 32 && r.name.ends_with("_base"))
      value = 0;  // nor can x86's segment bases where they lie in descriptors
    else if (r.bits > 1)
      value = random.below(8) < pointers ? pointer(random)
              : offsets                  ? random.below(0x200) - 0x40
                                         : edge(random, r.bits);
    value &= ir::mask(r.bits);
    if (r.bits == 64 && words) value = static_cast<uint64_t>(ir::sign_extend(value & 0xffffffff, 32));
    out.registers.push_back({value, true});
  }
}

}  // namespace assay::code::lift
