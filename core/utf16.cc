#include "core/utf16.h"

#include "core/text.h"

namespace assay {

std::string utf8_of_utf16(Bytes units, Order order) {
  std::string out;
  for (uint64_t at = 0; at + 2 <= units.size(); at += 2) {
    const uint32_t first = *units.get<uint16_t>(at, order, "");
    const uint32_t second = units.get<uint16_t>(at + 2, order, "").value_or(0);
    if (first >> 10 == 0x36 && second >> 10 == 0x37) {
      append_utf8(out, 0x10000 + ((first & 0x3ff) << 10 | (second & 0x3ff)));
      at += 2;
    } else {
      append_utf8(out, first);
    }
  }
  return out;
}

}  // namespace assay
